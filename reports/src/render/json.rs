//! JSON: what was found, not rounded, each figure in the unit of its metric.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::blocks::{Block, Document};
use crate::metric::Metric;

/// The version of the keys: see `docs/RESULTS.md`.
const SCHEMA: u32 = 5;

/// A document for machines: its data, and that of its blocks.
pub(super) fn document(document: &Document) -> Value {
    let mut found: BTreeMap<&'static str, Vec<Value>> = BTreeMap::new();
    for section in &document.sections {
        collect(&section.blocks, &mut found);
    }
    let mut all = document.data.clone();
    all.insert("schema".to_owned(), json!(SCHEMA));
    all.extend(found.into_iter().map(|(key, found)| (key.to_owned(), Value::Array(found))));
    if !document.cells.is_empty() {
        all.insert("metrics".to_owned(), metrics(&Value::Object(all.clone())));
    }
    Value::Object(all)
}

fn collect(blocks: &[Block], data: &mut BTreeMap<&'static str, Vec<Value>>) {
    for block in blocks {
        if let Block::Data(key, value) = block {
            data.entry(key).or_default().push(value.clone());
        }
        collect(block.inner(), data);
    }
}

/// Whether any part of what was found has figures of a metric.
fn has(found: &Value, metric: Metric) -> bool {
    match found {
        Value::Object(all) => all.contains_key(metric.id()) || all.values().any(|it| has(it, metric)),
        Value::Array(all) => all.iter().any(|it| has(it, metric)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// What the metrics of all that was found mean.
fn metrics(found: &Value) -> Value {
    let definition = |metric: Metric| {
        json!({
            "label": metric.label(),
            "help": metric.help(),
            "unit": metric.unit(),
            "better": metric.better(),
            "scope": metric.scope().label(),
        })
    };
    Metric::ALL
        .into_iter()
        .filter(|metric| has(found, *metric))
        .map(|metric| (metric.id().to_owned(), definition(metric)))
        .collect::<Map<_, _>>()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Report, fixture};

    /// The figures of a cell.
    fn figures(json: &Value, workload: &str, transport: &str, client: &str, server: &str) -> Value {
        let is = |cell: &&Value| {
            (&cell["workload"], &cell["transport"]) == (&workload.into(), &transport.into())
                && (&cell["client"], &cell["server"]) == (&client.into(), &server.into())
        };
        json["cells"].as_array().unwrap().iter().find(is).unwrap()["figures"].clone()
    }

    fn named<'v>(json: &'v Value, list: &str, name: &str) -> &'v Value {
        json[list].as_array().unwrap().iter().find(|it| it["label"] == name || it["name"] == name).unwrap()
    }

    #[test]
    fn a_machine_finds_the_choice_and_the_figures() {
        let json = Report::of(&fixture::valid()).unwrap().document().json();
        assert_eq!(json["schema"], SCHEMA);
        assert_eq!(named(&json, "workloads", "ticker")["verdict"]["choice"], "sse");
        let sse = figures(&json, "ticker", "sse", "library", "pushoff");
        assert!(sse["p50_ns"]["point"].as_f64().unwrap() > 1e6 && sse["p50_ns"]["interval"]["low"].is_number());
        assert_eq!(
            (&json["metrics"]["p50_ns"]["unit"], &json["metrics"]["p50_ns"]["better"]),
            (&"time".into(), &"lower".into())
        );
    }

    /// The quotients of a value, each with the keys that lead to it.
    fn numbers(value: &Value, path: &str, all: &mut Vec<(String, String)>) {
        match value {
            Value::Object(map) => map.iter().for_each(|(key, value)| numbers(value, &format!("{path}/{key}"), all)),
            Value::Array(list) => list.iter().for_each(|value| numbers(value, path, all)),
            // Two histograms share their buckets; a quotient with so many digits is the same only where it is copied.
            Value::Number(it) if it.to_string().split_once('.').is_some_and(|(_, digits)| digits.len() >= 9) => {
                all.push((it.to_string(), path.to_owned()));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    #[test]
    fn a_figure_stands_once() {
        for run in [fixture::whole(), fixture::over_networks(), fixture::servers(), fixture::on_wires()] {
            let json = Report::of(&run).unwrap().document().json();
            let mut all = Vec::new();
            numbers(&json, "", &mut all);
            assert!(all.len() > 500);
            // Which load a figure is of is no figure.
            let is_load = |path: &str| path.ends_with("/load") || path.ends_with("/offered_per_second");
            all.retain(|(_, path)| !path.starts_with("/metrics") && !is_load(path));
            let cells = all.iter().filter(|(_, path)| path.starts_with("/cells"));
            let seen: std::collections::BTreeSet<&String> = cells.map(|(number, _)| number).collect();
            let again: Vec<_> =
                all.iter().filter(|(it, path)| !path.starts_with("/cells") && seen.contains(it)).collect();
            assert!(again.is_empty(), "{again:?}");
            for cell in json["cells"].as_array().unwrap() {
                for doubled in ["trials", "unpublished", "unsent", "connections_broken"] {
                    assert!(cell["faults"].get(doubled).is_none(), "{doubled}");
                }
                assert!(cell["figures"].get("trials").is_none() && cell["figures"].get("beyond_p99_ns").is_none());
            }
        }
    }

    #[test]
    fn every_figure_has_its_metric_defined_wherever_it_stands() {
        let json = Report::of(&fixture::on_wires()).unwrap().document().json();
        let full = json["handshakes"][0]["full"].as_object().unwrap();
        assert_eq!(full.len(), 5);
        assert!(full.keys().all(|id| json["metrics"][id]["label"].is_string()), "{full:?}");
        let json = Report::of(&fixture::whole()).unwrap().document().json();
        let at_a_load = json["searches"][0]["curves"][0]["loads"][0]["figures"].as_object().unwrap();
        assert!(at_a_load.contains_key("p50_ns") && at_a_load.keys().all(|id| json["metrics"].get(id).is_some()));
    }

    #[test]
    fn a_machine_finds_servers_side_by_side() {
        let json = Report::of(&fixture::servers()).unwrap().document().json();
        let light = named(&json, "servers", "light");
        assert_eq!(light["baseline"], "nchan");
        let cells = light["cells"].as_array().unwrap();
        let cell = cells.iter().find(|it| it["transport"] == "sse" && it["server"] == "pushoff").unwrap();
        let p50 = &cell["ratios"]["p50_ns"];
        assert!((p50["to_baseline"]["point"].as_f64().unwrap() - 0.82).abs() < 0.02, "{p50}");
        assert!(json["searches"].as_array().unwrap().iter().any(|it| it["bounded"] == false));
    }

    #[test]
    fn a_machine_finds_costs_and_searches() {
        let json = Report::of(&fixture::whole()).unwrap().document().json();
        let number = |value: &Value| value["point"].as_f64().unwrap();
        let sse = figures(&json, "ticker", "sse", "library", "pushoff");
        assert!((number(&sse["down_bytes"]) - number(&sse["down_theory_bytes"])).abs() < 1e-9);
        assert!(number(&sse["idle_server_pss_bytes"]) > 1_000.0);
        let polling = figures(&json, "idle at 1,000", "short-polling", "lean", "pushoff");
        assert!((number(&polling["empty_poll_bytes"]) - 399.0).abs() < 1e-9);
        let capacity = named(&json, "searches", "capacity");
        let long = capacity["curves"].as_array().unwrap().iter().find(|it| it["transport"] == "long-polling").unwrap();
        assert_eq!(long["capacity"]["reach"], "generator");
        assert!(long["loads"].as_array().unwrap().len() > 8);
    }
}
