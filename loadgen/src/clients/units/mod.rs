//! Units: the pieces of a stream or body that carry one message each.

mod buffer;
mod lines;
mod pointer;
mod texts;
mod unit;

pub(crate) use buffer::UnitBuffer;
pub use lines::Lines;
pub(crate) use lines::split_line;
pub(crate) use pointer::text;
pub(crate) use texts::Texts;
pub(crate) use unit::elements;
pub use unit::{Reader, Trust, Unit};
