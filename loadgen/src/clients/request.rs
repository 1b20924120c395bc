//! Builds the requests of a subscription: path, query and fields, as the target describes them.

use http::header::{ACCEPT_ENCODING, HOST};
use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use pushoff_model::target::{SaidIn, Technique, Template, Variable};
use pushoff_model::{Http, Topic};
use reqwest::Url;

use super::coding::OFFERED;
use super::error::ConnectionError;
use super::position::Position;
use super::subscription::Subscription;
use crate::server::Server;

/// Characters that need no escape in a query's value: RFC 3986 §3.4, without those that forms give a meaning.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b':')
    .remove(b'/')
    .remove(b',')
    .remove(b'@')
    .remove(b'!')
    .remove(b'$')
    .remove(b'*');

/// A `GET` request.
#[derive(Clone, Debug)]
pub(crate) struct GetRequest {
    /// Path and query.
    pub(crate) target: String,
    /// All fields, `Host` included.
    pub(crate) fields: HeaderMap,
}

impl GetRequest {
    /// The request for the messages after this position.
    pub(crate) fn new(
        subscription: &Subscription,
        technique: &Technique,
        position: &Position,
    ) -> Result<Self, ConnectionError> {
        let mut request = Self::from_anywhere(subscription, technique)?;
        let Self { target, fields } = &mut request;
        position.each_said(technique, &mut String::new(), |said_in, value| {
            match said_in {
                SaidIn::Field(name) => {
                    let value = HeaderValue::try_from(value).or(Err(ConnectionError::Id))?;
                    fields.insert(name, value);
                }
                SaidIn::Query(name) => {
                    let begin = if target.contains('?') { '&' } else { '?' };
                    into_query(target, begin, name, value);
                }
            }
            Ok::<_, ConnectionError>(())
        })?;
        Ok(request)
    }

    /// The request without a position.
    pub(crate) fn from_anywhere(subscription: &Subscription, technique: &Technique) -> Result<Self, ConnectionError> {
        let wait = subscription.polling.wait.as_secs().max(1).to_string();
        let mut target = subscription.server.base.clone();
        technique.path.fill(&mut target, |variable| match variable {
            Variable::Topic => Some(subscription.topic.as_str()),
            Variable::Wait => Some(&wait),
            Variable::Payload | Variable::Quoted | Variable::Id | Variable::Field(_) => None,
        });
        let mut fields = fields_of(&subscription.server)?;
        if subscription.server.wire.compressed {
            fields.insert(ACCEPT_ENCODING, OFFERED);
        }
        for (name, value) in &technique.fields {
            fields.insert(name, value.clone());
        }
        Ok(Self { target, fields })
    }

    /// Adds a default field, unless the target has its own.
    pub(crate) fn usual(&mut self, name: HeaderName, value: HeaderValue) {
        self.fields.entry(name).or_insert(value);
    }

    pub(crate) fn url(&self, server: &Server) -> Result<Url, ConnectionError> {
        url(server, &self.target)
    }
}

/// The URL of a path on the server, base included.
pub(crate) fn url(server: &Server, target: &str) -> Result<Url, ConnectionError> {
    let text = format!("{}://{}{target}", server.scheme(), server.place());
    text.parse().map_err(|_error| ConnectionError::Address(text))
}

/// The fields of every request to a server. HTTP/2 has `:authority`, of the URL, in place of `Host` (RFC 9113 §8.3.1).
pub(crate) fn fields_of(server: &Server) -> Result<HeaderMap, ConnectionError> {
    let mut fields = HeaderMap::new();
    if server.wire.http == Http::One {
        let host = HeaderValue::try_from(&server.authority);
        fields.insert(HOST, host.map_err(|_error| ConnectionError::Address(server.authority.clone()))?);
    }
    for (name, value) in &server.target.dialect.fields {
        fields.insert(name, value.clone());
    }
    Ok(fields)
}

/// Appends a parameter to a query.
pub(crate) fn into_query(target: &mut String, begin: char, name: &str, value: &str) {
    target.push(begin);
    target.push_str(name);
    target.push('=');
    target.extend(utf8_percent_encode(value, PLAIN));
}

/// The request of a new subscriber, for the probe's diagnosis.
pub(crate) fn newcomers_request(
    subscription: &Subscription,
    technique: &Technique,
) -> Result<(Url, HeaderMap), ConnectionError> {
    let request = GetRequest::new(subscription, technique, &Position::new(technique))?;
    Ok((request.url(&subscription.server)?, request.fields))
}

/// The form in which a payload is sent: the template, with the payload as it is or as a JSON string.
pub(crate) fn filled(template: &Template, topic: &Topic, payload: &str) -> String {
    let quotes = template.variables().any(|variable| *variable == Variable::Quoted);
    // A string always serialises.
    let quoted = if quotes { serde_json::to_string(payload).unwrap_or_default() } else { String::new() };
    let mut out = String::with_capacity(payload.len() + quoted.len());
    template.fill(&mut out, |variable| match variable {
        Variable::Topic => Some(topic.as_str()),
        Variable::Payload => Some(payload),
        Variable::Quoted => Some(&quoted),
        Variable::Id | Variable::Wait | Variable::Field(_) => None,
    });
    out
}
