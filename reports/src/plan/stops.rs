//! The loads that the page's sliders choose among: a few stops a slider, and the plan of every combination.

use pushoff_planner::{Asked, Estimate, Needs, Outcome, Prices};

use super::words::outcome;
use super::{Model, Plan};
use crate::blocks::{Choice, Planned, PlannedRow, Plans, Slider};
use crate::metric::Metric;
use crate::table::{Entry, Table};

/// The metrics of the page's table: those that a choice turns on.
const SHOWN: [Metric; 6] = [
    Metric::PlanTraffic,
    Metric::PlanRequests,
    Metric::PlanCores,
    Metric::PlanP99,
    Metric::PlanMoney,
    Metric::PlanWakeups,
];

/// One need of those that the page asks for.
struct Asking {
    /// Its part of the ids of elements.
    name: &'static str,
    label: &'static str,
    meaning: &'static str,
    stops: &'static [Stop],
    /// The stop that the page begins with.
    first: usize,
}

/// A stop of a slider.
struct Stop {
    /// As the page writes it.
    text: &'static str,
    /// What it asks of the planner.
    asks: fn(&mut Asked<'static>),
    /// The flags that ask the same of `pushoff plan`.
    flags: &'static str,
}

/// Stops of a need: the text is what the flag takes.
macro_rules! stops {
    ($field:ident, $flag:literal, $($text:literal)*) => {
        &[$(Stop {
            text: $text,
            asks: |asked| asked.$field = Some($text),
            flags: concat!(" --", $flag, " ", $text),
        }),*]
    };
}

/// The sliders, in the order in which their stops number the plans: the last changes fastest. Payloads lie within
/// what the shipped model was fitted to.
const SLIDERS: [Asking; 5] = [USERS, RATES, PAYLOADS, STALENESS, AUDIENCES];

/// How many users there are.
const USERS: Asking = Asking {
    name: "users",
    label: "Users",
    meaning: "connected at the same time",
    stops: stops!(users, "users", "1k" "10k" "100k" "1M"),
    first: 3,
};

/// How many updates each user receives.
const RATES: Asking = Asking {
    name: "rate",
    label: "Updates",
    meaning: "that each user receives",
    stops: stops!(rate, "rate", "1/min" "0.2/s" "1/s" "10/s" "40/s"),
    first: 1,
};

/// How long an update is.
const PAYLOADS: Asking = Asking {
    name: "payload",
    label: "Payload",
    meaning: "the size of an update",
    stops: stops!(payload, "payload", "128B" "300B" "4KiB"),
    first: 1,
};

/// How old an update may be.
const STALENESS: Asking = Asking {
    name: "staleness",
    label: "Staleness",
    meaning: "99 % of the updates arrive within this time",
    stops: stops!(staleness, "staleness", "100ms" "500ms" "2s" "30s"),
    first: 2,
};

/// The kinds of audience.
const AUDIENCES: Asking = Asking {
    name: "audience",
    label: "Audience",
    meaning: "the users that receive a message",
    stops: &[
        Stop { text: "all users", asks: |_| (), flags: "" },
        Stop { text: "one user", asks: |asked| asked.audience = Some("1"), flags: " --audience 1" },
        Stop {
            text: "rooms of 20, all speak",
            asks: |asked| (asked.audience, asked.direction) = (Some("20"), Some("both")),
            flags: " --audience 20 --direction both",
        },
    ],
    first: 0,
};

/// A plan for every combination of stops.
pub(crate) fn plans(model: &Model) -> Plans {
    let prices = Prices::shipped();
    let mut all = vec![(Asked::default(), String::new())];
    for slider in &SLIDERS {
        let with = |(asked, flags): &(Asked<'static>, String), stop: &Stop| {
            let mut asked = *asked;
            (stop.asks)(&mut asked);
            (asked, format!("{flags}{}", stop.flags))
        };
        all = all.iter().flat_map(|one| slider.stops.iter().map(move |stop| with(one, stop))).collect();
    }
    let planned = |(asked, flags): (Asked<'_>, String)| {
        planned(&Plan::without_changes(model, needs(&asked), prices.clone()), model.command(&flags))
    };
    let slider = |Asking { name, label, meaning, stops, first }: Asking| {
        let stops = stops.iter().map(|stop| stop.text).collect();
        Slider { name, label, meaning, stops, first }
    };
    Plans {
        sliders: SLIDERS.map(slider).into(),
        metrics: SHOWN.into(),
        plans: all.into_iter().map(planned).collect(),
        is_shipped: model.is_shipped,
    }
}

/// A plan as the page shows it.
fn planned(plan: &Plan, command: String) -> Planned {
    let decision = &plan.answer.decision;
    let choice = match (decision.choice, decision.outcome) {
        (Some(choice), _) => Choice::Transport(choice),
        (None, Outcome::NothingMeets) => Choice::None("None is good enough"),
        (None, _) => Choice::None("Undecided"),
    };
    let Table { columns, rows, .. } = plan.table();
    let row = |(estimate, row): (&Estimate, crate::table::Row)| {
        let place = |metric: &Metric| columns.iter().position(|column| column == metric);
        let entry = |metric: &Metric| place(metric).map_or_else(Entry::absent, |place| row.entries[place].clone());
        PlannedRow {
            transport: estimate.transport,
            is_choice: decision.choice == Some(estimate.transport),
            is_beyond: !estimate.beyond.is_empty(),
            standing: plan.standing_of(estimate),
            entries: SHOWN.iter().map(entry).collect(),
        }
    };
    Planned {
        choice,
        sure: outcome(decision.outcome),
        is_decided: decision.outcome == Outcome::Decided,
        sentences: plan.sentences.clone(),
        rows: plan.answer.estimates.iter().zip(rows).map(row).collect(),
        notes: plan.notes.clone(),
        command,
    }
}

#[expect(clippy::expect_used, reason = "a test plans for every stop")]
fn needs(asked: &Asked<'_>) -> Needs {
    Needs::parse(asked).expect("a stop is a need that is planned for")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn the_plans_stand_in_the_order_of_the_stops() {
        let plans = plans(&Model::of_report(fixture::model(), false));
        assert_eq!(plans.plans.len(), plans.sliders.iter().map(|slider| slider.stops.len()).product::<usize>());
        let first = &plans.plans[plans.first()].command;
        assert!(first.ends_with("plan --users 1M --rate 0.2/s --payload 300B --staleness 2s"), "{first}");
        let last = &plans.plans[plans.plans.len() - 1].command;
        assert!(last.ends_with("--staleness 30s --audience 20 --direction both"), "{last}");
    }
}
