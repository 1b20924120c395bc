//! The memory of the processes and of the kernel at one moment.
//!
//! A process is read from `/proc/PID/smaps_rollup`. The kernel walks all pages of the process for it, about 10 ms for
//! a GiB, and blocks the process's memory mappings meanwhile. So it is read before or after the measure phase, never
//! during it. The kernel's memory is machine-wide: both ends of a loopback connection are sockets of this machine.

use procfs::process::Process;
use procfs::{Current, Meminfo};
use pushoff_model::record::{Held, KernelMemory, ProcessMemory};

use crate::account::Told;

/// Reads the memory now; a value that cannot be read is absent.
///
/// Proportional shares of several processes add up; resident sets count shared pages several times. The browser's
/// memory counts as the generator's. A server that has `told` its memory, or none of whose processes is seen, is on another
/// machine as far as is known, and its end of the connections in that machine's kernel.
pub(crate) fn held(server: &[u32], told: Option<&Told>, browser: &[u32]) -> Held {
    let of = |pids: &[u32]| pids.iter().filter_map(|&pid| process(Some(pid))).reduce(sum);
    let generator = process(None);
    Held {
        server: told.map(|it| resident(it.resident_bytes())).or_else(|| of(server)),
        generator: generator.map(|own| of(browser).map_or(own, |pages| sum(own, pages))),
        kernel: kernel().filter(|_| told.is_none() && !server.is_empty()),
    }
}

const fn resident(bytes: u64) -> ProcessMemory {
    ProcessMemory { rss_bytes: bytes, pss_bytes: bytes }
}

const fn sum(one: ProcessMemory, other: ProcessMemory) -> ProcessMemory {
    ProcessMemory { rss_bytes: one.rss_bytes + other.rss_bytes, pss_bytes: one.pss_bytes + other.pss_bytes }
}

/// The pages of TCP's buffers, from `/proc/net/sockstat`.
fn tcp_pages(sockstat: &str) -> Option<u64> {
    let line = sockstat.lines().find_map(|line| line.strip_prefix("TCP:"))?;
    let mut words = line.split_ascii_whitespace();
    words.find(|&word| word == "mem")?;
    words.next()?.parse().ok()
}

/// The process with that number, or this one.
fn process(pid: Option<u32>) -> Option<ProcessMemory> {
    let process = match pid {
        Some(pid) => Process::new(i32::try_from(pid).ok()?).ok()?,
        None => Process::myself().ok()?,
    };
    let rollup = process.smaps_rollup().ok()?.memory_map_rollup;
    let sums = &rollup.iter().next()?.extension.map;
    // Pages of files are code and libraries: how many of them were touched says nothing about connections.
    let files = sums.get("Pss_File").copied().unwrap_or_default();
    Some(ProcessMemory { rss_bytes: *sums.get("Rss")?, pss_bytes: sums.get("Pss")?.saturating_sub(files) })
}

fn kernel() -> Option<KernelMemory> {
    let sockstat = std::fs::read_to_string("/proc/net/sockstat").ok()?;
    Some(KernelMemory {
        slab_bytes: Meminfo::current().ok()?.slab,
        tcp_bytes: tcp_pages(&sockstat)? * procfs::page_size(),
    })
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::process::{Command, Stdio};

    use super::*;
    use crate::watch::processes::tests::Shell;

    #[test]
    fn tcp_memory_is_found_among_the_other_counts() {
        let text = "sockets: used 17\nTCP: inuse 1 orphan 0 tw 0 alloc 1 mem 29\nUDP: inuse 0 mem 7\n";
        assert_eq!(tcp_pages(text), Some(29));
        assert_eq!(tcp_pages("TCP: inuse 1\nUDP: inuse 0 mem 7\n"), None);
        assert_eq!(tcp_pages(""), None);
    }

    /// `Rss`, and `Pss` without files, parsed independently.
    fn by_hand(pid: &str) -> (u64, u64) {
        let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap();
        let bytes = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() * 1024
        };
        (bytes("Rss:"), bytes("Pss:") - bytes("Pss_File:"))
    }

    #[test]
    fn a_resting_process_holds_what_smaps_rollup_says_to_the_byte() {
        let mut child = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        // An echoed byte shows that the process has started and waits.
        child.stdin.as_mut().unwrap().write_all(b"x").unwrap();
        child.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
        let pid = child.id();
        // Pages shared with other processes change its share.
        let agree = (0..100).any(|_| {
            let server = held(&[pid], None, &[]).server.unwrap();
            (server.rss_bytes, server.pss_bytes) == by_hand(&pid.to_string())
        });
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(agree);
        assert_eq!(held(&[pid], None, &[]).server, None, "it is gone");
    }

    #[test]
    fn the_memory_of_two_processes_is_added_up() {
        let mut shell = Shell::start("sh -c 'echo $$; read end <&1' & wait", Stdio::null());
        let both = [shell.child.id(), shell.hear().parse().unwrap()];
        // The child has started; the parent may still be busy.
        let agree = (0..100).any(|_| {
            let [one, other] = both.map(|pid| by_hand(&pid.to_string()));
            let sum = held(&both, None, &[]).server.unwrap();
            let browser = held(&[], None, &both).generator.unwrap();
            assert!(browser.rss_bytes > one.0 + other.0, "this process is the generator too");
            (sum.rss_bytes, sum.pss_bytes) == (one.0 + other.0, one.1 + other.1)
        });
        shell.end();
        assert!(agree);
    }

    #[test]
    fn memory_that_is_touched_is_held() {
        const MORE: u64 = 64 << 20;
        let before = held(&[], None, &[]);
        let touched = vec![1_u8; usize::try_from(MORE).unwrap()];
        let after = held(&[], None, &[]).generator.unwrap();
        let (rss, pss) = by_hand("self");
        assert!(std::hint::black_box(&touched).iter().all(|&byte| byte == 1));
        let before = before.generator.unwrap();
        // Other tests of this process allocate less than that.
        for (then, now, hand) in [(before.rss_bytes, after.rss_bytes, rss), (before.pss_bytes, after.pss_bytes, pss)] {
            assert!((now - then).abs_diff(MORE) < MORE / 4, "{then} to {now}");
            assert!(now.abs_diff(hand) < MORE / 4, "{now} and {hand}");
        }
    }

    #[test]
    fn bytes_that_nobody_reads_are_memory_of_the_kernel() {
        let before = held(&[std::process::id()], None, &[]).kernel.unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let mut sender = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let _receiver = listener.accept().unwrap();
        sender.set_nonblocking(true).unwrap();
        let mut sent = 0;
        while let Ok(more) = sender.write(&[0; 65_536]) {
            sent += more as u64;
        }
        let after = held(&[std::process::id()], None, &[]).kernel.unwrap();
        assert!(before.slab_bytes > 0);
        assert!(after.tcp_bytes >= before.tcp_bytes + sent / 2, "{before:?}, {after:?}, {sent} bytes unread");
    }
}
