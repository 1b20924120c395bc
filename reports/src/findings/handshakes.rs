//! What a TLS handshake costs, full and resumed: by server and version of HTTP, over the trials of all transports.
//!
//! A handshake is over before a transport begins, so their trials are of one kind.

use std::collections::BTreeMap;

use pushoff_model::record::{Handshake, Handshakes, Measurement};
use pushoff_model::wire::{Http, Wire};
use pushoff_stats::{Figure, Sums};
use serde::Serialize;

use super::study::Study;
use crate::metric::{Figures, Metric};

/// The handshakes with one server.
#[derive(Debug, Serialize)]
pub(crate) struct Shaken {
    pub(crate) server: String,
    #[serde(serialize_with = "name")]
    pub(crate) http: Http,
    /// What one costs, by metric.
    pub(crate) full: Figures,
    /// Absent where the server resumed none.
    pub(crate) resumed: Option<Figures>,
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
            full: figures(trials, |it| Some(it.full)),
            resumed: resumes.then(|| figures(trials, |it| it.resumed)),
        }
    }
}

/// What one handshake of a kind costs.
#[expect(clippy::cast_precision_loss, reason = "a count that is shown needs no more than 53 bits")]
fn figures(trials: &[&Measurement], kind: impl Fn(&Handshakes) -> Option<Handshake>) -> Figures {
    let sums = Sums::of(trials);
    let each = |of: fn(&Handshake) -> Option<u64>| {
        sums.ratio(|trial| {
            let shaken = kind(trial.handshakes.as_ref()?)?;
            Some((of(&shaken)?, shaken.connections))
        })
    };
    let count = |trial: &&Measurement| trial.handshakes.as_ref().and_then(&kind).map_or(0, |it| it.connections);
    let made: u64 = trials.iter().map(count).sum();
    Figures::given(
        trials.len(),
        [
            (Metric::HandshakeRoundTrips, each(|it| Some(it.round_trips))),
            (Metric::HandshakeUp, each(|it| Some(it.up_bytes))),
            (Metric::HandshakeDown, each(|it| Some(it.down_bytes))),
            (Metric::HandshakeCpu, each(|it| it.server_cpu_ns)),
            (Metric::Handshakes, Some(Figure { point: made as f64, interval: None })),
        ],
    )
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
            let both = |metric| [full, resumed].map(|it: &Figures| it.get(metric).unwrap().point);
            for metric in [Metric::HandshakeCpu, Metric::HandshakeDown] {
                let [one, other] = both(metric);
                assert!(other < one, "{metric:?}");
            }
            assert!(both(Metric::HandshakeRoundTrips).iter().all(|it| (it - 1.0).abs() < 1e-9));
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
