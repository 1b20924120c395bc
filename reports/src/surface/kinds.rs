//! The kinds of workload that maps are drawn for: who hears a message, who speaks, how long it is.

use std::iter;

use pushoff_model::workload::{Direction, built_in};

use crate::group::Group;
use crate::measured::measured;
use crate::number::{Quantity, thousands};
use crate::study::Study;
use pushoff_planner::Needs;
use pushoff_planner::costs::{FittedCell, Load, Observed};

/// Where no bytes were counted: what the ticker's quotes weigh.
const QUOTE: f64 = 150.0;

/// A kind of workload, and what was measured of it.
#[derive(Clone, Debug)]
pub(crate) struct Kind {
    /// The workload that it is the kind of, as the report calls it.
    pub(crate) label: String,
    /// What it asks at any point, but for rate, users and staleness.
    pub(crate) needs: Needs,
    /// The cells of the run, and of the model, in which as many speak.
    pub(crate) stands: Vec<Stand>,
}

/// A measured cell, on the map.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Stand {
    pub(crate) label: String,
    pub(crate) users: f64,
    /// Updates a second to each user.
    pub(crate) rate: f64,
    /// Whether as many hear a message.
    pub(crate) is_of_kind: bool,
}

/// The kinds of a run's questions; of a run that measures a cost model, and of one that asks nothing,
/// the ticker's.
pub(crate) fn kinds(study: &Study<'_>) -> Vec<Kind> {
    let asked = study.answers().map(|it| &it.group).filter(|group| group.is_ours() && !study.is_own_model);
    let mut kinds: Vec<Kind> = Vec::new();
    for kind in asked.filter_map(Kind::of) {
        if !kinds.iter().any(|it| it.is_like(&kind)) {
            kinds.push(kind);
        }
    }
    if kinds.is_empty() {
        kinds.extend(Kind::ticker());
    }
    for kind in &mut kinds {
        let own = FittedCell::all(&Observed::of(&measured(study.groups())));
        // Those of the model that comes with pushoff were measured too, if not here.
        let shipped = study.model.cells.iter().filter(|_| !study.is_own_model);
        kind.stands = own.iter().chain(shipped).filter_map(|cell| kind.stand(cell)).collect();
    }
    kinds
}

impl Kind {
    fn of(group: &Group<'_>) -> Option<Self> {
        let load = observed(group)?;
        let payload = if load.payload > 0.0 { load.payload } else { QUOTE };
        Some(Self::new(&group.question, &load, payload))
    }

    fn ticker() -> Option<Self> {
        let ticker = built_in("ticker")?.ok()?;
        Some(Self::new(&ticker.name, &Load::of(&ticker, QUOTE)?, QUOTE))
    }

    fn new(label: &str, load: &Load, payload: f64) -> Self {
        let audience = (load.topics > 1.0).then(|| load.audience());
        let needs = Needs { audience, payload: payload.round(), direction: load.direction, ..Needs::EXAMPLE };
        Self { label: label.to_owned(), needs, stands: Vec::new() }
    }

    fn is_like(&self, other: &Self) -> bool {
        let of = |kind: &Self| (kind.needs.audience, kind.needs.payload, kind.needs.direction);
        of(self) == of(other)
    }

    fn stand(&self, cell: &FittedCell) -> Option<Stand> {
        let is_of_kind = self.needs.audience == (cell.topics > 1.0).then(|| cell.users / cell.topics);
        let stand = Stand { label: cell.label.clone(), users: cell.users, rate: cell.rate, is_of_kind };
        Some(stand).filter(|_| cell.direction == self.needs.direction && cell.rate > 0.0)
    }

    /// `everybody hears every update, 150 bytes each`.
    pub(crate) fn words(&self) -> String {
        let bytes = thousands(&format!("{:.0}", self.needs.payload));
        let who = match (self.needs.audience, self.needs.direction) {
            (None, Direction::Down) => "everybody hears every update".to_owned(),
            (None, Direction::Both) => "everybody hears what everybody says".to_owned(),
            (Some(audience), Direction::Down) if audience < 2.0 => "every update is for one user".to_owned(),
            (Some(audience), Direction::Down) => format!("an update is for {} users", Quantity::Count.write(audience)),
            (Some(audience), Direction::Both) => {
                format!("rooms of {} in which everybody speaks", Quantity::Count.write(audience))
            }
        };
        format!("{who}, {bytes} bytes each")
    }
}

/// What is asked of one server there; none where nothing of it counts.
fn observed(group: &Group<'_>) -> Option<Load> {
    Observed::of(&measured(iter::once(group))).first().map(|it| it.load)
}
