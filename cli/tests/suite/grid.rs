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
fn a_run_with_cells_held_out_gives_a_model_that_was_checked_by_them() {
    let folder = Folder::new();
    write_grid(&folder);
    let mut arguments = vec!["--trials", "1", "--duration", "300ms", "--transport", "sse", "--transport", "websocket"];
    for cell in ["feed-100.toml", "alone-200-busy.toml", "talk-of-10-busy.toml", "held-talk-of-6.toml"] {
        arguments.extend(["--workload", cell]);
    }
    let ended = Run::start(&folder, &arguments).end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let model: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(folder.path("run/model.json")).unwrap()).unwrap();
    let transports: Vec<_> = model["transports"].as_array().unwrap().iter().map(|it| &it["transport"]).collect();
    assert_eq!(transports, ["sse", "websocket"]);
    assert!(model["transports"][0]["laws"]["processor"]["terms"][0]["value"].as_f64().unwrap() > 0.0);
    // One that was held out is none of those that it rests on.
    assert_eq!(model["transports"][0]["laws"]["bytes-down"]["cells"], 3);
}
