//! Examines how messages come by each technique: published on a known schedule, through silence, and compressed.

use std::time::Duration;

use futures_util::future::{join, join_all};
use http::HeaderMap;
use pushoff_model::transport::Polls;
use pushoff_model::{Client, RunInstant, Transport};
use tokio::sync::oneshot;

use super::diagnosis::Trouble;
use super::fault::{Course, Fault, Flow, Symptom};
use super::listen::{Answer, GZIP, hear};
use super::{Finding, PATIENCE, begin, failed, probe};
use crate::clients::{Subscription, http_client, newcomers_request};
use crate::origin::Origin;
use crate::server::Server;

/// Two messages that were due apart and arrive closer together than this came together. Chosen here: a tenth of the spacing.
const TOGETHER: Duration = Duration::from_millis(10);
/// Messages that are late by more than this, at the median, were held back. Chosen here.
const LATE: Duration = Duration::from_secs(1);

/// The result of an examination for one transport.
#[derive(Clone, Debug, PartialEq)]
pub struct Examined {
    /// The server's offer.
    pub finding: Finding,
    /// How its messages came; `None` where none could come, for a reason that is no fault of the way.
    pub course: Option<Course>,
}

/// Probes a server by each of these transports, and examines how messages come by those that it offers. A silence of `idle` is
/// tried unless it is zero.
pub async fn examine(server: &Server, transports: &[Transport], client: Client, idle: Duration) -> Vec<Examined> {
    let findings = probe(server, transports, client).await;
    join_all(findings.into_iter().map(|finding| async move {
        let transport = finding.transport;
        if finding.verdict.is_err() {
            return Examined { course: of_a_failure(&finding.symptoms), finding };
        }
        match course(server, transport, client, idle).await {
            Ok(course) => Examined { finding, course: Some(course) },
            Err(trouble) => {
                let finding = failed(server, transport, trouble).await;
                Examined { course: of_a_failure(&finding.symptoms), finding }
            }
        }
    }))
    .await
}

/// The course of a technique by which no message came, for these reasons.
fn of_a_failure(symptoms: &[Symptom]) -> Option<Course> {
    let is_refused = symptoms.iter().any(|symptom| matches!(symptom.fault, Fault::NoUpgrade | Fault::OldHttp));
    let flow = if is_refused { Flow::UpgradeRefused } else { Flow::Silent.with(symptoms) };
    let symptoms = (!symptoms.is_empty()).then(|| symptoms.to_vec())?;
    Some(Course { flow, first: None, late: None, events: 0, arrivals: 0, coding: None, idle: None, symptoms })
}

async fn course(server: &Server, transport: Transport, client: Client, idle: Duration) -> Result<Course, Trouble> {
    let begun = begin(server, transport, client, idle.max(PATIENCE)).await?;
    let compressed = compressed_request(server, transport, &begun.subscription);
    begun
        .walk(server.target.dialect.newcomers, async move |exchange, first, _, tap| {
            let (done, is_done) = oneshot::channel::<()>();
            let publishing = async {
                let scheduled = exchange.receive_scheduled().await;
                drop(done);
                scheduled
            };
            let listening = async {
                let until = async { drop(is_done.await) };
                Some(hear(compressed?, GZIP, until).await)
            };
            let (scheduled, heard) = join(publishing, listening).await;
            let mut course = judged(transport, &scheduled?, first, heard.as_ref());
            if !idle.is_zero() {
                let lived = exchange.live_through(idle, tap).await?;
                if lived.is_cut {
                    let evidence = format!("the connection broke after {:.1?} without a byte", lived.silence);
                    course.symptoms.push(Symptom::of(Fault::IdleCut, evidence));
                }
                course.idle = Some(lived);
            }
            course.flow = course.flow.with(&course.symptoms);
            Ok(course)
        })
        .await
}

/// Judges the arrivals of a schedule: the times of each message's publication and arrival.
fn judged(
    transport: Transport,
    scheduled: &[(RunInstant, RunInstant)],
    first: Duration,
    compressed: Option<&Answer>,
) -> Course {
    let apart = scheduled.windows(2).filter(|pair| pair[1].1.since(pair[0].1) >= TOGETHER).count();
    let (events, arrivals) = (scheduled.len(), apart + 1);
    let mut late: Vec<Duration> = scheduled.iter().map(|(published, arrived)| arrived.since(*published)).collect();
    late.sort_unstable();
    let median = late.get(late.len() / 2).copied().unwrap_or_default();
    // A timer that polls adds its own phase, which the schedule would keep.
    let is_paced_by_messages = transport.traits().polls != Some(Polls::OnATimer);
    let mut symptoms = Vec::new();
    let is_batched = arrivals * 2 <= events;
    // A poll takes a round trip, and brings what is due by then.
    if (is_batched && transport.traits().polls.is_none()) || median > LATE {
        let evidence =
            format!("{events} messages that were sent apart come in {arrivals} reads, {median:.1?} late at the median");
        symptoms.push(Symptom::of(Fault::Buffering, evidence));
    } else {
        symptoms.extend(compressed.and_then(|answer| answer.holds_back(events, arrivals)));
    }
    let flow = if is_batched { Flow::Batched } else { Flow::Streaming };
    let coding = compressed.and_then(|answer| answer.coding.clone());
    Course {
        flow,
        first: Some(first),
        late: is_paced_by_messages.then_some(median),
        events,
        arrivals,
        coding,
        idle: None,
        symptoms,
    }
}

/// The request of a stream over HTTP by a client that takes compressed content, as browsers do.
fn compressed_request(
    server: &Server,
    transport: Transport,
    subscription: &Subscription,
) -> Option<reqwest::RequestBuilder> {
    let traits = transport.traits();
    if traits.polls.is_some() || traits.is_duplex || !traits.is_http {
        return None;
    }
    let technique = server.target.dialect.technique(transport)?;
    let direct =
        Subscription::new(server.clone(), subscription.topic.clone(), subscription.polling, subscription.clock);
    let (url, fields): (_, HeaderMap) = newcomers_request(&direct, technique).ok()?;
    Some(http_client(server, &Origin::default()).ok()?.get(url).headers(fields))
}
