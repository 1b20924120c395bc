use pushoff_model::workload::Direction;

use super::*;
use crate::fixture;
use crate::surface::{Stand, Surface, rules};
use pushoff_planner::{Needs, Prices, answer};

fn surface() -> Surface {
    let needs = Needs { audience: None, payload: 150.0, direction: Direction::Down, ..Needs::EXAMPLE };
    let stands = vec![Stand { label: "feed".into(), users: 1_000.0, rate: 10.0, is_of_kind: true }];
    let kind = Kind { label: "ticker".into(), needs, stands };
    Surface::of(kind, &fixture::model(), &Prices::shipped())
}

fn drawn(surface: &Surface) -> Vec<Chart> {
    let rules = rules(&fixture::model(), surface.kind.needs.rtt);
    surface.maps.iter().map(|map| chart(&surface.kind, map, &rules).unwrap()).collect()
}

/// The attribute of an element.
fn attribute<'a>(element: &'a str, name: &str) -> &'a str {
    let from = element.split(&format!(" {name}=\"")).nth(1).unwrap_or_default();
    from.split('"').next().unwrap()
}

fn elements<'a>(drawing: &'a str, class: &str) -> Vec<&'a str> {
    drawing.split('<').filter(|it| it.starts_with("path ") && attribute(it, "class").contains(class)).collect()
}

fn numbers(text: &str) -> Vec<i32> {
    let parts = text.split(|it: char| it != '-' && !it.is_ascii_digit()).filter(|it| !it.is_empty());
    parts.map(|it| it.parse().unwrap()).collect()
}

/// Where the middle of a point lies: the drawing's own arithmetic, written anew.
fn middle(column: usize, row: usize) -> (i32, i32) {
    let part = |at: usize, all: usize, length: usize| i32::try_from(length * (2 * at + 1) / (2 * all)).unwrap();
    (160 + part(column, COLUMNS, 1_040), 820 - part(row, ROWS, 708))
}

#[test]
fn the_colour_of_a_point_is_the_planners_choice() {
    let (model, prices, surface) = (fixture::model(), Prices::shipped(), surface());
    for (map, chart) in surface.maps.iter().zip(drawn(&surface)) {
        let lands = elements(&chart.drawing.0, "land");
        for (column, row) in (0..ROWS).flat_map(|row| (0..COLUMNS).map(move |column| (column, row))) {
            let (x, y) = middle(column, row);
            let holds = |land: &&&str| {
                let outline = numbers(attribute(land, "d"));
                outline.chunks(5).any(|it| it[0] <= x && x < it[2] && it[1] <= y && y < it[3])
            };
            let holding: Vec<_> = lands.iter().filter(holds).collect();
            assert_eq!(holding.len(), 1, "{column}, {row}");
            let needs = Needs { rate: rate_at(float(column)), users: users_at(float(row)), ..map.needs };
            let answer = answer(&model, &needs, &prices);
            let class = answer.choice.map_or("pt land".to_owned(), |it| format!("pt land f-{it}"));
            assert_eq!(attribute(holding[0], "class"), class);
            assert!(attribute(holding[0], "data-say").contains(answer.sureness.label()));
        }
    }
}

#[test]
fn what_is_hatched_as_unmeasured_is_what_the_planner_calls_beyond() {
    let surface = surface();
    let mut seen = (0, 0);
    for (map, chart) in surface.maps.iter().zip(drawn(&surface)) {
        let hatched = elements(&chart.drawing.0, "beyond");
        let lines: Vec<_> = hatched.iter().flat_map(|it| numbers(attribute(it, "d"))).collect();
        let crossed = |column: usize, row: usize| {
            let (x, y) = middle(column, row);
            // Twelve units around the middle of a point, well inside of it.
            lines
                .chunks(4)
                .any(|it| (0..it[3]).any(|step| (it[0] - step - x).abs() <= 12 && (it[1] + step - y).abs() <= 12))
        };
        for (column, row, point) in map.points() {
            assert!(point.is_beyond || !crossed(column, row), "{column}, {row} is hatched");
            seen =
                (seen.0 + usize::from(point.is_beyond), seen.1 + usize::from(point.is_beyond && crossed(column, row)));
        }
    }
    assert!(seen.0 > 0 && seen.1 * 10 > seen.0 * 7, "of {} points {} have a line near their middle", seen.0, seen.1);
}

#[test]
fn a_line_is_drawn_between_neighbours_of_different_choice_and_nowhere_else() {
    let surface = surface();
    for (map, chart) in surface.maps.iter().zip(drawn(&surface)) {
        let path = elements(&chart.drawing.0, "border").first().map_or("", |it| attribute(it, "d")).to_owned();
        let pieces: Vec<(Vec<i32>, bool)> =
            path.split('M').filter(|it| !it.is_empty()).map(|it| (numbers(it), it.contains('V'))).collect();
        let is_crossed = |one: (i32, i32), other: (i32, i32)| {
            pieces.iter().any(|(it, is_upright)| match is_upright {
                true => one.0 < it[0] && it[0] <= other.0 && it[1] <= one.1 && one.1 <= it[2],
                false => other.1 < it[1] && it[1] <= one.1 && it[0] <= one.0 && one.0 <= it[2],
            })
        };
        for (column, row, point) in map.points() {
            for (right, above) in [(column + 1, row), (column, row + 1)] {
                if right < COLUMNS && above < ROWS {
                    let differs = map.at(right, above).choice != point.choice;
                    assert_eq!(is_crossed(middle(column, row), middle(right, above)), differs, "{column}, {row}");
                }
            }
        }
    }
}

#[test]
fn the_titles_and_rows_say_what_is_drawn() {
    let surface = surface();
    let words = drawn(&surface).into_iter().map(|chart| {
        let rows: Vec<String> = chart.rows.body.iter().map(|row| row.join(" | ")).collect();
        format!("{}\n{}\n{}", chart.title, chart.description, rows.join("\n"))
    });
    insta::assert_snapshot!("surface", words.collect::<Vec<_>>().join("\n\n"));
}

#[test]
fn a_map_as_a_whole() {
    let surface = surface();
    let drawing = drawn(&surface).remove(1).drawing.0;
    assert!(drawing.len() < 12_000, "{} bytes", drawing.len());
    insta::assert_snapshot!("surface_drawing", drawing.replace('>', ">\n"));
}
