//! Standard error of a server under test: kept in a file of the run, or shown line by line.

use std::fs::File;
use std::time::Duration;

use anyhow::Context;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::process::Child;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::terminal;

/// Most bytes of a line that are shown at a time.
const LONGEST_LINE: u64 = 4 * 1024;

/// Where a server's standard error goes.
#[derive(Debug)]
pub(super) enum Log {
    /// To the run's log file; this server's part begins at the offset.
    Kept(File, u64),
    /// To our own standard error, without control characters.
    Shown(Option<JoinHandle<()>>),
}

impl Log {
    /// For a server about to start, with its standard error in that file or piped to us.
    pub(super) fn begin(file: Option<&File>) -> anyhow::Result<Self> {
        let Some(file) = file else { return Ok(Self::Shown(None)) };
        let context = "sharing the server's log";
        let begins = file.metadata().context(context)?.len();
        Ok(Self::Kept(file.try_clone().context(context)?, begins))
    }

    /// Follows the started server.
    pub(super) fn follow(&mut self, child: &mut Child) {
        if let (Self::Shown(shown), Some(stderr)) = (self, child.stderr.take()) {
            *shown = Some(tokio::spawn(show(stderr)));
        }
    }

    /// Names the log file, if the server logged anything.
    pub(super) fn hint(&self) -> &'static str {
        match self {
            Self::Kept(file, begins) if file.metadata().is_ok_and(|file| file.len() > *begins) => {
                "; see server.log in the run's folder"
            }
            Self::Kept(..) | Self::Shown(_) => "",
        }
    }

    /// Waits until the output of an ended server is shown, at most `within`: processes that it started may live on.
    pub(super) async fn settle(&mut self, within: Duration) {
        if let Self::Shown(Some(shown)) = self {
            drop(timeout(within, shown).await);
        }
    }
}

async fn show(stderr: impl AsyncRead + Unpin) {
    let mut stderr = BufReader::new(stderr);
    let mut line = Vec::new();
    while let Ok(1..) = (&mut stderr).take(LONGEST_LINE).read_until(b'\n', &mut line).await {
        terminal::remark(&String::from_utf8_lossy(&line));
        line.clear();
    }
}
