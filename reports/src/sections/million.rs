//! What 1 million users would need: a line a transport for each workload.

use maud::{Markup, html};

use super::{folded, grid};
use crate::ReportError;
use crate::cost;
use crate::study::{Comparison, Study};

#[expect(clippy::unnecessary_wraps, reason = "a section may fail; this one does not")]
pub(super) fn section(study: &Study<'_>) -> Result<Markup, ReportError> {
    let shown: Vec<_> = study.answers().filter(|it| it.costs.iter().any(|costs| costs.million.is_some())).collect();
    Ok(html! {
        @if !shown.is_empty() {
            section #million {
                h2 { "What 1 million users would need" }
                p.note { "What one user was measured to need, a million times: a first guess, not a promise." }
                @for it in shown { (folded(study.is_beside(&it.group), &it.group.label, &one(it))) }
            }
        }
    })
}

fn one(comparison: &Comparison<'_>) -> Markup {
    let group = &comparison.group;
    let id = format!("million-{}", group.anchor());
    html! {
        h3 id=(id) { (group.label) }
        (grid::lines(&id, Some(&group.anchor()), &cost::million_table(group, &comparison.costs)))
    }
}
