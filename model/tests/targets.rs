//! The targets that lie in `targets/`: each is valid and describes the server that it says.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::{Path, PathBuf};

use pushoff_model::Transport;
use pushoff_model::target::{Place, Target, parse, read};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../targets")
}

fn target(name: &str) -> Target {
    read(&folder().join(format!("{name}.toml"))).unwrap()
}

fn spoken(target: &Target) -> Vec<Transport> {
    Transport::ALL.into_iter().filter(|&transport| target.speaks(transport)).collect()
}

#[test]
fn each_is_valid_and_named_as_its_file() {
    let mut seen = 0;
    for entry in folder().read_dir().unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(read(&path).unwrap().name.as_str(), path.file_stem().unwrap().to_str().unwrap());
        seen += 1;
    }
    assert!(seen >= 3, "{seen} in {}", folder().display());
}

#[test]
fn peers_are_started_by_a_script_that_is_there() {
    for peer in ["nchan", "node-ws"] {
        let Place::Started { command, folder } = target(peer).place else { panic!("{peer} is not started") };
        assert!(folder.join(&command[0]).is_file(), "{command:?}");
    }
}

#[test]
fn nchan_speaks_all_five_and_node_two() {
    let five: Vec<_> = Transport::ALL.into_iter().filter(|&transport| transport != Transport::RawTcp).collect();
    assert_eq!(spoken(&target("nchan")), five);
    assert_eq!(spoken(&target("node-ws")), [Transport::Sse, Transport::WebSocket]);
}

#[test]
fn the_example_in_the_documentation_is_valid() {
    let text = include_str!("../../docs/TARGETS.md");
    let example = text.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    assert!(example.starts_with("name = "), "{example}");
    let target = parse(&example.replace("{env:ORDERS_TOKEN}", "token"), Path::new("orders.toml")).unwrap();
    assert_eq!(spoken(&target).len(), 5);
}
