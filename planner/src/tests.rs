//! The planner against values computed by hand, with a small made-up model.

mod experts;

use proptest::prelude::*;
use pushoff_model::Transport;
use pushoff_stats::Figure;

use super::costs::CostModel;
use super::prices::{GIBIBYTE, MONTH};
use super::sizing::Carrier;
use super::*;

/// Five transports with round costs: 25 ms of latency at most while little is asked of a server.
const MODEL: &str = include_str!("fixture.json");

fn model() -> CostModel {
    CostModel::parse(MODEL).unwrap()
}

/// A second of one KiB to each of 20,000 users, all of whom hear it.
const FEED: Needs = Needs { users: 20_000.0, rate: 1.0, payload: 1_024.0, ..Needs::EXAMPLE };

fn asked(needs: &Needs) -> Answer {
    answer(&model(), needs, &Prices::shipped())
}

fn estimate(needs: &Needs, transport: Transport) -> Estimate {
    asked(needs).estimate(transport).unwrap().clone()
}

#[track_caller]
fn about(figure: Option<Figure>, expected: f64) {
    let point = figure.unwrap().point;
    assert!((point / expected - 1.0).abs() < 1e-4, "{point} is not {expected}");
}

#[test]
fn what_a_stream_needs_is_what_is_computed_by_hand() {
    let sse = estimate(&FEED, Transport::Sse);
    // Two processes of 10,000, the most that was measured. Each a second: one publish, 10,000 messages of
    // one KiB: 20,000 + 52,000,000 + 5,000,000 ns, and 18 ns of heartbeats.
    assert_eq!((sse.processes, sse.users_a_process), (Some(2.0), Some(10_000.0)));
    let busy = 57_020_018.4 / 1e9;
    assert!((sse.utilisation.unwrap() / busy - 1.0).abs() < 1e-6);
    about(sse.figures.cores, 2.0 * busy / 0.6);
    // 7,000 a user, and 60 messages of a KiB that are kept on each.
    about(sse.figures.memory_bytes, 20_000.0 * 7_000.0 + 2.0 * 60.0 * (200.0 + 1_024.0));
    about(sse.figures.down_bytes_per_second, 20_000.0 * (35.0 + 1_024.0 + 52.0));
    about(sse.figures.up_bytes_per_second, 20_000.0 * 52.0);
    about(sse.figures.traffic_a_month_bytes, 20_000.0 * (35.0 + 1_024.0 + 104.0) * MONTH);
    assert_eq!(sse.figures.requests_per_second, Some(Figure { point: 0.0, interval: None }));
    about(sse.figures.connecting_cpu_ns, 20_000.0 * 30_000.0);
    // Of events at random times that take 57 ms, one a second, 94 % do not wait, and 99 % for no longer than `wait`: the
    // share that waits for less than one service time is (1 − ρ) e^ρt.
    let wait = (0.99 / (1.0 - busy)).ln();
    about(sse.figures.p50_ns, 2e5 + 5e8 * busy + 20e6);
    about(sse.figures.p99_ns, 8e5 + 1e9 * busy + 1e9 * wait + 20e6);
    let servers = 2.0 * busy / 0.6 * 25.0 + (140e6 + 146_880.0) / GIBIBYTE * 3.0;
    about(sse.figures.money_a_month, servers + 20_000.0 * 1_111.0 * MONTH / 1e9 * 0.08);
    assert_eq!((sse.standing, sse.interval_s, sse.flush_every_s), (Standing::Meets, None, None));
    let bill = sse.bill.unwrap();
    about(sse.figures.money_a_month, bill.total());
    about(Some(Figure { point: bill.traffic, interval: None }), 20_000.0 * 1_111.0 * MONTH / 1e9 * 0.08);
}

#[test]
fn short_polling_asks_as_slowly_as_the_staleness_allows() {
    let polling = estimate(&FEED, Transport::ShortPolling);
    let interval = polling.interval_s.unwrap();
    assert!((1.9..1.98).contains(&interval), "{interval}");
    let p99 = polling.figures.p99_ns.unwrap();
    assert!(p99.high() <= 2e9 && p99.high() > 1.95e9, "{p99:?}");
    assert_eq!(polling.standing, Standing::Meets);
    let requests = 20_000.0 / interval;
    about(polling.figures.requests_per_second, requests);
    // A browser's head, and for each poll one segment and a half up.
    let head = pushoff_model::overhead::browser_request_head(Transport::ShortPolling) as f64;
    about(polling.figures.up_bytes_per_second, requests * (head + 1.5 * 52.0));
    let p50 = polling.figures.p50_ns.unwrap().point / 1e9;
    assert!((p50 - interval / 2.0 - 0.02) < 0.01, "{p50}");
}

#[test]
fn no_interval_is_longer_than_a_connection_is_kept_nor_shorter_than_is_known() {
    let interval = |staleness| estimate(&Needs { staleness, ..FEED }, Transport::ShortPolling).interval_s;
    assert_eq!(interval(3_600.0), Some(KEEP_ALIVE));
    let fresh = estimate(&Needs { staleness: 0.025, ..FEED }, Transport::ShortPolling);
    assert_eq!((fresh.standing, fresh.reason), (Standing::Fails, Some(Reason::TooFresh)));
    assert_eq!((fresh.interval_s, fresh.figures), (None, Figures::default()));
    // Sooner than half of a round trip nothing is there.
    assert_eq!(asked(&Needs { staleness: 0.019, ..FEED }).decision.outcome, Outcome::NothingMeets);
}

#[test]
fn a_process_is_given_no_more_than_its_target() {
    let needs = Needs { users: 1e6, rate: 100.0, ..FEED };
    let sse = estimate(&needs, Transport::Sse);
    let (processes, busy) = (sse.processes.unwrap(), sse.utilisation.unwrap());
    assert!((0.59..=TARGET + 1e-6).contains(&busy), "{busy}");
    assert!((processes * sse.users_a_process.unwrap() / 1e6 - 1.0).abs() < 1e-9);
    // Each user takes 570,000 ns a second, and the 100 publishes 2,000,000.
    let users = (0.6e9_f64 - 2_000_000.0) / 570_000.0;
    assert!((processes - (1e6 / users).ceil()).abs() < 1e-9, "{processes}");
    let mammoth = Needs { users: 1.0, rate: 1_000.0, payload: 65_536.0, ..FEED };
    let slow = MODEL.replace("\"kibibytes\",\n       \"value\": 500.0", "\"kibibytes\",\n       \"value\": 50000.0");
    let slow = CostModel::parse(&slow).unwrap();
    let unfit = Carrier { model: &slow, needs: &mammoth, transport: Transport::Sse }.sized(1.0);
    assert_eq!(unfit, Err(Reason::TooMuch));
}

#[test]
fn where_a_full_process_is_too_late_smaller_ones_are_taken() {
    let of = |staleness| estimate(&Needs { staleness, ..FEED }, Transport::Sse);
    // A message at 10,000 users takes some 57 ms of the server; to be there sooner takes fewer of them.
    let (late, fresh) = (of(2.0), of(0.06));
    assert_eq!((late.standing, fresh.standing), (Standing::Meets, Standing::Meets));
    assert!(fresh.processes > late.processes, "{fresh:?}");
    let p99 = fresh.figures.p99_ns.unwrap().high();
    assert!(p99 <= 60e6 && p99 > 55e6, "{fresh:?}");
}

#[test]
fn what_fails_is_late_at_its_best_so_that_a_staleness_that_it_meets_is_no_less_than_its_p99() {
    for users in [1e4, 1e6] {
        let needs = Needs { users, staleness: 0.01, ..FEED };
        let now = asked(&needs);
        assert_eq!(now.decision.outcome, Outcome::NothingMeets);
        let late = estimate(&needs, Transport::Sse).figures.p99_ns.unwrap();
        let found = changes(&model(), &needs, &Prices::shipped(), &now);
        let change = found.iter().find(|it| it.need == Need::Staleness && it.above).unwrap();
        // The nearest step of a tenth of a decade.
        assert!((1.0..1.26).contains(&(change.value * 1e9 / late.high())), "{late:?} {change:?}");
    }
}

#[test]
fn a_stream_is_flushed_slowly_where_that_saves_more_than_the_margin_and_as_fast_as_the_margin_allows() {
    // Ten small updates a second, of which a second may hold ten: headers of segments are half of the bytes.
    let chatty = Needs { rate: 10.0, payload: 20.0, staleness: 1.0, ..FEED };
    let sse = estimate(&chatty, Transport::Sse);
    let every = sse.flush_every_s.unwrap();
    assert!((0.05..1.0).contains(&every), "{every}");
    // (1 − e^−10·every) ÷ every segments a second, and as many that acknowledge.
    let segments = -(-10.0 * every).exp_m1() / every;
    about(sse.figures.down_bytes_per_second, 20_000.0 * (10.0 * (35.0 + 20.0) + segments * 52.0));
    about(sse.figures.up_bytes_per_second, 20_000.0 * segments * 52.0);
    let p50 = sse.figures.p50_ns.unwrap().point / 1e9;
    assert!((0.0..0.1).contains(&(p50 - every / 2.0 - 0.02)), "{p50}");
    // One that saves little is written at once.
    assert_eq!(estimate(&FEED, Transport::Sse).flush_every_s, None);
    // Who would have it fresher at any price pays for it.
    assert_eq!(estimate(&Needs { margin: 1.0, ..chatty }, Transport::Sse).flush_every_s, None);
}

#[test]
fn no_interval_is_narrower_than_the_error_that_the_check_found() {
    let with = |check: &str| {
        let errors =
            format!("\"errors\": [{{\"transport\": \"sse\", \"check\": \"{check}\", \"worst\": 0.5}}], \"transports\"");
        let model = CostModel::parse(&MODEL.replacen("\"transports\"", &errors, 1)).unwrap();
        move |transport| answer(&model, &FEED, &Prices::shipped()).estimate(transport).unwrap().figures
    };
    let half = |figure: Option<Figure>| (figure.unwrap().high() / figure.unwrap().point).ln();
    // A time that was off over one transport may be off over all.
    let timed = with("processor");
    assert!(half(timed(Transport::Sse).cores) >= 0.5 - 1e-9 && half(timed(Transport::WebSocket).cores) >= 0.5 - 1e-9);
    assert!(half(estimate(&FEED, Transport::Sse).figures.cores) < 0.5);
    let counted = with("bytes");
    assert!(half(counted(Transport::Sse).down_bytes_per_second) > 0.4);
    assert!(half(counted(Transport::WebSocket).down_bytes_per_second) < 0.1);
}

#[test]
fn a_price_for_requests_turns_from_polls_to_streams() {
    let mut prices = Prices::shipped();
    prices.request_million = 0.6;
    let polling = answer(&model(), &FEED, &prices);
    let polling = polling.estimate(Transport::ShortPolling).unwrap();
    let requests = polling.figures.requests_per_second.unwrap().point;
    let bill = polling.bill.unwrap();
    assert!((bill.requests / (requests * MONTH / 1e6 * 0.6) - 1.0).abs() < 1e-9);
    about(polling.figures.money_a_month, bill.total());
}

#[test]
fn users_who_speak_send_requests_beside_everything_but_websocket() {
    // 100 rooms of 20: each user hears one a second, said by one of 20.
    let rooms = Needs { users: 2_000.0, audience: Some(20.0), up_rate: 0.05, ..FEED };
    let (sse, socket) = (estimate(&rooms, Transport::Sse), estimate(&rooms, Transport::WebSocket));
    about(sse.figures.requests_per_second, 100.0);
    let post = pushoff_model::overhead::browser_publish_head() as f64 + 1_024.0;
    // The post in two segments at least, of which one acknowledges; and what acknowledges the messages.
    let up = 100.0 * (post + 52.0 * ((post / 1_448.0).max(1.0) + 1.0)) + 2_000.0 * 52.0;
    about(sse.figures.up_bytes_per_second, up);
    assert!(socket.figures.requests_per_second.unwrap().point < 1e-9);
    about(socket.figures.up_bytes_per_second, 100.0 * (1_024.0 + 8.0) + 2_000.0 * 52.0);
    // It has to come up as well as down.
    let down = estimate(&Needs { up_rate: 0.0, ..rooms }, Transport::Sse).figures.p50_ns.unwrap().point;
    about(sse.figures.p50_ns, down + 20e6);
}

#[test]
fn what_would_change_the_choice_does_and_a_step_before_it_does_not() {
    let (model, prices) = (model(), Prices::shipped());
    let now = asked(&FEED);
    let found = changes(&model, &FEED, &prices, &now);
    assert!(!found.is_empty());
    for change in found {
        let there = answer(&model, &change.need.with(&FEED, change.value).unwrap(), &prices).decision;
        assert_eq!((there.choice, there.outcome), (change.choice, change.outcome));
        assert_ne!(change.choice, now.decision.choice);
        let back = change.value * 10_f64.powf(if change.above { -0.1 } else { 0.1 });
        let before = answer(&model, &change.need.with(&FEED, back).unwrap(), &prices);
        assert_eq!(before.decision.choice, now.decision.choice, "{change:?}");
    }
}

#[test]
fn what_lies_outside_what_was_measured_is_said() {
    let far = Needs { payload: 65_536.0, ..FEED };
    let answer = asked(&far);
    assert!(answer.beyond().iter().any(|it| (it.times - 4.0).abs() < 1e-9 && !it.below), "{:?}", answer.beyond());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn more_users_never_cost_less(
        users in 1.0..1e7_f64, more in 1.0..100.0_f64, rate in 0.01..50.0_f64, payload in 1.0..4096.0_f64, audience in 1.0..1e4_f64,
    ) {
        for audience in [None, Some(audience)] {
            let few = Needs { users, rate, payload, audience, ..FEED };
            let (few, many) = (asked(&few), asked(&Needs { users: users * more, ..few }));
            for (few, many) in few.estimates.iter().zip(&many.estimates) {
                // Short polling asks a little less often where its answers come sooner.
                let slack = if few.transport == Transport::ShortPolling { 0.98 } else { 1.0 - 1e-9 };
                let money = |it: &Estimate| it.figures.money_a_month.map(|money| money.point);
                prop_assert!(money(many) >= money(few).map(|few| few * slack), "{few:?} {many:?}");
            }
        }
    }

    #[test]
    fn no_choice_costs_more_than_the_margin_above_another_that_is_good_enough(
        users in 1.0..1e6_f64, rate in 0.01..50.0_f64, payload in 1.0..4096.0_f64, staleness in 0.05..100.0_f64,
    ) {
        let needs = Needs { users, rate, payload, staleness, ..FEED };
        let answer = asked(&needs);
        if let Some(choice) = answer.decision.choice.and_then(|choice| answer.estimate(choice)) {
            for other in answer.estimates.iter().filter(|it| it.standing == Standing::Meets) {
                let ratio = choice.money_over(other).unwrap();
                prop_assert!(ratio.low() <= 1.0 + needs.margin, "{choice:?} {other:?}");
            }
        }
    }

    #[test]
    fn tighter_staleness_never_lets_short_polling_ask_less_often(
        staleness in 0.1..3_000.0_f64, looser in 1.05..1e3_f64, rate in 0.01..10.0_f64, users in 1.0..1e6_f64,
    ) {
        let interval = |staleness| {
            estimate(&Needs { staleness, rate, users, ..FEED }, Transport::ShortPolling).interval_s
        };
        let (tight, loose) = (interval(staleness), interval(staleness * looser));
        prop_assert!(tight <= loose, "{tight:?} {loose:?}");
    }
    #[test]
    fn no_pace_is_so_slow_that_a_topic_has_dropped_what_came_since(
        staleness in 0.1..3_000.0_f64, rate in 0.01..1_000.0_f64, payload in 1.0..65_536.0_f64,
    ) {
        for it in asked(&Needs { staleness, rate, payload, ..FEED }).estimates {
            let between = it.interval_s.or(it.flush_every_s).unwrap_or_default() * rate;
            prop_assert!(between <= costs::kept_messages(payload), "{it:?}");
        }
    }
}
