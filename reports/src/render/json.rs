//! `--json`: every figure once, by metric and cell, and what was found, in the unit of its metric, not rounded.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::document::blocks::Fold;
use crate::document::{Block, Document};
use crate::metric::Metric;

/// The version of the keys: see `docs/RESULTS.md`.
pub(crate) const SCHEMA: u32 = 3;

/// A document for machines; `head` is what stands before all.
pub(crate) fn document(document: &Document, head: Map<String, Value>) -> Value {
    let mut data: BTreeMap<&'static str, Vec<Value>> = BTreeMap::new();
    for section in &document.sections {
        collect(&section.blocks, &mut data);
    }
    let mut all = Map::from_iter([("schema".to_owned(), json!(SCHEMA))]);
    all.extend(head);
    all.insert("metrics".to_owned(), metrics(document));
    all.insert("cells".to_owned(), json!(document.cells));
    all.extend(data.into_iter().map(|(key, found)| (key.to_owned(), Value::Array(found))));
    Value::Object(all)
}

fn collect(blocks: &[Block], data: &mut BTreeMap<&'static str, Vec<Value>>) {
    for block in blocks {
        match block {
            Block::Data(key, value) => data.entry(key).or_default().push(value.clone()),
            Block::Fold(Fold { blocks, .. }) | Block::OnPage(blocks) => collect(blocks, data),
            _ => {}
        }
    }
}

/// What the metrics of the document mean.
fn metrics(document: &Document) -> Value {
    let shown = |metric: &Metric| document.cells.iter().any(|cell| cell.figures.get(*metric).is_some());
    let definition = |metric: Metric| {
        json!({
            "label": metric.label(),
            "help": metric.help(),
            "unit": metric.unit(),
            "better": metric.better(),
            "scope": metric.scope().label(),
        })
    };
    Metric::ALL.into_iter().filter(shown).map(|metric| (metric.id().to_owned(), definition(metric))).collect::<Map<_, _>>().into()
}
