//! The charts: one file each. Axes are each chart's own, so that what decides has the room.
//!
//! A title says what is seen and is never stronger than the intervals allow; every chart has its data as a table.

mod axis;
mod canvas;
mod cost;
mod ink;
mod labels;
mod load;
mod networks;
mod percentiles;
mod wires;

use pushoff_model::Transport;

pub(crate) use crate::blocks::{Chart, Rows};
use crate::words::text::{capitalised, list};

pub(crate) use canvas::SIZE;
pub(crate) use cost::chart as cost;
pub(crate) use load::chart as load;
pub(crate) use networks::{Along, Latency, chart as networks};
pub(crate) use percentiles::chart as percentiles;
pub(crate) use wires::chart as wires;

/// A range that holds nothing yet.
const NOTHING: (f64, f64) = (f64::INFINITY, 0.0);

const fn widen(range: &mut (f64, f64), value: f64) {
    *range = (range.0.min(value), range.1.max(value));
}

/// `SSE and WebSocket` at the start of a title, `All five` where they are.
fn named(transports: &[Transport]) -> String {
    let ranked = Transport::ALL.into_iter().filter(|transport| transport.is_ranked()).count();
    if transports.len() == ranked {
        return "All five".into();
    }
    capitalised(&list(transports))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::study::Study;
    use crate::fixture;

    fn charts(study: &Study<'_>) -> Vec<Chart> {
        study.comparisons.iter().flat_map(|it| [percentiles(it), cost(it)]).filter_map(Result::unwrap).collect()
    }

    #[test]
    fn every_chart_has_a_title_a_description_and_its_rows() {
        let run = fixture::run();
        let study = Study::of(&run);
        let charts = charts(&study);
        assert_eq!(charts.len(), 2 * study.comparisons.len());
        for chart in charts {
            assert!(!chart.title.is_empty() && !chart.description.is_empty());
            assert!(!chart.rows.body.is_empty(), "{}", chart.key);
            assert!(chart.rows.body.iter().all(|row| row.len() == chart.rows.head.len()), "{}", chart.key);
            assert!(!chart.drawing.0.contains("#FA01"), "a stand-in colour is left in {}", chart.key);
        }
    }

    #[test]
    fn the_titles_say_what_the_fixture_shows() {
        let run = fixture::run();
        let titles: Vec<String> = charts(&Study::of(&run)).into_iter().map(|chart| chart.title).collect();
        insta::assert_snapshot!("titles", titles.join("\n"));
    }
}
