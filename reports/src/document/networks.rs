//! What was found over networks, in words: on the card of a question, and as rows of the matrix.

use pushoff_model::Transport;
use pushoff_model::record::Link;

use crate::ReportError;
use crate::blocks::{Block, Fact, Figure, Section};
use crate::charts::{self, Along, Latency};
use crate::findings::comparison::Comparison;
use crate::findings::networks::OverNetwork;
use crate::findings::study::Study;
use crate::prose::Prose;
use crate::words::number::{asked_share, tick};
use crate::words::text::{capitalised, joined, list};

/// Latency by round trip and by loss, where networks differ in one of them alone.
pub(super) fn section(study: &Study<'_>) -> Result<Section, ReportError> {
    let mut figures: Vec<Figure> = Vec::new();
    for comparison in study.answers() {
        for (along, latency) in
            [Along::RoundTrip, Along::Loss].into_iter().flat_map(|it| Latency::BOTH.map(|of| (it, of)))
        {
            if let Some(chart) = charts::networks(comparison, along, latency)? {
                let (anchor, about) = (comparison.group.anchor(), comparison.group.label.clone());
                figures.push(Figure { chart, anchor, about });
            }
        }
    }
    if figures.is_empty() {
        return Ok(Section::default());
    }
    let note = "Grey is theory: half a round trip for a stream; for a poll, its wait as well; lost packets as a band from what \
                later packets reveal to what a timer does.";
    Ok(Section::titled("networks", "Latency over networks", vec![Block::note(note), Block::Row(figures)]).folded())
}

/// What a network is: `60 ms round trip, 9 and 1.5 Mbit/s, 0.1 % lost`.
pub(super) fn described(network: &OverNetwork) -> String {
    let Link { down, up, .. } = &network.link;
    let megabits = |rate: f64| format!("{}", rate / 1e6);
    let rate = match (down.bits_per_second, up.bits_per_second) {
        (Some(down), Some(up)) if down.to_bits() == up.to_bits() => Some(format!("{} Mbit/s", megabits(down))),
        (Some(down), Some(up)) => Some(format!("{} and {} Mbit/s", megabits(down), megabits(up))),
        (Some(one), None) | (None, Some(one)) => Some(format!("{} Mbit/s one way", megabits(one))),
        (None, None) => None,
    };
    let parts = [Some(format!("{} round trip", round_trip(network))), rate, lost(network)];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// The networks over which the chosen transport meets the SLO, and for every other network the transports that do.
/// Without a choice: the transports that meet the SLO over each network.
pub(super) fn fact(comparison: &Comparison<'_>) -> Option<Fact> {
    let networks = &comparison.networks;
    if networks.is_empty() {
        return None;
    }
    let said = match comparison.verdict.choice() {
        Some(choice) => of_choice(networks, choice),
        None => {
            let one = |it: &OverNetwork| format!("over {}: {}", it.name, meeting(it).unwrap_or_else(|| "none".into()));
            format!("Shown to meet the SLO {}.", networks.iter().map(one).collect::<Vec<_>>().join("; "))
        }
    };
    Some(Fact {
        name: "Over networks",
        said: vec![Prose::linked_to("#matrix", said)],
        is_in_sight: true,
        is_brief: true,
    })
}

fn of_choice(networks: &[OverNetwork], choice: Transport) -> String {
    let reached = format!("{} {}", choice.label(), reach(networks, &[choice]));
    let rest = networks.iter().filter(|it| !it.is_met_by(choice)).map(|network| {
        let what_is = lost(network).unwrap_or_else(|| format!("round trip {}", round_trip(network)));
        format!("; over {} ({what_is}) {}", network.name, without(network, choice))
    });
    [reached].into_iter().chain(rest).chain([".".into()]).collect()
}

/// How transports stand over a network over which the choice is not shown to meet the SLO.
fn without(network: &OverNetwork, choice: Transport) -> String {
    let open: Vec<Transport> = network.open().collect();
    match (meeting(network), open.as_slice()) {
        (Some(others), _) => format!("{others} can"),
        (None, []) => "every transport fails".into(),
        (None, open) if open.contains(&choice) => format!("none is shown to, and {} may", list(open)),
        (None, open) => format!("{} fails, and {} may or may not meet it", choice.label(), list(open)),
    }
}

/// Over how many of the networks one of these is shown to meet the SLO, and how long their round trips are.
fn reach(networks: &[OverNetwork], transports: &[Transport]) -> String {
    let met: Vec<&OverNetwork> =
        networks.iter().filter(|network| network.meeting().any(|it| transports.contains(&it))).collect();
    match met.as_slice() {
        [] => "is shown to meet the SLO over none of the networks".into(),
        [alone] => format!("meets the SLO over {} (round trip {})", alone.name, round_trip(alone)),
        [first, .., last] => {
            let names: Vec<&str> = met.iter().map(|it| it.name.as_str()).collect();
            let trips = format!("round trips {} to {}", round_trip(first), round_trip(last));
            format!("meets the SLO over {} ({trips})", joined(&names))
        }
    }
}

/// Over which networks what the usual advice names meets the SLO: `. Short polling meets the SLO over cable (round trip 28 ms)`.
pub(super) fn advice_reaches(comparison: &Comparison<'_>) -> Prose {
    let advised = &comparison.group.workload.advice.transports;
    if comparison.networks.is_empty() || advised.is_empty() {
        return Prose::default();
    }
    let names = advised.iter().map(|it| it.label()).collect::<Vec<_>>().join(" or ");
    format!(". {} {}", capitalised(&names), reach(&comparison.networks, advised)).into()
}

fn meeting(network: &OverNetwork) -> Option<String> {
    let meeting: Vec<Transport> = network.meeting().collect();
    (!meeting.is_empty()).then(|| list(&meeting))
}

fn round_trip(network: &OverNetwork) -> String {
    tick(network.round_trip().as_secs_f64() * 1e9)
}

fn lost(network: &OverNetwork) -> Option<String> {
    // Two digits: what a file says, and what bursts come to.
    let rounded = format!("{:.1e}", network.loss).parse().unwrap_or(network.loss);
    (network.loss > 0.0).then(|| format!("{} lost", asked_share(rounded)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::metric::Standing;

    #[test]
    fn who_fails_over_a_network_and_who_may_meet_the_slo_is_said() {
        let run = fixture::over_networks();
        let study = Study::of(&run);
        let ticker = study.answers().find(|it| it.group.label == "ticker").unwrap();
        let mut networks = ticker.networks.clone();
        let said = of_choice(&networks, Transport::Sse);
        assert!(said.starts_with("SSE meets the SLO over cable and fast-4g (round trips 28 ms to 60 ms); "), "{said}");
        assert!(said.ends_with("every transport fails."), "{said}");
        let mut open = |transport: Transport| {
            let leo = networks.iter_mut().find(|it| it.name == "satellite-leo").unwrap();
            let stands = leo.transports.iter_mut().find(|it| it.transport == transport).unwrap();
            stands.standing = Standing::undecided("98 %");
            of_choice(&networks, Transport::Sse)
        };
        let said = open(Transport::WebSocket);
        assert!(said.ends_with("SSE fails, and WebSocket may or may not meet it."), "{said}");
        let said = open(Transport::Sse);
        assert!(said.ends_with("none is shown to, and SSE and WebSocket may."), "{said}");
    }
}
