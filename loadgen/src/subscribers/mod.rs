//! The subscribers of a trial: in this process, or in the pages of a browser.

mod all;
pub(crate) mod local;
pub(crate) mod page;

pub(crate) use all::{CONNECTING_AT_ONCE, Subscribers};
