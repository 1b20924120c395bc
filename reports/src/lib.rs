//! pushoff's reports: records in, documents out.
//!
//! Opens no socket and reads no clock: the same records give the same documents, byte for byte.
//! Records become `cells`, cells have figures (`metric`), figures make `findings`. A report (`document`), a plan (`plan`)
//! and a comparison (`diff`) are documents made of `blocks`, and each format of `render` walks any of them.

pub mod bench;
mod blocks;
mod cells;
mod charts;
mod diff;
mod document;
mod findings;
#[cfg(test)]
mod fixture;
mod hlog;
mod metric;
mod name;
mod palette;
pub mod plan;
mod prose;
mod race;
mod render;
mod table;
mod unitcosts;
mod words;

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use pushoff_model::{Environment, Record, foreign};

pub use blocks::Document;
pub use diff::{Diff, Tally, diff};
pub use pushoff_planner::costs::ModelError;
pub use race::{Question, Runner, race};

use findings::study::Study;
pub use words::describe;

/// What is reported on: the records of one folder, or of several that are read together.
#[derive(Clone, Debug, Default)]
pub struct Run {
    /// Where the records were measured; a record names its own by `run`.
    pub environments: Vec<Environment>,
    /// One record a trial.
    pub records: Vec<Record>,
}

impl Run {
    /// Whose servers were measured, in the order in which they first were.
    #[must_use]
    pub fn servers(&self) -> Vec<&str> {
        let mut servers: Vec<&str> = Vec::new();
        for record in &self.records {
            if !servers.contains(&record.server.as_str()) {
                servers.push(&record.server);
            }
        }
        servers
    }
}

/// The documents of a run.
#[derive(Clone, Debug)]
pub struct Documents {
    /// The page: one file that needs no network.
    pub html: String,
    /// The same answers and tables as Markdown.
    pub markdown: String,
    /// Every figure: a row a cell and metric.
    pub csv: String,
    /// Every delivery latency histogram as an `HdrHistogram` log, a tag a transport.
    pub hlog: Vec<u8>,
    /// The cost model of the run, where it holds the grid that one is fitted to: `model.json`.
    pub model: Option<String>,
}

/// Why a report could not be made or written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A chart could not be drawn.
    #[error("drawing a chart: {0}")]
    Chart(String),
    /// A record could not be written into the page.
    #[error("embedding the records in the page")]
    Embed(#[source] serde_json::Error),
    /// The records could not be packed into the page.
    #[error("packing the records into the page")]
    Pack(#[source] io::Error),
    /// A histogram could not be written as a log.
    #[error("writing the histograms as a log: {0}")]
    Log(String),
    /// A file could not be written.
    #[error("writing {}", foreign::path(.path))]
    Write {
        /// Which file.
        path: PathBuf,
        /// The system's reason.
        #[source]
        source: io::Error,
    },
}

/// A run, studied: what every format is made from.
#[derive(Debug)]
pub struct Report<'r> {
    study: Study<'r>,
    document: Document,
}

impl<'r> Report<'r> {
    /// Studies a run.
    ///
    /// # Errors
    /// When a chart cannot be drawn or a record cannot be written out again.
    pub fn of(run: &'r Run) -> Result<Self, ReportError> {
        let study = Study::of(run);
        let document = document::report(&study)?;
        Ok(Self { study, document })
    }

    /// The documents that are written into a folder.
    ///
    /// # Errors
    /// When a histogram or a record cannot be written out again.
    pub fn documents(&self) -> Result<Documents, ReportError> {
        let own = self.study.is_own_model.then(|| self.study.model.to_json()).transpose();
        Ok(Documents {
            html: self.document.html()?,
            markdown: self.document.markdown(),
            csv: self.document.csv(),
            hlog: hlog::log(&self.study)?,
            model: own.map_err(ReportError::Embed)?,
        })
    }

    /// The report, for any format.
    #[must_use]
    pub const fn document(&self) -> &Document {
        &self.document
    }

    /// Writes `report.html`, `report.md`, `report.csv`, `latency.hlog` and, where there is one, `model.json` into a
    /// folder, each whole or not at all, and each whatever becomes of the others.
    ///
    /// # Errors
    /// When the documents cannot be made, or a file cannot be written: the first such.
    pub fn write(&self, folder: &Path) -> Result<(), ReportError> {
        let documents = self.documents()?;
        let files = [
            ("report.html", Some(documents.html.as_bytes())),
            ("report.md", Some(documents.markdown.as_bytes())),
            ("report.csv", Some(documents.csv.as_bytes())),
            ("model.json", documents.model.as_ref().map(String::as_bytes)),
            ("latency.hlog", Some(documents.hlog.as_slice())),
        ];
        let written = files.map(|(name, bytes)| bytes.map_or(Ok(()), |bytes| write_whole(&folder.join(name), bytes)));
        written.into_iter().collect()
    }
}

/// Writes a file whole or not at all: beside `path`, and then renames.
///
/// # Errors
/// When it cannot be written; what stood at `path` is then untouched.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), ReportError> {
    let failed = |source| ReportError::Write { path: path.to_owned(), source };
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
    let mut file = builder.tempfile_in(folder).map_err(failed)?;
    // Not through the temporary file, whose errors name a path that nobody asked for.
    file.as_file_mut().write_all(bytes).map_err(failed)?;
    file.persist(path).map(drop).map_err(|error| failed(error.error))
}

#[cfg(test)]
mod tests {
    use pushoff_model::record::{Counts, Measurement, Outcome, Series, WindowCounts};
    use pushoff_model::{LatencyHistogram, Transport};

    use super::*;

    fn documents(run: &Run) -> Documents {
        Report::of(run).unwrap().documents().unwrap()
    }

    #[test]
    fn the_documents_are_written_and_nothing_is_left_beside_them() {
        let folder = tempfile::tempdir().unwrap();
        Report::of(&fixture::run()).unwrap().write(folder.path()).unwrap();
        let mut names: Vec<_> =
            folder.path().read_dir().unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort_unstable();
        assert_eq!(names, ["latency.hlog", "report.csv", "report.html", "report.md"]);
    }

    #[test]
    fn the_same_records_give_the_same_documents() {
        let run = fixture::run();
        let (one, other) = (documents(&run), documents(&run));
        assert_eq!((one.html, one.markdown, one.hlog), (other.html, other.markdown, other.hlog));
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let error = Report::of(&fixture::run()).unwrap().write(Path::new("/nowhere/at/all")).unwrap_err().to_string();
        assert!(error.contains("/nowhere/at/all/report.html"), "{error}");
    }

    /// The fixture's run, of which only some records are kept, each changed a little.
    fn some(keep: impl Fn(&Record) -> bool, change: impl Fn(&mut Measurement)) -> Run {
        let mut run = fixture::run();
        run.records.retain(|record| record.workload.name == "progress" && keep(record));
        for record in &mut run.records {
            if let Outcome::Measured(measurement) = &mut record.outcome {
                change(measurement);
            }
        }
        run
    }

    /// A document without its scripts: what is packed in them may spell anything.
    fn figures(document: &str) -> String {
        document.split("<script").map(|part| part.split_once("</script>").map_or(part, |(_, after)| after)).collect()
    }

    #[test]
    fn whatever_is_missing_the_documents_are_made() {
        let unchanged = |_: &mut Measurement| {};
        let runs = [
            some(|record| record.transport == Transport::RawTcp, unchanged),
            some(|record| record.transport == Transport::Sse && record.trial == 1, unchanged),
            some(|record| record.trial > 1, |measurement| measurement.server = None),
            some(
                |record| record.transport.is_ranked(),
                |measurement| {
                    measurement.delivery_latency = LatencyHistogram::new();
                    measurement.series = Series::default();
                    measurement.window = WindowCounts::default();
                },
            ),
        ];
        for run in runs {
            let report = Report::of(&run).unwrap();
            let documents = report.documents().unwrap();
            let page = figures(&documents.html);
            assert!(!page.contains("NaN") && !page.contains(">inf"), "a figure is not a number");
            assert!(!report.document().terminal(80, false).contains("NaN"));
        }
    }

    /// The whole fixture, each record changed a little.
    fn whole(change: impl Fn(&mut Measurement)) -> Run {
        let mut run = fixture::whole();
        run.records.retain(|it| it.step.is_some() || !matches!(it.workload.name.as_str(), "progress" | "chat"));
        run.records.retain(|it| it.trial < 3 && it.workload.subscribers < 1_000);
        run.records.retain(|it| matches!(it.transport, Transport::ShortPolling | Transport::Sse | Transport::RawTcp));
        for record in &mut run.records {
            if let Outcome::Measured(measurement) = &mut record.outcome {
                change(measurement);
            }
        }
        run
    }

    #[test]
    fn whatever_of_a_cost_is_missing_no_figure_is_made_up() {
        let runs = [
            whole(|it| it.wire = None),
            whole(|it| it.wire = Some(pushoff_model::record::Wire::default())),
            whole(|it| it.memory = pushoff_model::record::Memory::default()),
            whole(|it| (it.server, it.connecting) = (None, pushoff_model::record::Connecting::default())),
            whole(|it| (it.counts, it.window) = (Counts::default(), WindowCounts::default())),
            whole(|it| {
                // Freed rather than held: a difference below zero.
                it.memory.empty = it.memory.delivering;
                it.delivery_latency = LatencyHistogram::new();
            }),
        ];
        for run in runs {
            let report = Report::of(&run).unwrap();
            let (documents, json) = (report.documents().unwrap(), report.document().json().to_string());
            for text in [&documents.html, &documents.markdown, &report.document().terminal(80, false), &json] {
                let figures = figures(text);
                assert!(!figures.contains("NaN") && !figures.contains("inf "), "a figure is not a number");
                assert!(!figures.contains(">inf") && !figures.contains("-inf"), "a figure is not finite");
            }
        }
    }

    #[test]
    fn a_run_without_records_still_has_documents() {
        let documents = documents(&Run::default());
        assert!(documents.html.contains("no records"));
    }

    /// A condition that no code knows by its name: where half of the records have it, they are cells of their own.
    #[test]
    fn a_third_factor_is_told_apart_in_every_document_without_report_code() {
        let mut run = fixture::run();
        run.records.retain(|record| record.workload.name == "ticker");
        let over_the_air = run.records.iter().cloned().map(|mut record| {
            record.conditions.insert("upstream".into(), "nginx".into());
            record
        });
        run.records = [run.records.clone(), over_the_air.collect()].concat();
        let report = Report::of(&run).unwrap();
        let documents = report.documents().unwrap();
        for text in [&documents.html, &documents.markdown, &report.document().terminal(200, false)] {
            assert!(text.contains("ticker, upstream nginx"), "{text}");
        }
        assert!(documents.csv.starts_with("workload,transport,client,server,upstream,metric"), "{}", documents.csv);
        assert!(documents.csv.contains("\r\nticker,sse,library,pushoff,nginx,p50_ns,"));
        let json = report.document().json();
        let cells = json["cells"].as_array().unwrap();
        assert_eq!(cells.len(), 2 * Transport::ALL.len());
        assert_eq!(cells.iter().filter(|cell| cell["upstream"] == "nginx").count(), Transport::ALL.len());
        assert_eq!(json["workloads"].as_array().unwrap().len(), 2, "each has a verdict of its own");
        let ids: Vec<&str> = documents.html.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        let once: std::collections::BTreeSet<_> = ids.iter().collect();
        assert_eq!(ids.len(), once.len(), "every link has one target");
        let same = diff(&run, &run, None, 0.05);
        assert_eq!(same.tally.unchanged, same.tally.compared(), "like is held against like");
        assert_eq!(same.tally.left_out, 0);
    }

    /// What three factors say together is one wire: cells of it are told apart everywhere, and it asks nothing anew.
    #[test]
    fn a_wire_is_told_apart_in_every_document_and_only_the_lightest_has_a_verdict() {
        let mut run = fixture::on_wires();
        run.records.retain(|record| record.workload.name == "ticker");
        let report = Report::of(&run).unwrap();
        let documents = report.documents().unwrap();
        for text in [&documents.html, &documents.markdown, &report.document().terminal(200, false)] {
            assert!(text.contains("also measured: HTTP/1.1 over TLS; HTTP/2 over TLS"), "{text}");
        }
        assert!(documents.csv.contains("\r\nticker,sse,library,compressed,http2,pushoff,tls,p50_ns,"));
        assert!(documents.csv.contains("\r\nticker,sse,library,,,pushoff,,p50_ns,"));
        let json = report.document().json();
        assert_eq!(json["cells"].as_array().unwrap().len(), Transport::ALL.len() + 3 * 5);
        assert_eq!(json["workloads"].as_array().unwrap().len(), 1);
        let cells = json["wires"][0]["cells"].as_array().unwrap();
        let tls = cells.iter().find(|it| it["transport"] == "sse" && it["conditions"]["tls"] == "tls").unwrap();
        assert!(tls["ratios"]["down_bytes"]["to_lightest"]["point"].as_f64().unwrap() > 1.0);
        let ids: Vec<&str> = documents.html.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert_eq!(ids.len(), ids.iter().collect::<std::collections::BTreeSet<_>>().len(), "every link has one target");
        assert_eq!(race(&run).len(), 4, "each wire is measured until it is settled");
        let same = diff(&run, &run, None, 0.05);
        assert_eq!(
            (same.tally.unchanged, same.tally.left_out),
            (same.tally.compared(), 0),
            "like is held against like"
        );
    }
}
