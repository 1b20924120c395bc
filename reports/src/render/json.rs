//! JSON: what was found, not rounded, each figure in the unit of its metric.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::blocks::{Block, Document};

/// The version of the keys: see `docs/RESULTS.md`.
const SCHEMA: u32 = 4;

/// A document for machines: its data, and that of its blocks.
pub(super) fn document(document: &Document) -> Value {
    let mut found: BTreeMap<&'static str, Vec<Value>> = BTreeMap::new();
    for section in &document.sections {
        collect(&section.blocks, &mut found);
    }
    let mut all = document.data.clone();
    all.insert("schema".to_owned(), json!(SCHEMA));
    all.extend(found.into_iter().map(|(key, found)| (key.to_owned(), Value::Array(found))));
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

    #[test]
    fn a_figure_stands_once() {
        let json = Report::of(&fixture::whole()).unwrap().document().json();
        let text = json.to_string();
        let cells = json["cells"].as_array().unwrap();
        assert_eq!(
            text.matches("\"max_ns\":{\"interval\"").count(),
            cells.iter().filter(|it| it["figures"].get("max_ns").is_some()).count()
        );
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
