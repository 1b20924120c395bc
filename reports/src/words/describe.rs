//! A workload and a time in words, for whoever shows them outside a report.

use std::time::Duration;

use pushoff_model::wire::{Http, Wire};
use pushoff_model::workload::{Arrival, Direction, Growth, Load};
use pushoff_model::{Workload, foreign};

use crate::words::number::{Quantity, asked_share, thousands, tick};

/// A time as the report writes it: three significant digits and a unit.
#[must_use]
pub fn duration(duration: Duration) -> String {
    Quantity::Time.write(duration.as_secs_f64() * 1e9)
}

/// A number as it stands, with thousands set apart: `2,000`, `0.5`.
#[must_use]
pub fn number(number: f64) -> String {
    let text = number.to_string();
    let whole = text.split('.').next().unwrap_or_default();
    format!("{}{}", thousands(whole), &text[whole.len()..])
}

/// A share to two digits: `1.2 %`.
#[must_use]
pub fn share(share: f64) -> String {
    asked_share(format!("{share:.1e}").parse().unwrap_or(share))
}

/// What is good enough: `99 % within 100 ms, none missed`.
#[must_use]
pub fn slo(workload: &Workload) -> String {
    let Some(slo) = workload.slo else { return "nothing is published, so nothing is late".into() };
    let share = asked_share(slo.share.as_f64());
    let skips = if slo.may_skip { "skipped ones forgiven" } else { "none missed" };
    format!("{share} within {}, {skips}", tick(slo.within.as_secs_f64() * 1e9))
}

/// What carried the bytes: `HTTP/2 over TLS, compressed`.
#[must_use]
pub fn wire(wire: Wire) -> String {
    let http = match wire.http {
        Http::One => "HTTP/1.1",
        Http::Two => "HTTP/2",
    };
    let tls = if wire.tls { "over TLS" } else { "without TLS" };
    format!("{http} {tls}{}", if wire.compressed { ", compressed" } else { "" })
}

/// Who sends how much to whom: `20 topics, 200 subscribers who also speak, 0.5 messages a second
/// each (poisson)`.
#[must_use]
pub fn load(workload: &Workload) -> String {
    let count = |number: u32, what: &str| {
        format!("{} {what}{}", thousands(&number.to_string()), if number == 1 { "" } else { "s" })
    };
    let who = match workload.direction {
        Direction::Down => count(workload.subscribers, "subscriber"),
        Direction::Both => format!("{} who also speak", count(workload.subscribers, "subscriber")),
    };
    let when = match &workload.load {
        Load::Rate { per_second, arrival } => {
            let speaker = match workload.direction {
                Direction::Down => "a topic",
                Direction::Both => "each",
            };
            let spaced = match arrival {
                Arrival::Constant => "evenly",
                Arrival::Poisson => "at random times",
            };
            let rate = per_second.as_per_second();
            let messages = if rate.to_bits() == 1_f64.to_bits() { "message" } else { "messages" };
            format!("{} {messages} a second {speaker}, {spaced}", number(rate))
        }
        Load::Silence { .. } => "nothing published".into(),
        Load::Trace { path, messages, .. } => {
            format!("{} messages of the trace {}", thousands(&messages.to_string()), foreign::path(path))
        }
    };
    format!("{}, {who}, {when}", count(workload.topics, "topic"))
}

/// How clients poll, and how long a trial is: `Short polling every 75 ms, long polls wait for at most 25 s;
/// measured for 1 s`.
pub(crate) fn pace(workload: &Workload) -> String {
    let time = |duration: Duration| tick(duration.as_secs_f64() * 1e9);
    let (polling, phases) = (workload.polling, workload.phases);
    format!(
        "Short polling every {}, long polls wait for at most {}; measured for {}",
        time(polling.interval),
        time(polling.wait),
        time(phases.measure)
    )
}

/// Where a search begins and what it makes more of: `1 topic, 100 subscribers, 100 messages a second
/// a topic, evenly, to begin with; the rate grows`.
pub(crate) fn search(workload: &Workload) -> String {
    let from = load(workload);
    match workload.search.map(|search| search.grow) {
        Some(Growth::Rate) => format!("{from}, to begin with; the rate grows"),
        Some(Growth::Subscribers) => format!("{from}, to begin with; the subscribers grow in number"),
        None => from,
    }
}

#[cfg(test)]
mod tests {
    use pushoff_model::workload::built_in;

    use super::*;

    #[test]
    fn a_workload_reads_as_a_sentence_would() {
        let chat = built_in("chat").unwrap().unwrap();
        assert_eq!(
            load(&chat),
            "20 topics, 200 subscribers who also speak, 0.5 messages a second each, at random times"
        );
        assert_eq!(slo(&chat), "99 % within 250 ms, none missed");
        assert_eq!(pace(&chat), "Short polling every 200 ms, long polls wait for at most 25 s; measured for 2 s");
        let ticker = built_in("ticker").unwrap().unwrap();
        assert_eq!(load(&ticker), "5 topics, 300 subscribers, 20 messages a second a topic, evenly");
    }

    #[test]
    fn thousands_are_set_apart_and_decimals_stay() {
        let publish = built_in("publish").unwrap().unwrap();
        assert_eq!(load(&publish), "1 topic, 1 subscriber, 2,000 messages a second a topic, evenly");
        assert_eq!([0.384, 5.0, 1_000.0, 1_234_567.25].map(number), ["0.384", "5", "1,000", "1,234,567.25"]);
        assert_eq!([0.011_718_75, 0.01, 0.0005].map(share), ["1.2 %", "1 %", "0.05 %"]);
    }

    #[test]
    fn a_time_has_three_digits() {
        assert_eq!(duration(Duration::from_nanos(1_240_300)), "1.24 ms");
    }
}
