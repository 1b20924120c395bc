//! What a connection costs as their number grows: the same workload at several sizes, a column a size.

use crate::blocks::{Block, Head, Heading, Section, Words};
use crate::cells::anchor;
use crate::findings::servers::Part;
use crate::findings::study::Study;
use crate::metric::Metric;
use crate::prose::{Prose, Tone};
use crate::table::metrics::GROWTH;
use crate::table::{Entry, Mark};
use crate::words::number::thousands;

pub(super) fn section(study: &Study<'_>) -> Section {
    let mut left: Vec<Part<'_, '_>> = study.parts().filter(|part| !part.group().is_search).collect();
    let mut blocks = Vec::new();
    while let Some(first) = left.first().copied() {
        let is_kin = |part: &Part<'_, '_>| {
            part.group().conditions == first.group().conditions && part.group().differs_in_size_alone(first.group())
        };
        let (mut kin, others): (Vec<_>, Vec<_>) = left.into_iter().partition(is_kin);
        left = others;
        if kin.len() > 1 {
            kin.sort_by_key(|part| part.group().workload.subscribers);
            blocks.extend(family(&kin));
        }
    }
    if blocks.is_empty() {
        return Section::default();
    }
    Section::titled("growth", "What a connection costs as their number grows", blocks)
}

fn family(kin: &[Part<'_, '_>]) -> [Block; 2] {
    let id = format!("growth-{}", anchor(&kin[0].group().label));
    let sizes = || kin.iter().map(|part| thousands(&part.group().workload.subscribers.to_string()));
    let head =
        [Head::from("connections")].into_iter().chain(sizes().map(|it| Head { is_figure: true, ..Head::from(it) }));
    let words = Words::new(&id, head.collect(), GROWTH.into_iter().flat_map(|metric| rows(kin, metric)).collect());
    let text = format!("{} at {}", kin[0].group().workload.name, sizes().collect::<Vec<_>>().join(", "));
    [Block::Heading(Heading { id, text, says: None }), Block::Words(words)]
}

/// The metric, and a row a transport below it; nothing where it was not measured.
fn rows(kin: &[Part<'_, '_>], metric: Metric) -> Vec<Vec<Prose>> {
    let entry = |part: &Part<'_, '_>, transport| {
        let value = part.line_of(transport)?.figures.value(metric)?;
        Some(Entry::of_metric(metric, value, Mark::None))
    };
    let transports = kin[0].group().cells.iter().map(|cell| cell.transport());
    let rows = transports.filter_map(|transport| {
        let entries: Vec<Option<Entry>> = kin.iter().map(|part| entry(part, transport)).collect();
        let cells = entries.iter().map(|it| Prose::entry(it.as_ref().unwrap_or(&Entry::absent())));
        entries.iter().any(Option::is_some).then(|| [Prose::from(transport)].into_iter().chain(cells).collect())
    });
    let rows: Vec<Vec<Prose>> = rows.collect();
    let title = [Prose::strong(format!("{}, a connection", metric.label()), Tone::Plain)];
    let head = title.into_iter().chain(kin.iter().map(|_| Prose::default())).collect();
    if rows.is_empty() { rows } else { [vec![head], rows].concat() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn one_workload_at_three_sizes_has_a_column_for_each() {
        let run = fixture::whole();
        let section = section(&Study::of(&run));
        let [Block::Heading(heading), Block::Words(words)] = section.blocks.as_slice() else { panic!("{section:?}") };
        assert_eq!((heading.text.as_str(), words.head.len()), ("idle at 100, 1,000, 10,000", 4));
        assert!(words.rows.iter().all(|row| row.cells.len() == 4) && words.rows.len() > 12);
    }

    #[test]
    fn one_size_alone_says_nothing_of_growth() {
        let run = fixture::run();
        let text = crate::document::report(&Study::of(&run)).unwrap().markdown();
        assert!(!text.contains("number grows"));
    }
}
