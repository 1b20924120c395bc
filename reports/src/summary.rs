//! The findings for machines: what `--json` prints.
//!
//! Every figure in the unit that its name ends in, not rounded.

use std::collections::BTreeMap;

use pushoff_model::browser::Browser;
use pushoff_model::workload::{Growth, Slo};
use pushoff_model::{Client, Transport};
use serde::Serialize;

use crate::Run;
use crate::cost::{CostSheet, Costs, InPages, Pages, Tax, Taxes};
use crate::counsel::Counsel;
use crate::faults::CellFaults;
use crate::figures::Figures;
use crate::group::Cell;
use crate::growth::{Family, Line, Point, Slopes};
use crate::prose::Prose;
use crate::rank::{Standing, Verdict};
use crate::search::{Capacity, Searched, Stand, validity};
use crate::servers::{self, Beside, Reading};
use crate::study::{Comparison, Study};
use crate::validity::Validity;

/// The verdicts and figures of a run.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    runs: Vec<String>,
    debug_build: bool,
    /// Latencies that differ by less are not called different.
    noise_ns: f64,
    workloads: Vec<WorkloadSummary>,
    holdings: Vec<HoldingSummary>,
    searches: Vec<SearchSummary>,
    /// What was asked of several servers.
    servers: Vec<BesideSummary>,
    client_taxes: Vec<TaxSummary>,
    /// What pages took beside the other clients, where a browser received.
    pages: Vec<PagesSummary>,
    /// What the browsers of the runs allow.
    browsers: Vec<Browser>,
    growth: Vec<GrowthSummary>,
}

#[derive(Clone, Debug, Serialize)]
struct WorkloadSummary {
    name: String,
    client: Client,
    server: String,
    question: String,
    slo: Slo,
    verdict: Verdict,
    /// What is said beside the verdict, in words.
    counsel: Counsel,
    cells: Vec<CellSummary>,
}

#[derive(Clone, Debug, Serialize)]
struct CellSummary {
    transport: Transport,
    standing: Standing,
    #[serde(flatten)]
    worth: Worth,
    figures: Option<Figures>,
    costs: Costs,
}

/// What a cell is worth.
#[derive(Clone, Debug, Serialize)]
struct Worth {
    validity: Validity,
    trials: usize,
    valid_trials: usize,
    /// What limits it, each once.
    concerns: Vec<String>,
    /// What went wrong in its trials, with counts and causes.
    faults: CellFaults,
}

#[derive(Clone, Debug, Serialize)]
struct HoldingSummary {
    name: String,
    client: Client,
    server: String,
    question: String,
    subscribers: u32,
    cells: Vec<HoldingCell>,
}

#[derive(Clone, Debug, Serialize)]
struct HoldingCell {
    transport: Transport,
    #[serde(flatten)]
    worth: Worth,
    costs: Costs,
}

#[derive(Clone, Debug, Serialize)]
struct SearchSummary {
    name: String,
    client: Client,
    server: String,
    question: String,
    slo: Slo,
    grow: Growth,
    /// Whether latency is bounded: else a capacity is what was delivered, however late.
    bounded: bool,
    sentence: Prose,
    cells: Vec<SearchCell>,
}

#[derive(Clone, Debug, Serialize)]
struct SearchCell {
    transport: Transport,
    #[serde(flatten)]
    worth: Worth,
    capacity: Option<Capacity>,
    /// In what the search grows.
    highest_held: Option<f64>,
    /// Every load that was measured.
    loads: Vec<Stand>,
}

#[derive(Clone, Debug, Serialize)]
struct BesideSummary {
    name: String,
    client: Client,
    question: String,
    /// The server that the others are held against.
    baseline: String,
    cells: Vec<BesideCell>,
}

#[derive(Clone, Debug, Serialize)]
struct BesideCell {
    transport: Transport,
    server: String,
    standing: Option<Standing>,
    validity: Validity,
    /// Why its figures are void, if they are.
    void: Option<String>,
    figures: BTreeMap<&'static str, Reading>,
}

#[derive(Clone, Debug, Serialize)]
struct TaxSummary {
    name: String,
    cells: Vec<TaxCell>,
}

#[derive(Clone, Debug, Serialize)]
struct TaxCell {
    transport: Transport,
    #[serde(flatten)]
    tax: Tax,
}

#[derive(Clone, Debug, Serialize)]
struct PagesSummary {
    name: String,
    cells: Vec<PagesCell>,
}

#[derive(Clone, Debug, Serialize)]
struct PagesCell {
    transport: Transport,
    #[serde(flatten)]
    figures: InPages,
}

#[derive(Clone, Debug, Serialize)]
struct GrowthSummary {
    name: String,
    sizes: Vec<u32>,
    cells: Vec<GrowthCell>,
}

#[derive(Clone, Debug, Serialize)]
struct GrowthCell {
    transport: Transport,
    server_memory_bytes: Vec<Point>,
    kernel_memory_bytes: Vec<Point>,
    server_cpu_a_second_ns: Vec<Point>,
    connecting_time_ns: Vec<Point>,
    #[serde(flatten)]
    slopes: Slopes,
}

/// The findings of a run.
#[must_use]
pub fn summary(run: &Run) -> Summary {
    let study = Study::of(run);
    Summary {
        runs: run.environments.iter().map(|environment| environment.run.clone()).collect(),
        debug_build: study.has_debug_build(),
        noise_ns: study.noise_ns,
        workloads: study.comparisons.iter().map(workload).collect(),
        holdings: study.holdings.iter().map(holding).collect(),
        searches: study.searches.iter().map(search).collect(),
        servers: study.besides.iter().map(beside).collect(),
        client_taxes: study.taxes.iter().map(taxed).collect(),
        pages: study.pages.iter().map(in_pages).collect(),
        browsers: run.environments.iter().filter_map(|environment| environment.browser.clone()).collect(),
        growth: study.families.iter().map(growth).collect(),
    }
}

fn workload(comparison: &Comparison<'_>) -> WorkloadSummary {
    let cells = comparison.group.cells.iter().zip(&comparison.candidates).zip(&comparison.costs);
    WorkloadSummary {
        name: comparison.group.label.clone(),
        client: comparison.group.client,
        server: comparison.group.server.to_owned(),
        question: comparison.group.workload.question.clone(),
        slo: comparison.slo,
        verdict: comparison.verdict.clone(),
        counsel: comparison.counsel.clone(),
        cells: cells
            .map(|((cell, candidate), costs)| CellSummary {
                transport: cell.transport,
                standing: candidate.standing.clone(),
                worth: worth(cell, Validity::of(cell)),
                figures: candidate.figures.clone(),
                costs: costs.clone(),
            })
            .collect(),
    }
}

fn holding(sheet: &CostSheet<'_>) -> HoldingSummary {
    let cells = sheet.group.cells.iter().zip(&sheet.costs);
    HoldingSummary {
        name: sheet.group.label.clone(),
        client: sheet.group.client,
        server: sheet.group.server.to_owned(),
        question: sheet.group.workload.question.clone(),
        subscribers: sheet.group.workload.subscribers,
        cells: cells
            .map(|(cell, costs)| HoldingCell {
                transport: cell.transport,
                worth: worth(cell, Validity::of(cell)),
                costs: costs.clone(),
            })
            .collect(),
    }
}

fn search(searched: &Searched<'_>) -> SearchSummary {
    let cells = searched.group.cells.iter().zip(&searched.curves);
    SearchSummary {
        name: searched.group.label.clone(),
        client: searched.group.client,
        server: searched.group.server.to_owned(),
        question: searched.group.workload.question.clone(),
        slo: searched.slo,
        grow: searched.growth,
        bounded: searched.is_bounded,
        sentence: searched.sentence.clone(),
        cells: cells
            .map(|(cell, curve)| SearchCell {
                transport: cell.transport,
                worth: worth(cell, validity(curve)),
                capacity: curve.capacity,
                highest_held: curve.highest_held,
                loads: curve.stands.clone(),
            })
            .collect(),
    }
}

fn beside(it: &Beside<'_>) -> BesideSummary {
    let figures = |line: &servers::Line<'_>| {
        let readings = it.gauges.iter().zip(&line.readings);
        readings.filter_map(|(gauge, reading)| Some((gauge.key(), reading.clone()?))).collect()
    };
    let cell = |line: &servers::Line<'_>| BesideCell {
        transport: line.transport,
        server: line.server.to_owned(),
        standing: line.standing.clone(),
        validity: line.validity,
        void: line.void.clone(),
        figures: figures(line),
    };
    BesideSummary {
        name: it.label.clone(),
        client: it.client,
        question: it.workload.question.clone(),
        baseline: it.baseline.to_owned(),
        cells: it.lines.iter().map(cell).collect(),
    }
}

fn in_pages(pages: &Pages) -> PagesSummary {
    let cells = pages.iter().map(|(transport, figures)| PagesCell { transport, figures: figures.clone() });
    PagesSummary { name: pages.label.clone(), cells: cells.collect() }
}

fn taxed(taxes: &Taxes) -> TaxSummary {
    let cells = taxes.iter().map(|(transport, tax)| TaxCell { transport, tax: tax.clone() });
    TaxSummary { name: taxes.label.clone(), cells: cells.collect() }
}

fn growth(family: &Family) -> GrowthSummary {
    let cell = |line: &Line| {
        let [memory, kernel, processor, connecting] = line.points.clone();
        GrowthCell {
            transport: line.transport,
            server_memory_bytes: memory,
            kernel_memory_bytes: kernel,
            server_cpu_a_second_ns: processor,
            connecting_time_ns: connecting,
            slopes: Slopes::of(line),
        }
    };
    GrowthSummary {
        name: family.label.clone(),
        sizes: family.sizes.clone(),
        cells: family.lines.iter().map(cell).collect(),
    }
}

fn worth(cell: &Cell<'_>, validity: Validity) -> Worth {
    let mut concerns: Vec<String> = Vec::new();
    for trial in &cell.trials {
        let said = trial.record.measurement().map_or(&[][..], |measurement| &measurement.concerns);
        let said = said.iter().map(|concern| format!("{}: {}", concern.limit.label(), concern.detail));
        let failed = trial.record.measurement().is_none().then(|| trial.reason().unwrap_or_default().to_owned());
        for concern in said.chain(failed) {
            if !concerns.contains(&concern) {
                concerns.push(concern);
            }
        }
    }
    Worth {
        validity,
        trials: cell.trials.len(),
        valid_trials: cell.valid().len(),
        concerns,
        faults: CellFaults::of(&cell.trials),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn a_machine_finds_the_choice_and_the_figures() {
        let json = serde_json::to_value(summary(&fixture::run())).unwrap();
        let ticker = &json["workloads"][1];
        assert_eq!(ticker["name"], "ticker");
        assert_eq!(ticker["verdict"]["choice"], "sse");
        let sse = ticker["cells"].as_array().unwrap().iter().find(|cell| cell["transport"] == "sse").unwrap();
        assert_eq!(sse["standing"]["is"], "meets");
        assert!(sse["figures"]["p99_ns"]["point"].as_f64().unwrap() > 1e6);
    }

    #[test]
    fn a_machine_finds_servers_side_by_side() {
        let json = serde_json::to_value(summary(&fixture::servers())).unwrap();
        let light = &json["servers"][0];
        assert_eq!((&light["name"], &light["baseline"]), (&"light".into(), &"nchan".into()));
        let cells = light["cells"].as_array().unwrap();
        let cell = cells.iter().find(|it| it["transport"] == "sse" && it["server"] == "pushoff").unwrap();
        let p50 = &cell["figures"]["p50_ns"];
        assert!(p50["point"].as_f64().unwrap() > 1e6 && p50["interval"]["low"].is_number(), "{p50}");
        assert!((p50["to_baseline"]["point"].as_f64().unwrap() - 0.82).abs() < 0.02, "{p50}");
        assert!(p50["to_floor"]["interval"]["high"].is_number(), "{p50}");
        assert_eq!(
            (&json["workloads"][1]["server"], &json["searches"][3]["bounded"]),
            (&"nchan".into(), &false.into())
        );
    }

    #[test]
    fn a_machine_finds_costs_searches_growth_and_what_a_library_takes() {
        let json = serde_json::to_value(summary(&fixture::whole())).unwrap();
        let of = |cells: &serde_json::Value, transport: &str| {
            cells.as_array().unwrap().iter().find(|cell| cell["transport"] == transport).unwrap().clone()
        };
        let number = |value: &serde_json::Value| value["point"].as_f64().unwrap();
        let named = |list: &str, name: &str| {
            json[list].as_array().unwrap().iter().find(|it| it["name"] == name).unwrap()["cells"].clone()
        };
        let sse = of(&named("workloads", "ticker"), "sse");
        assert_eq!(sse["validity"], "not-saturated");
        let (down, costs) = (&sse["costs"]["down"], &sse["costs"]);
        assert!((number(&down["bytes"]) - number(&down["theory_bytes"])).abs() < 1e-9);
        assert!(number(&costs["idle"]["server_pss_bytes"]) > 1_000.0);
        assert!(number(&costs["million"]["cores"]) > 1.0);
        let polling = of(&named("holdings", "idle at 1,000"), "short-polling");
        assert!((number(&polling["costs"]["empty_poll_bytes"]) - 399.0).abs() < 1e-9);
        let long = of(&named("searches", "capacity"), "long-polling");
        assert_eq!((&long["capacity"]["reach"], &long["validity"]), (&"generator".into(), &"generator-limited".into()));
        assert!(long["loads"].as_array().unwrap().len() > 8);
        assert!((number(&of(&named("client_taxes", "ticker"), "sse")["library_to_lean"]) - 3.0).abs() < 1e-6);
        let socket = of(&named("growth", "idle"), "websocket");
        assert!((number(&socket["server_memory_slope"]) - 0.06).abs() < 1e-3, "{socket}");
    }
}
