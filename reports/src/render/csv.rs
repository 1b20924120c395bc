//! CSV (RFC 4180): a row a cell and metric, with interval and trials.

use std::collections::BTreeSet;

use pushoff_model::CellKey;

use crate::blocks::Document;
use crate::metric::{Bound, Metric, Value};

/// The columns beside those of the conditions.
const BEFORE: [&str; 2] = ["workload", "transport"];
const AFTER: [&str; 9] = ["metric", "label", "unit", "better", "point", "low", "high", "bound", "trials"];

/// The cells of a document.
pub(super) fn document(document: &Document) -> String {
    let factors: BTreeSet<&str> =
        document.cells.iter().flat_map(|(key, _)| key.conditions.factors()).map(|(factor, _)| factor).collect();
    let mut text = line(BEFORE.into_iter().chain(factors.iter().copied()).chain(AFTER).map(str::to_owned));
    for (key, figures) in &document.cells {
        for (metric, value) in figures.iter() {
            text.push_str(&row(key, &factors, metric, value, figures.trials));
        }
    }
    text
}

fn row(key: &CellKey, factors: &BTreeSet<&str>, metric: Metric, value: Value, trials: usize) -> String {
    let place = [key.workload.clone(), key.transport.name().to_owned()];
    let conditions = factors.iter().map(|factor| key.conditions.value(factor).unwrap_or_default().to_owned());
    let number = |number: f64| if number.is_finite() { number.to_string() } else { String::new() };
    let end =
        |of: fn(pushoff_stats::Interval) -> f64| value.figure.interval.map_or_else(String::new, |it| number(of(it)));
    let bound = match value.bound {
        Bound::Exact => "",
        Bound::AtLeast => "at least",
        Bound::AtMost => "at most",
    };
    let figure = [
        metric.id().to_owned(),
        metric.label().to_owned(),
        metric.unit().name().to_owned(),
        metric.better().name().to_owned(),
        number(value.figure.point),
        end(|it| it.low),
        end(|it| it.high),
        bound.to_owned(),
        trials.to_string(),
    ];
    line(place.into_iter().chain(conditions).chain(figure))
}

fn line(fields: impl Iterator<Item = String>) -> String {
    fields.map(|field| quoted(&field)).collect::<Vec<_>>().join(",") + "\r\n"
}

/// A field that a spreadsheet reads as text and not as a formula.
fn quoted(field: &str) -> String {
    let is_formula =
        field.starts_with(['=', '+', '@', '\t', '\r']) || field.starts_with('-') && field.parse::<f64>().is_err();
    let field = if is_formula { format!("'{field}") } else { field.to_owned() };
    if field.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", field.replace('"', "\"\"")) } else { field }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::study::Study;
    use crate::fixture;

    #[test]
    fn a_row_a_cell_and_metric_with_interval_and_trials() {
        let run = fixture::run();
        let text = document(&crate::document::report(&Study::of(&run)).unwrap());
        let mut lines = text.split("\r\n");
        assert_eq!(
            lines.next(),
            Some("workload,transport,client,server,metric,label,unit,better,point,low,high,bound,trials")
        );
        let p50 = lines.find(|it| it.starts_with("ticker,sse,library,pushoff,p50_ns,p50,time,lower,")).unwrap();
        let fields: Vec<&str> = p50.split(',').collect();
        let [point, low, high] = [8, 9, 10].map(|at| fields[at].parse::<f64>().unwrap());
        assert!(low < point && point < high && point > 1e6, "{p50}");
        assert_eq!((fields[11], fields[12]), ("", "3"));
    }

    #[test]
    fn a_figure_that_is_not_finite_is_empty() {
        let run = fixture::run();
        let (key, _) = &crate::document::report(&Study::of(&run)).unwrap().cells[0];
        let endless = Value::exact(pushoff_stats::Figure { point: f64::INFINITY, interval: None });
        let row = row(key, &BTreeSet::new(), Metric::P50, endless, 3);
        assert!(row.ends_with(",time,lower,,,,,3\r\n"), "{row}");
    }

    #[test]
    fn what_others_wrote_is_neither_a_formula_nor_a_second_row() {
        assert_eq!(quoted("=1+2"), "'=1+2");
        assert_eq!(quoted("-0.5"), "-0.5");
        assert_eq!(quoted("a,\"b\"\n"), "\"a,\"\"b\"\"\n\"");
    }
}
