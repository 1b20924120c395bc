//! Stub.
use pushoff_model::{Conditions, Transport, Workload};

use crate::Run;

/// One question: a workload under one set of conditions.
#[derive(Clone, Debug)]
pub struct Question {
    /// What was asked for.
    pub workload: Workload,
    /// What it is measured under.
    pub conditions: Conditions,
    /// The question's name in the report.
    pub label: String,
    /// How far it is answered
    pub outcome: &'static str,
    /// Whether more rounds would change nothing.
    pub is_settled: bool,
    /// The transport to take, where the question is answered.
    pub choice: Option<Transport>,
    /// One a transport, in the order of [`Transport::ALL`].
    pub runners: Vec<Runner>,
}

/// A transport in the race.
#[derive(Clone, Debug)]
pub struct Runner {
    /// Which transport.
    pub transport: Transport,
    /// Why more rounds of it would not change the answer; absent where they may, and of the floor.
    pub out: Option<&'static str>,
    /// Whether it meets the SLO, in a word.
    pub standing: &'static str,
    /// Its median latency, as the report writes it.
    pub p50: String,
    /// Its 99th percentile, as the report writes it.
    pub p99: String,
    /// What a month of the load would cost, as the report writes it.
    pub cost: String,
}

/// How the race stands
#[must_use]
pub fn race(_: &Run) -> Vec<Question> {
    Vec::new()
}
