//! The formats: each walks the same document, one file or folder each.

mod csv;
mod escape;
pub(crate) mod html;
mod json;
mod markdown;
mod terminal;

use crate::ReportError;
use crate::blocks::Document;

impl Document {
    /// A page: one file that needs no network.
    ///
    /// # Errors
    /// When something cannot be packed into it.
    pub fn html(&self) -> Result<String, ReportError> {
        html::page(self)
    }

    /// Markdown, without what only a page can show.
    #[must_use]
    pub fn markdown(&self) -> String {
        markdown::document(self)
    }

    /// The short of it for a terminal, at most `width` columns wide, coloured only where asked for.
    #[must_use]
    pub fn terminal(&self, width: usize, colour: bool) -> String {
        terminal::document(self, width, colour).trim_end().to_owned()
    }

    /// CSV: a row a figure of a cell.
    #[must_use]
    pub fn csv(&self) -> String {
        csv::document(self)
    }

    /// All of it for machines: what `--json` prints.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        json::document(self)
    }
}
