use proptest::prelude::*;

use super::*;

const GOOD: &str = r#"name = "mine"
question = "Mine?"
subscribers = 20
topics = 2

[publish]
rate = 5.0
arrival = "poisson"
payload = { bytes = 256 }

[slo]
share = 0.99
within = "100ms"
"#;

fn refused(text: &str) -> String {
    parse(text, Path::new("mine.toml")).unwrap_err().to_string()
}

#[test]
fn what_is_left_out_has_a_default() {
    let workload = parse(GOOD, Path::new("mine.toml")).unwrap();
    assert_eq!(workload.direction, Direction::Down);
    assert_eq!(workload.polling.interval, Duration::from_secs(1));
    assert_eq!(workload.phases.measure, Duration::from_secs(5));
}

#[test]
fn a_wrong_line_is_named_with_what_is_allowed() {
    let cases = [
        ("rate = 5.0", "rate = -5.0", "line 7: `rate` is -5: messages a second, from 0.00001 to 1000000"),
        ("topics = 2", "topics = 0", "line 4: `topics` is 0: a whole number from 1 to 1000000"),
        ("topics = 2", "topics = 21", "line 3: 20 subscribers cannot cover 21 topics"),
        ("\"100ms\"", "\"soon\"", "line 13: `within` is \"soon\": a time with its unit"),
        ("0.99", "99.0", "line 12: `share` is 99: above 0 and at most 1"),
        ("bytes = 256", "bytes = 7", "line 9: `bytes` is 7: 100"),
        ("\"mine\"", "\"my own\"", "line 1: `name` is \"my own\""),
        ("arrival", "arivals", "line 8: unknown field `arivals`, expected one of `rate`, `arrival`"),
        ("\"poisson\"", "\"bursty\"", "line 8: `arrival`: unknown variant `bursty`, expected `constant` or `poisson`"),
    ];
    for (from, to, wanted) in cases {
        let message = refused(&GOOD.replacen(from, to, 1));
        assert!(message.contains(wanted), "{message}");
    }
}

#[test]
fn a_value_of_another_kind_or_size_is_named_with_what_is_allowed() {
    let cases = [
        (
            "subscribers = 20",
            "subscribers = \"many\"",
            "line 3: `subscribers` is \"many\": a whole number from 1 to 1000000",
        ),
        ("subscribers = 20", "subscribers = 1.5", "line 3: `subscribers` is 1.5: a whole number from 1"),
        ("subscribers = 20", "subscribers = [1]", "line 3: `subscribers` is [1]: a whole number from 1"),
        (
            "subscribers = 20",
            "subscribers = 99999999999999999999",
            "line 3: `subscribers` is 1e20: a whole number from 1 to 1000000",
        ),
        ("rate = 5.0", "rate = \"5/s\"", "line 7: `rate` is \"5/s\": messages a second, from 0.00001 to 1000000"),
        ("rate = 5.0", "rate = 1e300", "line 7: `rate` is 1e300: messages a second, from"),
        ("rate = 5.0", "rate = 1e-300", "line 7: `rate` is 1e-300: messages a second, from 0.00001 to 1000000"),
        ("rate = 5.0", "rate = nan", "line 7: `rate` is NaN: messages a second, from"),
        ("bytes = 256", "bytes = \"1KiB\"", "line 9: `bytes` is \"1KiB\": 100 (the stamps need as much) to 65536"),
        (
            "bytes = 256",
            "file = \"absent\"",
            "mine.toml line 9: `file` names absent, which cannot be read: No such file",
        ),
        ("{ bytes = 256 }", "5", "line 9: `payload`: a text or a table is needed"),
        ("share = 0.99", "share = \"99 %\"", "line 12: `share` is \"99 %\": above 0 and at most 1"),
        (
            "\"100ms\"",
            "100",
            "line 13: `within` is 100: a time with its unit (\"250ms\", \"5s\", \"2min\"), 1us to 1day",
        ),
        ("\"100ms\"", "\"500000000000years\"", "line 13: `within` is \"500000000000years\": a time with its unit"),
    ];
    for (from, to, wanted) in cases {
        let message = refused(&GOOD.replacen(from, to, 1));
        assert!(message.contains(wanted), "{message}");
    }
}

#[test]
fn where_nothing_is_published_nothing_is_late() {
    let idle = "name = \"i\"\nquestion = \"?\"\nsubscribers = 3\n[idle]\nheartbeat = \"5s\"\n";
    let workload = parse(idle, Path::new("i.toml")).unwrap();
    assert_eq!((workload.load, workload.slo), (Load::Silence { heartbeat: Duration::from_secs(5) }, None));
    let cases = [
        ("[idle]", "[slo]\nshare = 1.0\nwithin = \"1s\"\n[idle]", "line 4: where nothing is published"),
        ("[idle]", "[decide]\nfreshness = \"1s\"\n[idle]", "line 5: where nothing is published, nothing is late"),
        ("[idle]", "[publish]\nrate = 1.0\n[idle]", "`[publish]` and `[idle]` exclude each other"),
        ("[idle]", "[search]\ngrow = \"rate\"\n[idle]", "line 4: a search grows a `rate`"),
        ("[idle]\nheartbeat = \"5s\"", "", "a workload needs `[publish]`"),
        ("[idle]\nheartbeat = \"5s\"", "[publish]\nrate = 1.0", "`[slo]` is missing"),
    ];
    for (from, to, wanted) in cases {
        let message = refused(&idle.replacen(from, to, 1));
        assert!(message.contains(wanted), "{message}");
    }
}

#[test]
fn what_decides_is_a_tenth_unless_the_workload_says_otherwise() {
    let with = |decide: &str| parse(&format!("{GOOD}[decide]\n{decide}"), Path::new("d.toml"));
    let (default, own) = (with("").unwrap(), with("margin = 0.25\nfreshness = \"40ms\"").unwrap());
    assert_eq!((default.decide.margin.as_f64(), default.freshness()), (0.1, Some(Duration::from_millis(10))));
    assert_eq!((own.decide.margin.as_f64(), own.freshness()), (0.25, Some(Duration::from_millis(40))));
    for (decide, wanted) in [
        ("margin = 0.009", "line 15: `margin` is 0.009: 0.01 to 1"),
        ("margin = 10", "line 15: `margin` is 10: 0.01 to 1"),
        ("freshness = 40", "line 15: `freshness` is 40: a time with its unit"),
        ("simplicity = 1", "line 15: unknown field `simplicity`, expected `margin` or `freshness`"),
    ] {
        let message = with(decide).unwrap_err().to_string();
        assert!(message.contains(wanted), "{message}");
    }
}

#[test]
fn a_search_says_what_grows_and_how_far() {
    let search = |text: &str| parse(&format!("{GOOD}[search]\n{text}"), Path::new("s.toml"));
    let found = search("grow = \"subscribers\"").unwrap().search.unwrap();
    assert_eq!((found.grow, found.most), (Growth::Subscribers, 1_000_000.0));
    let message = search("grow = \"rate\"\nmost = 0.0").unwrap_err().to_string();
    assert!(message.contains("`most` is 0: above 0 and at most 1000000"), "{message}");
}

#[test]
fn a_trace_brings_its_topics_and_is_read_in_the_order_of_time() {
    let folder = tempfile::tempdir().unwrap();
    let lines = "{\"offset_ms\":20,\"topic\":\"a\",\"payload\":1}\n{\"offset_ms\":10,\"topic\":\"b\",\"payload\":2}\n";
    std::fs::write(folder.path().join("t.jsonl"), lines).unwrap();
    let text = GOOD
        .replace("topics = 2\n", "")
        .replace("rate = 5.0\narrival = \"poisson\"\npayload = { bytes = 256 }", "trace = \"t.jsonl\"");
    let workload = parse(&text, &folder.path().join("mine.toml")).unwrap();
    assert_eq!(workload.topics, 2);
    let Load::Trace { events, messages, .. } = workload.load else { panic!("a trace was given") };
    assert_eq!((messages, events[0].topic, events[0].payload.get()), (2, 1, "2"));
}

#[test]
fn a_wrong_line_of_a_trace_is_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("t.jsonl"), "{\"offset_ms\":0,\"topic\":\"a b\",\"payload\":1}\n").unwrap();
    let text = GOOD
        .replace("topics = 2\n", "")
        .replace("rate = 5.0\narrival = \"poisson\"\npayload = { bytes = 256 }", "trace = \"t.jsonl\"");
    let message = parse(&text, &folder.path().join("mine.toml")).unwrap_err().to_string();
    assert!(message.contains("t.jsonl line 1: `topic` is \"a b\""), "{message}");
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in ".{0,200}") {
        drop(parse(&text, Path::new("any.toml")));
    }
}
