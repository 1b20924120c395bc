//! Names in a row, and the start of a sentence.

use pushoff_model::Transport;

use super::number::thousands;

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

/// How many of something: `1 trial`, `2,000 trials`.
pub(crate) fn counted(number: usize, noun: &str) -> String {
    format!("{} {noun}{}", thousands(&number.to_string()), if number == 1 { "" } else { "s" })
}

/// The first letter made a capital, for the start of a sentence.
pub(crate) fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_no_plural() {
        assert_eq!([0, 1, 2_000].map(|number| counted(number, "trial")), ["0 trials", "1 trial", "2,000 trials"]);
    }
}
