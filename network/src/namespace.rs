//! Namespaces: one of users, so that no rights are needed, and those of the network.
//!
//! A network namespace is a thread's. Sockets and processes that a thread makes stay in its namespace, whoever uses them
//! then. So a thread is in another namespace for a moment, makes them, and comes back. A namespace ends with the last
//! thread, process and descriptor that holds it, so nothing is left behind by whatever ends this process.

use std::fs::{self, File};
use std::io;
use std::net::Ipv4Addr;
use std::sync::OnceLock;
use std::thread;

use nix::sched::{CloneFlags, setns, unshare};
use rtnetlink::RouteMessageBuilder;
use rtnetlink::packet_route::route::{RouteScope, RouteType};
use rustix::process::geteuid;

use crate::NetworkError;

/// The namespace that the threads of this process are in.
static HOME: OnceLock<File> = OnceLock::new();
/// The calling thread's namespace. `/proc/self` would be the main thread's.
const PRESENT: &str = "/proc/thread-self/ns/net";
/// The number of `lo`: the first device of every namespace.
const LOOPBACK: u32 = 1;
/// The routing table of a namespace's own addresses: `RT_TABLE_LOCAL`, rtnetlink(7).
const LOCAL_TABLE: u32 = 255;

/// Becomes able to make network namespaces. Call it before any thread is made.
///
/// Root of the system is able already and stays in the system's network. Anybody else gets a user namespace, in which it
/// stays the same user, and leaves the system's network for a namespace in which nothing but loopback is there: it could
/// not come back to the system's. What must be there (a listener, a thread) is made by `outside`, before that.
///
/// # Errors
/// Where the system allows no user namespace.
pub fn enter<T>(outside: impl FnOnce() -> T) -> Result<T, NetworkError> {
    let is_able = is_able();
    if !is_able {
        become_able()?;
    }
    let made = outside();
    if !is_able {
        unshare(CloneFlags::CLONE_NEWNET)
            .map_err(|error| NetworkError::refused("a network namespace")(error.into()))?;
        loopback_up().map_err(NetworkError::refused("loopback in a network namespace"))?;
    }
    let home = File::open(PRESENT).map_err(NetworkError::refused("a look at its own network namespace"))?;
    HOME.get_or_init(|| home);
    Ok(made)
}

/// Whether this process may make namespaces and come back. Root of a user namespace may not enter a namespace of the network
/// that is not its own, not even the one that it is in.
fn is_able() -> bool {
    File::open(PRESENT).is_ok_and(|present| setns(present, CloneFlags::CLONE_NEWNET).is_ok())
}

fn become_able() -> Result<(), NetworkError> {
    let (user, group) = (geteuid().as_raw(), rustix::process::getegid().as_raw());
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
    /// A new one, in which nothing but loopback is there. [`enter`] must have been called.
    ///
    /// # Errors
    /// Where the system refuses it.
    pub fn new() -> Result<Self, NetworkError> {
        let made = || {
            unshare(CloneFlags::CLONE_NEWNET).map_err(io::Error::from)?;
            File::open(PRESENT)
        };
        // A thread of its own, which ends there.
        let handle = thread::scope(|scope| scope.spawn(made).join())
            .unwrap_or_else(|_| Err(io::Error::other("the thread that makes it failed")))
            .map_err(NetworkError::refused("a network namespace"))?;
        let new = Self { handle };
        new.within(loopback_up).and_then(|up| up).map_err(NetworkError::refused("loopback in a network namespace"))?;
        Ok(new)
    }

    /// Does something on this thread while it is in this namespace. What a thread that it starts makes is in it as well.
    /// Within `work`, no other namespace may be entered.
    ///
    /// # Errors
    /// Where the thread cannot enter the namespace.
    pub fn within<T>(&self, work: impl FnOnce() -> T) -> io::Result<T> {
        let home = HOME.get().ok_or_else(|| io::Error::other("no network namespace was prepared for"))?;
        setns(&self.handle, CloneFlags::CLONE_NEWNET)?;
        let _back = Back(home);
        Ok(work())
    }
}

/// Takes its thread home, also out of a panic.
struct Back(&'static File);

impl Drop for Back {
    fn drop(&mut self) {
        if setns(self.0, CloneFlags::CLONE_NEWNET).is_err() {
            // It came from there. A thread that remained elsewhere would measure another network than it says.
            std::process::abort();
        }
    }
}

fn loopback_up() -> io::Result<()> {
    ask(async |kernel| {
        let up = rtnetlink::LinkUnspec::new_with_name("lo").up().build();
        kernel.link().set(up).execute().await
    })
}

/// Makes every address that begins as this one an address of the calling thread's namespace.
pub(crate) fn local(first: Ipv4Addr, bits: u8) -> io::Result<()> {
    let route = RouteMessageBuilder::<Ipv4Addr>::new()
        .destination_prefix(first, bits)
        .kind(RouteType::Local)
        .scope(RouteScope::Host)
        .table_id(LOCAL_TABLE)
        .output_interface(LOOPBACK)
        .build();
    ask(async |kernel| kernel.route().add(route).execute().await)
}

/// Asks the kernel for something in the calling thread's namespace.
fn ask(what: impl AsyncFnOnce(rtnetlink::Handle) -> Result<(), rtnetlink::Error>) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(async {
        let (connection, kernel, _) = rtnetlink::new_connection()?;
        let connection = tokio::spawn(connection);
        let answer = what(kernel).await.map_err(io::Error::other);
        connection.abort();
        answer
    })
}
