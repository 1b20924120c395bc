//! What a TLS handshake costs, full and resumed: by server and version of HTTP, over the trials of all transports.
//!
//! A handshake is over before a transport begins, so their trials are of one kind.

use std::collections::BTreeMap;

use pushoff_model::record::{Handshake, Handshakes, Measurement};
use pushoff_model::wire::{Http, Wire};
use pushoff_stats::{Figure, Sums};
use serde::Serialize;

use super::study::Study;

/// The handshakes with one server.
#[derive(Debug, Serialize)]
pub(crate) struct Shaken {
    pub(crate) server: String,
    #[serde(serialize_with = "name")]
    pub(crate) http: Http,
    pub(crate) full: Costs,
    /// Absent where the server resumed none.
    pub(crate) resumed: Option<Costs>,
}

/// What one handshake costs.
#[derive(Debug, Serialize)]
pub(crate) struct Costs {
    /// How many were made.
    pub(crate) connections: u64,
    pub(crate) round_trips: Option<Figure>,
    pub(crate) up_bytes: Option<Figure>,
    pub(crate) down_bytes: Option<Figure>,
    /// Processor time of the server.
    pub(crate) server_cpu_ns: Option<Figure>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn name<S: serde::Serializer>(http: &Http, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(http.name())
}

impl Shaken {
    /// Of every server that was reached over TLS.
    pub(crate) fn all(study: &Study<'_>) -> Vec<Self> {
        let mut trials: BTreeMap<(&str, Wire), Vec<&Measurement>> = BTreeMap::new();
        for cell in study.groups().flat_map(|group| &group.cells) {
            let wire = Wire { compressed: false, ..cell.key.conditions.wire() };
            let shaken = cell.valid().into_iter().filter(|trial| trial.handshakes.is_some());
            trials.entry((cell.key.conditions.server.as_str(), wire)).or_default().extend(shaken);
        }
        let known = trials.into_iter().filter(|(_, trials)| !trials.is_empty());
        known.map(|((server, wire), trials)| Self::of(server, wire.http, &trials)).collect()
    }

    fn of(server: &str, http: Http, trials: &[&Measurement]) -> Self {
        let resumes = trials.iter().all(|trial| trial.handshakes.is_some_and(|it| it.resumed.is_some()));
        Self {
            server: server.to_owned(),
            http,
            full: Costs::of(trials, |it| Some(it.full)),
            resumed: resumes.then(|| Costs::of(trials, |it| it.resumed)),
        }
    }
}

impl Costs {
    /// How many were made, as a figure.
    #[expect(clippy::cast_precision_loss, reason = "a count that is shown needs no more than 53 bits")]
    pub(crate) const fn connections(&self) -> Figure {
        Figure { point: self.connections as f64, interval: None }
    }

    fn of(trials: &[&Measurement], kind: impl Fn(&Handshakes) -> Option<Handshake>) -> Self {
        let sums = Sums::of(trials);
        let each = |of: fn(&Handshake) -> Option<u64>| {
            sums.ratio(|trial| {
                let shaken = kind(trial.handshakes.as_ref()?)?;
                Some((of(&shaken)?, shaken.connections))
            })
        };
        let count = |trial: &&Measurement| trial.handshakes.as_ref().and_then(&kind).map_or(0, |it| it.connections);
        Self {
            connections: trials.iter().map(count).sum(),
            round_trips: each(|it| Some(it.round_trips)),
            up_bytes: each(|it| Some(it.up_bytes)),
            down_bytes: each(|it| Some(it.down_bytes)),
            server_cpu_ns: each(|it| it.server_cpu_ns),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn a_handshake_costs_the_same_whatever_is_carried_after_it() {
        let run = fixture::on_wires();
        let all = Shaken::all(&Study::of(&run));
        assert_eq!(all.iter().map(|it| it.http).collect::<Vec<_>>(), [Http::One, Http::Two], "none in the clear");
        for Shaken { full, resumed, .. } in &all {
            let resumed = resumed.as_ref().unwrap();
            let [one, other] = [full, resumed].map(|it| it.server_cpu_ns.unwrap().point);
            assert!(other < one && full.down_bytes.unwrap().point > resumed.down_bytes.unwrap().point);
            assert!([full, resumed].iter().all(|it| (it.round_trips.unwrap().point - 1.0).abs() < 1e-9));
        }
    }

    #[test]
    fn a_server_that_resumes_none_has_none() {
        let mut run = fixture::on_wires();
        for record in &mut run.records {
            if let pushoff_model::record::Outcome::Measured(measured) = &mut record.outcome
                && let Some(handshakes) = &mut measured.handshakes
            {
                handshakes.resumed = None;
            }
        }
        assert!(Shaken::all(&Study::of(&run)).iter().all(|it| it.resumed.is_none()));
        run.records.retain(|record| !record.conditions.contains_key("tls"));
        assert!(Shaken::all(&Study::of(&run)).is_empty());
    }
}
