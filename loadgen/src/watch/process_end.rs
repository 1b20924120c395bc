//! Notices the end of the server's process at once, without polling.

use rustix::process::{Pid, PidfdFlags, pidfd_open};

use crate::timer::readable;

/// Waits until the process has ended; forever, if it cannot be watched.
pub(crate) async fn ended(pid: Option<u32>) {
    match pid {
        Some(pid) if watch(pid).await.is_some() => {}
        Some(_) | None => std::future::pending().await,
    }
}

/// A pidfd becomes readable when its process ends.
async fn watch(pid: u32) -> Option<()> {
    let pid = Pid::from_raw(i32::try_from(pid).ok()?)?;
    match pidfd_open(pid, PidfdFlags::NONBLOCK) {
        Ok(process) => readable(process).ok()?.readable().await.ok().map(drop),
        Err(rustix::io::Errno::SRCH) => Some(()),
        // An old kernel; refused connections will show the end.
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_end_of_a_process_is_noticed() {
        let mut child = tokio::process::Command::new("sleep").arg("600").kill_on_drop(true).spawn().unwrap();
        let pid = child.id();
        let watching = tokio::spawn(ended(pid));
        child.start_kill().unwrap();
        watching.await.unwrap();
    }
}
