//! A plan as a document: the recommendation first, then a table, then what it rests on.

use pushoff_model::target::OURS;
use pushoff_model::{CellKey, Client, Conditions};

use super::Plan;
use crate::blocks::{Block, Document, Layout, Section, TableBlock, fields};
use crate::metric;
use crate::metric::{Figures, LEAST_TRIALS, Metric};
use crate::table::metrics::PLAN;
use crate::table::{Subject, Table};
use pushoff_planner::{Estimate, Standing};
use pushoff_stats::Figure;

/// What was estimated of a transport, by metric.
fn figures(estimate: &Estimate) -> Figures {
    let plain = |point: Option<f64>| point.map(|point| Figure { point, interval: None });
    let it = &estimate.figures;
    // A prediction has its interval without any trial.
    Figures::given(
        LEAST_TRIALS,
        [
            (Metric::PlanTraffic, it.traffic_a_month_bytes),
            (Metric::PlanRequests, it.requests_per_second),
            (Metric::PlanCores, it.cores),
            (Metric::PlanP99, it.p99_ns),
            (Metric::PlanMoney, it.money_a_month),
            (Metric::PlanMemory, it.memory_bytes),
            (Metric::PlanP50, it.p50_ns),
            (Metric::PlanWakeups, plain(estimate.wakeups_an_hour)),
            (Metric::PlanRadio, plain(estimate.radio_share)),
            (Metric::PlanProcesses, plain(estimate.processes)),
            (Metric::PlanConnections, it.connections),
            (Metric::PlanConnectingCpu, it.connecting_cpu_ns),
        ],
    )
}

impl Plan {
    /// The plan, for any format.
    #[must_use]
    pub fn document(&self) -> Document {
        let prose = |words: &String| Block::Prose(words.clone().into(), String::new());
        let table = Block::Table(TableBlock {
            labelled_by: "plan".into(),
            table: self.table(),
            layout: Layout::Columns,
            trials: None,
            has_places: false,
        });
        let money = format!("Money is in {}.", self.prices.currency());
        let blocks = self.sentences.iter().map(prose).chain([table, prose(&money)]);
        let blocks = blocks.chain(self.notes.iter().map(prose)).collect();
        let section = Section { id: Some("plan"), blocks, is_brief: true, ..Section::default() };
        let title = "What a load would need".into();
        Document { title, sections: vec![section], data: fields(self), ..Document::default() }
    }

    /// A row a transport.
    pub(super) fn table(&self) -> Table {
        let estimates = &self.answer.estimates;
        let figures: Vec<Figures> = estimates.iter().map(figures).collect();
        let standings: Vec<metric::Standing> = estimates.iter().map(|it| self.standing_of(it)).collect();
        let subjects = estimates.iter().zip(&standings).zip(&figures).map(|((estimate, standing), figures)| {
            let conditions = Conditions::new(Client::Lean, OURS);
            let key = CellKey { workload: "plan".into(), transport: estimate.transport, conditions };
            Subject {
                standing: Some(standing),
                is_choice: self.answer.decision.choice == Some(estimate.transport),
                trials: LEAST_TRIALS,
                ..Subject::new(key, Some(figures))
            }
        });
        let mut table = Table::lay_out(&PLAN, subjects.collect(), self.no_difference());
        table.notes.clear();
        table
    }

    /// As for the choice: money that differs by less than the margin is no difference.
    fn no_difference(&self) -> f64 {
        let money = self.answer.estimates.iter().filter_map(|it| it.figures.money_a_month);
        let least = money.map(|money| money.point).reduce(f64::min).unwrap_or_default();
        least * self.needs.rule().margin
    }

    pub(super) fn standing_of(&self, estimate: &Estimate) -> metric::Standing {
        let reason = self.why(estimate).unwrap_or_default();
        match estimate.standing {
            Standing::Meets => metric::Standing::Meets,
            Standing::Fails => metric::Standing::Fails { reason },
            Standing::Undecided => metric::Standing::undecided(reason),
        }
    }
}
