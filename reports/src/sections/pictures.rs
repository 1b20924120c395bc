//! The charts: a row a workload, axes shared down the page, each with its rows as a table.

use maud::{Markup, html};

use super::folded;
use crate::ReportError;
use crate::charts::{self, Chart, Rows, Scales};
use crate::number::unbroken;
use crate::study::{Comparison, Study};

pub(super) fn section(study: &Study<'_>) -> Result<Markup, ReportError> {
    if study.comparisons.is_empty() {
        return Ok(html! {});
    }
    let scales = Scales::of(study);
    let rows: Result<Vec<_>, ReportError> =
        study.answers().map(|it| Ok(folded(study.is_beside(&it.group), &it.group.label, &row(it, &scales)?))).collect();
    Ok(html! {
        section {
            h2 { "In pictures" }
            p.note { "Hover over a point for its value, or focus a chart and walk its points with the arrow keys." }
            @for row in rows? { (row) }
        }
    })
}

fn row(comparison: &Comparison<'_>, scales: &Scales) -> Result<Markup, ReportError> {
    let anchor = comparison.group.anchor();
    let charts = charts::of(comparison, scales)?;
    Ok(html! {
        h3 { (comparison.group.label) }
        div.charts { @for chart in &charts { (figure(&anchor, chart)) } }
    })
}

/// A chart with its title, its text alternative and its rows.
pub(super) fn figure(anchor: &str, chart: &Chart) -> Markup {
    let id = format!("chart-{}-{anchor}", chart.key);
    html! {
        figure {
            figcaption id=(format!("{id}-title")) { (unbroken(&chart.title)) }
            svg.chart viewBox="0 0 1260 960" role="group" tabindex="0"
                aria-labelledby=(format!("{id}-title")) aria-describedby=(format!("{id}-desc")) {
                desc id=(format!("{id}-desc")) { (chart.description) " Its rows follow as a table." }
                (chart.drawing)
            }
            output aria-live="polite" {}
            details.rows {
                summary { "Rows" }
                div.scroll tabindex="0" role="region" aria-labelledby=(format!("{id}-title")) { (table(&chart.rows)) }
            }
        }
    }
}

pub(super) fn table(rows: &Rows) -> Markup {
    html! {
        table {
            thead { tr { @for head in &rows.head { th scope="col" { (head) } } } }
            tbody {
                @for row in &rows.body {
                    tr { @for (index, words) in row.iter().enumerate() {
                        @if index == 0 { th scope="row" { (words) } } @else { td { (words) } }
                    } }
                }
            }
        }
    }
}
