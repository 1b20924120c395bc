//! Prose whose figures know the place that they are taken from.
//!
//! Made once: on the page a figure is a link to its place, everywhere else the same words are plain.
//! Nobody looks for numbers in a finished sentence.

use std::fmt::{self, Display};

use maud::{Markup, html};
use pushoff_model::Transport;
use serde::{Serialize, Serializer};

use crate::name::name;
use crate::number::unbroken;
use crate::sentence::capitalised;

/// Where in the report a figure stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the table of its workload: the cell of a transport, beside a head.
    Cell(Transport, &'static str),
    /// Among what the workload asks for.
    Asked,
}

impl Place {
    /// The id of that element, of the group with this anchor.
    pub(crate) fn id(self, group: &str) -> String {
        match self {
            Self::Cell(transport, head) => {
                let words: Vec<&str> = head.split(|letter: char| !letter.is_alphanumeric()).collect();
                let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
                format!("cell-{group}-{transport}-{}", words.join("-"))
            }
            Self::Asked => format!("workload-{group}"),
        }
    }
}

/// A piece of prose.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Span {
    Text(String),
    /// A figure as it is written, and where it stands.
    Figure(String, Place),
    /// A transport, which the page shows with its colour and its shape.
    Name(Transport),
}

/// Some words, some of which are figures.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Prose(Vec<Span>);

/// Prose from pieces: texts, transports, and prose.
macro_rules! prose {
    ($($piece:expr),+ $(,)?) => {
        $crate::prose::Prose::default()$(.then($piece))+
    };
}
pub(crate) use prose;

impl Prose {
    /// A figure, as it is written at that place.
    pub(crate) fn figure(written: impl Into<String>, place: Place) -> Self {
        Self(vec![Span::Figure(written.into(), place)])
    }

    /// What the workload asks for.
    pub(crate) fn asked(written: impl Into<String>) -> Self {
        Self::figure(written, Place::Asked)
    }

    /// What somebody else wrote into a workload: where there are figures in it, they are what it asks for.
    pub(crate) fn quoted(words: &str) -> Self {
        if words.contains(|letter: char| letter.is_ascii_digit()) { Self::asked(words) } else { words.into() }
    }

    /// This and then that.
    #[must_use]
    pub(crate) fn then(mut self, more: impl Into<Self>) -> Self {
        self.0.extend(more.into().0);
        self
    }

    /// The words with their figures linked to their places in the report of that group.
    pub(crate) fn linked(&self, group: &str) -> Markup {
        html! {
            @for span in &self.0 {
                @match span {
                    Span::Text(text) => (unbroken(text)),
                    Span::Figure(written, place) => a.figure href=(format!("#{}", place.id(group))) { (unbroken(written)) },
                    Span::Name(transport) => (name(*transport)),
                }
            }
        }
    }

    /// The places of its figures.
    #[cfg(test)]
    pub(crate) fn places(&self) -> impl Iterator<Item = Place> {
        self.0.iter().filter_map(|span| if let Span::Figure(_, place) = span { Some(*place) } else { None })
    }
}

/// As plain words; a transport's name begins a sentence with a capital.
impl Display for Prose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut begins = true;
        for span in &self.0 {
            match span {
                Span::Text(text) | Span::Figure(text, _) => {
                    f.write_str(text)?;
                    begins = text.ends_with(". ");
                }
                Span::Name(transport) => {
                    let label = transport.label();
                    let name = if begins { capitalised(label) } else { label.to_owned() };
                    f.write_str(&name)?;
                    begins = false;
                }
            }
        }
        Ok(())
    }
}

impl Serialize for Prose {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl From<&str> for Prose {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl From<String> for Prose {
    fn from(text: String) -> Self {
        Self(vec![Span::Text(text)])
    }
}

impl From<Transport> for Prose {
    fn from(transport: Transport) -> Self {
        Self(vec![Span::Name(transport)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some() -> Prose {
        let p99 = Prose::figure("74.6 ms (73.6–75.7)", Place::Cell(Transport::ShortPolling, "p99 ÷ choice"));
        prose![
            Transport::ShortPolling,
            ": a p99 of ",
            p99,
            ". ",
            Transport::LongPolling,
            " within ",
            Prose::asked("1 s")
        ]
    }

    #[test]
    fn the_same_words_are_plain_and_linked() {
        assert_eq!(
            some().to_string(),
            "Short polling: a p99 of 74.6 ms (73.6–75.7). Long polling within 1 s",
            "and a sentence begins with a capital"
        );
        let page = some().linked("ticker").into_string();
        assert!(
            page.contains("<a class=\"figure\" href=\"#cell-ticker-short-polling-p99-choice\">74.6\u{a0}ms"),
            "{page}"
        );
        assert!(page.contains("<a class=\"figure\" href=\"#workload-ticker\">1\u{a0}s</a>"), "{page}");
    }

    #[test]
    fn a_machine_reads_plain_words() {
        assert_eq!(serde_json::to_value(some()).unwrap(), some().to_string());
    }

    #[test]
    fn what_a_workload_says_is_linked_where_it_holds_a_figure() {
        assert_eq!(Prose::quoted("a chat wants WebSocket").places().count(), 0);
        assert_eq!(Prose::quoted("poll below 10 users").places().collect::<Vec<_>>(), [Place::Asked]);
    }

    #[test]
    fn what_a_workload_says_cannot_break_out_of_a_link() {
        assert!(!Prose::asked("<script>1").linked("x").into_string().contains("<script>"));
    }
}
