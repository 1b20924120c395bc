//! What a server under test says on standard error: kept in a file of the run, or shown line by line.

use std::fs::File;
use std::time::Duration;

use anyhow::Context;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::process::Child;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::terminal;

/// The longest piece of a line that is shown at a time, in bytes.
const LONGEST_LINE: u64 = 4 * 1024;

/// Where a server's standard error goes.
#[derive(Debug)]
pub(super) enum Log {
    /// To the file of the run's servers, of which this one's part begins here.
    Kept(File, u64),
    /// To our own standard error, which it steers by nothing.
    Shown(Option<JoinHandle<()>>),
}

impl Log {
    /// Of a server that is about to be started with its standard error in that file, or piped to us.
    pub(super) fn begin(file: Option<&File>) -> anyhow::Result<Self> {
        let Some(file) = file else { return Ok(Self::Shown(None)) };
        let context = "sharing the server's log";
        let begins = file.metadata().context(context)?.len();
        Ok(Self::Kept(file.try_clone().context(context)?, begins))
    }

    /// Of the server that has been started.
    pub(super) fn follow(&mut self, child: &mut Child) {
        if let (Self::Shown(shown), Some(stderr)) = (self, child.stderr.take()) {
            *shown = Some(tokio::spawn(show(stderr)));
        }
    }

    /// Where to read on, where there is something to read.
    pub(super) fn hint(&self) -> &'static str {
        match self {
            Self::Kept(file, begins) if file.metadata().is_ok_and(|file| file.len() > *begins) => {
                "; see server.log in the run's folder"
            }
            Self::Kept(..) | Self::Shown(_) => "",
        }
    }

    /// Waits until all has been shown that a server said which has ended, but no longer than that: what
    /// it started may live on.
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
