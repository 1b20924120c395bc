//! The failures of a browser, and the failure of a trial that each means.

use std::io;
use std::time::Duration;

use pushoff_model::record::FailureKind;

use super::devtools::DevtoolsError;

/// A failure of a browser.
#[derive(Debug, thiserror::Error)]
pub enum BrowserError {
    /// No Chromium is installed.
    #[error("there is no Chromium on the PATH: install it (Debian and Ubuntu: apt-get install chromium)")]
    Missing,
    /// Chromium could not be started.
    #[error("starting Chromium")]
    Start(#[source] io::Error),
    /// Chromium ended before it answered.
    #[error(
        "Chromium ended as soon as it was started: `{0} --headless --dump-dom about:blank` says why, often a sandbox that \
         this system does not allow (Debian: apt-get install chromium-sandbox)"
    )]
    Ended(String),
    /// Chromium did not answer in time.
    #[error("Chromium did not answer within {0:?}")]
    Silent(Duration),
    /// A page could not be used.
    #[error("the page {url} cannot be used: {reason}")]
    Page {
        /// Its URL.
        url: String,
        /// The reason.
        reason: String,
    },
    /// A local port could not be opened.
    #[error("listening for the browser")]
    Listen(#[source] io::Error),
    /// The server did not answer, or refused a message.
    #[error("asking the server")]
    Server(#[source] reqwest::Error),
    /// A page gave no time.
    #[error("a page gave no time")]
    Clock,
    /// A page's events could not be parsed.
    #[error("a page's events cannot be parsed")]
    Notes(#[source] serde_json::Error),
    /// A client in a page gave up.
    #[error("the client of subscriber {subscriber} gave up: {reason}")]
    Over {
        /// The subscriber's number.
        subscriber: u32,
        /// Its last error.
        reason: String,
    },
    /// The `DevTools` connection failed.
    #[error("speaking to Chromium")]
    Devtools(#[from] DevtoolsError),
}

impl BrowserError {
    /// Which kind of failure it is for a trial.
    pub(crate) const fn kind(&self) -> FailureKind {
        match self {
            Self::Over { .. } => FailureKind::Connect,
            Self::Missing
            | Self::Start(_)
            | Self::Ended(_)
            | Self::Silent(_)
            | Self::Page { .. }
            | Self::Clock
            | Self::Listen(_)
            | Self::Server(_)
            | Self::Notes(_)
            | Self::Devtools(_) => FailureKind::Generator,
        }
    }
}
