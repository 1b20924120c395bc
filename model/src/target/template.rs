//! Text with places to be filled: `/topics/{topic}/sse`.

use std::fmt;

/// A text with places.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Place(Variable),
}

/// What a place is filled with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Variable {
    /// The topic's name.
    Topic,
    /// The published JSON text.
    Payload,
    /// The published JSON text as a JSON string.
    Quoted,
    /// The id of the last message.
    Id,
    /// How long a long poll may wait, in seconds.
    Wait,
    /// The value that a field of the last response had, by its name in lower case.
    Field(String),
}

impl Variable {
    fn named(name: &str) -> Self {
        match name {
            "topic" => Self::Topic,
            "payload" => Self::Payload,
            "quoted" => Self::Quoted,
            "id" => Self::Id,
            "wait" => Self::Wait,
            field => Self::Field(field.to_ascii_lowercase()),
        }
    }
}

impl fmt::Display for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Topic => "{topic}",
            Self::Payload => "{payload}",
            Self::Quoted => "{quoted}",
            Self::Id => "{id}",
            Self::Wait => "{wait}",
            Self::Field(name) => return write!(f, "{{{name}}}"),
        })
    }
}

impl Template {
    /// Reads a template. A brace that begins no name stands for itself, so that JSON can be written
    /// as it is.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('{') {
            plain.push_str(&rest[..at]);
            rest = &rest[at..];
            match place(rest) {
                Some((name, after)) => {
                    if !plain.is_empty() {
                        pieces.push(Piece::Text(std::mem::take(&mut plain)));
                    }
                    pieces.push(Piece::Place(Variable::named(name)));
                    rest = after;
                }
                None => {
                    plain.push('{');
                    rest = &rest[1..];
                }
            }
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        Self(pieces)
    }

    /// What it is filled with, in order.
    pub fn variables(&self) -> impl Iterator<Item = &Variable> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Place(variable) => Some(variable),
            Piece::Text(_) => None,
        })
    }

    /// Appends the text with every place filled; false, with nothing appended, where one of them
    /// is not known.
    pub fn fill<'a>(&self, out: &mut String, value: impl Fn(&Variable) -> Option<&'a str>) -> bool {
        let before = out.len();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Place(variable) => match value(variable) {
                    Some(value) => out.push_str(value),
                    None => {
                        out.truncate(before);
                        return false;
                    }
                },
            }
        }
        true
    }

    /// Whether it is nothing but this one place.
    #[must_use]
    pub fn is_just(&self, variable: &Variable) -> bool {
        matches!(self.0.as_slice(), [Piece::Place(only)] if only == variable)
    }
}

/// The name in braces that a text begins with, and what follows it.
fn place(text: &str) -> Option<(&str, &str)> {
    let (name, after) = text.strip_prefix('{')?.split_once('}')?;
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    is_name.then_some((name, after))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn filled(template: &str) -> Option<String> {
        let mut out = String::new();
        let known = |variable: &Variable| match variable {
            Variable::Topic => Some("news"),
            Variable::Payload => Some("{\"a\":1}"),
            Variable::Field(name) if name == "etag" => Some("7"),
            Variable::Quoted | Variable::Id | Variable::Wait | Variable::Field(_) => None,
        };
        Template::parse(template).fill(&mut out, known).then_some(out)
    }

    #[test]
    fn places_are_filled_and_other_braces_stay() {
        assert_eq!(filled("/topics/{topic}/sse").unwrap(), "/topics/news/sse");
        assert_eq!(filled("{\"to\":\"{topic}\",\"m\":{payload}}").unwrap(), "{\"to\":\"news\",\"m\":{\"a\":1}}");
        assert_eq!(filled("{Etag}").unwrap(), "7");
        assert_eq!(filled("{} { x } {").unwrap(), "{} { x } {");
    }

    #[test]
    fn a_place_that_is_not_known_leaves_nothing_behind() {
        let mut out = "before".to_owned();
        assert!(!Template::parse("after {id}").fill(&mut out, |_| None));
        assert_eq!(out, "before");
        assert_eq!(filled("{Last-Modified}"), None);
    }

    #[test]
    fn a_template_says_what_it_is_filled_with() {
        let template = Template::parse("/{topic}?after={id}");
        assert!(template.variables().eq([&Variable::Topic, &Variable::Id]));
        assert!(Template::parse("{payload}").is_just(&Variable::Payload) && !template.is_just(&Variable::Topic));
    }

    proptest! {
        #[test]
        fn any_text_is_a_template_and_one_without_places_is_itself(text: String) {
            let template = Template::parse(&text);
            if template.variables().next().is_none() {
                let mut out = String::new();
                prop_assert!(template.fill(&mut out, |_| None));
                prop_assert_eq!(out, text);
            }
        }
    }
}
