//! Subscribers in a real browser: pages in headless Chromium that use the server's own small clients.

mod browser;
mod chromium;
mod clock;
mod devtools;
mod error;
mod limits;
#[expect(clippy::module_inception, reason = "a page is what it is")]
mod page;
mod rest;
mod row;
mod subscribers;

pub(crate) use browser::Browser;
pub(crate) use chromium::FLAGS;
pub use chromium::find_chromium;
pub use error::BrowserError;
pub use limits::browser_limits;
pub(crate) use page::Used;
