//! The position of a subscriber: what it sends to resume after the last message.
//!
//! A position is opaque: the id of the last message, and the fields of the last response that the target's templates
//! name. Only parts that some template uses are kept.

use http::{HeaderMap, HeaderName};
use pushoff_model::target::{Said, SaidIn, Technique, Template, Variable};

/// The position of a subscriber.
#[derive(Clone, Debug, Default)]
pub(crate) struct Position {
    keeps_id: bool,
    id: Option<String>,
    fields: Vec<(HeaderName, Option<String>)>,
    /// Whether a message has come.
    heard: bool,
}

impl Position {
    /// The position of a new subscriber.
    pub(crate) fn new(technique: &Technique) -> Self {
        let said = technique.begin.iter().chain(&technique.resume).map(|said| &said.value);
        let mut position = Self::default();
        for variable in said.chain(&technique.hello).flat_map(Template::variables) {
            match variable {
                Variable::Id => position.keeps_id = true,
                Variable::Field(name) => {
                    // An invalid field name is in no response.
                    let Ok(name) = HeaderName::try_from(name.as_str()) else { continue };
                    if position.fields.iter().all(|(known, _)| *known != name) {
                        position.fields.push((name, None));
                    }
                }
                Variable::Topic | Variable::Payload | Variable::Quoted | Variable::Wait => {}
            }
        }
        position
    }

    /// Notes a message. A message without an id keeps the last id, as in an event stream.
    pub(crate) fn heard(&mut self, id: Option<&str>) {
        self.heard = true;
        let Some(id) = id.filter(|_| self.keeps_id) else { return };
        let last = self.id.get_or_insert_default();
        last.clear();
        last.push_str(id);
    }

    /// Notes a response.
    pub(crate) fn answered(&mut self, head: &HeaderMap) {
        self.answered_with(|name| head.get(name)?.to_str().ok());
    }

    /// Notes a response whose fields can be looked up.
    pub(crate) fn answered_with<'h>(&mut self, field: impl Fn(&HeaderName) -> Option<&'h str>) {
        for (name, value) in &mut self.fields {
            if let Some(text) = field(name) {
                let value = value.get_or_insert_default();
                value.clear();
                value.push_str(text);
            }
        }
    }

    /// The value of a template's variable.
    pub(crate) fn value(&self, variable: &Variable) -> Option<&str> {
        match variable {
            Variable::Id => self.id.as_deref(),
            Variable::Field(name) => self.fields.iter().find(|(known, _)| known == name.as_str())?.1.as_deref(),
            Variable::Topic | Variable::Payload | Variable::Quoted | Variable::Wait => None,
        }
    }

    /// What to send from this position: `resume` after a message, or after an answer that has all of its variables;
    /// `begin` otherwise.
    pub(crate) fn said<'t>(&self, technique: &'t Technique) -> &'t [Said] {
        let knows = |said: &Said| {
            let mut variables = said.value.variables().peekable();
            variables.peek().is_some() && variables.all(|variable| self.value(variable).is_some())
        };
        if self.heard || technique.resume.iter().any(knows) { &technique.resume } else { &technique.begin }
    }

    /// Calls `say` for each part of the position that is known; `room` is the buffer for the values.
    pub(crate) fn each_said<E>(
        &self,
        technique: &Technique,
        room: &mut String,
        mut say: impl FnMut(&SaidIn, &str) -> Result<(), E>,
    ) -> Result<(), E> {
        for said in self.said(technique) {
            room.clear();
            if said.value.fill(room, |variable| self.value(variable)) {
                say(&said.place, room)?;
            }
        }
        Ok(())
    }

    /// Whether a field of that name carries a part of the position.
    pub(crate) fn says(&self, technique: &Technique, field: &HeaderName) -> bool {
        self.said(technique).iter().any(|said| {
            matches!(&said.place, SaidIn::Field(name) if *name == field)
                && said.value.variables().all(|variable| self.value(variable).is_some())
        })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use http::HeaderValue;
    use pushoff_model::Transport;
    use pushoff_model::target::parse;

    use super::*;

    fn technique(said: &str) -> Technique {
        let text = format!("name = \"t\"\n[publish]\npath = \"/p\"\n[sse]\npath = \"/s\"\n{said}");
        let target = parse(&text, Path::new("t.toml")).unwrap();
        target.dialect.technique(Transport::Sse).unwrap().clone()
    }

    fn said(position: &Position, technique: &Technique) -> Vec<Option<String>> {
        let filled = |said: &Said| {
            let mut out = String::new();
            said.value.fill(&mut out, |variable| position.value(variable)).then_some(out)
        };
        position.said(technique).iter().map(filled).collect()
    }

    #[test]
    fn one_begins_until_a_message_or_an_answer_says_where_to_go_on() {
        let technique = technique("begin = { \"?a\" = \"start\" }\nresume = { \"?a\" = \"{id}\", X = \"{Etag}\" }");
        let mut position = Position::new(&technique);
        assert_eq!(said(&position, &technique), [Some("start".into())]);
        let mut answered = position.clone();
        answered.answered(&HeaderMap::from_iter([(http::header::ETAG, HeaderValue::from_static("7"))]));
        assert_eq!(said(&answered, &technique), [None, Some("7".into())]);
        answered.answered(&HeaderMap::new());
        assert_eq!(said(&answered, &technique)[1], Some("7".into()), "an answer without it changes nothing");
        position.heard(Some("m1"));
        position.heard(None);
        assert_eq!(said(&position, &technique), [Some("m1".into()), None]);
    }

    #[test]
    fn an_unused_id_is_not_kept() {
        let technique = technique("begin = { \"?a\" = \"start\" }");
        let mut position = Position::new(&technique);
        position.heard(Some("m1"));
        assert_eq!(position.value(&Variable::Id), None);
        assert!(said(&position, &technique).is_empty(), "who has had a message does not begin again");
    }
}
