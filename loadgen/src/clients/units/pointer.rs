//! Finds places in a JSON text without building its value. Source: RFC 6901.
//!
//! Several pointers are followed in one pass while they share a path; everything else is skipped. If a name occurs
//! twice, the last one counts, as in most parsers.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// The remaining steps of several pointers; `None` for a pointer that leads elsewhere.
pub(crate) type Ways<'p, const N: usize> = [Option<&'p [String]>; N];

/// The value that each pointer leads to, if any.
pub(crate) type Found<'u, const N: usize> = [Option<&'u RawValue>; N];

/// Follows pointers into a JSON text.
pub(crate) fn find<'u, const N: usize>(text: &'u [u8], ways: &Ways<'_, N>) -> serde_json::Result<Found<'u, N>> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let found = Walk(ways).deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(found)
}

/// The text of a JSON value: a string's content, or any other value as it is written.
pub(crate) fn text(value: &[u8]) -> Option<std::borrow::Cow<'_, [u8]>> {
    let Some(inside) = value.strip_prefix(b"\"") else { return Some(value.into()) };
    let inside = inside.strip_suffix(b"\"")?;
    if memchr::memchr(b'\\', inside).is_none() {
        return Some(inside.into());
    }
    serde_json::from_slice::<String>(value).ok().map(|text| text.into_bytes().into())
}

/// Follows the first step of each pointer.
struct Walk<'p, 'w, const N: usize>(&'w Ways<'p, N>);

impl<'p, const N: usize> Walk<'p, '_, N> {
    /// The pointers that continue through this name.
    fn through(&self, name: &str) -> Option<Ways<'p, N>> {
        let on = self.0.map(|way| way?.split_first().filter(|(first, _)| *first == name).map(|(_, rest)| rest));
        on.iter().any(Option::is_some).then_some(on)
    }
}

/// Follows the pointers that have led to this value.
fn enter<'u, const N: usize>(
    value: &'u RawValue,
    ways: &Ways<'_, N>,
    found: &mut Found<'u, N>,
) -> serde_json::Result<()> {
    let further = ways.map(|way| way.filter(|rest| !rest.is_empty()));
    let deeper = match further.iter().any(Option::is_some) {
        true => find(value.get().as_bytes(), &further)?,
        false => [None; N],
    };
    for ((found, way), deeper) in found.iter_mut().zip(ways).zip(deeper) {
        match way {
            Some([]) => *found = Some(value),
            Some(_) => *found = deeper,
            None => {}
        }
    }
    Ok(())
}

impl<'u, const N: usize> DeserializeSeed<'u> for Walk<'_, '_, N> {
    type Value = Found<'u, N>;

    fn deserialize<D: Deserializer<'u>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'u, const N: usize> Visitor<'u> for Walk<'_, '_, N> {
    type Value = Found<'u, N>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON text")
    }

    fn visit_map<A: MapAccess<'u>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = [None; N];
        while let Some(ways) = map.next_key_seed(Key(&self))? {
            match ways {
                Some(ways) => enter(map.next_value()?, &ways, &mut found).map_err(de::Error::custom)?,
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'u>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut found = [None; N];
        for index in 0_usize.. {
            match self.through(&index.to_string()) {
                Some(ways) => match seq.next_element()? {
                    Some(value) => enter(value, &ways, &mut found).map_err(de::Error::custom)?,
                    None => break,
                },
                None if seq.next_element::<IgnoredAny>()?.is_none() => break,
                None => {}
            }
        }
        Ok(found)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok([None; N])
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok([None; N])
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok([None; N])
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok([None; N])
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok([None; N])
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok([None; N])
    }
}

/// Compares a name with the wanted ones without storing it.
struct Key<'p, 'w, 's, const N: usize>(&'s Walk<'p, 'w, N>);

impl<'u, 'p, const N: usize> DeserializeSeed<'u> for Key<'p, '_, '_, N> {
    type Value = Option<Ways<'p, N>>;

    fn deserialize<D: Deserializer<'u>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'p, const N: usize> Visitor<'_> for Key<'p, '_, '_, N> {
    type Value = Option<Ways<'p, N>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.0.through(name))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn names(pointer: &str) -> Vec<String> {
        pointer.split('/').skip(1).map(str::to_owned).collect()
    }

    fn one(text: &str, pointer: &str) -> Option<String> {
        let names = names(pointer);
        find(text.as_bytes(), &[Some(&names)]).unwrap()[0].map(|value| value.get().to_owned())
    }

    #[test]
    fn pointers_lead_where_they_say() {
        let text = r#" { "a" : {"b": [10, {"c" : "x\"y"}], "a": 3}, "id" : 7, "a b" : null } "#;
        for (pointer, found) in [
            ("/id", Some("7")),
            ("/a/b/0", Some("10")),
            ("/a/b/1/c", Some(r#""x\"y""#)),
            ("/a/b/2", None),
            ("/a/a", Some("3")),
            ("/a/a/a", None),
            ("/a b", Some("null")),
            ("/b", None),
        ] {
            assert_eq!(one(text, pointer).as_deref(), found, "{pointer}");
        }
        assert!(find::<1>(b"{", &[None]).is_err() && find::<1>(b"{} x", &[None]).is_err());
    }

    #[test]
    fn several_are_followed_together() {
        let [a, b, c] = ["/m/text", "/m/id", "/m"].map(names);
        let text = br#"{"m":{"id":1,"text":"t"}}"#;
        let found = find(text, &[Some(&a), Some(&b), Some(&c)]).unwrap();
        assert_eq!(found.map(|value| value.unwrap().get()), ["\"t\"", "1", r#"{"id":1,"text":"t"}"#]);
    }

    #[test]
    fn a_string_stands_for_its_text() {
        let read = |value: &[u8]| text(value).map(|text| String::from_utf8(text.into_owned()).unwrap());
        assert_eq!(read(br#""a\"b\u00e9""#).as_deref(), Some("a\"b\u{e9}"));
        assert_eq!(read(br#"{"a":1}"#).as_deref(), Some(r#"{"a":1}"#));
        assert_eq!(read(b"\"plain\"").as_deref(), Some("plain"));
        assert_eq!((read(b"\"cut"), read(b"\"")), (None, None));
    }

    proptest! {
        #[test]
        fn the_search_finds_what_a_whole_parse_finds(
            keys in proptest::collection::vec("[ab0-2]", 1..4),
            text in r#"(\{"a":|\[|\{"b":|\{"0":){0,3}[0-9]{0,1}(\}|\]|,1\]|,"a":2\}){0,3}"#,
        ) {
            let pointer: String = keys.iter().map(|key| format!("/{key}")).collect();
            match serde_json::from_str::<Value>(&text) {
                Ok(value) => prop_assert_eq!(
                    one(&text, &pointer).map(|found| serde_json::from_str(&found).unwrap()),
                    value.pointer(&pointer).cloned()
                ),
                Err(_) => prop_assert!(find(text.as_bytes(), &[Some(&keys)]).is_err()),
            }
        }

        #[test]
        fn no_bytes_make_the_search_panic(bytes: Vec<u8>) {
            let names = names("/a/0");
            drop(find(&bytes, &[Some(&names)]));
            drop(text(&bytes));
        }
    }
}
