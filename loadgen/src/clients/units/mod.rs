//! Units: what one message is carried in, cut out of what comes and read.

mod buffer;
mod line;
mod pointer;
mod texts;
mod unit;

pub(crate) use buffer::UnitBuffer;
pub use line::LineBuffer;
pub(crate) use pointer::text;
pub(crate) use texts::TextBuffer;
pub(crate) use unit::elements;
pub use unit::{Reader, Trust, Unit};
