use proptest::prelude::*;

use super::*;
use crate::target::{BUILT_IN, OURS, SaidIn, built_in};

const GOOD: &str = r#"name = "mine"
url = "http://localhost:9000/push/"
headers = { X-Key = "k" }

[publish]
path = "/send?channel={topic}"
body = '{"channel":"{topic}","data":{payload}}'

[message]
payload = "/data/0"

[short-polling]
path = "/poll/{topic}"
units = "array"
array = "/messages"
id = "/id"
resume = { "?since" = "{id}" }

[sse]
path = "/events/{topic}"
resume = { Last-Event-ID = "{id}" }
"#;

fn good() -> Target {
    parse(GOOD, Path::new("targets/mine.toml")).unwrap()
}

fn wrong(from: &str, to: &str) -> String {
    assert!(GOOD.contains(from), "{from}");
    parse(&GOOD.replace(from, to), Path::new("mine.toml")).unwrap_err().to_string()
}

#[test]
fn the_built_in_targets_are_valid_and_ours_is_the_first() {
    for (name, _) in BUILT_IN {
        assert_eq!(built_in(name).unwrap().unwrap().name, name);
    }
    let ours = built_in(BUILT_IN[0].0).unwrap().unwrap();
    assert_eq!((ours.name.as_str(), &ours.place), (OURS, &Place::Unsaid));
    assert!(Transport::ALL.into_iter().all(|transport| ours.speaks(transport)));
    assert!(built_in("nonsense").is_none());
}

#[test]
fn a_file_says_where_and_how() {
    let target = good();
    let Place::At(address) = &target.place else { panic!("{:?}", target.place) };
    assert_eq!((address.authority.as_str(), address.base.as_str()), ("localhost:9000", "/push"));
    assert!(target.speaks(Transport::Sse) && !target.speaks(Transport::WebSocket) && !target.speaks(Transport::RawTcp));
    let polling = target.dialect.technique(Transport::ShortPolling).unwrap();
    assert_eq!(polling.units, Units::Array(Pointer(vec!["messages".into()])));
    assert_eq!(polling.parts.payload, Pointer(vec!["data".into(), "0".into()]));
    assert_eq!(polling.resume[0].place, SaidIn::Query("since".into()));
    let events = target.dialect.technique(Transport::Sse).unwrap();
    assert_eq!(events.parts, Parts::default(), "an event's data is the payload");
    assert_eq!(target.dialect.publish.fields, [(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
}

#[test]
fn a_command_is_started_beside_the_file() {
    let text = GOOD.replace("url = \"http://localhost:9000/push/\"", "start = [\"./serve\"]");
    let Place::Started { command, folder } = parse(&text, Path::new("targets/mine.toml")).unwrap().place else {
        panic!("not started");
    };
    assert_eq!((command, folder), (vec!["./serve".to_owned()], "targets".into()));
}

#[test]
fn a_wrong_line_is_named_with_what_is_allowed() {
    for (from, to, line, says) in [
        ("name = \"mine\"", "name = \"a b\"", 1, "A-Z a-z 0-9"),
        ("http://localhost:9000/push/", "wss://localhost", 2, "http:// or https://"),
        ("http://localhost:9000/push/", "http://localhost:99999", 2, "no number from 1 to 65535"),
        ("http://localhost:9000/push/", "http://me:pw@localhost", 2, "http://***@localhost is"),
        ("headers = {", "raw-tcp = \"127.0.0.1:0\"\nheaders = {", 3, "a port from 1 to 65535"),
        ("headers = {", "raw-tcp = \"127.0.0.1:70000\"\nheaders = {", 3, "a port from 1 to 65535"),
        ("http://localhost:9000/push/", "localhost:9000", 2, "begin with http://"),
        ("http://localhost:9000/push/", "http://localhost/?a=1", 2, "no query"),
        ("X-Key = \"k\"", "\"X Key\" = \"k\"", 3, "no name of an HTTP field"),
        ("X-Key = \"k\"", "X-Key = \"{env:PUSHOFF_NOT_SET}\"", 3, "PUSHOFF_NOT_SET"),
        ("/send?channel={topic}", "send", 6, "begins with /"),
        ("/send?channel={topic}", "/send#{topic}", 6, "no #"),
        ("/poll/{topic}", "/poll/{topic}#now", 13, "no #"),
        ("/events/{topic}", "/../{topic}", 20, "no . or .."),
        ("/events/{topic}", "/évents/{topic}", 20, "what a URL may"),
        ("{ \"?since\" =", "{ \"?since#\" =", 17, "no name of a parameter"),
        ("{ \"?since\" =", "{ \"?a&b\" =", 17, "no name of a parameter"),
        ("/send?channel={topic}", "/{id}", 6, "knows no {id}"),
        (",\"data\":{payload}", "", 7, "neither {payload}"),
        ("\"/data/0\"", "\"data\"", 10, "JSON pointer"),
        ("units = \"array\"\n", "", 14, "units"),
        ("\"{id}\" }\n\n[sse]", "\"{topic}\" }\n\n[sse]", 17, "{topic} is not known there"),
        (
            "path = \"/events/{topic}\"",
            "path = \"/events/{topic}\"\nspeaks = \"{payload}\"",
            21,
            "means nothing for sse",
        ),
        ("[sse]", "[server-sent]", 19, "unknown field"),
    ] {
        let error = wrong(from, to);
        assert!(error.starts_with(&format!("mine.toml line {line}:")), "{to}: {error}");
        assert!(error.contains(says), "{to}: {error}");
    }
}

#[test]
fn a_target_without_a_technique_is_refused() {
    let at = GOOD.find("[short-polling]").unwrap();
    let error = parse(&GOOD[..at], Path::new("mine.toml")).unwrap_err().to_string();
    assert!(error.contains("at least one"), "{error}");
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(at in 0..GOOD.len(), text: String) {
        let mut whole = GOOD.to_owned();
        whole.insert_str(at, &text);
        if let Err(error) = parse(&whole, Path::new("mine.toml")) {
            prop_assert!(error.to_string().starts_with("mine.toml line "));
        }
    }
}
