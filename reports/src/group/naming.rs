//! What groups are called: by what tells one from its namesakes, and no more.

use pushoff_model::target::OURS;

use super::Group;
use crate::number::thousands;

/// Labels the groups: `idle`, `idle at 1,000` among several sizes, `ticker, lean client` beside the
/// libraries', `mine (2)` where something else differs, `idle, nchan` where the server is not
/// pushoff's own or not the only one.
pub(super) fn name(groups: &mut [Group<'_>], servers: &[&str]) {
    let named: Vec<(String, bool)> =
        groups.iter().map(|group| (question(group, groups), is_second(group, groups))).collect();
    for (group, (question, is_second)) in groups.iter_mut().zip(named) {
        let is_said = servers.len() > 1 || group.server != OURS;
        group.label = if is_said { format!("{question}, {}", group.server) } else { question.clone() };
        (group.question, group.is_second) = (question, is_second);
    }
}

/// What is asked, of whatever server.
fn question(group: &Group<'_>, groups: &[Group<'_>]) -> String {
    let namesakes = || groups.iter().filter(|it| it.workload.name == group.workload.name);
    let of_its_kind = |it: &&Group<'_>| it.is_search == group.is_search && it.is_at_another_size(group);
    let mut question = group.workload.name.clone();
    let mut kinds: Vec<&Group<'_>> = Vec::new();
    for namesake in namesakes() {
        let is_known = |kind: &&Group<'_>| kind.is_search == namesake.is_search && kind.is_at_another_size(namesake);
        if !kinds.iter().any(is_known) {
            kinds.push(namesake);
        }
    }
    if let Some(place) = kinds.iter().position(of_its_kind).filter(|place| *place > 0) {
        question.push_str(&format!(" ({})", place + 1));
    }
    let size = group.workload.subscribers;
    if !group.is_search && namesakes().filter(of_its_kind).any(|it| it.workload.subscribers != size) {
        question.push_str(&format!(" at {}", thousands(&size.to_string())));
    }
    if is_second(group, groups) {
        question.push_str(&format!(", {} client", group.client));
    }
    question
}

/// Whether a client that goes before received the same, from the same server: the libraries before
/// the lean client, and both before a browser.
fn is_second(group: &Group<'_>, groups: &[Group<'_>]) -> bool {
    let is_twin =
        |it: &Group<'_>| it.server == group.server && it.is_search == group.is_search && it.workload == group.workload;
    groups.iter().any(|it| it.client < group.client && is_twin(it))
}
