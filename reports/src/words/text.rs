//! Names in a row, and the start of a sentence.

use pushoff_model::Transport;

/// Transports joined as prose joins them: `a, b and c`.
pub(crate) fn list(transports: &[Transport]) -> String {
    joined(&transports.iter().map(|transport| transport.label()).collect::<Vec<_>>())
}

/// Words joined as prose joins them.
pub(crate) fn joined(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// The first letter made a capital, for the start of a sentence.
pub(crate) fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
