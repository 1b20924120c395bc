//! The part of a record that says what a trial cost: connecting, bytes, memory, processor time.
//!
//! Sums and readings as they were taken; a share of one connection or one message is for a report
//! to compute.

use serde::{Deserialize, Serialize};

/// Everybody connecting: a burst of connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Connecting {
    /// How many subscribers connected.
    pub connections: u64,
    /// How many of them at most at the same time.
    pub at_once: u32,
    /// From when the first began until the last had its first message.
    pub took_ns: u64,
    /// What the server's process used meanwhile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<ProcessUse>,
    /// What the generator's process used meanwhile.
    pub generator: ProcessUse,
}

/// What TLS handshakes with the server cost, by a few of each kind, one after the other, once the load was over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handshakes {
    /// Full ones, as every subscriber makes.
    pub full: Handshake,
    /// Those that resume an earlier session by its ticket, as a client does that comes back; absent where the server
    /// resumes none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resumed: Option<Handshake>,
}

/// Sums over handshakes of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handshake {
    /// How many.
    pub connections: u64,
    /// How often the client waited for the server before it could ask, by the standards (RFC 8446 §2, RFC 5246 §7.3); the
    /// round trip of TCP is not among them.
    pub round_trips: u64,
    /// Server to client, above TCP: the tickets that follow a handshake in TLS 1.3 are among them.
    pub down_bytes: u64,
    /// Client to server.
    pub up_bytes: u64,
    /// Processor time of the server, accepting and closing the connection included; absent where it is not ours to see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_cpu_ns: Option<u64>,
}

impl Handshake {
    /// The sums of both.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self {
            connections: self.connections + other.connections,
            round_trips: self.round_trips + other.round_trips,
            down_bytes: self.down_bytes + other.down_bytes,
            up_bytes: self.up_bytes + other.up_bytes,
            server_cpu_ns: self.server_cpu_ns.zip(other.server_cpu_ns).map(|(one, other)| one + other),
        }
    }
}

/// What crossed the subscribers' connections, above TCP, from the kernel's own counters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wire {
    /// From the first connection until everybody had the first message.
    pub setup: Traffic,
    /// From then until everything had arrived.
    pub load: Traffic,
    /// Of that, during the measure phase: without what begins and ends a trial. Absent in records of before 28
    /// November 2026.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Traffic>,
    /// Connections that were gone before their counters could be read: what they carried is not
    /// in the sums.
    pub unread: u64,
}

/// What crossed connections during a part of a trial.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Traffic {
    /// Server to client.
    pub down: Flow,
    /// Client to server.
    pub up: Flow,
    /// What the clients found in it.
    pub contents: Contents,
}

/// One direction, summed over connections. Source: `TCP_INFO` of the client's socket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flow {
    /// Bytes above TCP, without those sent again.
    pub bytes: u64,
    /// Segments, acknowledgements without data included.
    pub segments: u64,
    /// Segments with data: writes, as far as they were not joined.
    pub data_segments: u64,
    /// Bytes sent again; of the client's direction alone, the other is not its kernel's to know.
    pub resent_bytes: u64,
}

/// What the clients found in the bytes that they received and put into those that they sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contents {
    /// Messages received.
    pub messages: u64,
    /// Their payloads.
    pub payload_bytes: u64,
    /// What the standards say that their framing weighs, each sent alone: [`crate::overhead`].
    pub framing_bytes: u64,
    /// Requests and handshakes sent.
    pub requests: u64,
    /// Their heads, as the standards say that they are written.
    pub request_head_bytes: u64,
    /// Responses whose head was received.
    pub responses: u64,
    /// Their heads.
    pub response_head_bytes: u64,
    /// Responses to polls that held no message.
    pub empty: u64,
    /// Payloads sent on the subscribers' own connections, their framing not included.
    pub spoken_bytes: u64,
    /// Streams, those of a WebSocket too, that came uncompressed although they were to be compressed.
    #[serde(default, skip_serializing_if = "is_none")]
    pub uncompressed: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
const fn is_none(count: &u64) -> bool {
    *count == 0
}

impl Traffic {
    /// What crossed between an earlier reading of growing sums and this one.
    #[must_use]
    pub const fn since(&self, earlier: &Self) -> Self {
        Self {
            down: self.down.since(&earlier.down),
            up: self.up.since(&earlier.up),
            contents: self.contents.since(&earlier.contents),
        }
    }

    const fn plus(&self, other: &Self) -> Self {
        Self {
            down: self.down.plus(&other.down),
            up: self.up.plus(&other.up),
            contents: self.contents.plus(&other.contents),
        }
    }
}

impl Wire {
    /// What crossed these connections and those of another agent. Of the measure phase, where both know it.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self {
            setup: self.setup.plus(&other.setup),
            load: self.load.plus(&other.load),
            window: self.window.zip(other.window).map(|(one, other)| one.plus(&other)),
            unread: self.unread + other.unread,
        }
    }
}

impl Flow {
    const fn plus(&self, other: &Self) -> Self {
        Self {
            bytes: self.bytes + other.bytes,
            segments: self.segments + other.segments,
            data_segments: self.data_segments + other.data_segments,
            resent_bytes: self.resent_bytes + other.resent_bytes,
        }
    }

    const fn since(&self, earlier: &Self) -> Self {
        Self {
            bytes: self.bytes.saturating_sub(earlier.bytes),
            segments: self.segments.saturating_sub(earlier.segments),
            data_segments: self.data_segments.saturating_sub(earlier.data_segments),
            resent_bytes: self.resent_bytes.saturating_sub(earlier.resent_bytes),
        }
    }
}

impl Contents {
    const fn plus(&self, other: &Self) -> Self {
        Self {
            messages: self.messages + other.messages,
            payload_bytes: self.payload_bytes + other.payload_bytes,
            framing_bytes: self.framing_bytes + other.framing_bytes,
            requests: self.requests + other.requests,
            request_head_bytes: self.request_head_bytes + other.request_head_bytes,
            responses: self.responses + other.responses,
            response_head_bytes: self.response_head_bytes + other.response_head_bytes,
            empty: self.empty + other.empty,
            spoken_bytes: self.spoken_bytes + other.spoken_bytes,
            uncompressed: self.uncompressed + other.uncompressed,
        }
    }

    const fn since(&self, earlier: &Self) -> Self {
        Self {
            messages: self.messages.saturating_sub(earlier.messages),
            payload_bytes: self.payload_bytes.saturating_sub(earlier.payload_bytes),
            framing_bytes: self.framing_bytes.saturating_sub(earlier.framing_bytes),
            requests: self.requests.saturating_sub(earlier.requests),
            request_head_bytes: self.request_head_bytes.saturating_sub(earlier.request_head_bytes),
            responses: self.responses.saturating_sub(earlier.responses),
            response_head_bytes: self.response_head_bytes.saturating_sub(earlier.response_head_bytes),
            empty: self.empty.saturating_sub(earlier.empty),
            spoken_bytes: self.spoken_bytes.saturating_sub(earlier.spoken_bytes),
            uncompressed: self.uncompressed.saturating_sub(earlier.uncompressed),
        }
    }
}

/// What was held at three moments of a trial. A connection's share is a difference of two of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// The server is ready, the topics are open, nobody is connected.
    pub empty: Held,
    /// Everybody is connected and has the first message; no load yet.
    pub idle: Held,
    /// At the end of the measure phase.
    pub delivering: Held,
}

/// What was held at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// The server's process; absent where it is not ours to see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<ProcessMemory>,
    /// The generator's process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generator: Option<ProcessMemory>,
    /// The kernel, for all sockets of the machine: both ends of each connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kernel: Option<KernelMemory>,
}

/// Memory of a process. Source: `/proc/PID/smaps_rollup`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessMemory {
    /// Resident.
    pub rss_bytes: u64,
    /// Resident, pages shared with other processes counted in part, without pages of files (code, libraries): how many of
    /// these were touched says nothing about connections. Records of before 27 November 2026 include them.
    pub pss_bytes: u64,
}

/// Memory of the kernel that sockets live in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KernelMemory {
    /// Structures: `Slab` of `/proc/meminfo`.
    pub slab_bytes: u64,
    /// Buffers: `mem` of TCP in `/proc/net/sockstat`.
    pub tcp_bytes: u64,
}

/// What a process used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ProcessUse {
    /// Time on a processor, all threads, user and system.
    pub cpu_ns: u64,
    /// The user part, by the kernel's accounting in ticks of some 10 ms: of use summed over trials.
    pub user_ns: u64,
    /// The system part, likewise.
    pub system_ns: u64,
    /// Wall time over which that was counted.
    pub wall_ns: u64,
    /// How many processors the process may use; below 1 where it was held back on purpose, 0 where that is not known.
    pub cpus: f64,
    /// Time that its threads were ready to run and other programs had the processors, summed over threads; 0 where the
    /// kernel does not say, of several processes, which wait for each other, and in records that were written before it
    /// was noted.
    #[serde(default)]
    pub waited_ns: u64,
    /// Whether `cpu_ns` was counted in the kernel's ticks of some 10 ms: it has no scheduler statistics, or threads
    /// ended meanwhile.
    #[serde(default, skip_serializing_if = "crate::workload::is_false")]
    pub in_ticks: bool,
    /// Whether the server said so itself (the target's `[metrics]`), because its processes cannot be seen from here: there is
    /// no user and no system part, and nothing of waiting.
    #[serde(default, skip_serializing_if = "crate::workload::is_false")]
    pub is_told: bool,
}

impl ProcessMemory {
    /// What two processes hold.
    #[must_use]
    pub const fn plus(&self, other: &Self) -> Self {
        Self { rss_bytes: self.rss_bytes + other.rss_bytes, pss_bytes: self.pss_bytes + other.pss_bytes }
    }
}

impl ProcessUse {
    /// What two processes used in the same time, each on processors of its own.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self {
            cpu_ns: self.cpu_ns + other.cpu_ns,
            user_ns: self.user_ns + other.user_ns,
            system_ns: self.system_ns + other.system_ns,
            wall_ns: self.wall_ns.max(other.wall_ns),
            cpus: self.cpus + other.cpus,
            waited_ns: self.waited_ns + other.waited_ns,
            in_ticks: self.in_ticks || other.in_ticks,
            is_told: self.is_told || other.is_told,
        }
    }

    /// The part of its processors that the process was busy on, 0 to 1.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a share needs no more than 53 bits")]
    pub fn utilisation(&self) -> f64 {
        let available = self.wall_ns as f64 * self.cpus;
        if available > 0.0 { self.cpu_ns as f64 / available } else { 0.0 }
    }

    /// The part of the time in which the process had work that it waited for a processor, 0 to 1: lower is better. A
    /// competitor that never rests takes a half.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a share needs no more than 53 bits")]
    pub fn waited(&self) -> f64 {
        let wanted = self.cpu_ns.saturating_add(self.waited_ns);
        if wanted > 0 { self.waited_ns as f64 / wanted as f64 } else { 0.0 }
    }
}

/// What the machine did during the measure phase.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MachineUse {
    /// Part of the processors' time that a hypervisor gave to others, 0 to 1.
    pub steal: f64,
    /// TCP segments sent again, machine-wide.
    pub retransmits: u64,
    /// Of those, the ones that were not lost, as far as the kernel knows: tail-loss probes that met a delayed
    /// acknowledgement (RFC 8985 §7), and what the receiver reported as a duplicate (RFC 2883).
    #[serde(default)]
    pub spurious_retransmits: u64,
}
