//! The model that comes with pushoff: fitted to a recorded run, whose report checks it.

use super::CostModel;

/// Written by `pushoff report` of that run, which `scripts/model` measured.
const MODEL: &str = include_str!("../../../results/model-2026-11-23/model.json");

/// The model of the recorded run.
pub(crate) fn shipped() -> CostModel {
    #[expect(clippy::expect_used, reason = "a test parses what is built in")]
    CostModel::parse(MODEL).expect("the model that is built in is one")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::Run;
    use crate::group::group;

    /// A run that is kept in `results/`.
    fn recorded(folder: &Path) -> Run {
        let stored = pushoff_model::store::read(&folder.join("records.jsonl")).unwrap();
        let environment = std::fs::read(folder.join("environment.json")).unwrap();
        Run { environments: vec![serde_json::from_slice(&environment).unwrap()], records: stored.records }
    }

    /// Equal but for what another machine rounds otherwise.
    fn are_close(one: &serde_json::Value, other: &serde_json::Value) -> bool {
        match (one, other) {
            (serde_json::Value::Object(one), serde_json::Value::Object(other)) => {
                one.len() == other.len() && one.iter().all(|(key, value)| are_close(value, &other[key]))
            }
            (serde_json::Value::Array(one), serde_json::Value::Array(other)) => {
                one.len() == other.len() && one.iter().zip(other).all(|(one, other)| are_close(one, other))
            }
            (serde_json::Value::Number(one), serde_json::Value::Number(other)) => {
                let (one, other) = (one.as_f64().unwrap(), other.as_f64().unwrap());
                (one - other).abs() <= 1e-6 * one.abs().max(1e-12)
            }
            (one, other) => one == other,
        }
    }

    #[test]
    fn the_model_that_is_built_in_is_what_its_records_give() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../results/model-2026-11-23");
        let run = recorded(&folder);
        let fitted = CostModel::of(&run, &group(&run)).unwrap();
        let [fitted, built_in] =
            [fitted.to_json().unwrap().as_str(), MODEL].map(|text| serde_json::from_str(text).unwrap());
        assert!(are_close(&fitted, &built_in), "make it anew: pushoff report {}", folder.display());
    }
}
