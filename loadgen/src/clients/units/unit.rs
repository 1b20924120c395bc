//! Reads a unit: a line, an event's data, a frame, or a whole response. The target's dialect says where in it the
//! parts of a message are.

use std::borrow::Cow;

use pushoff_model::target::{Parts, Pointer};
use serde_json::value::RawValue;

use super::pointer::{self, Ways};

/// The content of a unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unit<'u> {
    /// A message.
    Message {
        /// Its id, if it has one.
        id: Option<Cow<'u, str>>,
        /// The published payload as it is written in the unit: a JSON string where the server put it into one.
        payload: &'u [u8],
    },
    /// A notice of missed messages.
    Missed {
        /// How many; `None` where the server cannot tell.
        count: Option<u64>,
        /// The id to resume after, if the notice has one.
        id: Option<Cow<'u, str>>,
    },
    /// Neither: a heartbeat or an opening.
    Other,
}

/// Reads the units of one subscription.
#[derive(Clone, Debug)]
pub struct Reader<'p> {
    parts: &'p Parts,
    ways: Ways<'p, 3>,
    shape: Option<Shape>,
    trust: Trust,
}

/// Whether a message in the usual form is cut out of its line without parsing it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Never: every unit is parsed.
    None,
    /// From the first message on that both ways read alike.
    Earned,
    /// Always: the server is known to write this form.
    Given,
}

impl<'p> Reader<'p> {
    /// A reader for messages with these parts.
    #[must_use]
    pub fn new(parts: &'p Parts, trust: Trust) -> Self {
        let way = |pointer: &'p Pointer| (!pointer.0.is_empty()).then_some(pointer.0.as_slice());
        let ways = [way(&parts.payload), parts.id.as_ref().and_then(way), parts.missed.as_ref().and_then(way)];
        let shape = Shape::of(parts).filter(|_| trust != Trust::None);
        Self { parts, ways, shape, trust }
    }

    /// Reads one unit.
    ///
    /// # Errors
    /// When the unit is not JSON although it has to be.
    pub fn read<'u>(&mut self, unit: &'u [u8]) -> serde_json::Result<Unit<'u>> {
        let quick = self.shape.as_ref().and_then(|shape| shape.message(unit));
        match (self.trust, quick) {
            (Trust::Given, Some(message)) => Ok(message),
            (Trust::Earned, Some(message)) => {
                let read = self.read_whole(unit)?;
                (self.trust, self.shape) =
                    if read == message { (Trust::Given, self.shape.take()) } else { (Trust::None, None) };
                Ok(read)
            }
            (Trust::None, _) | (_, None) => self.read_whole(unit),
        }
    }

    fn read_whole<'u>(&self, unit: &'u [u8]) -> serde_json::Result<Unit<'u>> {
        let unit = unit.trim_ascii();
        if unit.is_empty() {
            return Ok(Unit::Other);
        }
        let [payload, id, missed] = match self.ways {
            [None, None, None] => [None; 3],
            _ => pointer::find(unit, &self.ways)?,
        };
        // A `null` can be a payload, but not an id.
        let id = || id.filter(|id| id.get() != "null").and_then(|id| text(id.get()));
        match (payload, missed) {
            (Some(payload), _) => Ok(Unit::Message { id: id(), payload: payload.get().as_bytes() }),
            (None, Some(missed)) => serde_json::from_str(missed.get()).map(|count| Unit::Missed { count, id: id() }),
            (None, None) if self.parts.payload.0.is_empty() => Ok(Unit::Message { id: id(), payload: unit }),
            (None, None) => Ok(Unit::Other),
        }
    }
}

/// The content of a JSON string, or a number as it is written.
fn text(value: &str) -> Option<Cow<'_, str>> {
    match pointer::text(value.as_bytes())? {
        Cow::Borrowed(text) => std::str::from_utf8(text).ok().map(Cow::Borrowed),
        Cow::Owned(text) => String::from_utf8(text).ok().map(Cow::Owned),
    }
}

/// The usual form of a message: `{"ID":"…","PAYLOAD":…}`.
#[derive(Clone, Debug)]
struct Shape {
    /// `{"ID":"`
    opening: Box<[u8]>,
    /// `","PAYLOAD":`
    middle: Box<[u8]>,
}

impl Shape {
    fn of(parts: &Parts) -> Option<Self> {
        let ([payload], [id]) = (parts.payload.0.as_slice(), parts.id.as_ref()?.0.as_slice()) else { return None };
        let name = |name: &str| serde_json::to_string(name).ok();
        Some(Self {
            opening: format!("{{{}:\"", name(id)?).into_bytes().into(),
            middle: format!("\",{}:", name(payload)?).into_bytes().into(),
        })
    }

    fn message<'u>(&self, line: &'u [u8]) -> Option<Unit<'u>> {
        let rest = line.strip_prefix(&*self.opening)?;
        let (id, rest) = rest.split_at_checked(memchr::memchr(b'"', rest)?)?;
        let payload = rest.strip_prefix(&*self.middle)?.strip_suffix(b"}").filter(|payload| !payload.is_empty())?;
        let id = std::str::from_utf8(id).ok().filter(|id| !id.contains('\\'))?;
        Some(Unit::Message { id: Some(Cow::Borrowed(id)), payload })
    }
}

/// The elements of a body that holds an array of units.
pub(crate) fn elements<'u>(body: &'u [u8], array: &Pointer) -> serde_json::Result<Vec<&'u RawValue>> {
    if array.0.is_empty() {
        return serde_json::from_slice(body);
    }
    match pointer::find(body, &[Some(&array.0)])? {
        [Some(found)] => serde_json::from_str(found.get()),
        [None] => Ok(Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;
    use pushoff_model::Transport;
    use pushoff_model::target::{OURS, built_in, parse};

    use super::*;

    fn ours() -> Parts {
        let target = built_in(OURS).unwrap().unwrap();
        target.dialect.technique(Transport::HttpStreaming).unwrap().parts.clone()
    }

    fn parts(message: &str) -> Parts {
        let text = format!(
            "name = \"t\"\n[publish]\npath = \"/p\"\n[message]\n{message}\n[short-polling]\npath = \"/s\"\nunits = \"lines\"\n"
        );
        let target = parse(&text, Path::new("t.toml")).unwrap();
        target.dialect.technique(Transport::ShortPolling).unwrap().parts.clone()
    }

    fn message<'u>(id: &'u str, payload: &'u str) -> Unit<'u> {
        Unit::Message { id: Some(id.into()), payload: payload.as_bytes() }
    }

    const TRUSTS: [Trust; 3] = [Trust::None, Trust::Earned, Trust::Given];

    #[test]
    fn every_line_of_our_own_contract_is_read_by_all() {
        let parts = ours();
        let fixtures = [
            (r#"{"id":"5f3a9c21-42","data":{"a": [1, null]}}"#, message("5f3a9c21-42", r#"{"a": [1, null]}"#)),
            (r#"{"id":"5f3a9c21-42","data":null}"#, message("5f3a9c21-42", "null")),
            (r#"{ "data" : " }, " , "id" : "5f3a9c21-42" }"#, message("5f3a9c21-42", r#"" }, ""#)),
            (r#"{"open":"5f3a9c21-42"}"#, Unit::Other),
            (r#"{"missed":7}"#, Unit::Missed { count: Some(7), id: None }),
            (r#"{"missed":null}"#, Unit::Missed { count: None, id: None }),
            (r#"{"missed":7,"id":"5f3a9c21-9"}"#, Unit::Missed { count: Some(7), id: Some("5f3a9c21-9".into()) }),
            (r#"{"id":"5f3a9c21-9","missed":null}"#, Unit::Missed { count: None, id: Some("5f3a9c21-9".into()) }),
            (r#"{"missed":7,"id":null}"#, Unit::Missed { count: Some(7), id: None }),
            ("", Unit::Other),
        ];
        for trust in TRUSTS {
            let mut reader = Reader::new(&parts, trust);
            for (text, unit) in &fixtures {
                assert_eq!(reader.read(text.as_bytes()).unwrap(), *unit, "{text} {trust:?}");
            }
            for wrong in ["x", "{", r#"{"missed":-1}"#, r#"{"missed":"1"}"#] {
                assert!(reader.read(wrong.as_bytes()).is_err(), "{wrong}");
            }
        }
    }

    #[test]
    fn parts_are_found_where_the_dialect_says() {
        let whole = Parts::default();
        let bare = Reader::new(&whole, Trust::Given).read(b" {\"n\":1}\r").unwrap();
        assert_eq!(bare, Unit::Message { id: None, payload: b"{\"n\":1}" });
        let parts = parts("payload = \"/msg/0\"\nid = \"/meta/no\"\nmissed = \"/meta/gap\"");
        let mut reader = Reader::new(&parts, Trust::Earned);
        let unit = reader.read(br#"{"meta":{"no":17},"msg":["\"x\""]}"#).unwrap();
        assert_eq!(unit, message("17", r#""\"x\"""#));
        assert_eq!(reader.read(br#"{"meta":{"gap":3}}"#).unwrap(), Unit::Missed { count: Some(3), id: None });
        assert_eq!(reader.read(br#"{"meta":{"no":1}}"#).unwrap(), Unit::Other);
    }

    #[test]
    fn trust_is_earned_by_a_first_message_that_is_the_same_read_in_both_ways() {
        let parts = ours();
        let mut reader = Reader::new(&parts, Trust::Earned);
        let more = br#"{"id":"1","data":{},"time":5}"#;
        assert_eq!(reader.read(more).unwrap(), message("1", "{}"));
        assert_eq!(reader.trust, Trust::None, "a server that writes more than that is read");
        let mut reader = Reader::new(&parts, Trust::Earned);
        assert_eq!(reader.read(br#"{"id":"1","data":{}}"#).unwrap(), message("1", "{}"));
        assert_eq!(reader.trust, Trust::Given);
    }

    #[test]
    fn an_array_gives_its_elements() {
        let [at, whole] = ["/a/list", ""].map(|text| Pointer(text.split('/').skip(1).map(str::to_owned).collect()));
        let texts = |body: &[u8], array| {
            elements(body, array).map(|units| units.iter().map(|unit| unit.get().to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(texts(br#"{"a":{"list":[1, {"x":2}]}}"#, &at).unwrap(), ["1", r#"{"x":2}"#]);
        assert_eq!(texts(b"[1,2]", &whole).unwrap(), ["1", "2"]);
        assert!(texts(b"{}", &at).unwrap().is_empty() && texts(b"{\"a\":{\"list\":3}}", &at).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes: Vec<u8>) {
            let (parts, whole) = (ours(), Parts::default());
            for trust in TRUSTS {
                drop(Reader::new(&parts, trust).read(&bytes));
                drop(Reader::new(&whole, trust).read(&bytes));
            }
        }

        #[test]
        fn a_server_that_is_trusted_is_read_no_differently(id in "[ -~]{1,20}", strings: Vec<String>, indent: bool) {
            let payload =
                if indent { serde_json::to_string_pretty(&strings) } else { serde_json::to_string(&strings) }.unwrap();
            let line = format!("{{\"id\":{},\"data\":{payload}}}", serde_json::to_string(&id).unwrap());
            let parts = ours();
            let read = |trust| Reader::new(&parts, trust).read(line.as_bytes()).unwrap();
            prop_assert_eq!(read(Trust::Given), message(&id, &payload));
            prop_assert_eq!(read(Trust::None), read(Trust::Given));
        }
    }
}
