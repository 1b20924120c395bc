//! Ten loads with the answer that an expert gives, and the shipped model's.
//!
//! An expert rules out more than he rules in: between streams the model may leave the answer open.

use pushoff_model::Transport::{self, HttpStreaming, LongPolling, ShortPolling, Sse, WebSocket};

use crate::costs::shipped;
use crate::*;

/// As on the command line, without an audience or users who publish.
fn load(users: &'static str, rate: &'static str, payload: &'static str, staleness: &'static str) -> Asked<'static> {
    let [users, rate, payload, staleness] = [users, rate, payload, staleness].map(Some);
    Asked { users, rate, payload, staleness, ..Asked::default() }
}

fn asked(load: Asked<'_>) -> Answer {
    answer(&shipped(), &Needs::parse(&load).unwrap(), &Prices::shipped())
}

/// Those that the answer says to take, or may come to say.
fn left(answer: &Answer) -> Vec<Transport> {
    answer.decision.choice.iter().chain(&answer.decision.contenders).copied().collect()
}

#[track_caller]
fn chooses(load: Asked<'_>, choice: Transport) {
    let decision = asked(load).decision;
    assert_eq!(decision.choice, Some(choice), "{decision:?}");
}

#[track_caller]
fn leaves_but(load: Asked<'_>, ruled_out: &[Transport]) {
    let answer = asked(load);
    let left = left(&answer);
    assert!(!left.is_empty() && !ruled_out.iter().any(|it| left.contains(it)), "{:?}", answer.decision);
}

#[test]
fn token_streams_to_one_user_each_are_not_polled_for() {
    // A poll every 180 ms a user has a head of its own for 150 bytes of tokens; a held stream carries the same batch.
    leaves_but(Asked { audience: Some("1"), ..load("500", "40/s", "20B", "200ms") }, &[ShortPolling, LongPolling]);
}

#[test]
fn a_million_readers_of_4_kb_are_not_polled_for_at_14_thousand_dollars_a_month_more() {
    let load = load("1M", "0.2/s", "4kB", "2s");
    chooses(load, Sse);
    let answer = asked(load);
    let money = |transport| answer.estimate(transport).unwrap().money();
    assert!(money(ShortPolling) - money(Sse) > 10_000.0);
}

#[test]
fn fifty_updates_a_second_both_ways_take_a_websocket() {
    // 5,000 posts a second beside a stream, for 100 users, cost more than all that comes down.
    let game = Asked { audience: Some("1"), up_rate: Some("50/s"), ..load("100", "50/s", "100B", "100ms") };
    chooses(game, WebSocket);
}

#[test]
fn a_rare_update_that_must_be_fresh_is_streamed() {
    // A poll a second for an update a minute is empty 59 times of 60.
    chooses(load("1M", "1/min", "200B", "1s"), Sse);
}

#[test]
fn ten_updates_a_second_that_may_be_a_second_old_are_held_back_and_not_polled_for() {
    let load = load("10k", "10/s", "200B", "1s");
    chooses(load, Sse);
    assert!(asked(load).estimate(Sse).unwrap().flush_every_s.is_some());
}

#[test]
fn many_updates_a_second_are_not_polled_for_because_a_stream_is_flushed_too_soon() {
    leaves_but(load("10k", "40/s", "300B", "500ms"), &[ShortPolling]);
}

#[test]
fn what_may_be_half_a_minute_old_is_worth_no_websocket_and_no_long_poll() {
    // 20 dollars a month either way: the simplest do, and which costs less by a tenth is nobody's question.
    leaves_but(load("5k", "1/min", "200B", "30s"), &[LongPolling, WebSocket]);
}

#[test]
fn an_update_a_second_within_a_second_is_streamed() {
    chooses(load("10k", "1/s", "200B", "1s"), Sse);
}

#[test]
fn a_chat_in_rooms_of_fifty_is_not_polled_for() {
    // Ours. One user in fifty speaks what all hear, so posts are few and a stream with POST beside it costs what a
    // WebSocket does; polling twice a second for a message each two seconds is mostly empty polls.
    let chat = Asked { audience: Some("50"), direction: Some("both"), ..load("20k", "0.5/s", "200B", "500ms") };
    leaves_but(chat, &[ShortPolling, LongPolling]);
}

#[test]
fn where_a_gateway_bills_requests_nothing_polls() {
    // Ours. At 0.60 dollars a million, a long poll a message each ten seconds of a million users is 160 k a month.
    let mut prices = Prices::shipped();
    prices.request_million = 0.6;
    let needs = Needs::parse(&load("1M", "0.1/s", "300B", "10s")).unwrap();
    let answer = answer(&shipped(), &needs, &prices);
    assert_eq!(answer.decision.choice, Some(Sse));
    for polling in [ShortPolling, LongPolling] {
        let ratio = answer.estimate(polling).unwrap().money_over(answer.estimate(Sse).unwrap()).unwrap();
        assert!(ratio.low() > 10.0, "{polling} {ratio:?}");
    }
}

#[test]
fn a_status_that_changes_once_a_day_may_be_polled_for_and_needs_no_websocket() {
    // Ours. With ten minutes of patience a poll each 75 s costs about what heartbeats do that keep streams open. The model
    // never saw so slow a poll, so that it leaves the choice between the simple ones open.
    let answer = asked(load("100k", "1/d", "500B", "10m"));
    let left = left(&answer);
    assert!(left.contains(&ShortPolling) && !left.contains(&WebSocket) && !left.contains(&LongPolling), "{left:?}");
}

#[test]
fn streams_that_differ_by_framing_alone_are_equivalent() {
    let decision = asked(load("1M", "0.2/s", "300B", "2s")).decision;
    assert_eq!((decision.outcome, decision.chosen), (Outcome::Equivalent, Some(Chosen::BySimplicity)));
    for stream in [HttpStreaming, Sse, WebSocket] {
        assert!(decision.equivalent.contains(&stream), "{decision:?}");
    }
}
