//! Prose whose figures know the place that they are taken from.
//!
//! Made once: on the page a figure is a link to its place, everywhere else the same words are plain.
//! Nobody looks for numbers in a finished sentence.

use std::fmt::{self, Display};

use pushoff_model::Transport;
use serde::{Serialize, Serializer};

use crate::metric::Metric;
use crate::table::Entry;
use crate::words::text::capitalised;

/// Where in the report a figure stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the table of its workload: the cell of a transport, of that metric.
    Cell(Transport, Metric),
    /// Among what the workload asks for.
    Asked,
}

impl Place {
    /// The id of that element, of the group with this anchor.
    pub(crate) fn id(self, group: &str) -> String {
        match self {
            Self::Cell(transport, metric) => format!("cell-{group}-{transport}-{}", metric.id()),
            Self::Asked => format!("workload-{group}"),
        }
    }
}

/// How words are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    Plain,
    Good,
    Bad,
    Faint,
}

/// A piece of prose.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Span {
    Text(String),
    /// A figure as it is written, and where it stands.
    Figure(String, Place),
    /// Words that rest on what stands at another place of the page, by its reference.
    Linked(String, &'static str),
    /// A transport, which the page shows with its colour and its shape.
    Name(Transport),
    Strong(String, Tone),
    /// A command to copy.
    Code(String),
    /// A figure of a table.
    Entry(Entry),
    /// Where a cell of a table begins a new line.
    Break,
    /// A record by its number, from 0, which the page can show.
    Record(usize),
}

/// Some words, some of which are figures.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Prose {
    pub(crate) spans: Vec<Span>,
    /// The id that the whole can be led to by.
    pub(crate) id: Option<String>,
}

/// Prose from pieces: texts, transports, and prose.
macro_rules! prose {
    ($($piece:expr),+ $(,)?) => {
        $crate::prose::Prose::default()$(.then($piece))+
    };
}
pub(crate) use prose;

impl Prose {
    pub(crate) const fn of(spans: Vec<Span>) -> Self {
        Self { spans, id: None }
    }

    /// A figure, as it is written at that place.
    pub(crate) fn figure(written: impl Into<String>, place: Place) -> Self {
        Self::of(vec![Span::Figure(written.into(), place)])
    }

    /// What the workload asks for.
    pub(crate) fn asked(written: impl Into<String>) -> Self {
        Self::figure(written, Place::Asked)
    }

    /// What somebody else wrote into a workload: where there are figures in it, they are what it asks for.
    pub(crate) fn quoted(words: &str) -> Self {
        if words.contains(|letter: char| letter.is_ascii_digit()) { Self::asked(words) } else { words.into() }
    }

    /// Words that rest on what stands there on the page.
    pub(crate) fn linked_to(href: &'static str, words: impl Into<String>) -> Self {
        Self::of(vec![Span::Linked(words.into(), href)])
    }

    /// Words that can be led to.
    pub(crate) fn with_id(id: String, words: impl Into<Self>) -> Self {
        Self { id: Some(id), ..words.into() }
    }

    pub(crate) fn strong(words: impl Into<String>, tone: Tone) -> Self {
        Self::of(vec![Span::Strong(words.into(), tone)])
    }

    /// A command to copy.
    pub(crate) fn code(command: impl Into<String>) -> Self {
        Self::of(vec![Span::Code(command.into())])
    }

    /// A figure with its mark.
    pub(crate) fn entry(entry: &Entry) -> Self {
        Self::of(vec![Span::Entry(entry.clone())])
    }

    pub(crate) fn record(number: usize) -> Self {
        Self::of(vec![Span::Record(number)])
    }

    /// This and then that.
    #[must_use]
    pub(crate) fn then(mut self, more: impl Into<Self>) -> Self {
        self.spans.extend(more.into().spans);
        self
    }

    /// Each span with its plain words; a transport's name begins a sentence with a capital.
    pub(crate) fn words(&self) -> impl Iterator<Item = (&Span, String)> {
        let mut begins = true;
        self.spans.iter().map(move |span| {
            let words = match span {
                Span::Text(text) | Span::Figure(text, _) | Span::Linked(text, _) | Span::Strong(text, _) => {
                    text.clone()
                }
                Span::Name(transport) if begins => capitalised(transport.label()),
                Span::Name(transport) => transport.label().to_owned(),
                Span::Code(command) => format!("`{command}`"),
                Span::Entry(entry) => entry.whole(),
                Span::Record(number) => format!("record {}", number + 1),
                Span::Break => " ".to_owned(),
            };
            begins = !matches!(span, Span::Name(_)) && words.ends_with(". ");
            (span, words)
        })
    }

    /// The places of its figures.
    #[cfg(test)]
    pub(crate) fn places(&self) -> impl Iterator<Item = Place> {
        self.spans.iter().filter_map(|span| if let Span::Figure(_, place) = span { Some(*place) } else { None })
    }
}

/// As plain words.
impl Display for Prose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.words().try_for_each(|(_, words)| f.write_str(&words))
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
        Self::of(vec![Span::Text(text)])
    }
}

impl From<Transport> for Prose {
    fn from(transport: Transport) -> Self {
        Self::of(vec![Span::Name(transport)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::html::prose as linked;

    fn some() -> Prose {
        let p99 = Prose::figure("74.6 ms (73.6–75.7)", Place::Cell(Transport::ShortPolling, Metric::P99));
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
        let page = linked(&some(), "ticker").into_string();
        assert!(page.contains("<a class=\"figure\" href=\"#cell-ticker-short-polling-p99_ns\">74.6\u{a0}ms"), "{page}");
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
        assert!(!linked(&Prose::asked("<script>1"), "x").into_string().contains("<script>"));
    }
}
