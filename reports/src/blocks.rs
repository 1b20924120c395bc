//! What a document is made of: sections of blocks.
//!
//! Reports, plans and comparisons each make one; each format of `render` walks it. Nothing here knows which sections
//! there are, nor how a format writes a block.

use std::cell::LazyCell;

use maud::Markup;
use pushoff_model::{CellKey, Transport};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::metric::{Figures, Metric, Standing};
use crate::prose::Prose;
use crate::table::{Entry, Table};

/// A document: what every format is made from.
#[derive(Debug, Default)]
pub struct Document {
    pub(crate) title: String,
    /// When, where and how it was measured, a line each.
    pub(crate) conditions: Vec<String>,
    pub(crate) sections: Vec<Section>,
    /// How many trials count, in words: what a terminal ends with.
    pub(crate) tally: String,
    /// The figures of each cell: a row a figure in CSV.
    pub(crate) cells: Vec<(CellKey, Figures)>,
    /// What JSON holds beside the data of the blocks.
    pub(crate) data: Map<String, Value>,
}

/// The fields of an answer, by name; none where it has no fields.
pub(crate) fn fields(answer: &impl Serialize) -> Map<String, Value> {
    if let Value::Object(fields) = json!(answer) { fields } else { Map::new() }
}

/// A part of a document under one heading.
#[derive(Debug, Default)]
pub(crate) struct Section {
    /// The id of its element.
    pub(crate) id: Option<&'static str>,
    /// Its heading; none where its blocks speak for themselves.
    pub(crate) title: Option<String>,
    pub(crate) blocks: Vec<Block>,
    /// Whether a terminal shows it.
    pub(crate) is_brief: bool,
    /// Whether a page folds it away: few readers need it.
    pub(crate) is_folded: bool,
}

impl Section {
    /// One with a heading.
    pub(crate) fn titled(id: &'static str, title: impl Into<String>, blocks: Vec<Block>) -> Self {
        Self { id: Some(id), title: Some(title.into()), blocks, is_brief: false, is_folded: false }
    }

    /// The same, shown on a terminal too.
    pub(crate) fn in_brief(self) -> Self {
        Self { is_brief: true, ..self }
    }

    /// The same, folded away on a page.
    pub(crate) fn folded(self) -> Self {
        Self { is_folded: true, ..self }
    }
}

/// A piece of a document. A format that cannot show one passes it over.
#[derive(Debug)]
pub(crate) enum Block {
    /// What must not be overlooked: its first words, and the rest.
    Warning(&'static str, &'static str),
    Heading(Heading),
    /// A paragraph; the group that its figures stand in, by its anchor.
    Prose(Prose, String),
    /// A remark, in small.
    Note(Prose),
    Card(Card),
    Table(TableBlock),
    Words(Words),
    Chart(Figure),
    /// Charts that stand beside each other.
    Row(Vec<Figure>),
    Facts(Vec<(String, String)>),
    /// A command as it was typed.
    Command(String),
    List(Vec<Prose>),
    /// What would drown the rest, folded away under its name.
    Fold(Fold),
    /// What only the page shows, because what it leads to is there.
    OnPage(Vec<Self>),
    /// Plans of many loads: a page lets its reader choose among them. Made only where a page asks for them.
    Plans(LazyCell<Plans, Box<dyn FnOnce() -> Plans>>),
    /// All records, one a line.
    Records(Vec<u8>),
    /// What only machines read, under a key.
    Data(&'static str, Value),
}

/// A heading within a section.
#[derive(Debug)]
pub(crate) struct Heading {
    pub(crate) id: String,
    pub(crate) text: String,
    /// What is said of what follows: `99 % within 100 ms, none missed`.
    pub(crate) says: Option<String>,
}

/// A chart and the part of its id that tells it from others of its kind.
#[derive(Debug)]
pub(crate) struct Figure {
    pub(crate) chart: Chart,
    pub(crate) anchor: String,
    /// Of which workload it is, where charts of several stand beside each other.
    pub(crate) about: String,
}

/// A chart and what says the same in words.
#[derive(Debug)]
pub(crate) struct Chart {
    /// The kind, for links.
    pub(crate) key: &'static str,
    /// What is seen.
    pub(crate) title: String,
    /// What is drawn, for a reader who cannot see it.
    pub(crate) description: String,
    /// The drawing.
    pub(crate) drawing: Markup,
    /// The figures behind it.
    pub(crate) rows: Rows,
}

/// A small table: a head and rows as long.
#[derive(Debug)]
pub(crate) struct Rows {
    pub(crate) head: Vec<String>,
    pub(crate) body: Vec<Vec<String>>,
}

impl Rows {
    pub(crate) fn new(head: impl IntoIterator<Item = &'static str>, body: Vec<Vec<String>>) -> Self {
        Self { head: head.into_iter().map(str::to_owned).collect(), body }
    }
}

/// Folded blocks.
#[derive(Debug)]
pub(crate) struct Fold {
    pub(crate) summary: String,
    pub(crate) is_open: bool,
    pub(crate) blocks: Vec<Block>,
    /// Whether a terminal shows them, unfolded.
    pub(crate) is_brief: bool,
}

impl Block {
    /// Blocks folded away where they would drown the rest; a terminal then passes them over.
    pub(crate) fn folded(is_folded: bool, summary: &str, blocks: Vec<Self>) -> Vec<Self> {
        if !is_folded {
            return blocks;
        }
        vec![Self::Fold(Fold { summary: summary.to_owned(), is_open: false, blocks, is_brief: false })]
    }

    /// The blocks within it.
    pub(crate) fn inner(&self) -> &[Self] {
        if let Self::Fold(Fold { blocks, .. }) | Self::OnPage(blocks) = self { blocks } else { &[] }
    }

    /// A remark in plain words.
    pub(crate) fn note(words: impl Into<Prose>) -> Self {
        Self::Note(words.into())
    }
}

/// A table of figures, and how it lies on the page.
#[derive(Debug)]
pub(crate) struct TableBlock {
    /// The id of the heading that names it.
    pub(crate) labelled_by: String,
    pub(crate) table: Table,
    pub(crate) layout: Layout,
    /// The anchor of the group whose trials its cells lead to.
    pub(crate) trials: Option<String>,
    /// Whether each figure has an id to be led to.
    pub(crate) has_places: bool,
}

/// How a table lies on a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// A column a cell, the figures below each other.
    Columns,
    /// A row a cell.
    Rows,
}

/// A table of words.
#[derive(Debug, Default)]
pub(crate) struct Words {
    pub(crate) labelled_by: String,
    pub(crate) head: Vec<Head>,
    pub(crate) rows: Vec<WordsRow>,
}

/// A row of words, and the id that it can be led to by.
#[derive(Debug, Default)]
pub(crate) struct WordsRow {
    pub(crate) id: Option<String>,
    /// The anchor of the group that its figures stand in.
    pub(crate) group: String,
    pub(crate) cells: Vec<Prose>,
}

/// The head of a column of words.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(crate) words: Prose,
    /// Whether its words are figures.
    pub(crate) is_figure: bool,
    /// Whether it goes first where there is not room for all.
    pub(crate) is_dropped_first: bool,
}

impl<T: Into<Prose>> From<T> for Head {
    fn from(words: T) -> Self {
        Self { words: words.into(), is_figure: false, is_dropped_first: false }
    }
}

impl Words {
    /// A table of words under these heads.
    pub(crate) fn new(labelled_by: &str, head: Vec<Head>, rows: Vec<Vec<Prose>>) -> Self {
        let rows = rows.into_iter().map(|cells| WordsRow { cells, ..WordsRow::default() }).collect();
        Self { labelled_by: labelled_by.to_owned(), head, rows }
    }
}

/// The answer to a question: on one server, or on each of several.
#[derive(Debug)]
pub(crate) struct Card {
    pub(crate) question: String,
    /// Where the question leads.
    pub(crate) asked: String,
    /// `ticker: 99 % within 100 ms, none missed`.
    pub(crate) slo: String,
    pub(crate) answers: Vec<Answer>,
    /// What holds of all of them.
    pub(crate) facts: Vec<Fact>,
    /// Where to read on.
    pub(crate) more: Vec<(String, &'static str)>,
    /// Whether it takes a row of its own.
    pub(crate) is_wide: bool,
    /// The anchor of the group that the facts' figures stand in.
    pub(crate) anchor: String,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    /// As a terminal names it: `ticker`, `ticker, nchan`.
    pub(crate) label: String,
    /// On which server, where there are several.
    pub(crate) server: Option<String>,
    /// Which transport to take, or why none.
    pub(crate) choice: Choice,
    /// How sure that is.
    pub(crate) sure: Option<&'static str>,
    pub(crate) is_decided: bool,
    pub(crate) sentence: Prose,
    /// The anchor of the group that its figures stand in.
    pub(crate) anchor: String,
    pub(crate) facts: Vec<Fact>,
    /// Where its figures or curves are.
    pub(crate) figures: Option<(String, &'static str)>,
}

/// What is taken.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Choice {
    Transport(Transport),
    None(&'static str),
    /// Nothing is chosen: it was asked how much each carries.
    NotAsked,
}

/// What is said beside an answer, under its name.
#[derive(Debug)]
pub(crate) struct Fact {
    pub(crate) name: &'static str,
    pub(crate) said: Vec<Prose>,
    /// Whether it stands in sight: the others are in a fold.
    pub(crate) is_in_sight: bool,
    /// Whether a terminal says it too.
    pub(crate) is_brief: bool,
}

/// The plan of every combination of stops of some sliders.
#[derive(Debug)]
pub(crate) struct Plans {
    pub(crate) sliders: Vec<Slider>,
    /// The metrics of a plan's table.
    pub(crate) metrics: Vec<Metric>,
    /// A plan each combination; the stop of the last slider changes fastest.
    pub(crate) plans: Vec<Planned>,
    /// Whether the cost model came with pushoff.
    pub(crate) is_shipped: bool,
}

/// A slider.
#[derive(Debug)]
pub(crate) struct Slider {
    /// Its part of the ids of elements.
    pub(crate) name: &'static str,
    pub(crate) label: &'static str,
    pub(crate) meaning: &'static str,
    pub(crate) stops: Vec<&'static str>,
    /// The stop that the page begins with.
    pub(crate) first: usize,
}

/// A plan of one load.
#[derive(Debug)]
pub(crate) struct Planned {
    pub(crate) choice: Choice,
    /// How sure that is.
    pub(crate) sure: &'static str,
    pub(crate) is_decided: bool,
    pub(crate) sentences: Vec<String>,
    /// A transport each.
    pub(crate) rows: Vec<PlannedRow>,
    pub(crate) notes: Vec<String>,
    /// The command that plans the same.
    pub(crate) command: String,
}

/// What a transport would need.
#[derive(Debug)]
pub(crate) struct PlannedRow {
    pub(crate) transport: Transport,
    pub(crate) is_choice: bool,
    /// Whether the load lies beyond what was measured.
    pub(crate) is_beyond: bool,
    pub(crate) standing: Standing,
    /// One a metric.
    pub(crate) entries: Vec<Entry>,
}

impl Plans {
    /// The place among the plans of the one that the page begins with.
    pub(crate) fn first(&self) -> usize {
        self.sliders.iter().fold(0, |place, slider| place * slider.stops.len() + slider.first)
    }
}
