//! Namespaces: one of users, so that no rights are needed, and those of the network.
//!
//! A network namespace is a thread's. Sockets and processes that a thread makes stay in its namespace, whoever uses them
//! then. A namespace ends with the last thread, process and descriptor that holds it, so nothing is left behind by whatever
//! ends this process.

use std::fs::{self, File};
use std::io;
use std::thread;

use nix::sched::{CloneFlags, setns, unshare};

use crate::NetworkError;

/// Becomes able to make network namespaces: root is already, anybody else by a user namespace, in which it stays the same
/// user. Call it before any thread is made.
///
/// # Errors
/// Where the system allows no user namespace.
pub fn enter() -> Result<(), NetworkError> {
    if rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let (user, group) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    unshare(CloneFlags::CLONE_NEWUSER).map_err(|error| NetworkError::NoUserNamespace { source: error.into() })?;
    // A group may be mapped only by who can no longer leave its groups: user_namespaces(7).
    let written = fs::write("/proc/self/setgroups", "deny")
        .and_then(|()| fs::write("/proc/self/uid_map", format!("{user} {user} 1")))
        .and_then(|()| fs::write("/proc/self/gid_map", format!("{group} {group} 1")));
    written.map_err(|source| NetworkError::NoUserNamespace { source })
}

/// A network namespace.
#[derive(Debug)]
pub struct Namespace {
    handle: File,
}

impl Namespace {
    /// A new one, in which nothing but loopback is there.
    ///
    /// # Errors
    /// Where the system refuses it.
    pub fn new() -> Result<Self, NetworkError> {
        let made = || {
            unshare(CloneFlags::CLONE_NEWNET).map_err(io::Error::from)?;
            File::open("/proc/thread-self/ns/net")
        };
        let handle = in_a_thread(made).map_err(NetworkError::refused("a network namespace"))?;
        let new = Self { handle };
        new.within(loopback_up).and_then(|up| up).map_err(NetworkError::refused("loopback in a network namespace"))?;
        Ok(new)
    }

    /// Does something in a thread of this namespace, and waits for it.
    ///
    /// # Errors
    /// Where the thread cannot enter the namespace.
    pub fn within<T: Send>(&self, work: impl FnOnce() -> T + Send) -> io::Result<T> {
        in_a_thread(|| {
            setns(&self.handle, CloneFlags::CLONE_NEWNET)?;
            Ok(work())
        })
    }
}

/// A thread of its own: this one stays where it is.
fn in_a_thread<T: Send>(work: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
    thread::scope(|scope| scope.spawn(work).join())
        .unwrap_or_else(|_| Err(io::Error::other("a thread of the network's set-up failed")))
}

fn loopback_up() -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(async {
        let (connection, handle, _) = rtnetlink::new_connection()?;
        let connection = tokio::spawn(connection);
        let up = rtnetlink::LinkUnspec::new_with_name("lo").up().build();
        let changed = handle.link().set(up).execute().await.map_err(io::Error::other);
        connection.abort();
        changed
    })
}
