//! Who receives: clients in this process, or pages in a browser.

mod finished;
pub(crate) mod page;

pub(crate) use finished::Finished;
