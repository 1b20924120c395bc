//! The fields of the page's planner: what each takes, where its slider ends, and what is said of what
//! it does not take.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Model, Needs};
use crate::sentence::capitalised;
use pushoff_planner::page::{AUDIENCE, RTT, RTTS};
use pushoff_planner::{Need, Unit};

/// What is asked, in the order of the command's flags.
#[derive(Serialize)]
pub(crate) struct Fields {
    pub(crate) users: Field,
    pub(crate) rate: Field,
    pub(crate) payload: Field,
    pub(crate) staleness: Field,
    pub(crate) audience: Field,
    pub(crate) rtt: Field,
}

/// One of them: a text and a slider.
#[derive(Clone, Copy, Serialize)]
pub(crate) struct Field {
    unit: Unit,
    low: f64,
    high: f64,
    /// Whether it is a number of things.
    whole: bool,
    /// Where the ratios of the slider begin: its lower end may be nothing at all.
    slides_from: f64,
    /// What its ends say.
    lowest: &'static str,
    highest: &'static str,
}

/// Steps of a slider a decade: an eighth more each.
const STEPS_A_DECADE: f64 = 20.0;

impl Fields {
    /// All of them.
    pub(crate) const ALL: Self = Self {
        users: Field::of(Need::Users, "1", "1G"),
        rate: Field::of(Need::Rate, "1/d", "1000/s"),
        payload: Field::of(Need::Payload, "1B", "64KiB"),
        staleness: Field::of(Need::Staleness, "1ms", "1h"),
        audience: Field { highest: "all", ..Field::of(Need::Users, "1", "1G") },
        rtt: Field {
            unit: Unit::Time,
            low: *RTTS.start(),
            high: *RTTS.end(),
            whole: false,
            slides_from: 0.001,
            lowest: "0s",
            highest: "10s",
        },
    };
}

impl Field {
    const fn of(need: Need, lowest: &'static str, highest: &'static str) -> Self {
        let (low, high) = need.bounds();
        Self { unit: need.unit(), low, high, whole: need.is_counted(), slides_from: low, lowest, highest }
    }

    /// How many steps its slider has.
    pub(crate) fn steps(&self) -> f64 {
        (STEPS_A_DECADE * (self.high / self.slides_from).log10()).round()
    }
}

/// What is said beside a field that is wrong, by its name.
pub(super) fn wrong() -> BTreeMap<&'static str, String> {
    let needs = Need::ALL.map(Need::flag).into_iter().chain([("audience", AUDIENCE), ("rtt", RTT)]);
    let prices =
        ["core_month", "gib_month", "egress_gb", "ingress_gb"].map(|name| (name, "a price is a number from 0 to 1e9"));
    let others = [
        ("currency", "a currency is a word of 1 to 8 characters, e.g. USD"),
        ("larger_audience", "at most as many hear a message as there are users, or `all`"),
    ];
    let said = |(name, allowed): (&'static str, &str)| (name, format!("{}.", capitalised(allowed)));
    needs.chain(prices).chain(others).map(said).collect()
}

/// Each need as it may be typed, in the order of the command's flags.
pub(crate) fn typed(needs: &Needs) -> [(&'static str, String); 6] {
    let need = |need: Need| (need.flag().0, need.write(need.of(needs)));
    let audience = needs.audience.map_or_else(|| "all".into(), |audience| Unit::Users.write(audience));
    [
        need(Need::Users),
        need(Need::Rate),
        need(Need::Payload),
        need(Need::Staleness),
        ("audience", audience),
        ("rtt", Unit::Time.write(needs.rtt)),
    ]
}

impl Model {
    /// The command that plans for these needs with this model, where everybody hears every message.
    pub(crate) fn command(&self, needs: &Needs) -> String {
        let flags = typed(needs).into_iter().filter(|(flag, _)| *flag != "audience");
        let flags = flags.map(|(flag, typed)| format!("--{flag} {typed}"));
        let all: Vec<String> =
            ["pushoff plan".into()].into_iter().chain(flags).chain(self.flag().map(str::to_owned)).collect();
        all.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_of_a_slider_are_what_is_planned_for() {
        let Fields { users, rate, payload, staleness, audience, rtt } = Fields::ALL;
        for field in [users, rate, payload, staleness, rtt] {
            assert_eq!(
                (field.unit.parse(field.lowest), field.unit.parse(field.highest)),
                (Some(field.low), Some(field.high))
            );
        }
        assert_eq!(audience.unit.parse(audience.lowest), Some(1.0));
    }
}
