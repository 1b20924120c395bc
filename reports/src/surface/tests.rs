use proptest::prelude::*;
use pushoff_model::workload::Direction;

use super::*;
use crate::fixture;
use pushoff_planner::costs::{Quantity as Cost, Regressor};

const NEEDS: Needs = Needs { audience: None, payload: 150.0, direction: Direction::Down, ..Needs::EXAMPLE };

fn kind() -> Kind {
    Kind { label: "ticker".into(), needs: NEEDS, stands: Vec::new() }
}

fn surface(model: &CostModel) -> Surface {
    Surface::of(kind(), model, &Prices::shipped())
}

#[test]
fn every_point_is_what_the_planner_says() {
    let (model, prices) = (fixture::model(), Prices::shipped());
    for map in &surface(&model).maps {
        for (column, row, point) in map.points() {
            let needs = Needs { rate: rate_at(float(column)), users: users_at(float(row)), ..map.needs };
            let answer = answer(&model, &needs, &prices);
            assert_eq!((point.choice, point.sureness), (answer.choice, answer.sureness));
            assert_eq!(point.is_close, answer.choice.is_some() && answer.tied.len() > 1);
            assert_eq!(point.is_beyond, !answer.beyond().is_empty());
        }
    }
}

#[test]
fn the_maps_reach_from_one_update_in_100_s_to_100_a_second_and_from_100_users_to_10_million() {
    assert!((rate_at(0.0) - 0.01).abs() < 1e-9 && (rate_at(float(COLUMNS - 1)) - 100.0).abs() < 1e-9);
    assert!((users_at(0.0) - 100.0).abs() < 1e-9 && (users_at(float(ROWS - 1)) - 1e7).abs() < 1e-3);
    assert!(
        WALKED
            .iter()
            .all(|&row| (users_at(float(row)).log10() % 1.0).min(1.0 - users_at(float(row)).log10() % 1.0) < 1e-9)
    );
}

#[test]
fn a_border_lies_where_the_answers_differ_and_nowhere_else() {
    let (model, prices) = (fixture::model(), Prices::shipped());
    let mut seen = 0;
    for map in &surface(&model).maps {
        for (walked, crossings) in map.crossings.iter().enumerate() {
            let row = WALKED[walked];
            let at = |rate: f64| {
                Point::of(&answer(&model, &Needs { rate, users: users_at(float(row)), ..map.needs }, &prices))
            };
            for crossing in crossings {
                // The halvings leave a thousandth of the gap between two points: 0.03 % of the rate.
                let (below, above) = (at(crossing.rate / 1.0005), at(crossing.rate));
                assert_ne!((below.choice, below.is_close), (above.choice, above.is_close), "{crossing:?}");
                seen += 1;
            }
            let changes = (1..COLUMNS).filter(|&column| {
                let (one, other) = (map.at(column - 1, row), map.at(column, row));
                (one.choice, one.is_close) != (other.choice, other.is_close)
            });
            assert_eq!(crossings.len(), changes.count());
        }
    }
    assert!(seen > 0, "no border was looked at");
}

#[test]
fn each_border_of_a_map_is_named_once() {
    let surface = surface(&fixture::model());
    let words: Vec<String> = surface.maps.iter().filter_map(sentence).collect();
    insta::assert_snapshot!("borders", words.join("\n"));
}

/// The model with polls that cost so many times as much.
fn with_polls(times: f64) -> CostModel {
    let mut model = fixture::model();
    for laws in &mut model.transports {
        for term in laws.fitted.get_mut(&Cost::Processor).into_iter().flat_map(|law| &mut law.terms) {
            if matches!(term.regressor, Regressor::Answers | Regressor::Empties) {
                term.value *= times;
            }
        }
    }
    model
}

#[test]
fn what_is_said_of_a_rule_follows_from_the_data() {
    let said = |times: f64| -> Vec<String> {
        let model = with_polls(times);
        let surface = surface(&model);
        rules(&model, NEEDS.rtt).into_iter().map(|rule| rule.sentence(&surface)).collect()
    };
    let (cheap, dear) = (said(0.01), said(100.0));
    assert_eq!((cheap.len(), dear.len()), (2, 2));
    assert_ne!(cheap[0], dear[0]);
    insta::assert_snapshot!("rules", [said(1.0), cheap, dear].concat().join("\n"));
}

#[test]
fn a_rule_speaks_only_where_it_is_said_to_hold() {
    let all = rules(&fixture::model(), 0.04);
    assert_eq!(all[0].line(1.0), None);
    assert_eq!(all[0].line(10.0), Some(Line::Users(1e9 / 9_000.0 * 10.0)));
    assert_eq!(all[1].line(1.0), Some(Line::Rate(25.0)));
    assert_eq!(rules(&fixture::model(), 0.0).len(), 1);
}

proptest! {
    #[test]
    fn blocks_hold_each_point_once_and_no_other(so in prop::collection::vec(any::<bool>(), COLUMNS * ROWS)) {
        let mut held = vec![0; COLUMNS * ROWS];
        for block in blocks(|column, row| so[row * COLUMNS + column]) {
            for row in block.rows.0..block.rows.1 {
                for column in block.columns.0..block.columns.1 {
                    held[row * COLUMNS + column] += 1;
                }
            }
        }
        prop_assert!(held.iter().zip(&so).all(|(times, so)| *times == i32::from(*so)));
    }
}

#[test]
fn a_name_stands_on_its_own_land() {
    for map in &surface(&fixture::model()).maps {
        let spots = spots(map);
        assert!(!spots.is_empty());
        for spot in spots {
            for row in spot.room.rows.0..spot.room.rows.1 {
                let columns = spot.room.columns.0..spot.room.columns.1;
                assert!(columns.into_iter().all(|column| map.at(column, row).choice == spot.choice));
            }
        }
    }
}
