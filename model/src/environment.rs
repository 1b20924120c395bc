//! What a run ran on: `environment.json`.

use serde::{Deserialize, Serialize};

use crate::browser::Browser;
use crate::foreign;

/// The machine, the build and the command behind a run's records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Environment {
    /// [`crate::SCHEMA_VERSION`] of the writer.
    pub schema: u32,
    /// The run's name: records refer to it.
    #[serde(deserialize_with = "foreign::line")]
    pub run: String,
    /// When the run began, RFC 3339, UTC.
    #[serde(deserialize_with = "foreign::line")]
    pub started: String,
    /// The command line, as it can be typed again.
    #[serde(deserialize_with = "foreign::line")]
    pub command: String,
    /// Seed of order, schedules and payloads.
    pub seed: u64,
    /// pushoff's version.
    #[serde(deserialize_with = "foreign::line")]
    pub version: String,
    /// Git revision of the build, with `-dirty` where the tree had changes; `unknown` outside git.
    #[serde(deserialize_with = "foreign::line")]
    pub revision: String,
    /// The compiler, as `rustc --version` prints it.
    #[serde(deserialize_with = "foreign::line")]
    pub rustc: String,
    /// `release` or `debug`: a debug build's figures mean nothing.
    #[serde(deserialize_with = "foreign::line")]
    pub profile: String,
    /// Versions of the crates that carry the measured bytes, name and version.
    pub crates: Vec<Named>,
    /// Processor model.
    #[serde(deserialize_with = "foreign::line")]
    pub cpu: String,
    /// Processors that the run may use.
    pub cpus: u32,
    /// Physical memory.
    pub memory_bytes: u64,
    /// Operating system and kernel release.
    #[serde(deserialize_with = "foreign::line")]
    pub kernel: String,
    /// Kernel settings that bear on the figures.
    pub sysctls: Vec<Named>,
    /// Which processors each process was pinned to.
    pub pinning: Pinning,
    /// The servers that were measured, by name, and what each says that it is.
    #[serde(default)]
    pub servers: Vec<Named>,
    /// Settings that could favour one transport: equal for all, and printed.
    pub knobs: Vec<Named>,
    /// Descriptors that the generator may open.
    pub descriptor_limit: u64,
    /// How loud the machine was before the run.
    pub noise: Noise,
    /// What the run asked of the machine and did not get, a sentence each.
    #[serde(deserialize_with = "foreign::lines")]
    pub shortages: Vec<String>,
    /// The agents that the load was divided among; empty where one process was the generator.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub agents: Vec<Agent>,
    /// The browser that received, and what it allows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub browser: Option<Browser>,
}

impl Environment {
    /// Whether a build that means nothing measured the run.
    #[must_use]
    pub fn is_debug_build(&self) -> bool {
        self.profile == "debug"
    }
}

/// A generator that runs shares of a load for a coordinator.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agent {
    /// Its name.
    #[serde(deserialize_with = "foreign::line")]
    pub name: String,
    /// The machine that it runs on.
    #[serde(deserialize_with = "foreign::line")]
    pub host: String,
    /// Processors that it may use.
    pub cpus: u32,
    /// Operating system and kernel release.
    #[serde(deserialize_with = "foreign::line")]
    pub kernel: String,
    /// pushoff's version and git revision.
    #[serde(deserialize_with = "foreign::line")]
    pub version: String,
}

/// The resolution of the machine, measured by a short check before a run: no figure of the run can be finer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Noise {
    /// The least difference between two readings of the clock.
    pub clock_resolution_ns: u64,
    /// The median lateness of a timer.
    pub timer_lateness_p50_ns: u64,
    /// The 99th percentile of the lateness of a timer.
    pub timer_lateness_p99_ns: u64,
    /// The greatest lateness of a timer.
    pub timer_lateness_max_ns: u64,
    /// The median round trip of a byte to another thread over loopback.
    pub round_trip_p50_ns: u64,
    /// The 99th percentile of that round trip.
    pub round_trip_p99_ns: u64,
    /// The difference between the largest and the least median of several batches of round trips: how much the same
    /// measurement varies.
    pub repeat_ns: u64,
}

/// A name and its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// What it is.
    #[serde(deserialize_with = "foreign::line")]
    pub name: String,
    /// Its value, with the unit where there is one.
    #[serde(deserialize_with = "foreign::line")]
    pub value: String,
}

impl Named {
    /// A name with its value.
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.into() }
    }
}

/// Where the two processes ran.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "mode", rename_all = "kebab-case")]
pub enum Pinning {
    /// Each on processors of its own.
    Split {
        /// The server's.
        server: Vec<u32>,
        /// The generator's.
        generator: Vec<u32>,
    },
    /// Both wherever the kernel put them.
    Shared {
        /// Why they were not kept apart.
        #[serde(deserialize_with = "foreign::line")]
        reason: String,
    },
}
