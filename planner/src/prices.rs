//! What servers cost: a small table that people replace by their own.

use std::path::Path;

use pushoff_model::file::{self, FileError};
use pushoff_model::foreign::{quoted, shown};
use serde::{Deserialize, Serialize};

/// The table that is taken where none is named.
const SHIPPED: &str = include_str!("../prices.toml");
/// What it is called in messages.
const SHIPPED_NAME: &str = "planner/prices.toml";
/// The most that something may cost. Chosen here: beyond it a figure is a slip of the keyboard.
pub const MOST: f64 = 1e9;

/// Prices of a month of 730 hours.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prices {
    /// What the others are in: `USD`.
    currency: Currency,
    core_month: Price,
    gib_month: Price,
    egress_gb: Price,
    #[serde(default)]
    ingress_gb: Price,
}

/// A finite amount of money from 0 on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
struct Price(f64);

impl TryFrom<f64> for Price {
    type Error = String;

    fn try_from(price: f64) -> Result<Self, String> {
        let is_price = (0.0..=MOST).contains(&price);
        is_price.then_some(Self(price)).ok_or_else(|| format!("a price is {price}: a number from 0 to 1e9 is needed"))
    }
}

impl From<Price> for f64 {
    fn from(price: Price) -> Self {
        price.0
    }
}

/// A word to stand behind an amount.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
struct Currency(String);

impl TryFrom<String> for Currency {
    type Error = String;

    fn try_from(word: String) -> Result<Self, String> {
        let is_word =
            (1..=8).contains(&word.chars().count()) && shown(&word, 8) == word && !word.contains(char::is_whitespace);
        is_word
            .then_some(Self(word.clone()))
            .ok_or_else(|| format!("a currency is {}: 1 to 8 characters are needed, e.g. USD", quoted(&word)))
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.0
    }
}

impl Prices {
    /// The table that comes with pushoff.
    #[must_use]
    #[expect(clippy::expect_used, clippy::missing_panics_doc, reason = "a test parses what is built in")]
    pub fn shipped() -> Self {
        file::parsed(SHIPPED, SHIPPED_NAME.as_ref()).expect("the prices that are built in are a table of them")
    }

    /// Reads one's own.
    ///
    /// # Errors
    /// When the file cannot be read, or is not a table of prices.
    pub fn read(path: &Path) -> Result<Self, FileError> {
        file::parsed(&file::read_text(path)?, path)
    }

    /// What amounts are in.
    pub fn currency(&self) -> &str {
        &self.currency.0
    }

    /// A processor core for a month.
    pub const fn core_month(&self) -> f64 {
        self.core_month.0
    }

    /// A GiB of memory for a month.
    pub const fn gib_month(&self) -> f64 {
        self.gib_month.0
    }

    /// 10⁹ bytes to the users.
    pub const fn egress_gb(&self) -> f64 {
        self.egress_gb.0
    }

    /// 10⁹ bytes from them.
    pub const fn ingress_gb(&self) -> f64 {
        self.ingress_gb.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Prices, FileError> {
        file::parsed(text, "my.toml".as_ref())
    }

    #[test]
    fn the_table_that_ships_is_one() {
        let prices = Prices::shipped();
        assert_eq!(prices.currency(), "USD");
        assert!(prices.core_month() > prices.gib_month() && prices.gib_month() > prices.egress_gb());
    }

    #[test]
    fn what_is_wrong_is_said_in_one_line_with_its_place() {
        let right = "currency = \"EUR\"\ncore_month = 20\ngib_month = 2.5\negress_gb = 0.05\n";
        assert!(parsed(right).unwrap().ingress_gb() < f64::EPSILON);
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
