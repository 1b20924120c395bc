//! `target/pushoff/bench.html`: what Criterion found, side by side, with links to its own pages.

use std::fs;
use std::path::{Path, PathBuf};

use pushoff_model::Transport;
use pushoff_reports::bench::{Estimate, page};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// Criterion's `benchmark.json`.
#[derive(Deserialize)]
struct Benchmark {
    group_id: String,
    function_id: Option<String>,
    throughput: Option<Throughput>,
    directory_name: String,
}

#[derive(Deserialize)]
struct Throughput {
    #[serde(rename = "Elements")]
    elements: Option<u64>,
}

/// Criterion's `estimates.json`: times in nanoseconds an iteration.
#[derive(Deserialize)]
struct Estimates {
    median: Median,
}

#[derive(Deserialize)]
struct Median {
    point_estimate: f64,
    confidence_interval: Interval,
}

#[derive(Deserialize)]
struct Interval {
    lower_bound: f64,
    upper_bound: f64,
}

/// Renders everything that Criterion has on file.
pub(crate) fn write() {
    let target = target();
    let criterion = target.join("criterion");
    let mut estimates: Vec<_> = groups(&criterion).iter().filter_map(|folder| estimate(&criterion, folder)).collect();
    estimates.sort_by_cached_key(|it| (it.group.clone(), it.function.parse::<Transport>().ok(), it.function.clone()));
    let folder = target.join("pushoff");
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join("bench.html");
    pushoff_reports::write_whole(&path, page(&estimates).as_bytes()).unwrap();
    eprintln!("the transports side by side: {}", path.display());
}

/// The folder that Cargo builds into: where this program stands, `target/release/deps/`.
fn target() -> PathBuf {
    let program = std::env::current_exe().unwrap();
    program.ancestors().nth(3).expect("a bench stands three folders deep").to_owned()
}

/// The folders of all benches: `GROUP/FUNCTION`.
fn groups(criterion: &Path) -> Vec<PathBuf> {
    let folders = |path: &Path| {
        let entries = fs::read_dir(path).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect::<Vec<_>>()
    };
    folders(criterion).iter().flat_map(|group| folders(group)).collect()
}

fn estimate(criterion: &Path, folder: &Path) -> Option<Estimate> {
    let benchmark: Benchmark = read(&folder.join("new/benchmark.json"))?;
    let Estimates { median } = read(&folder.join("new/estimates.json"))?;
    let report = criterion.join(&benchmark.directory_name).join("report/index.html");
    Some(Estimate {
        group: benchmark.group_id,
        function: benchmark.function_id?,
        point_ns: median.point_estimate,
        low_ns: median.confidence_interval.lower_bound,
        high_ns: median.confidence_interval.upper_bound,
        elements: benchmark.throughput.and_then(|throughput| throughput.elements),
        link: Path::new("..").join(report.strip_prefix(criterion.parent()?).ok()?).display().to_string(),
    })
}

fn read<T: DeserializeOwned>(path: &Path) -> Option<T> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}
