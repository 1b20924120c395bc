//! Decision maps: which transport to choose, by update rate, staleness and number of users.
//!
//! A map is a table of coloured cells, and a cell is a plan that the sliders have too. Numbers of users with the same
//! answers share a row. Rows that lie wholly beyond what was measured are left out and named.

use maud::{Markup, html};
use pushoff_model::Transport;
use pushoff_planner::{Answer, Sureness};

use super::planner::none_taken;
use crate::name::name;
use crate::plan::Plan;
use crate::plan::stops::{self, AUDIENCES, PAYLOADS, RATES, STALENESS, Stop, USERS};

/// A map for every audience, at the payload that the sliders begin with.
pub(super) fn section(plans: &[(Plan, String)]) -> Markup {
    html! {
        section #decision-maps {
            h2 { "Which transport to choose, by update rate, staleness and users" }
            p {
                "Each cell names the transport that costs the least money a month of those that deliver 99 % of the updates "
                "in time. The cells show the same plans as the sliders, for updates of " (PAYLOADS.stops[PAYLOADS.first].text) "."
            }
            p.note {
                "≈ in grey: too close to call; other transports cost the same, and the cell names the simplest. "
                "Dashed: beyond what was measured. "
                "Question mark: another transport might cost less, but whether it is fast enough is undecided."
            }
            @for (audience, stop) in AUDIENCES.stops.iter().enumerate() {
                details open[audience == AUDIENCES.first] {
                    summary { h3.within id=(format!("decision-map-{audience}")) { "Audience: " (stop.text) } }
                    (map(audience, &rows(plans, audience)))
                }
            }
        }
    }
}

/// One staleness with the numbers of users that have the same answers at every rate.
struct Row {
    within: &'static str,
    fewest: &'static str,
    most: &'static str,
    /// A cell for each rate.
    cells: Vec<Cell>,
}

/// What is to be chosen for one load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cell {
    choice: Option<Transport>,
    sureness: Sureness,
    /// Other transports cost the same.
    is_close: bool,
    /// The choice or its runner-up lies beyond what was measured.
    is_beyond: bool,
}

impl Row {
    fn users(&self) -> String {
        if self.most == self.fewest { self.fewest.to_owned() } else { format!("{} to {}", self.fewest, self.most) }
    }
}

impl Cell {
    fn of(answer: &Answer) -> Self {
        Self {
            choice: answer.choice,
            sureness: answer.sureness,
            is_close: answer.choice.is_some() && answer.tied.len() > 1,
            is_beyond: !answer.beyond().is_empty(),
        }
    }
}

fn rows(plans: &[(Plan, String)], audience: usize) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for (staleness, &Stop { text: within, .. }) in STALENESS.stops.iter().enumerate() {
        for (users, &Stop { text, .. }) in USERS.stops.iter().enumerate() {
            let at = |rate| stops::number([users, rate, PAYLOADS.first, staleness, audience]);
            let cells: Vec<Cell> = (0..RATES.stops.len()).map(|rate| Cell::of(&plans[at(rate)].0.answer)).collect();
            match rows.last_mut() {
                Some(last) if last.within == within && last.cells == cells => last.most = text,
                Some(_) | None => rows.push(Row { within, fewest: text, most: text, cells }),
            }
        }
    }
    rows
}

fn map(audience: usize, rows: &[Row]) -> Markup {
    let is_known = |row: &&Row| row.cells.iter().any(|cell| !cell.is_beyond);
    html! {
        div.scroll tabindex="0" role="region" aria-labelledby=(format!("decision-map-{audience}")) {
            table.map {
                thead { tr {
                    th scope="col" { "within" }
                    th scope="col" { "users" }
                    @for rate in RATES.stops { th scope="col" { (rate.text) } }
                } }
                tbody { @for row in rows.iter().filter(is_known) {
                    tr {
                        th scope="row" { (row.within) }
                        th scope="row" { (row.users()) }
                        @for cell in &row.cells { (self::cell(cell)) }
                    }
                } }
            }
        }
        @for row in rows.iter().filter(|row| !is_known(row)) {
            p.note {
                "Within " (row.within) ", " (row.users()) " users: left out, because every cell lies beyond what was measured."
            }
        }
    }
}

fn cell(cell: &Cell) -> Markup {
    let close = if cell.is_close { "close" } else { "" };
    let beyond = if cell.is_beyond { "beyond" } else { "" };
    let colour = cell.choice.filter(|_| !cell.is_close).map_or(String::new(), |it| format!("c-{}", it.name()));
    html! {
        td class=(format!("{colour} {close} {beyond}").trim()) title=(cell.sureness.label()) {
            @match cell.choice {
                None => (none_taken(cell.sureness)),
                Some(choice) => { @if cell.is_close { "≈ " } (name(choice)) }
            }
            @if cell.sureness == Sureness::Provisional { " ?" }
            @if cell.is_beyond { span.unseen { " (beyond what was measured)" } }
        }
    }
}

#[cfg(test)]
mod tests {
    use pushoff_planner::Prices;

    use super::*;
    use crate::fixture;
    use crate::plan::Model;

    fn plans() -> Vec<(Plan, String)> {
        stops::plans(&Model::of_report(fixture::model(), false), &Prices::shipped())
    }

    #[test]
    fn every_number_of_users_is_in_one_row_of_its_staleness() {
        let plans = plans();
        for audience in 0..AUDIENCES.stops.len() {
            let rows = rows(&plans, audience);
            for staleness in STALENESS.stops {
                let of_it: Vec<&Row> = rows.iter().filter(|row| row.within == staleness.text).collect();
                assert_eq!((of_it[0].fewest, of_it[of_it.len() - 1].most), ("1k", "10M"));
            }
            assert!(rows.iter().all(|row| row.cells.len() == RATES.stops.len()));
        }
    }

    #[test]
    fn a_cell_says_what_its_plan_says() {
        let plans = plans();
        let (plan, _) = &plans[stops::number(stops::first())];
        let cell = Cell::of(&plan.answer);
        assert_eq!((cell.choice, cell.sureness), (plan.answer.choice, plan.answer.sureness));
        let shown = super::cell(&cell).into_string();
        assert!(shown.contains(plan.answer.sureness.label()), "{shown}");
        let clear =
            Cell { choice: Some(Transport::Sse), sureness: Sureness::Decided, is_close: false, is_beyond: false };
        let of = |cell: Cell| super::cell(&cell).into_string();
        assert!(of(clear).starts_with("<td class=\"c-sse\""));
        assert!(of(Cell { is_close: true, ..clear }).starts_with("<td class=\"close\""));
        assert!(of(Cell { is_beyond: true, ..clear }).contains("beyond what was measured"));
        let none = |sureness| of(Cell { choice: None, sureness, ..clear });
        assert!(none(Sureness::NothingMeets).contains(">None is good enough<"));
        assert!(none(Sureness::Undecided).contains(">Undecided<"));
    }
}
