//! Subscribers in this process, each a task with a connection of its own.

use std::sync::Arc;
use std::time::Duration;

use pushoff_model::{RunClock, Topic, Transport};
use rand::seq::SliceRandom;
use tokio::sync::mpsc;

use super::all::{Finished, Signals, Subscribers};
use crate::books::Subscriber;
use crate::clients::{Outbound, Pace, Subscription, subscribe};
use crate::failure::caused;
use crate::load::Schedule;
use crate::origin::ports;
use crate::peers::Part;
use crate::plan::Trial;
use crate::seeding::{self, Purpose};
use crate::server::Server;

/// Connects every subscriber, in the order of their numbers. Returns the outboxes of those that speak on their own
/// connection.
pub(crate) fn connect(
    all: &mut Subscribers,
    subscribers: Vec<(Box<Subscriber>, Topic)>,
    trial: &Trial,
    (server, clock, part): (&Server, RunClock, Part),
    schedule: &Schedule,
) -> Vec<mpsc::Sender<Outbound>> {
    let workload = &trial.workload;
    let ports = ports();
    let mut outboxes = Vec::new();
    let (offsets, mut group) = (poll_offsets(trial, schedule), Arc::default());
    let mut tabs_of = None;
    for (subscriber, topic) in subscribers {
        let number = subscriber.reads.number;
        let offset = offsets.get(number as usize).copied().unwrap_or_default();
        let signals = all.signals();
        let mut subscription =
            Subscription::new(spread(server, part, number / workload.tabs), topic, workload.polling, clock);
        subscription.pace = Pace::From { start: signals.start.clone(), offset };
        subscription.completes = workload.completes;
        subscription.client = trial.client;
        subscription.wire = all.wire.clone();
        // Over HTTP/2, those of a number of subscribers in turn are tabs of one browser: they share its connection.
        if tabs_of.replace(number / workload.tabs) != Some(number / workload.tabs) {
            group = Arc::default();
        }
        subscription.group = Arc::clone(&group);
        subscription.origin = server.reader(number / workload.tabs * workload.tabs, ports);
        subscription.seed = seeding::mix(seeding::mix(trial.seed ^ Purpose::BackOff as u64) ^ u64::from(number));
        if trial.speaks_on_its_own_connection() {
            // A publisher waits for each write, so one slot is enough.
            let (sender, outbox) = mpsc::channel(1);
            subscription.outbox = Some(outbox);
            outboxes.push(sender);
        }
        all.spawn(run(trial.transport, subscription, subscriber, signals));
    }
    outboxes
}

/// The server of those that share connection number `connection`: of several, an agent has one, and one process takes
/// them in turn.
fn spread(server: &Server, part: Part, connection: u32) -> Server {
    server.nth(if part.of > 1 { part.number } else { connection })
}

/// Waits for a permit to connect, subscribes, and stops when the trial is over.
async fn run(
    transport: Transport,
    subscription: Subscription,
    mut subscriber: Box<Subscriber>,
    signals: Signals,
) -> Vec<Finished> {
    let subscribing = async {
        subscriber.permit = signals.permits.acquire_owned().await.ok();
        subscribe(transport, subscription, &mut *subscriber).await
    };
    let result = signals.stop.run_until_cancelled(subscribing).await.unwrap_or(Ok(()));
    let attempted = format!("subscriber {}", subscriber.reads.number);
    let result = result.map_err(|error| caused(error.kind(), &attempted, &error));
    subscriber.close();
    vec![Finished { subscriber, result }]
}

/// When each subscriber polls, as an offset into the interval. The offsets are spread evenly over the interval,
/// starting where the messages of the subscriber's topic are due, and then shuffled. So the mean wait is half an
/// interval with the least possible scatter, and no offset depends on a subscriber's number.
fn poll_offsets(trial: &Trial, schedule: &Schedule) -> Vec<Duration> {
    let workload = &trial.workload;
    let mut ranks: Vec<u32> = (0..workload.subscribers).collect();
    ranks.shuffle(&mut seeding::stream(trial.seed, Purpose::Polls, 0));
    let interval = workload.polling.interval.as_secs_f64();
    (0..)
        .zip(ranks)
        .map(|(number, rank)| {
            let place = (f64::from(rank) + 0.5) / f64::from(workload.subscribers);
            let phase = schedule.phase(workload.topic_of(number)).as_secs_f64();
            Duration::from_secs_f64(interval.mul_add(place, phase).rem_euclid(interval))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use pushoff_model::target::{OURS, Target, built_in as built_in_target};
    use pushoff_model::workload::built_in;

    use super::*;

    fn ours() -> Arc<Target> {
        Arc::new(built_in_target(OURS).unwrap().unwrap())
    }

    #[test]
    fn polls_wait_half_their_interval_on_average_whatever_the_workload() {
        for name in ["progress", "ticker", "chat"] {
            let workload = Arc::new(built_in(name).unwrap().unwrap());
            let interval = workload.polling.interval.as_secs_f64();
            let trial = Trial::new(workload.clone(), Transport::ShortPolling, ours(), 5);
            let schedule = Schedule::new(&workload, 5);
            let (mut sum, mut count) = (0.0, 0.0);
            for (number, offset) in (0_u32..).zip(poll_offsets(&trial, &schedule)) {
                assert!(offset.as_secs_f64() < interval);
                let topic = workload.topic_of(number);
                let heard = (0..workload.publishers()).filter(|&publisher| workload.topic_of(publisher) == topic);
                for due in heard.flat_map(|publisher| schedule.of(publisher)) {
                    sum += (offset.as_secs_f64() - due.as_secs_f64()).rem_euclid(interval);
                    count += 1.0;
                }
            }
            let mean: f64 = sum / count;
            assert!((mean / (interval / 2.0) - 1.0).abs() < 0.05, "{name}: {mean}");
        }
    }
}
