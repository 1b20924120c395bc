//! What servers cost: a small table that users replace by their own.

use std::path::Path;

use pushoff_model::file::{self, FileError};
use pushoff_model::foreign::{quoted, shown};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

pub(crate) const GIBIBYTE: f64 = 1_073_741_824.0;
/// Seconds of a month of 730 hours.
pub(crate) const MONTH: f64 = 2_628_000.0;
/// The default table.
const SHIPPED: &str = include_str!("../prices.toml");
/// The name of the default table in messages.
const SHIPPED_NAME: &str = "planner/prices.toml";
/// The highest price. Chosen here: a higher one is a typing error.
const MOST: f64 = 1e9;

/// Prices of a month of 730 hours.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prices {
    /// What the prices are in: `USD`.
    #[serde(deserialize_with = "currency")]
    currency: String,
    /// A processor core for a month.
    #[serde(deserialize_with = "price")]
    pub(crate) core_month: f64,
    /// A GiB of memory for a month.
    #[serde(deserialize_with = "price")]
    pub(crate) gib_month: f64,
    /// 10⁹ bytes to the users.
    #[serde(deserialize_with = "price")]
    pub(crate) egress_gb: f64,
    /// 10⁹ bytes from the users.
    #[serde(default, deserialize_with = "price")]
    pub(crate) ingress_gb: f64,
    /// A million requests.
    #[serde(default, deserialize_with = "price")]
    pub(crate) request_million: f64,
}

/// What servers need, all users together.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Needed {
    /// Processor cores.
    pub cores: f64,
    /// Bytes of memory.
    pub memory_bytes: f64,
    /// Bytes a second to the users, headers included.
    pub down_bytes_per_second: f64,
    /// Bytes a second from the users, headers included.
    pub up_bytes_per_second: f64,
    /// Requests a second.
    pub requests_per_second: f64,
}

/// A month's bill in its parts, in the currency of the prices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Money {
    /// For processor time.
    pub processor: f64,
    /// For memory.
    pub memory: f64,
    /// For bytes in both directions.
    pub traffic: f64,
    /// For requests.
    pub requests: f64,
}

impl Money {
    /// The whole bill.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.processor + self.memory + self.traffic + self.requests
    }
}

/// A finite amount of money from 0 on.
fn price<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    let price = f64::deserialize(from)?;
    let is_price = (0.0..=MOST).contains(&price);
    is_price
        .then_some(price)
        .ok_or_else(|| Error::custom(format!("a price is {price}: a number from 0 to 1e9 is needed")))
}

/// A word to stand behind an amount.
fn currency<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let word = String::deserialize(from)?;
    let is_short = (1..=8).contains(&word.chars().count()) && !word.contains(char::is_whitespace);
    if is_short && shown(&word, 8) == word {
        return Ok(word);
    }
    Err(Error::custom(format!("a currency is {}: 1 to 8 characters are needed, e.g. USD", quoted(&word))))
}

impl Prices {
    /// The table that comes with pushoff.
    #[must_use]
    #[expect(clippy::expect_used, clippy::missing_panics_doc, reason = "a test parses what is built in")]
    pub fn shipped() -> Self {
        file::parsed(SHIPPED, SHIPPED_NAME.as_ref()).expect("the prices that are built in are a table of them")
    }

    /// Reads a table from a file.
    ///
    /// # Errors
    /// When the file cannot be read, or is not a table of prices.
    pub fn read(path: &Path) -> Result<Self, FileError> {
        file::parsed(&file::read_text(path)?, path)
    }

    /// What a month of 730 hours costs in which this is needed throughout.
    #[must_use]
    pub fn month(&self, needed: &Needed) -> Money {
        let gigabytes = |bytes_per_second: f64| bytes_per_second * MONTH / 1e9;
        let down = gigabytes(needed.down_bytes_per_second) * self.egress_gb;
        Money {
            processor: needed.cores * self.core_month,
            memory: needed.memory_bytes / GIBIBYTE * self.gib_month,
            traffic: gigabytes(needed.up_bytes_per_second).mul_add(self.ingress_gb, down),
            requests: needed.requests_per_second * MONTH / 1e6 * self.request_million,
        }
    }

    /// What the prices are in.
    #[must_use]
    pub fn currency(&self) -> &str {
        &self.currency
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_adds_up_from_its_parts() {
        let prices = Prices { ingress_gb: 0.01, request_million: 0.5, ..Prices::shipped() };
        let needed = Needed {
            cores: 2.0,
            memory_bytes: GIBIBYTE,
            down_bytes_per_second: 1e6,
            up_bytes_per_second: 1e5,
            requests_per_second: 100.0,
        };
        let money = prices.month(&needed);
        assert!((money.processor - 50.0).abs() < 1e-9 && (money.memory - 3.0).abs() < 1e-9);
        // 2,628 GB down at 0.08, 262.8 GB up at 0.01, and 262.8 million requests at 0.5.
        assert!((money.traffic - 212.868).abs() < 1e-6 && (money.requests - 131.4).abs() < 1e-6, "{money:?}");
        assert!((money.total() - 397.268).abs() < 1e-6);
    }

    fn parsed(text: &str) -> Result<Prices, FileError> {
        file::parsed(text, "my.toml".as_ref())
    }

    #[test]
    fn the_table_that_ships_is_one() {
        let prices = Prices::shipped();
        assert_eq!(prices.currency(), "USD");
        assert!(prices.core_month > prices.gib_month && prices.gib_month > prices.egress_gb);
    }

    #[test]
    fn what_is_wrong_is_said_in_one_line_with_its_place() {
        let right = "currency = \"EUR\"\ncore_month = 20\ngib_month = 2.5\negress_gb = 0.05\n";
        assert!(parsed(right).unwrap().ingress_gb < f64::EPSILON);
        let cases = [
            (right.replace("20", "-20"), "my.toml line 2: `core_month`: a price is -20: a number from 0"),
            (right.replace("2.5", "nan"), "my.toml line 3: `gib_month`: a price is NaN"),
            (right.replace("2.5", "inf"), "my.toml line 3: `gib_month`: a price is inf"),
            (right.replace("EUR", ""), "my.toml line 1: `currency`: a currency is \"\""),
            (right.replace("EUR", "\\u202e"), "a currency is \"\\u{202e}\""),
            (format!("{right}cores = 4\n"), "my.toml line 5: unknown field `cores`"),
            (right.replace("egress_gb = 0.05\n", ""), "missing field `egress_gb`"),
            ("<html>".into(), "my.toml line 1: "),
        ];
        for (text, said) in cases {
            let sentence = parsed(&text).unwrap_err().to_string();
            assert!(sentence.contains(said) && !sentence.contains('\n'), "{sentence}");
        }
    }
}
