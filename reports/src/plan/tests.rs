//! Plans in words, in the terminal and as JSON, with a small made-up model.

use pushoff_planner::{Need, Outcome};

use super::*;

/// Five transports with round costs: 25 ms of latency at most while little is asked of a server.
const MODEL: &str = include_str!("../../../planner/src/fixture.json");

fn model() -> Model {
    Model::parse(MODEL).unwrap()
}

/// One KiB a second to each of 20,000 users, all of whom hear it.
const FEED: Asked<'static> = Asked {
    users: Some("20k"),
    rate: Some("1/s"),
    payload: Some("1KiB"),
    staleness: Some("2s"),
    audience: None,
    up_rate: None,
    direction: None,
    rtt: None,
    margin: None,
    freshness: None,
};

fn plan(model: &Model, asked: Asked<'_>) -> Plan {
    Plan::of(model, Needs::parse(&asked).unwrap(), Prices::shipped())
}

#[test]
fn what_lies_outside_what_was_measured_is_said() {
    let plan = plan(&model(), Asked { payload: Some("64KiB"), ..FEED });
    assert!(plan.notes.iter().any(|note| note.contains("bytes of a payload 4.00 times the most (all)")), "{plan:#?}");
}

#[test]
fn where_a_cost_is_not_known_nothing_is_taken_and_the_command_that_would_tell_is_named() {
    let forgetful = Model::parse(&MODEL.replace("\"kernel-memory\"", "\"latency-p50\"")).unwrap();
    let plan = plan(&forgetful, FEED);
    assert_eq!((plan.answer.decision.choice, plan.answer.decision.outcome), (None, Outcome::Undecided));
    assert!(plan.sentences[0].ends_with("[undecided]."), "{:?}", plan.sentences);
    for words in ["pushoff run --workload FILE", " --transport websocket"] {
        assert!(plan.sentences[1].contains(words), "{:?}", plan.sentences);
    }
    assert!(!plan.sentences.concat().contains("USD"), "{:?}", plan.sentences);
}

#[test]
fn a_plan_says_for_which_wire_it_is_and_which_were_measured_beside_it() {
    let said =
        |model: &Model| plan(model, FEED).notes.into_iter().find(|note| note.contains("figures are for")).unwrap();
    let ours = "The figures are for HTTP/1.1 without TLS, uncompressed";
    assert!(said(&model()).starts_with(ours) && said(&Model::shipped()).starts_with(ours));
    let left_out = crate::fixture::wires::WIRES[1..].to_vec();
    let beside = said(&Model { left_out, ..model() });
    let others = "other wires (HTTP/1.1 over TLS; HTTP/2 over TLS; HTTP/2 over TLS, compressed) are not in them";
    assert!(beside.starts_with(ours) && beside.contains(others), "{beside}");
}

#[test]
fn the_recommendation_stands_before_the_table() {
    let text = |asked, width| plan(&model(), asked).document().terminal(width, false);
    let million = Asked { users: Some("1M"), rate: Some("0.2/s"), payload: Some("300B"), ..FEED };
    insta::assert_snapshot!("plan_120", text(million, 120));
    let rooms = Asked { rate: Some("5/s"), staleness: Some("200ms"), audience: Some("50"), ..FEED };
    insta::assert_snapshot!("plan_80", text(rooms, 80));
    insta::assert_snapshot!("plan_nothing", text(Asked { staleness: Some("19ms"), ..FEED }, 100));
}

#[test]
fn whatever_is_needed_no_line_is_too_wide_and_no_figure_is_made_up() {
    let model = model();
    for need in [Need::Rate, Need::Staleness, Need::Users, Need::Payload] {
        let (least, most) = need.bounds();
        for value in [least, most] {
            let needs = need.with(&Needs::parse(&FEED).unwrap(), value).unwrap();
            let plan = Plan::of(&model, needs, Prices::shipped());
            for width in [40, 80, 200] {
                let text = plan.document().terminal(width, false);
                assert!(text.lines().all(|line| line.chars().count() <= width), "{text}");
                assert!(!text.contains("NaN") && !text.contains("inf "), "{text}");
            }
            assert!(!plan.document().json().to_string().contains("NaN"));
        }
    }
}

#[test]
fn the_keys_of_the_json_are_those_that_are_documented() {
    let json = plan(&model(), FEED).document().json();
    let keys =
        ["schema", "needs", "prices", "model", "outcome", "choice", "chosen", "cheapest", "equivalent", "contenders"];
    for key in keys.into_iter().chain(["changes", "sentences", "notes"]) {
        assert!(!json[key].is_null(), "{key}");
    }
    for key in ["users", "rate_per_second", "payload_bytes", "staleness_s", "up_rate_per_second", "rtt_s", "margin"] {
        assert!(json["needs"][key].is_number(), "{key}");
    }
    let polling = &json["transports"][0];
    assert_eq!(polling["transport"], "short-polling");
    for key in [
        "traffic_a_month_bytes",
        "down_bytes_per_second",
        "up_bytes_per_second",
        "requests_per_second",
        "connections",
        "cores",
        "memory_bytes",
        "connecting_cpu_ns",
        "p50_ns",
        "p99_ns",
        "money_a_month",
    ] {
        assert!(polling[key]["point"].is_f64(), "{key}: {polling}");
    }
    for key in ["processes", "users_a_process", "utilisation", "interval_s", "wakeups_an_hour", "radio_share"] {
        assert!(polling[key].is_f64(), "{key}: {polling}");
    }
    for key in ["processor", "memory", "traffic", "requests"] {
        assert!(polling["bill"][key].is_f64(), "{key}: {polling}");
    }
    let chatty = Asked { rate: Some("20/s"), payload: Some("20B"), ..FEED };
    let chatty = plan(&model(), chatty).document().json();
    assert!(chatty["transports"][3]["flush_every_s"].is_f64() && json["transports"][3]["flush_every_s"].is_null());
    assert_eq!((&polling["standing"], &json["outcome"]), (&"meets".into(), &"equivalent".into()));
    assert_eq!(json["model"]["is_shipped"], false);
}
