//! A map of which transport is the one to take, over updates a second and users: a staleness each.
//!
//! A land has its transport's colour, its marker and its name; paler is less sure. What is too close to
//! call is hatched in grey over a tint, what nobody has measured is hatched the other way, and where
//! none can the ground is left blank. Borders are those between points: the points are what is known.

use std::fmt::Write as _;

use maud::{Markup, html};
use pushoff_model::Transport;

use super::axis::Axis;
use super::canvas::{Canvas, Drawing, Hold, Ink, LINE, Margins, draw};
use super::{Chart, Rows};
use crate::ReportError;
use crate::number::{Quantity, tick};
use crate::sentence::list;
use crate::surface::{
    COLUMNS, Kind, Line, Map, Point, ROWS, Rule, Spot, blocks, float, rate_at, rows_words, spots, users_at,
};
use pushoff_planner::Sureness;

/// Between two lines of a hatch, in units of the drawing.
const BETWEEN: usize = 30;
/// How finely a hatch follows its land.
const STEP: usize = 4;
/// About how wide a letter is.
const LETTER: i32 = 20;

/// Draws a map.
pub(crate) fn chart(kind: &Kind, map: &Map, rules: &[Rule]) -> Result<Chart, ReportError> {
    let rates = (rate_at(-0.5), rate_at(float(COLUMNS) - 0.5));
    let users = (users_at(-0.5), users_at(float(ROWS) - 0.5));
    let axes = (
        Axis::log("updates a second to each user", rates, Quantity::Count),
        Axis::log("users", users, Quantity::Count),
    );
    let drawing = draw(axes.0, axes.1, Margins { left: 160, right: 60 }, |canvas| {
        lands(canvas, map);
        borders(canvas, map);
        for rule in rules {
            rule_line(canvas, map, *rule)?;
        }
        for spot in spots(map) {
            name(canvas, map, &spot)?;
        }
        let (rates, users) = (rates.0..=rates.1, users.0..=users.1);
        for stand in kind.stands.iter().filter(|it| rates.contains(&it.rate) && users.contains(&it.users)) {
            let says =
                format!("measured: {}, {} users, {}", stand.label, stand.users, Quantity::Rate.write(stand.rate));
            let at = (canvas.at_x(stand.rate), canvas.at_y(stand.users));
            canvas.shape(at, Ink::INK, "M-8,0a8,8 0 1,0 16,0a8,8 0 1,0 -16,0z", !stand.is_of_kind, &says);
        }
        Ok(())
    })?;
    Ok(Chart { key: "surface", title: title(map), description: description(map), drawing, rows: rows(map) })
}

/// The fill of each answer, and over it what is said of its sureness.
fn lands(canvas: &mut Canvas<'_>, map: &Map) {
    let mut answers: Vec<Point> = Vec::new();
    for (.., point) in map.points() {
        if !answers.contains(&point) {
            answers.push(point);
        }
    }
    for answer in answers {
        canvas.ground(land(canvas, map, answer));
    }
    let close = hatch(canvas, 1, |column, row| map.at(column, row).is_close);
    let unmeasured = hatch(canvas, -1, |column, row| map.at(column, row).is_beyond);
    canvas.ground(html! {
        g.hatch {
            @if !close.is_empty() { path class="s-faint close" d=(close) {} }
            @if !unmeasured.is_empty() { path class="s-faint beyond" d=(unmeasured) {} }
        }
    });
}

/// All points with one answer, as one outline that says what it is.
fn land(canvas: &Canvas<'_>, map: &Map, answer: Point) -> Markup {
    let mut outline = String::new();
    for block in blocks(|column, row| map.at(column, row) == answer) {
        let (left, right) = (edge_x(canvas, block.columns.0), edge_x(canvas, block.columns.1));
        let (top, bottom) = (edge_y(canvas, block.rows.1), edge_y(canvas, block.rows.0));
        // Writing to a string cannot fail.
        let _written = write!(outline, "M{left},{top}H{right}V{bottom}H{left}z");
    }
    let class = answer.choice.map_or("pt land".to_owned(), |choice| format!("pt land f-{}", Ink::of(choice).name()));
    html! { path class=(class) fill-opacity=(strength(answer)) tabindex="-1" data-say=(says(answer)) d=(outline) {} }
}

/// How strong the colour of a land is: the surer the stronger.
const fn strength(point: Point) -> &'static str {
    match (point.choice, point.is_close, point.sureness) {
        (None, ..) => "0",
        (Some(_), true, _) => ".14",
        (Some(_), false, Sureness::Provisional) => ".24",
        (Some(_), false, _) => ".45",
    }
}

fn says(point: Point) -> String {
    let what = point.choice.map_or("none", Transport::label);
    let close = if point.is_close && point.sureness != Sureness::TooClose { ", too close to call" } else { "" };
    let beyond = if point.is_beyond { ", beyond what was measured" } else { "" };
    let beyond = if point.sureness == Sureness::Beyond { "" } else { beyond };
    format!("{what}: {}{close}{beyond}", point.sureness.label())
}

/// Where a column begins, on the drawing.
fn edge_x(canvas: &Canvas<'_>, column: usize) -> i32 {
    canvas.at_x(rate_at(float(column) - 0.5))
}

/// Where a row begins, on the drawing.
fn edge_y(canvas: &Canvas<'_>, row: usize) -> i32 {
    canvas.at_y(users_at(float(row) - 0.5))
}

/// Slanting lines over all points of which something is so: falling where `slant` is 1, rising where it
/// is −1. As lines, and not a pattern: those are fetched by address, which the page does for nothing.
fn hatch(canvas: &Canvas<'_>, slant: i32, is_so: impl Fn(usize, usize) -> bool) -> String {
    let (width, height) = (canvas.right() - canvas.left(), canvas.bottom() - canvas.top());
    let is_so_at = |x: i32, y: i32| {
        let (Some(column), Some(row)) = (place(x, width, COLUMNS), place(height - 1 - y, height, ROWS)) else {
            return false;
        };
        is_so(column, row)
    };
    let mut path = String::new();
    let starts = if slant > 0 { -height..width } else { 0..width + height };
    for start in starts.step_by(BETWEEN) {
        let mut begun: Option<i32> = None;
        for y in (0..=height).step_by(STEP) {
            let is_inside = y < height && is_so_at(start + slant * y, y);
            match (begun, is_inside) {
                (None, true) => begun = Some(y),
                (Some(from), false) => {
                    let (x, length) = (start + slant * from, y - from);
                    let (x, y) = (canvas.left() + x, canvas.top() + from);
                    let _written = write!(path, "M{x},{y}l{},{length}", slant * length);
                    begun = None;
                }
                (None, false) | (Some(_), true) => {}
            }
        }
    }
    path
}

/// Which of so many equal parts of a length holds a place.
fn place(at: i32, length: i32, parts: usize) -> Option<usize> {
    let (at, length) = (usize::try_from(at).ok()?, usize::try_from(length).ok()?);
    (at < length).then(|| at * parts / length)
}

/// Lines between neighbours with different choices.
fn borders(canvas: &mut Canvas<'_>, map: &Map) {
    let choice = |column: usize, row: usize| map.at(column, row).choice;
    let mut path = String::new();
    for column in 1..COLUMNS {
        for (from, to) in runs(ROWS, |row| choice(column - 1, row) != choice(column, row)) {
            let (x, top, bottom) = (edge_x(canvas, column), edge_y(canvas, to), edge_y(canvas, from));
            let _written = write!(path, "M{x},{top}V{bottom}");
        }
    }
    for row in 1..ROWS {
        for (from, to) in runs(COLUMNS, |column| choice(column, row - 1) != choice(column, row)) {
            let (y, left, right) = (edge_y(canvas, row), edge_x(canvas, from), edge_x(canvas, to));
            let _written = write!(path, "M{left},{y}H{right}");
        }
    }
    if !path.is_empty() {
        canvas.ground(html! { path class="s-ink border" d=(path) {} });
    }
}

/// Where something is so without a break: from, and up to but without.
fn runs(count: usize, is_so: impl Fn(usize) -> bool) -> Vec<(usize, usize)> {
    let mut runs = Vec::new();
    let mut begun = None;
    for at in 0..=count {
        match (begun, at < count && is_so(at)) {
            (None, true) => begun = Some(at),
            (Some(from), false) => {
                runs.push((from, at));
                begun = None;
            }
            (None, false) | (Some(_), true) => {}
        }
    }
    runs
}

/// A published rule's line, where it crosses the map.
fn rule_line(canvas: &Canvas<'_>, map: &Map, rule: Rule) -> Result<(), Drawing> {
    let (left, right, top, bottom) = (canvas.left(), canvas.right(), canvas.top(), canvas.bottom());
    match rule.line(map.needs.staleness) {
        Some(Line::Users(users)) if (users_at(0.0)..users_at(float(ROWS))).contains(&users) => {
            let y = canvas.at_y(users);
            canvas.rule((left, y), (right, y), Ink::SLO, 4)?;
            canvas.text((left + 10, y + LINE / 2 + 6), rule.label(), Ink::SLO, Hold::Left)
        }
        Some(Line::Rate(rate)) if (rate_at(0.0)..rate_at(float(COLUMNS))).contains(&rate) => {
            let x = canvas.at_x(rate);
            canvas.rule((x, top), (x, bottom), Ink::SLO, 4)?;
            canvas.text((right, top - LINE / 2 - 6), rule.label(), Ink::SLO, Hold::Right)
        }
        Some(Line::Users(_) | Line::Rate(_)) | None => Ok(()),
    }
}

/// A land's marker and name; the marker alone where the name has no room.
fn name(canvas: &mut Canvas<'_>, map: &Map, spot: &Spot) -> Result<(), Drawing> {
    let (column, row) = spot.middle();
    let (x, y) = (canvas.at_x(rate_at(column)), canvas.at_y(users_at(row)));
    let room = edge_x(canvas, spot.room.columns.1) - edge_x(canvas, spot.room.columns.0);
    let words = spot.choice.map_or_else(|| blank(map, spot), Transport::label);
    let width = LETTER * i32::try_from(words.len()).unwrap_or(i32::MAX);
    let Some(choice) = spot.choice else {
        return if width < room { canvas.text((x, y), words, Ink::FAINT, Hold::Middle) } else { Ok(()) };
    };
    let has_room = width + 2 * LINE < room;
    canvas.emblem((if has_room { x - width / 2 } else { x }, y), choice);
    if has_room { canvas.text((x - width / 2 + LINE / 2, y), words, Ink::INK, Hold::Left) } else { Ok(()) }
}

/// What is said where nothing is taken.
fn blank(map: &Map, spot: &Spot) -> &'static str {
    match map.at(spot.room.columns.0, spot.room.rows.0).sureness {
        Sureness::NothingMeets => "none can",
        Sureness::Decided | Sureness::TooClose | Sureness::Provisional | Sureness::Beyond | Sureness::Undecided => {
            "undecided"
        }
    }
}

/// What is taken where, and of how much of the map that is not sure.
fn title(map: &Map) -> String {
    let within = tick(map.needs.staleness * 1e9);
    let taken = map.taken();
    let order = |row: usize| {
        let mut order: Vec<_> = (0..COLUMNS).map(|column| map.at(column, row).choice).collect();
        order.dedup();
        order
    };
    let is_one_order = (1..ROWS).all(|row| order(row) == order(0));
    let words = match (taken.as_slice(), order(0).as_slice()) {
        ([], _) => "no transport".to_owned(),
        ([one], _) if map.share(|it| it.choice.is_none()) <= 0.0 => format!("{} everywhere", one.label()),
        ([one], _) => format!("{} or none", one.label()),
        (_, order) if is_one_order && order.iter().all(Option::is_some) => {
            let names: Vec<&str> = order.iter().flatten().map(|it| it.label()).collect();
            format!("{} as updates become more frequent", names.join(", then "))
        }
        (all, _) => format!("{}, by rate and number of users", list(all)),
    };
    let mostly = |share: f64, what: &str| {
        (share >= 0.5).then(|| format!("; {what} at {} of the points", Quantity::Share.write(share)))
    };
    let close = mostly(map.share(|it| it.is_close), "too close to call");
    let beyond = mostly(map.share(|it| it.is_beyond), "beyond what was measured");
    format!("Within {within}: {words}{}{}", close.unwrap_or_default(), beyond.unwrap_or_default())
}

fn description(map: &Map) -> String {
    format!(
        "Map over updates a second to each user, 0.01 to 100, and users, 100 to 10 million, both on log axes: the \
         transport to take where 99 % of the updates are to be there within {}. {} of it is too close to call, {} \
         beyond what was measured; on {} none is taken.",
        tick(map.needs.staleness * 1e9),
        Quantity::Share.write(map.share(|it| it.is_close)),
        Quantity::Share.write(map.share(|it| it.is_beyond)),
        Quantity::Share.write(map.share(|it| it.choice.is_none())),
    )
}

/// A decade of users each: what is taken at the lowest rate, and from which rate on another.
fn rows(map: &Map) -> Rows {
    let body = rows_words(map).into_iter().map(|row| row.to_vec());
    Rows::new(["users", "from the lowest rate on", "rates that were measured"], body.collect())
}

#[cfg(test)]
mod tests;
