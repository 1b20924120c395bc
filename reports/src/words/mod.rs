//! Words: numbers with units, lists of names, workloads in a sentence.

pub mod describe;
pub(crate) mod limits;
pub(crate) mod number;
pub(crate) mod text;
