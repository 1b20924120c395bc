//! What goes wrong with a browser, and what it means for a trial.

use std::io;
use std::time::Duration;

use pushoff_model::record::FailureKind;

use super::devtools::DevtoolsError;

/// What went wrong with a browser.
#[derive(Debug, thiserror::Error)]
pub enum BrowserError {
    /// There is none.
    #[error("there is no Chromium on the PATH: install it (Debian and Ubuntu: apt-get install chromium)")]
    Missing,
    /// It could not be started.
    #[error("starting Chromium")]
    Start(#[source] io::Error),
    /// It did not answer.
    #[error("Chromium did not answer within {0:?}")]
    Silent(Duration),
    /// A page is not as it must be.
    #[error("the page {url} cannot be used: {reason}")]
    Page {
        /// Where it is.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A port of our own could not be listened at.
    #[error("listening for the browser")]
    Listen(#[source] io::Error),
    /// The server could not be asked, or did not take a message.
    #[error("asking the server")]
    Server(#[source] reqwest::Error),
    /// A page said no time.
    #[error("a page did not say its time")]
    Clock,
    /// A page's notes are not what they should be.
    #[error("a page's notes cannot be read")]
    Notes(#[source] serde_json::Error),
    /// A client in a page gave up.
    #[error("the client of subscriber {subscriber} gave up: {reason}")]
    Over {
        /// The subscriber's number.
        subscriber: u32,
        /// What the client said last.
        reason: String,
    },
    /// The line to it failed.
    #[error("speaking to Chromium")]
    Devtools(#[from] DevtoolsError),
}

impl BrowserError {
    /// What it means for a trial.
    pub(crate) const fn kind(&self) -> FailureKind {
        match self {
            Self::Over { .. } => FailureKind::Connect,
            Self::Missing
            | Self::Start(_)
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
