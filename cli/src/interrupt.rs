//! Ctrl-C: the first one ends the work and keeps what was measured, the second one ends the process.

use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::{Exit, runtime, server_process, terminal};

/// A token that SIGINT or SIGTERM cancels. After that, the next of them ends the process at once: records are written
/// when a trial ends, and servers are killed.
///
/// Signals have a thread of their own, which sees them while the others write a report.
///
/// # Errors
/// When the system refuses.
pub(crate) fn on_interrupt() -> anyhow::Result<CancellationToken> {
    let token = CancellationToken::new();
    let (cancel, (begun, has_begun)) = (token.clone(), sync_channel(1));
    let signals = move || {
        let listened = runtime::build(1).and_then(|runtime| runtime.block_on(listen(&cancel, &begun)));
        if let Err(error) = listened {
            // Once it has begun, nothing fails.
            drop(begun.send(Err(error)));
        }
    };
    thread::Builder::new().name("signals".to_owned()).spawn(signals).context("listening for signals")?;
    has_begun.recv().context("listening for signals")??;
    Ok(token)
}

async fn listen(cancel: &CancellationToken, begun: &SyncSender<anyhow::Result<()>>) -> anyhow::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt()).context("listening for SIGINT")?;
    let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
    begun.send(Ok(()))?;
    for is_first in [true, false] {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        if is_first {
            cancel.cancel();
        }
    }
    end_at_once()
}

#[expect(clippy::exit, reason = "whoever asks twice waits for nothing")]
fn end_at_once() -> ! {
    server_process::kill_all();
    terminal::remark("interrupted again: ended at once, without a report");
    std::process::exit(Exit::Interrupted as i32)
}
