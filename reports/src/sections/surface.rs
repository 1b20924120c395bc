//! The decision surface: where each transport is the one to take, drawn as maps.

use maud::{Markup, html};

use super::pictures;
use crate::ReportError;
use crate::charts;
use crate::group::anchor;
use crate::number::{tick, unbroken};
use crate::study::Study;
use crate::surface::{Rule, Surface, kinds, rules, sentence};
use pushoff_planner::Prices;

pub(super) fn section(study: &Study<'_>) -> Result<Markup, ReportError> {
    if !study.groups().any(|group| group.is_ours()) {
        return Ok(html! {});
    }
    let prices = Prices::shipped();
    let surfaces: Vec<_> = kinds(study).into_iter().map(|kind| Surface::of(kind, &study.model, &prices)).collect();
    let shown: Result<Vec<_>, ReportError> =
        surfaces.iter().enumerate().map(|(index, it)| one(study, it, index == 0)).collect();
    Ok(html! {
        section #surface {
            h2 { "Where each transport is the one to take" }
            p {
                "At each point the transport that costs the least money a month, by the cost model and the small table "
                "of prices, among those that have 99 % of the updates with their users in time; of those that cannot be "
                "told apart by that, the simplest."
            }
            p.note {
                "The surer the stronger the colour. Hatched " span aria-hidden="true" { "\\\\\\ " }
                "is too close to call, over a tint of what is taken; hatched " span aria-hidden="true" { "/// " }
                "rests on a load that nobody has measured. A full dot is a measured cell of this kind, a hollow one a "
                "measured cell of which other numbers hear a message."
            }
            @for it in shown? { (it) }
        }
    })
}

fn one(study: &Study<'_>, surface: &Surface, is_open: bool) -> Result<Markup, ReportError> {
    let (kind, name) = (&surface.kind, anchor(&surface.kind.label));
    let id = format!("surface-{name}");
    let rules = rules(&study.model, kind.needs.rtt);
    let maps: Result<Vec<_>, _> = surface.maps.iter().map(|map| charts::surface(kind, map, &rules)).collect();
    let maps = maps?;
    let within = surface.maps.iter().map(|map| anchor(&tick(map.needs.staleness * 1e9)));
    Ok(html! {
        details open[is_open] {
            summary { h3.within id=(id) { (kind.label) } }
            p.note { "The kind of " (kind.label) ": " (unbroken(&kind.words())) "; a round trip of " (tick(kind.needs.rtt * 1e9)) "." }
            div.charts.maps {
                @for (map, within) in maps.iter().zip(within) { (pictures::figure(&format!("{name}-{within}"), map)) }
            }
            (crossovers(surface))
            (held(&rules, surface))
        }
    })
}

/// The borders of all maps, named.
fn crossovers(surface: &Surface) -> Markup {
    let named: Vec<String> = surface.maps.iter().filter_map(sentence).collect();
    html! {
        @if named.is_empty() {
            p.note { "No border is crossed as updates become more frequent." }
        } @else {
            ul.concerns { @for words in named { li { (unbroken(&words)) } } }
            p.note { "Where a border has two rates, it lies between them by the number of users." }
        }
    }
}

/// Whether the published rules hold.
fn held(rules: &[Rule], surface: &Surface) -> Markup {
    html! { @for rule in rules { p { (unbroken(&rule.sentence(surface))) } } }
}
