//! Finds the processes of a server: the one that was started, those that listen at its address, and their
//! descendants.
//!
//! A server may be several processes (a master and its workers, a cluster) and may have been running before. Only
//! processes whose `/proc/PID/fd` this user can read are found: without root, the user's own. A tunnel or proxy on
//! this machine that listens at the address counts as the server.

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, SocketAddr, UdpSocket};

use procfs::net::{TcpState, tcp, tcp6};
use procfs::process::{FDTarget, Process, all_processes};

/// The server's processes. The first is the one that was started; otherwise the ancestor of those that listen at
/// `http`. Empty if none is found, for example on another machine. Never includes this process.
#[must_use]
pub fn processes_of(http: SocketAddr, started: Option<u32>) -> Vec<u32> {
    let mut roots: Vec<u32> = started.into_iter().collect();
    roots.extend(listeners(http));
    family(&roots)
}

/// The living processes among `roots`, and their living descendants.
///
/// A daemon whose parent has ended descends from no root; it is found only if it is a root itself.
pub(crate) fn family(roots: &[u32]) -> Vec<u32> {
    if roots.is_empty() {
        return Vec::new();
    }
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    let mut living = HashSet::new();
    for stat in processes().filter_map(|process| process.stat().ok()) {
        // A zombie has nothing to read.
        if let (Ok(pid), Ok(parent), true) = (stat.pid.try_into(), stat.ppid.try_into(), stat.state != 'Z') {
            living.insert(pid);
            children.entry(parent).or_default().push(pid);
        }
    }
    let mut found = Vec::new();
    let mut next: Vec<u32> = roots.iter().rev().copied().collect();
    while let Some(pid) = next.pop() {
        // Removing it ensures that no process is found twice.
        if living.remove(&pid) {
            found.push(pid);
            next.extend(children.remove(&pid).into_iter().flatten());
        }
    }
    found
}

/// The init process, which may hold sockets for services that it starts.
const INIT: u32 = 1;

/// The processes that hold the listening socket of this address, parents before children.
fn listeners(http: SocketAddr) -> Vec<u32> {
    let sockets = if is_of_this_machine(http.ip()) { listening(http) } else { HashSet::new() };
    if sockets.is_empty() {
        return Vec::new();
    }
    let holds = |process: &Process| {
        let descriptors = process.fd().into_iter().flatten().flatten();
        descriptors.into_iter().any(|fd| matches!(fd.target, FDTarget::Socket(inode) if sockets.contains(&inode)))
    };
    let mut holders: Vec<_> = processes().filter(holds).filter_map(|process| process.stat().ok()).collect();
    let all: HashSet<i32> = holders.iter().map(|stat| stat.pid).collect();
    // A holder whose parent does not hold the socket comes first.
    holders.sort_by_key(|stat| (all.contains(&stat.ppid), stat.starttime));
    holders.into_iter().filter_map(|stat| stat.pid.try_into().ok()).collect()
}

/// All processes except init and this one; descendants of this one are excluded with it.
fn processes() -> impl Iterator<Item = Process> {
    let own = std::process::id();
    let others = move |process: &Process| u32::try_from(process.pid).is_ok_and(|pid| pid != own && pid != INIT);
    all_processes().into_iter().flatten().flatten().filter(others)
}

/// Whether an address belongs to this machine: only such addresses can be bound.
fn is_of_this_machine(address: IpAddr) -> bool {
    address.is_loopback() || UdpSocket::bind((address, 0)).is_ok()
}

/// The sockets that accept connections to this address. A socket bound to the address wins over one bound to all
/// addresses; several may share it.
fn listening(http: SocketAddr) -> HashSet<u64> {
    let tables = [tcp(), tcp6()].into_iter().flatten().flatten();
    let sockets: Vec<_> = tables
        .filter(|socket| socket.state == TcpState::Listen && socket.local_address.port() == http.port())
        .map(|socket| (socket.local_address.ip(), socket.inode))
        .collect();
    let wanted = http.ip().to_canonical();
    let of = |takes: &dyn Fn(IpAddr) -> bool| -> HashSet<u64> {
        sockets.iter().filter(|(bound, _)| takes(*bound)).map(|(_, inode)| *inode).collect()
    };
    let own = of(&|bound| wanted.is_unspecified() || bound.to_canonical() == wanted);
    // A socket bound to [::] also accepts version 4.
    let every = || of(&|bound| bound.is_unspecified() && (bound.is_ipv6() || wanted.is_ipv4()));
    if own.is_empty() { every() } else { own }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::io::{BufRead, BufReader, Write};
    use std::net::TcpListener;
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;
    use std::process::{Child, Command, Stdio};

    use super::*;

    /// A shell that runs a script, with a pipe to it and back on descriptor 1.
    pub(crate) struct Shell {
        pub(crate) child: Child,
        line: BufReader<UnixStream>,
    }

    impl Shell {
        pub(crate) fn start(script: &str, stdin: Stdio) -> Self {
            let (near, far) = UnixStream::pair().unwrap();
            let mut command = Command::new("sh");
            command.args(["-c", script]).stdin(stdin).stdout(OwnedFd::from(far));
            Self { child: command.spawn().unwrap(), line: BufReader::new(near) }
        }

        pub(crate) fn say(&mut self, line: &str) {
            writeln!(self.line.get_mut(), "{line}").unwrap();
        }

        pub(crate) fn hear(&mut self) -> String {
            let mut line = String::new();
            self.line.read_line(&mut line).unwrap();
            line.trim_end().to_owned()
        }

        /// Closes the pipe, which ends the script.
        pub(crate) fn end(mut self) {
            drop(self.line);
            self.child.wait().unwrap();
        }
    }

    /// A parent that keeps its standard input at descriptor 3, and a child that prints its process id and waits.
    const PARENT_AND_CHILD: &str = "exec 3<&0; sh -c 'echo $$; cat <&1 >&2' & wait";

    const NOBODY: [u32; 0] = [];

    fn nobody_listens() -> SocketAddr {
        TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
    }

    #[test]
    fn the_started_process_comes_first_and_then_its_children() {
        let mut shell = Shell::start(PARENT_AND_CHILD, Stdio::null());
        let child = shell.hear().parse::<u32>().unwrap();
        let parent = shell.child.id();
        let found = processes_of(nobody_listens(), Some(parent));
        assert_eq!(found[..2], [parent, child]);
        assert!(found.len() <= 3, "the child's cat, as soon as there is one: {found:?}");
        shell.end();
        assert_eq!(processes_of(nobody_listens(), Some(parent)), NOBODY);
    }

    #[test]
    fn the_listening_process_is_found_parents_first() {
        for (bound, asked) in [("127.0.0.1:0", "127.0.0.1"), ("0.0.0.0:0", "127.0.0.1"), ("[::]:0", "127.0.0.1")] {
            let listener = TcpListener::bind(bound).unwrap();
            let http = SocketAddr::new(asked.parse().unwrap(), listener.local_addr().unwrap().port());
            assert_eq!(processes_of(http, None), NOBODY, "this process is not its own server");
            let mut shell = Shell::start(PARENT_AND_CHILD, OwnedFd::from(listener).into());
            let child = shell.hear().parse::<u32>().unwrap();
            let found = processes_of(http, None);
            assert_eq!(found[..2], [shell.child.id(), child]);
            assert_eq!(processes_of(http, Some(child))[..1], [child]);
            let elsewhere = SocketAddr::new("192.0.2.1".parse().unwrap(), http.port());
            assert_eq!(processes_of(elsewhere, None), NOBODY);
            shell.end();
        }
    }

    #[test]
    fn the_one_who_listens_at_the_very_address_goes_before_others() {
        let (one, other) = (TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
        let http = one.local_addr().unwrap();
        let mut shell = Shell::start(PARENT_AND_CHILD, OwnedFd::from(other).into());
        shell.hear();
        assert_eq!(processes_of(http, None), NOBODY);
        shell.end();
    }
}
