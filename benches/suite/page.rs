//! `target/pushoff/bench.html`: Criterion's estimates of the transports side by side and beside their floor, which
//! Criterion's own pages do not show.

use std::fs;
use std::path::{Path, PathBuf};

use pushoff_reports::bench::{Estimate, page};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::sockets;

/// Criterion's `benchmark.json`.
#[derive(Deserialize)]
struct Benchmark {
    group_id: String,
    function_id: Option<String>,
    directory_name: String,
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
    let estimates: Vec<_> = groups(&criterion).iter().filter_map(|folder| estimate(&criterion, folder)).collect();
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
    let has_floor = sockets::GROUPS.iter().any(|(group, _)| *group == benchmark.group_id);
    let function = benchmark.function_id?;
    Some(Estimate {
        group: benchmark.group_id,
        transport: function.split(' ').next()?.parse().ok()?,
        function,
        has_floor,
        point_ns: median.point_estimate,
        low_ns: median.confidence_interval.lower_bound,
        high_ns: median.confidence_interval.upper_bound,
        link: Path::new("..").join(report.strip_prefix(criterion.parent()?).ok()?).display().to_string(),
    })
}

fn read<T: DeserializeOwned>(path: &Path) -> Option<T> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}
