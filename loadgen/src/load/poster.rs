//! Publishes to one topic by HTTP requests, as the target describes.

use std::iter::successors;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use pushoff_model::Topic;
use pushoff_model::foreign::{SENTENCE, shown};
use pushoff_model::target::{Dialect, Template, Variable};
use reqwest::Url;
use tokio::time::sleep;

use crate::books::PublishOutcome;
use crate::bounded::bounded_body;
use crate::clients::{ConnectionError, LONGEST_MESSAGE, fields_of, filled, url};
use crate::failure::chain;
use crate::server::Server;

/// The most messages in one request. Chosen here: far more than are due at one wake-up, unless the server or the
/// generator is stalled.
pub(crate) const MOST_IN_A_BATCH: usize = 256;

/// How often each of several servers that share a log is asked for one answer, in turn. Chosen here.
const TURNS: usize = 3;
/// The pause before the servers are asked again. Chosen here.
const PAUSE: Duration = Duration::from_millis(100);
/// By which a server knows a message again that it has stored (draft-ietf-httpapi-idempotency-key-header).
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Publishes to one topic. Clones share their connections.
#[derive(Clone, Debug)]
pub(crate) struct Poster {
    client: reqwest::Client,
    endpoint: Arc<Endpoint>,
    /// The same topic at the other servers that share the log, in the order in which they are tried.
    others: Arc<[Endpoint]>,
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

impl Endpoint {
    fn new(server: &Server, topic: Topic) -> Result<Self, ConnectionError> {
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
        Ok(Self {
            fields: fields_of(server)?,
            publish: at(&dialect.publish.path)?,
            complete,
            root: url(server, &format!("{}/", server.base))?,
            dialect,
            topic,
        })
    }
}

impl Poster {
    pub(crate) fn new(client: reqwest::Client, server: &Server, topic: Topic) -> Result<Self, ConnectionError> {
        let others = successors(server.next(), Server::next).take_while(|it| it.http != server.http);
        let others = others.map(|it| Endpoint::new(&it, topic.clone())).collect::<Result<_, _>>()?;
        Ok(Self { client, endpoint: Arc::new(Endpoint::new(server, topic)?), others })
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

    /// Publishes up to [`Self::most_at_once`] messages and waits for the answer. Where several servers share the log and no
    /// answer comes, or one that leaves open what was stored, the next one is asked: by the key it knows whether the
    /// messages are stored already.
    pub(crate) async fn post(&self, payloads: Vec<String>) -> PublishOutcome {
        let mut request = match self.publication(payloads).map_err(ConnectionError::from) {
            Ok(request) => request,
            Err(error) => return unanswered(&error),
        };
        if self.others.is_empty() {
            return self.answer(request).await.unwrap_or_else(|error| unanswered(&error));
        }
        let key = HeaderValue::try_from(format!("\"{:032x}\"", rand::random::<u128>()));
        request.headers_mut().extend(key.ok().map(|key| (IDEMPOTENCY_KEY, key)));
        let mut last = None;
        for turn in 0..TURNS {
            if turn > 0 {
                sleep(PAUSE).await;
            }
            for endpoint in [&*self.endpoint].into_iter().chain(&*self.others) {
                // Bytes can always be sent again.
                let Some(mut asking) = request.try_clone() else { continue };
                *asking.url_mut() = endpoint.publish.clone();
                asking.headers_mut().extend(endpoint.fields.clone());
                last = match (self.answer(asking).await, last) {
                    // One whose answer did not come may have stored them.
                    (Ok(PublishOutcome::Refused(reason)), Some(PublishOutcome::Unknown(_))) => {
                        return PublishOutcome::Unknown(reason);
                    }
                    (Ok(unknown @ PublishOutcome::Unknown(_)), _) => Some(unknown),
                    (Ok(outcome), _) => return outcome,
                    (Err(error), Some(known)) if error.is_refused() => Some(known),
                    (Err(error), _) => Some(unanswered(&error)),
                };
            }
        }
        last.unwrap_or_else(|| PublishOutcome::Refused("nothing was sent".into()))
    }

    /// The request that publishes, at this topic's own server.
    fn publication(&self, payloads: Vec<String>) -> reqwest::Result<reqwest::Request> {
        let publish = &self.endpoint.dialect.publish;
        let mut fields: HeaderMap = publish.fields.iter().cloned().collect();
        if let (Some(kind), true) = (&publish.batch, payloads.len() > 1) {
            fields.insert(CONTENT_TYPE, kind.clone());
        }
        let request = self.request(publish.method.clone(), &self.endpoint.publish);
        request.headers(fields).body(self.body(payloads)).build()
    }

    /// The answer to a request that publishes.
    async fn answer(&self, request: reqwest::Request) -> Result<PublishOutcome, ConnectionError> {
        let mut response = self.client.execute(request).await?;
        let status = response.status();
        // Only a connection whose answer was read to its end can be used again.
        let body = match bounded_body(&mut response, LONGEST_MESSAGE).await {
            Ok(Some(body)) => body,
            Ok(None) if status.is_success() => {
                let long = ConnectionError::too_long("an answer to a message");
                return Ok(PublishOutcome::Unknown(long.to_string()));
            }
            Ok(None) | Err(_) => Bytes::new(),
        };
        if status.is_success() {
            return Ok(PublishOutcome::Accepted);
        }
        // A server whose store has not acknowledged in time does not know what became of the messages.
        let may_be_stored = status == StatusCode::SERVICE_UNAVAILABLE && !self.others.is_empty();
        let body = shown(String::from_utf8_lossy(&body).trim(), SENTENCE);
        let said = if body.is_empty() { String::new() } else { format!(": {body}") };
        let reason = format!("the server answered {status} to a message{said}");
        Ok(if may_be_stored { PublishOutcome::Unknown(reason) } else { PublishOutcome::Refused(reason) })
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

/// The outcome of messages to which no answer came.
fn unanswered(error: &ConnectionError) -> PublishOutcome {
    let reason = chain(error);
    if error.is_refused() { PublishOutcome::Refused(reason) } else { PublishOutcome::Unknown(reason) }
}
