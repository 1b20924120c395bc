//! A value of whatever kind, for a message that says what it is and what is needed in its place.

use std::fmt;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use toml::Value;

use crate::foreign::{self, shown};

/// What was written. An integer that TOML's own have no room for is a floating-point number.
#[derive(Debug)]
pub(crate) struct Typed(Value);

impl Typed {
    /// The whole number that it is, if it is one.
    pub(crate) fn whole(&self) -> Option<i64> {
        self.0.as_integer()
    }

    /// The number that it is, whole or not.
    #[expect(clippy::cast_precision_loss, reason = "beyond 2⁵³ nothing is asked for")]
    pub(crate) fn number(&self) -> Option<f64> {
        self.0.as_float().or_else(|| self.whole().map(|whole| whole as f64))
    }

    /// The text that it is, if it is one.
    pub(crate) fn text(&self) -> Option<&str> {
        self.0.as_str()
    }
}

/// As a message shows it.
impl fmt::Display for Typed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Value::Float(number) if *number != 0.0 && !(1e-6..1e16).contains(&number.abs()) => write!(f, "{number:e}"),
            Value::Float(number) => write!(f, "{number}"),
            Value::String(_)
            | Value::Integer(_)
            | Value::Boolean(_)
            | Value::Datetime(_)
            | Value::Array(_)
            | Value::Table(_) => f.write_str(&shown(&self.0.to_string(), foreign::NAME)),
        }
    }
}

impl<'de> Deserialize<'de> for Typed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any).map(Self)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    #[expect(clippy::cast_precision_loss, reason = "it is shown, and too large for everything")]
    fn visit_i128<E>(self, value: i128) -> Result<Value, E> {
        Ok((value as f64).into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, values: A) -> Result<Value, A::Error> {
        Value::deserialize(SeqAccessDeserializer::new(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Value, A::Error> {
        Value::deserialize(MapAccessDeserializer::new(entries))
    }
}
