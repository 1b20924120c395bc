//! The doctor: what `pushoff probe` finds between a server and its clients, and what it calls sound.
//!
//! What needs nginx is run by scripts/test, which installs it.

mod nginx;
mod upstream;

use serde_json::{Value, json};

use crate::command::{Folder, Run};
use crate::server::Server;
use crate::targets::SMALL;
use nginx::Nginx;
use upstream::{Manner, Upstream};

/// What docs/PROXIES.md advises.
const TUNED: &str = "proxy_http_version 1.1; proxy_buffering off; proxy_read_timeout 1h;
                     proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade;";

/// What `pushoff probe` finds; `is_wrong`: whether its exit code says that something is.
fn probe(arguments: &[&str], is_wrong: bool) -> Value {
    let ended = Run::command(&Folder::new(), &[&["probe", "--json"], arguments].concat()).end();
    let code = if is_wrong { 3 } else { 0 };
    assert_eq!(ended.code, Some(code), "{arguments:?}: {} {}", ended.stdout, ended.stderr);
    serde_json::from_str(&ended.stdout).unwrap()
}

/// The faults that were found.
fn faults(found: &Value) -> Vec<&str> {
    found["findings"].as_array().unwrap().iter().map(|finding| finding["fault"].as_str().unwrap()).collect()
}

/// The verdicts on the techniques of the first that was probed.
fn flows(found: &Value) -> Vec<&str> {
    let rows = found["probed"][0]["techniques"].as_array().unwrap();
    rows.iter().filter_map(|row| row["flow"].as_str()).collect()
}

/// The lines for nginx of the first finding.
fn cure(found: &Value) -> String {
    found["findings"][0]["nginx"].to_string()
}

#[test]
fn a_stream_of_somebody_else_is_heard_to_stream_without_publishing() {
    let upstream = Upstream::start(Manner::Plain);
    let found = probe(&[&upstream.url("/events"), "--listen", "2s"], false);
    assert_eq!((flows(&found), faults(&found)), (vec!["streaming"], vec![]));
    let row = &found["probed"][0]["techniques"][0];
    assert_eq!((&row["found"], &row["transport"]), (&json!("listened"), &json!("event stream")));
}

#[test]
fn compression_that_is_not_flushed_is_named_with_its_cure() {
    let upstream = Upstream::start(Manner::Gzip);
    let found = probe(&[&upstream.url("/events"), "--listen", "2s"], true);
    assert_eq!((flows(&found), faults(&found)), (vec!["streaming"], vec!["compression"]));
    assert!(cure(&found).contains("gzip off;"), "{found}");
}

#[test]
fn each_technique_of_our_own_server_streams() {
    let server = Server::start();
    let found = probe(&[&format!("http://{}", server.http)], false);
    assert_eq!((flows(&found), faults(&found)), (vec!["streaming"; 5], vec![]));
}

#[test]
fn a_server_over_tls_is_probed_as_one_in_the_clear_once_its_certificate_is_trusted() {
    let (folder, made) = (Folder::new(), rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap());
    let certificate = folder.file("certificate.pem", &made.cert.pem());
    let key = folder.file("key.pem", &made.signing_key.serialize_pem());
    let server =
        Server::with(&["--tls-cert", &certificate, "--tls-key", &key, "--tls-listen", "127.0.0.1:0", "--compress"]);
    let url = format!("https://{}", server.https.unwrap());
    for trusted in [&["--insecure"][..], &["--ca", &certificate]] {
        let found = probe(&[&[&*url], trusted].concat(), false);
        assert_eq!((flows(&found), faults(&found)), (vec!["streaming"; 5], vec![]), "{trusted:?}");
    }
    let topic = format!("{url}/topics/t/sse");
    server.publish("t", "1");
    let heard = probe(&[&topic, "--ca", &certificate, "--http2", "--listen", "1s"], false);
    assert_eq!(heard["probed"][0]["techniques"][0]["found"], "listened", "{heard}");
    let untrusted = Run::command(&folder, &["probe", &url]).end();
    assert_eq!((untrusted.code, untrusted.stdout.matches("--ca FILE").count()), (Some(3), 1), "{}", untrusted.stdout);
    let unheard = Run::command(&folder, &["probe", &topic, "--listen", "1s"]).end();
    assert!(unheard.code == Some(2) && unheard.stderr.contains("--ca FILE"), "{}", unheard.stderr);
    assert_eq!(unheard.stderr.lines().count(), 1, "{}", unheard.stderr);
}

#[test]
fn a_path_without_a_stream_is_taken_for_a_server_and_that_is_said() {
    let (folder, server) = (Folder::new(), Server::start());
    let ended = Run::command(&folder, &["probe", &format!("http://{}/nowhere", server.http)]).end();
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    assert!(ended.stderr.contains("answers with no stream"), "{}", ended.stderr);
    let says = format!("nothing at http://{}/nowhere speaks pushoff's wire contract (404): correct", server.http);
    assert!(ended.stdout.contains(&says), "{}", ended.stdout);
    let missing = Run::command(&folder, &["probe", &format!("http://{}/nowhere", server.http), "--listen", "1s"]).end();
    assert_eq!(missing.code, Some(2), "{}", missing.stdout);
    assert!(missing.stderr.contains("the answer is 404"), "{}", missing.stderr);
    let file = Run::command(&folder, &["probe", "pushoff", "--listen", "1s"]).end();
    assert!(file.code == Some(2) && file.stderr.contains("--listen"), "{}", file.stderr);
}

#[test]
#[ignore = "needs nginx: scripts/test runs it"]
fn a_buffer_is_named_by_listening_alone_and_is_the_proxys() {
    let upstream = Upstream::start(Manner::Plain);
    let nginx = Nginx::before(upstream.address, "", "");
    let urls = [&upstream.url("/events"), &nginx.url("/events")];
    let found = probe(&[urls[0], urls[1], "--listen", "2s"], true);
    assert_eq!((flows(&found), faults(&found)), (vec!["streaming"], vec!["buffering"]));
    assert_eq!(found["findings"][0]["shown_by"], json!([{ "probed": "proxied", "techniques": ["stream"] }]));
    assert!(cure(&found).contains("proxy_buffering off;"), "{found}");
    let text = Run::command(&Folder::new(), &["probe", urls[0], urls[1], "--listen", "2s"]).end().stdout;
    assert!(text.contains("streaming → buffered") && text.contains("proxy_buffering off;"), "{text}");
}

#[test]
#[ignore = "needs nginx: scripts/test runs it"]
fn one_buffer_is_one_finding_whatever_the_number_of_its_techniques() {
    let server = Server::start();
    // Our server asks nginx not to buffer, which this nginx does not heed.
    let found = probe(&[&Nginx::before(server.http, "", "proxy_ignore_headers X-Accel-Buffering;").url("")], true);
    assert_eq!(faults(&found), ["buffering", "old-http", "no-upgrade"]);
    assert_eq!(found["findings"][0]["shown_by"][0]["techniques"], json!(["http-streaming", "sse"]));
    assert_eq!(flows(&found), ["streaming", "streaming", "buffered", "buffered", "upgrade-refused"]);
}

#[test]
#[ignore = "needs nginx: scripts/test runs it"]
fn the_gzip_of_an_nginx_is_named_where_it_holds_back_and_not_where_it_flushes() {
    let upstream = Upstream::start(Manner::Plain);
    let gzip = "gzip on; gzip_proxied any; gzip_types text/event-stream;";
    // A chunk of HTTP/1.1 passes a buffering nginx at once, unless it is compressed.
    let found = probe(
        &[&Nginx::before(upstream.address, gzip, "proxy_http_version 1.1;").url("/events"), "--listen", "3s"],
        true,
    );
    assert_eq!((flows(&found), faults(&found)), (vec!["streaming"], vec!["compression"]));
    let found = probe(&[&Nginx::before(upstream.address, gzip, TUNED).url("/events"), "--listen", "3s"], false);
    assert_eq!(flows(&found), ["streaming"]);
    assert_eq!(found["probed"][0]["techniques"][0]["content_coding"], "gzip");
    let large = Upstream::start(Manner::Large);
    let found = probe(&[&Nginx::before(large.address, gzip, "").url("/events"), "--listen", "3s"], true);
    assert_eq!(faults(&found), ["buffering", "compression"]);
}

#[test]
#[ignore = "needs nginx: scripts/test runs it"]
fn a_time_out_that_cuts_silent_streams_is_named_and_not_where_a_heartbeat_keeps_them() {
    let short = TUNED.replace("1h", "2s");
    let silent = Server::with(&["--heartbeat", "1h"]);
    let found = probe(&[&Nginx::before(silent.http, "", &short).url(""), "--idle", "5s"], true);
    assert_eq!(faults(&found), ["idle-cut"]);
    let techniques = json!(["long-polling", "http-streaming", "sse", "websocket"]);
    assert_eq!(found["findings"][0]["shown_by"][0]["techniques"], techniques);
    assert!(cure(&found).contains("proxy_read_timeout 1h;"), "{found}");
    let alive = Server::with(&["--heartbeat", "500ms"]);
    let found = probe(&[&Nginx::before(alive.http, "", &short).url(""), "--idle", "3s"], true);
    // A poll has no heartbeat.
    assert_eq!(found["findings"][0]["shown_by"][0]["techniques"], json!(["long-polling"]));
    let upstream = Upstream::start(Manner::Plain);
    let nginx = Nginx::before(upstream.address, "", &short);
    let found = probe(&[&nginx.url("/events"), "--listen", "1s", "--idle", "8s"], true);
    assert_eq!((flows(&found), faults(&found)), (vec!["cut"], vec!["idle-cut"]));
}

#[test]
#[ignore = "needs nginx: scripts/test runs it"]
fn http_1_0_to_the_server_and_a_missing_upgrade_are_two_findings() {
    let server = Server::start();
    let of = |location: &str| {
        let found = probe(&[&Nginx::before(server.http, "", location).url("")], true);
        assert_eq!(flows(&found).last(), Some(&"upgrade-refused"), "{found}");
        faults(&found).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(of(""), ["old-http", "no-upgrade"]);
    assert_eq!(of("proxy_http_version 1.1;"), ["no-upgrade"]);
    let passes = "proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade;";
    assert_eq!(of(passes), ["old-http"]);
}

#[test]
#[ignore = "needs nginx: scripts/test runs it"]
fn the_targets_behind_nginx_are_what_they_say() {
    let found = probe(&[&target("tuned"), "--idle", "1s"], false);
    assert_eq!(flows(&found), ["streaming"; 5]);
    let found = probe(&["pushoff", &target("defaults")], true);
    assert_eq!(faults(&found), ["old-http", "no-upgrade"]);
    assert!(found["findings"].as_array().unwrap().iter().all(|it| it["shown_by"][0]["probed"] == "proxied"), "{found}");
}

/// A target behind nginx.
fn target(kind: &str) -> String {
    format!("{}/../targets/nginx-{kind}.toml", env!("CARGO_MANIFEST_DIR"))
}

#[test]
#[ignore = "needs nginx: scripts/test runs it"]
fn a_target_behind_nginx_compresses_if_it_is_told_to_and_flushes() {
    let folder = Folder::new();
    let script = format!("{}/../scripts/peers/nginx-proxy", env!("CARGO_MANIFEST_DIR"));
    let written = std::fs::read_to_string(target("tuned")).unwrap();
    let command = |flag: &str| format!("start = [\"{script}\", \"tuned\", \"{flag}\"]");
    let with = |flag| written.replace("start = [\"../scripts/peers/nginx-proxy\", \"tuned\"]", &command(flag));
    let found = probe(&[&folder.file("gzip.toml", &with("--gzip"))], false);
    let rows = found["probed"][0]["techniques"].as_array().unwrap();
    let compressed = rows.iter().filter(|row| row["content_coding"] == "gzip").map(|row| &row["transport"]);
    assert_eq!(compressed.collect::<Vec<_>>(), ["http-streaming", "sse"]);
}

#[test]
#[ignore = "needs nginx: scripts/test runs it"]
fn a_target_behind_nginx_is_measured_with_its_costs() {
    let folder = Folder::new();
    let small = folder.file("small.toml", SMALL);
    let asked = ["--workload", &small, "--transport", "sse,websocket", "--trials", "1", "--target", &target("tuned")];
    let ended = Run::start(&folder, &asked).end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    for record in ended.records() {
        let measured = record.measurement().unwrap();
        assert_eq!(measured.counts.delivered, measured.counts.expected, "{}", record.transport);
        assert!(measured.server.is_some_and(|server| server.cpu_ns > 0), "{}", record.transport);
    }
}

#[test]
#[ignore = "needs nginx: scripts/test runs it"]
fn a_stream_over_http_2_is_heard_too() {
    let upstream = Upstream::start(Manner::Plain);
    let tuned = Nginx::listening("http2", upstream.address, "", TUNED);
    let found = probe(&[&tuned.url("/events"), "--http2", "--listen", "2s"], false);
    assert_eq!(flows(&found), ["streaming"]);
    assert!(found["probed"][0]["says"].as_str().unwrap().contains("HTTP/2.0"), "{found}");
    // The head of a buffered stream comes at once over HTTP/2: events tell.
    let large = Upstream::start(Manner::Large);
    let plain = Nginx::listening("http2", large.address, "", "");
    assert_eq!(faults(&probe(&[&plain.url("/events"), "--http2", "--listen", "2s"], true)), ["buffering"]);
}
