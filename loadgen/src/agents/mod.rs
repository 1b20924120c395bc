//! Agents run subscribers: in this process, or in the pages of a browser.

mod audience;
pub(crate) mod local;
pub(crate) mod page;

pub(crate) use audience::{Audience, CONNECTING_AT_ONCE};
