//! The names of groups: a workload's name, and what tells the group from others of that name.

use pushoff_model::cell::NETWORK;
use pushoff_model::target::OURS;
use pushoff_model::wire;
use pushoff_model::workload::Growth;

use super::Group;
use crate::words::number::thousands;

/// Labels the groups: `idle`, `idle at 1,000` among several sizes, `ticker, library client` where
/// the lean one measured it too, `mine (2)` where something else differs, `idle, nchan` where the server is not
/// pushoff's own or not the only one.
pub(super) fn name(groups: &mut [Group<'_>], servers: &[&str]) {
    let named: Vec<_> = groups.iter().map(|group| (workload(group, groups), conditions(group, groups))).collect();
    for (group, (name, conditions)) in groups.iter_mut().zip(named) {
        let is_said = servers.len() > 1 || group.server() != OURS;
        group.question = format!("{name}{conditions}");
        group.label = if is_said { format!("{}, {}", group.question, group.server()) } else { group.question.clone() };
        group.name = name;
    }
    let further: Vec<_> = groups.iter().map(|group| (is_second(group, groups), is_heavier(group, groups))).collect();
    for (group, (is_second, is_heavier)) in groups.iter_mut().zip(further) {
        (group.is_second, group.is_heavier) = (is_second, is_heavier);
    }
}

/// The workload's name, told from its namesakes.
fn workload(group: &Group<'_>, groups: &[Group<'_>]) -> String {
    let namesakes = || groups.iter().filter(|it| it.workload.name == group.workload.name);
    let of_its_kind = |it: &&Group<'_>| it.is_search == group.is_search && it.is_at_another_size(group);
    let mut name = group.workload.name.clone();
    let mut kinds: Vec<&Group<'_>> = Vec::new();
    for namesake in namesakes() {
        let is_known = |kind: &&Group<'_>| kind.is_search == namesake.is_search && kind.is_at_another_size(namesake);
        if !kinds.iter().any(is_known) {
            kinds.push(namesake);
        }
    }
    if let Some(place) = kinds.iter().position(of_its_kind).filter(|place| *place > 0) {
        name.push_str(&format!(" ({})", place + 1));
    }
    let size = group.workload.subscribers;
    // A search that adds subscribers has no size of its own.
    let has_size = !(group.is_search && group.workload.search.is_some_and(|it| it.grow == Growth::Subscribers));
    if has_size && namesakes().filter(of_its_kind).any(|it| it.workload.subscribers != size) {
        name.push_str(&format!(" at {}", thousands(&size.to_string())));
    }
    name
}

/// The client where another received the same before, and every further factor that groups differ in; the wire as one.
fn conditions(group: &Group<'_>, groups: &[Group<'_>]) -> String {
    let client = if is_second(group, groups) { format!(", {} client", group.client()) } else { String::new() };
    let others = group.conditions.others.iter().filter(|(factor, value)| {
        let differs = groups.iter().any(|it| it.conditions.others.get(factor.as_str()) != Some(*value));
        differs && !wire::FACTORS.contains(&factor.as_str())
    });
    let others = others.fold(client, |all, (factor, value)| {
        if factor == NETWORK { format!("{all} over {value}") } else { format!("{all}, {factor} {value}") }
    });
    let is_plain = group.wire() == wire::Wire::default() || groups.iter().all(|it| it.wire() == group.wire());
    if is_plain { others } else { format!("{others}, {}", group.wire()) }
}

/// Whether a client that goes before received the same, from the same server: the lean client before the libraries, and
/// both before a browser.
fn is_second(group: &Group<'_>, groups: &[Group<'_>]) -> bool {
    groups.iter().any(|it| it.client() < group.client() && it.is_twin_of(group))
}

/// Whether a lighter wire carried the same.
fn is_heavier(group: &Group<'_>, groups: &[Group<'_>]) -> bool {
    groups.iter().any(|it| it.wire() < group.wire() && it.differs_in_wire(group))
}
