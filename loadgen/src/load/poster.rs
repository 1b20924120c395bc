//! Publishes to one topic by HTTP requests, as the target describes.

use std::sync::Arc;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Method};
use pushoff_model::Topic;
use pushoff_model::foreign::{SENTENCE, shown};
use pushoff_model::target::{Dialect, Template, Variable};
use reqwest::Url;

use crate::books::PublishOutcome;
use crate::clients::{ConnectionError, LONGEST_MESSAGE, bounded_body, fields_of, filled, url};
use crate::failure::chain;
use crate::server::Server;

/// The most messages in one request. Chosen here: far more than are due at one wake-up, unless the server or the
/// generator is stalled.
pub(crate) const MOST_IN_A_BATCH: usize = 256;

/// Publishes to one topic. Clones share their connections.
#[derive(Clone, Debug)]
pub(crate) struct Poster {
    client: reqwest::Client,
    endpoint: Arc<Endpoint>,
}

/// The common parts of all requests.
#[derive(Debug)]
struct Endpoint {
    topic: Topic,
    dialect: Arc<Dialect>,
    fields: HeaderMap,
    publish: Url,
    complete: Option<(Method, Url)>,
    root: Url,
}

impl Poster {
    pub(crate) fn new(client: reqwest::Client, server: &Server, topic: Topic) -> Result<Self, ConnectionError> {
        let dialect = server.target.dialect.clone();
        let at = |path: &Template| {
            let mut target = server.base.clone();
            path.fill(&mut target, |variable| (*variable == Variable::Topic).then_some(topic.as_str()));
            url(server, &target)
        };
        let complete = match &dialect.complete {
            Some(complete) => Some((complete.method.clone(), at(&complete.path)?)),
            None => None,
        };
        let endpoint = Endpoint {
            fields: fields_of(server)?,
            publish: at(&dialect.publish.path)?,
            complete,
            root: url(server, &format!("{}/", server.base))?,
            dialect,
            topic,
        };
        Ok(Self { client, endpoint: Arc::new(endpoint) })
    }

    /// The publish URL with a placeholder for the topic.
    pub(crate) fn address(&self) -> String {
        self.endpoint.publish.as_str().replace(self.endpoint.topic.as_str(), "TOPIC")
    }

    /// The most messages in one request.
    pub(crate) fn most_at_once(&self) -> usize {
        if self.endpoint.dialect.publish.batch.is_some() { MOST_IN_A_BATCH } else { 1 }
    }

    /// Opens a connection for the next request. Any answer will do; a `HEAD` has no body.
    pub(crate) async fn warm(&self) -> Result<(), ConnectionError> {
        self.request(Method::HEAD, &self.endpoint.root).send().await?;
        Ok(())
    }

    /// Publishes up to [`Self::most_at_once`] messages and waits for the answer.
    pub(crate) async fn post(&self, payloads: Vec<String>) -> PublishOutcome {
        let publish = &self.endpoint.dialect.publish;
        let mut request = self.request(publish.method.clone(), &self.endpoint.publish);
        let mut fields: HeaderMap = publish.fields.iter().cloned().collect();
        if let (Some(kind), true) = (&publish.batch, payloads.len() > 1) {
            fields.insert(CONTENT_TYPE, kind.clone());
        }
        request = request.headers(fields).body(self.body(payloads));
        let mut response = match request.send().await {
            Ok(response) => response,
            Err(error) => {
                let error = ConnectionError::from(error);
                let reason = chain(&error);
                return if error.is_refused() {
                    PublishOutcome::Refused(reason)
                } else {
                    PublishOutcome::Unknown(reason)
                };
            }
        };
        let status = response.status();
        // Only a connection whose answer was read to its end can be used again.
        let body = match bounded_body(&mut response, LONGEST_MESSAGE).await {
            Ok(Some(body)) => body,
            Ok(None) if status.is_success() => {
                let long = ConnectionError::too_long("an answer to a message");
                return PublishOutcome::Unknown(long.to_string());
            }
            Ok(None) | Err(_) => Bytes::new(),
        };
        if status.is_success() {
            PublishOutcome::Accepted
        } else {
            let body = shown(String::from_utf8_lossy(&body).trim(), SENTENCE);
            let said = if body.is_empty() { String::new() } else { format!(": {body}") };
            PublishOutcome::Refused(format!("the server answered {status} to a message{said}"))
        }
    }

    /// Completes the topic, if the server can.
    pub(crate) async fn complete(&self) -> Result<(), ConnectionError> {
        let Some((method, url)) = &self.endpoint.complete else { return Ok(()) };
        let status = self.request(method.clone(), url).send().await?.status();
        if status.is_success() { Ok(()) } else { Err(ConnectionError::Status(status.as_u16())) }
    }

    fn request(&self, method: Method, url: &Url) -> reqwest::RequestBuilder {
        self.client.request(method, url.clone()).headers(self.endpoint.fields.clone())
    }

    /// The body for these payloads; several payloads stand on one line each.
    fn body(&self, mut payloads: Vec<String>) -> String {
        let (template, topic) = (&self.endpoint.dialect.publish.body, &self.endpoint.topic);
        if !template.is_just(&Variable::Payload) {
            payloads.iter_mut().for_each(|payload| *payload = filled(template, topic, payload));
        }
        if payloads.len() == 1 { payloads.swap_remove(0) } else { payloads.join("\n") }
    }
}
