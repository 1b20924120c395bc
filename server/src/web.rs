//! The live page at `/`, and its files under `/web/`: among them a browser client for each technique, to be
//! used and copied, and the page that browser measurements open.
//!
//! The files are part of the binary. The page loads nothing from elsewhere, runs no other script or style, and
//! shares its process with no page of another origin, so that browsers give it their finest clock. Sources: CSP
//! 3, WHATWG HTML §7.1.3 and §7.1.4, High Resolution Time.

use bytes::Bytes;
use http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderName, HeaderValue};
use pushoff_model::foreign::{SENTENCE, shown};

use crate::config::{Config, OfferedNetwork};
use crate::http::{Hosts, Problem, Response};

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

const PAGE: &str = include_str!("../web/page.html");

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";

/// The policy of the measurement page, which reaches this host by many names.
const POLICY_OF_MEASURING: &str = "default-src 'none'; script-src 'self'; \
                                   connect-src 'self' http://*.localhost:* ws://*.localhost:*; \
                                   base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// A file of the binary.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct File {
    name: &'static str,
    media_type: &'static str,
    content: &'static str,
}

const fn file(name: &'static str, media_type: &'static str, content: &'static str) -> File {
    File { name, media_type, content }
}

const FILES: &[File] = &[
    file("client.js", SCRIPT, include_str!("../web/client.js")),
    file("short-polling.js", SCRIPT, include_str!("../web/short-polling.js")),
    file("long-polling.js", SCRIPT, include_str!("../web/long-polling.js")),
    file("http-streaming.js", SCRIPT, include_str!("../web/http-streaming.js")),
    file("fetch-streaming.js", SCRIPT, include_str!("../web/fetch-streaming.js")),
    file("sse.js", SCRIPT, include_str!("../web/sse.js")),
    file("websocket.js", SCRIPT, include_str!("../web/websocket.js")),
    file("page.js", SCRIPT, include_str!("../web/page.js")),
    file("lane.js", SCRIPT, include_str!("../web/lane.js")),
    file("techniques.js", SCRIPT, include_str!("../web/techniques.js")),
    file("scenarios.js", SCRIPT, include_str!("../web/scenarios.js")),
    file("publisher.js", SCRIPT, include_str!("../web/publisher.js")),
    file("slots.js", SCRIPT, include_str!("../web/slots.js")),
    file("chart.js", SCRIPT, include_str!("../web/chart.js")),
    file("wire.js", SCRIPT, include_str!("../web/wire.js")),
    file("figures.js", SCRIPT, include_str!("../web/figures.js")),
    file("page.css", "text/css; charset=utf-8", include_str!("../web/page.css")),
    file("measure.html", HTML, include_str!("../web/measure.html")),
    file("measure.js", SCRIPT, include_str!("../web/measure.js")),
    file("icon.svg", "image/svg+xml", include_str!("../web/icon.svg")),
];

impl File {
    /// Finds a file by its name.
    pub(crate) fn find(name: &str) -> Result<&'static Self, Problem> {
        FILES.iter().find(|file| file.name == name).ok_or_else(Problem::not_found)
    }

    pub(crate) fn response(&self) -> Response {
        match self.media_type {
            HTML => document(HeaderValue::from_static(POLICY_OF_MEASURING), self.content),
            _ => serve(self.media_type, self.content),
        }
    }
}

/// The live page of the host that a request names. The page learns whether the server takes outages and wants a publish
/// token, and which networks there are for its lanes.
pub(crate) fn page(config: &Config, hosts: &Hosts, authority: &str) -> Response {
    let outages = if config.demo { "on" } else { "off" };
    let token = if config.publish_token.is_some() { "wanted" } else { "none" };
    let host = authority.split(':').next().unwrap_or_default();
    // A policy names no IPv6 address, and a page that came over one network may not connect over another.
    let offers = !host.is_empty() && !host.starts_with('[') && hosts.page(authority).is_none();
    let networks = if offers { config.networks.as_slice() } else { &[] };
    let options: String = networks.iter().map(option).collect();
    let sources: String =
        networks.iter().map(|it| format!(" http://{host}:{port} ws://{host}:{port}", port = it.port)).collect();
    let policy = POLICY.replace("connect-src 'self'", &format!("connect-src 'self'{sources}"));
    let policy = HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static(POLICY));
    document(policy, PAGE.replace("OUTAGES", outages).replace("TOKEN", token).replace("NETWORKS", &options))
}

fn option(network: &OfferedNetwork) -> String {
    let says = shown(&network.says, SENTENCE).replace('&', "&amp;").replace('<', "&lt;");
    format!("<option value=\"{}\">{}: {says}</option>", network.port, network.name)
}

/// A page with a policy, isolated from pages of other origins.
fn document(policy: HeaderValue, content: impl Into<Bytes>) -> Response {
    let alone = HeaderValue::from_static("same-origin");
    let alone_within = HeaderValue::from_static("require-corp");
    serve(HTML, content)
        .with(CONTENT_SECURITY_POLICY, policy)
        .with(REFERRER_POLICY, HeaderValue::from_static("no-referrer"))
        .with(HeaderName::from_static("cross-origin-opener-policy"), alone)
        .with(HeaderName::from_static("cross-origin-embedder-policy"), alone_within)
}

fn serve(media_type: &'static str, content: impl Into<Bytes>) -> Response {
    Response::text(media_type, content).with(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;

    use super::*;

    #[test]
    fn every_file_of_the_folder_is_served_under_its_name() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/web");
        let there: BTreeSet<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        let served: BTreeSet<_> = FILES.iter().map(|file| file.name).chain(["page.html"]).map(str::to_owned).collect();
        assert_eq!(there, served);
        for file in FILES {
            assert_eq!(fs::read_to_string(format!("{folder}/{}", file.name)).unwrap(), file.content);
        }
    }

    #[test]
    fn every_imported_or_linked_file_is_served() {
        for file in FILES.iter().filter(|file| file.media_type == SCRIPT) {
            for (_, import) in file.content.lines().filter_map(|line| line.split_once(" from '")) {
                let name = import.strip_prefix("./").and_then(|import| import.strip_suffix("';"));
                assert!(name.is_some_and(|name| File::find(name).is_ok()), "{} imports {import}", file.name);
            }
        }
        let linked: Vec<_> =
            PAGE.split("\"/web/").skip(1).map(|rest| rest.split('"').next().unwrap_or_default()).collect();
        assert!(linked.len() > 8 && linked.iter().all(|name| File::find(name).is_ok()), "{linked:?}");
    }

    #[test]
    fn the_page_has_nothing_that_its_policy_would_refuse() {
        for refused in ["<style", "<script>", " style=", " onclick=", "javascript:", "http:", "https:"] {
            assert!(!PAGE.contains(refused), "{refused}");
        }
        assert!(POLICY.starts_with("default-src 'none'; ") && !POLICY.contains("unsafe"));
    }

    #[test]
    fn the_page_learns_whether_outages_and_the_token_are_on() {
        assert!(opened(&Config::default(), "localhost").1.contains("data-outages=\"off\" data-token=\"none\""));
        let secret = Config { demo: true, publish_token: Some("secret".to_owned()), ..Config::default() };
        assert!(opened(&secret, "localhost").1.contains("data-outages=\"on\" data-token=\"wanted\""));
    }

    #[test]
    fn the_page_offers_the_networks_and_may_connect_to_their_ports_at_its_own_host_alone() {
        let network = |name: &str, port| OfferedNetwork { name: name.into(), says: "bad & <slow>".into(), port };
        let networks = vec![network("mine", 41_000), network("yours", 41_001)];
        let offering = Config { networks, ..Config::default() };
        for host in ["127.0.0.1", "localhost"] {
            let (policy, page) = opened(&offering, &format!("{host}:8080"));
            let all = [41_000, 41_001].map(|port| format!(" http://{host}:{port} ws://{host}:{port}")).concat();
            assert!(policy.contains(&format!("; connect-src 'self'{all}; ")), "{policy}");
            assert!(page.contains("<option value=\"41001\">yours: bad &amp; &lt;slow></option>"), "{page}");
        }
        let none = |config: &Config, authority: &str| {
            let (policy, page) = opened(config, authority);
            policy == POLICY && page.contains("<option value=\"\">none (this machine)</option></select>")
        };
        assert!(none(&Config::default(), "localhost:8080"));
        for elsewhere in ["[::1]:8080", "", "127.0.0.1:41000"] {
            assert!(none(&offering, elsewhere), "{elsewhere}");
        }
    }

    /// Policy and text of the page.
    fn opened(config: &Config, authority: &str) -> (String, String) {
        let ports = config.networks.iter().map(|it| it.port).collect();
        let response = page(config, &Hosts::new(crate::state::LOOPBACK, Vec::new(), ports), authority);
        let (_, policy) = response.fields.iter().find(|(name, _)| name == CONTENT_SECURITY_POLICY).unwrap();
        (policy.to_str().unwrap().to_owned(), String::from_utf8(response.body.to_vec()).unwrap())
    }
}
