//! `scripts/model`: its workloads are ones, and a run that holds some of them gives a cost model.

use std::path::{Path, PathBuf};
use std::process::Command;

use pushoff_model::workload;

use crate::command::{Folder, Run};

/// The grid, written into the folder.
fn write_grid(folder: &Folder) -> Vec<PathBuf> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/model");
    let written = Command::new("python3").arg(script).arg("--write").arg(folder.path("")).output().unwrap();
    assert!(written.status.success(), "{}", String::from_utf8_lossy(&written.stderr));
    std::fs::read_dir(folder.path("")).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn every_workload_of_the_grid_is_one_and_some_are_held_out() {
    let folder = Folder::new();
    let cells: Vec<_> = write_grid(&folder).iter().map(|path| workload::read(path).unwrap()).collect();
    let held_out = cells.iter().filter(|cell| cell.held_out).count();
    assert!(held_out >= 5 && cells.len() - held_out >= 10, "{held_out} of {}", cells.len());
    assert!(cells.iter().all(|cell| cell.held_out == cell.name.starts_with("held-")));
}

#[test]
fn what_a_run_holds_out_stands_in_its_records() {
    let folder = Folder::new();
    write_grid(&folder);
    let mut arguments = vec!["--trials", "1", "--duration", "200ms", "--transport", "sse"];
    for cell in ["feed-100.toml", "held-talk-of-6.toml"] {
        arguments.extend(["--workload", cell]);
    }
    let ended = Run::start(&folder, &arguments).end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let mut held_out: Vec<_> =
        ended.records().iter().map(|it| (it.workload.name.clone(), it.workload.held_out)).collect();
    held_out.sort_unstable();
    assert_eq!(held_out, [("feed-100".to_owned(), false), ("held-talk-of-6".to_owned(), true)]);
}

#[test]
fn the_records_of_a_grid_give_a_model_that_a_plan_can_be_made_with() {
    let folder = Folder::new();
    let recorded = Path::new(env!("CARGO_MANIFEST_DIR")).join("../results/model-2026-11-28");
    std::fs::create_dir(folder.path("grid")).unwrap();
    std::fs::copy(recorded.join("environment.json"), folder.path("grid/environment.json")).unwrap();
    let records = std::fs::read_to_string(recorded.join("records.jsonl")).unwrap();
    let of_two = |line: &&str| line.contains(r#""transport":"sse""#) || line.contains(r#""transport":"websocket""#);
    folder.file("grid/records.jsonl", &(records.lines().filter(of_two).collect::<Vec<_>>().join("\n") + "\n"));

    let ended = Run::command(&folder, &["report", "grid"]).end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let model: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(folder.path("grid/model.json")).unwrap()).unwrap();
    let transports: Vec<_> = model["transports"].as_array().unwrap().iter().map(|it| &it["transport"]).collect();
    assert_eq!(transports, ["sse", "websocket"]);
    let processor = &model["transports"][0]["laws"]["processor"];
    assert!(processor["terms"][0]["value"].as_f64().unwrap() > 0.0);
    assert_eq!(processor["cells"], 13, "those that are held out are none of them");

    let needs = ["--users", "10k", "--rate", "1/s", "--payload", "300B", "--staleness", "1s"];
    let planned = Run::command(&folder, &[&["plan", "--model", "grid"][..], &needs].concat()).end();
    assert_eq!(planned.code, Some(0), "{}", planned.stderr);
    assert!(planned.stdout.contains("WebSocket") && !planned.stdout.contains("short polling"), "{}", planned.stdout);
}
