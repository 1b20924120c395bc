//! What the sliders of the page compute with: the model, the prices, and every constant of the
//! arithmetic, so that `planner/*.js` has the formulas and none of the numbers.

use std::collections::BTreeMap;

use pushoff_model::Transport;
use pushoff_model::overhead::{browser_publish_head, browser_request_head, publish_answer};
use serde::Serialize;

use pushoff_planner::costs::{
    self, Dimension, FIRST, HEARTBEAT, KEPT_MESSAGES, KEPT_SECONDS, Range, Regressor, WAKEFUL, WARM,
};
use pushoff_planner::page::{
    CORRECTIONS, HALVINGS, MARGIN, MONTH, MOST, SEGMENT, SHORTER, SLACK, STEPS, STEPS_A_DECADE, TAIL,
};
use pushoff_planner::{
    Estimate, GIBIBYTE, HEADERS, KEEP_ALIVE, Need, SAME, Sureness, TARGET, WAIT, WORTH_OF_SIMPLICITY,
};

use super::document::COLUMNS;
use super::fields::Fields;
use super::{Model, Needs, Plan, Prices};
use crate::number;
use crate::table::{Better, Column};

/// What stands in the page.
#[derive(Serialize)]
pub(crate) struct Embedded<'a> {
    model: Costs<'a>,
    prices: &'a Prices,
    needs: Fields,
    transports: BTreeMap<&'static str, Traits>,
    dimensions: [(Dimension, &'static str); Dimension::ALL.len()],
    columns: Vec<Shown>,
    /// A sentence a field that is wrong.
    wrong: BTreeMap<&'static str, String>,
    constants: Constants,
    /// Where the figures come from.
    origin: String,
    /// What the command needs to plan with the same model.
    model_flag: Option<&'static str>,
}

/// A cost model without what the page does not need.
#[derive(Serialize)]
struct Costs<'a> {
    range: &'a Range,
    transports: Vec<Laws<'a>>,
}

#[derive(Serialize)]
struct Laws<'a> {
    transport: Transport,
    laws: BTreeMap<costs::Quantity, Law<'a>>,
}

#[derive(Serialize)]
struct Law<'a> {
    terms: Vec<(Regressor, f64)>,
    /// Its lower triangle.
    covariance: Vec<&'a [f64]>,
    scatter: f64,
    reach: f64,
}

impl<'a> Laws<'a> {
    fn of(laws: &'a costs::TransportModel) -> Self {
        let lean = |law: &'a costs::FittedModel| Law {
            terms: law.terms.iter().map(|term| (term.regressor, term.value)).collect(),
            covariance: law.covariance.iter().enumerate().filter_map(|(row, all)| all.get(..=row)).collect(),
            scatter: law.scatter,
            reach: law.reach,
        };
        let shown = laws.fitted.iter().filter(|(quantity, _)| **quantity != costs::Quantity::Connecting);
        let each = shown.map(|(quantity, law)| (*quantity, lean(law)));
        Self { transport: laws.transport, laws: each.collect() }
    }
}

/// What the arithmetic must know of a transport.
#[derive(Serialize)]
struct Traits {
    label: &'static str,
    simplicity: u8,
    polls: bool,
    /// Whether it publishes on the connection that it hears on.
    sends: bool,
    request_head: u64,
}

impl Traits {
    fn of(transport: Transport) -> Self {
        Self {
            label: transport.label(),
            simplicity: transport.simplicity(),
            polls: transport.is_polling(),
            sends: transport.sends_on_its_own_connection(),
            request_head: browser_request_head(transport),
        }
    }
}

/// A column of the table.
#[derive(Serialize)]
struct Shown {
    key: &'static str,
    quantity: number::Quantity,
    better: Better,
}

/// The columns of the page's table by their heads, and what each is called in `plan --json`.
const SHOWN: [(&str, &str); 9] = [
    ("money a month", "money_a_month"),
    ("cores", "cores"),
    ("memory", "memory_bytes"),
    ("bandwidth", "bandwidth_bytes_per_second"),
    ("connections", "connections"),
    ("requests", "requests_per_second"),
    ("p50", "p50_ns"),
    ("p99", "p99_ns"),
    ("wake-ups/h", "wakeups_an_hour"),
];

/// The columns of the page's table, each with its name in `plan --json`: some of the terminal's.
pub(crate) fn columns() -> impl Iterator<Item = (&'static str, &'static Column<Estimate>)> {
    SHOWN.into_iter().filter_map(|(head, key)| Some((key, COLUMNS.iter().find(|it| it.shown.head == head)?)))
}

/// The numbers of the arithmetic.
#[derive(Serialize)]
struct Constants {
    kept_messages: f64,
    kept: f64,
    warm: f64,
    first: f64,
    wakeful: f64,
    wait: f64,
    heartbeat: f64,
    keep_alive: f64,
    target: f64,
    halvings: u32,
    slack: f64,
    margin: f64,
    shorter: f64,
    corrections: u32,
    segment: f64,
    headers: f64,
    publish_head: u64,
    publish_answer: u64,
    share: f64,
    tail: f64,
    month: f64,
    gibibyte: f64,
    same: f64,
    worth_of_simplicity: f64,
    changing: [Need; Need::ALL.len()],
    change_steps: u32,
    change_steps_a_decade: f64,
    most_price: f64,
    /// How sure in words, and what stands in place of a choice where there is none.
    sureness: [(Sureness, &'static str, &'static str); Sureness::ALL.len()],
}

impl Constants {
    fn all() -> Self {
        Self {
            kept_messages: KEPT_MESSAGES,
            kept: KEPT_SECONDS,
            warm: WARM,
            first: FIRST,
            wakeful: WAKEFUL,
            wait: WAIT,
            heartbeat: HEARTBEAT,
            keep_alive: KEEP_ALIVE,
            target: TARGET,
            halvings: HALVINGS,
            slack: SLACK,
            margin: MARGIN,
            shorter: SHORTER,
            corrections: CORRECTIONS,
            segment: SEGMENT,
            headers: HEADERS,
            publish_head: browser_publish_head(),
            publish_answer: publish_answer(),
            share: Needs::SHARE,
            tail: TAIL,
            month: MONTH,
            gibibyte: GIBIBYTE,
            same: SAME,
            worth_of_simplicity: WORTH_OF_SIMPLICITY,
            changing: Need::ALL,
            change_steps: STEPS,
            change_steps_a_decade: STEPS_A_DECADE,
            most_price: MOST,
            sureness: Sureness::ALL.map(|sureness| (sureness, sureness.label(), none_taken(sureness))),
        }
    }
}

/// What stands in place of a choice.
pub(crate) const fn none_taken(sureness: Sureness) -> &'static str {
    match sureness {
        Sureness::NothingMeets => "None is good enough",
        Sureness::Decided | Sureness::TooClose | Sureness::Provisional | Sureness::Beyond | Sureness::Undecided => {
            "Undecided"
        }
    }
}

impl Model {
    /// What the page computes with.
    pub(crate) fn embedded<'a>(&'a self, plan: &'a Plan) -> Embedded<'a> {
        let costs = &self.costs;
        Embedded {
            model: Costs { range: &costs.range, transports: costs.transports.iter().map(Laws::of).collect() },
            prices: &plan.prices,
            needs: Fields::ALL,
            transports: Transport::ALL.into_iter().map(|it| (it.name(), Traits::of(it))).collect(),
            dimensions: Dimension::ALL.map(|dimension| (dimension, dimension.label())),
            columns: columns().map(|(key, it)| Shown { key, quantity: it.quantity, better: it.better }).collect(),
            wrong: super::fields::wrong(),
            constants: Constants::all(),
            origin: plan.origin(),
            model_flag: self.flag(),
        }
    }

    /// A report's own model lies beside it, and the command is taken to be given there.
    pub(super) fn flag(&self) -> Option<&'static str> {
        (!self.is_shipped).then_some("--model .")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_column_of_the_page_is_the_figure_of_that_name() {
        assert_eq!(columns().count(), SHOWN.len());
        let plan = Plan::of(&Model::shipped(), Needs::EXAMPLE, Prices::shipped());
        for estimate in &plan.answer.estimates {
            let json = serde_json::to_value(estimate).unwrap();
            for (key, column) in columns() {
                let named = json[key].get("point").unwrap_or(&json[key]).as_f64();
                let crate::table::Reading::Figure(read) = (column.read)(estimate) else { panic!("{key} is a fault") };
                assert_eq!(read.map(|figure| figure.point), named, "{key}");
            }
        }
    }
}
