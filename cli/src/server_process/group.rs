//! The process group of a server: whatever the server started ends with it, however it ends.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process_group};

/// The groups of the servers that were started and are not ended yet, by their leaders.
static STARTED: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

/// The process group that a server leads. Dropping it kills every process in it.
#[derive(Debug)]
pub(super) struct Group(u32);

impl Group {
    /// The group of a process that was started in one of its own.
    pub(super) fn of(leader: u32) -> Self {
        started().insert(leader);
        Self(leader)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        started().remove(&self.0);
        kill(self.0);
    }
}

/// Kills every server that was started: for the end of this process without another drop.
pub(crate) fn kill_all() {
    started().iter().copied().for_each(kill);
}

fn started() -> MutexGuard<'static, BTreeSet<u32>> {
    STARTED.lock().unwrap_or_else(PoisonError::into_inner)
}

fn kill(leader: u32) {
    let group = i32::try_from(leader).ok().and_then(Pid::from_raw);
    let killed = group.map(|group| kill_process_group(group, Signal::KILL));
    // Mostly, all of its processes have ended by themselves.
    if !matches!(killed, Some(Ok(()) | Err(Errno::SRCH))) {
        tracing::warn!(?killed, "the server could not be ended");
    }
}
