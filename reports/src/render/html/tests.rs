use base64::Engine as _;
use sha2::{Digest as _, Sha256};

use super::{SCRIPT, SCRIPT_HASH};
use crate::document;
use crate::findings::study::Study;
use crate::fixture;

const VOID: [&str; 3] = ["meta", "br", "input"];
/// What 54 records may weigh: a page that can be mailed.
const MOST_BYTES: usize = 3_000_000;

fn page(run: &crate::Run) -> String {
    super::page(&document::report(&Study::of(run)).unwrap()).unwrap()
}

fn report() -> String {
    page(&fixture::run())
}

/// The elements of a page in the order in which they open and close; panics where one is not
/// closed by its own name.
fn check_balance(page: &str) {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = page;
    while let Some(start) = rest.find('<') {
        rest = &rest[start + 1..];
        let end = rest.find('>').unwrap();
        let (tag, after) = (&rest[..end], &rest[end + 1..]);
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "closed by the wrong name");
        } else if !tag.starts_with('!') && !tag.ends_with('/') {
            let name = tag.split_whitespace().next().unwrap();
            if !VOID.contains(&name) {
                open.push(name);
            }
            if name == "script" || name == "style" {
                rest = &rest[rest.find(&format!("</{name}>")).unwrap()..];
            }
        }
    }
    assert!(open.is_empty(), "left open: {open:?}");
}

#[test]
fn the_page_is_well_formed_and_asks_the_network_for_nothing() {
    let page = report();
    check_balance(&page);
    for asked in ["http://", "https://", " src=", "@import", "url(", "<link"] {
        assert!(!page.contains(asked), "the page contains {asked}");
    }
}

#[test]
fn fifty_four_records_weigh_less_than_three_megabytes() {
    let page = report();
    assert!(page.len() < MOST_BYTES, "{} bytes", page.len());
}

#[test]
fn every_chart_has_a_text_alternative() {
    let page = report();
    let charts = page.matches("<svg class=\"chart\"").count();
    assert_eq!(charts, 3 * 2, "latency and cost of each workload");
    assert_eq!(page.matches("<desc").count(), charts);
    assert_eq!(page.matches("class=\"rows\"").count(), charts);
}

#[test]
fn the_page_of_costs_is_well_formed_and_leads_nowhere_but_within() {
    let run = fixture::whole();
    let page = page(&run);
    check_balance(&page);
    check_links(&page);
    let order = ["matrix", "figures", "capacity", "growth", "pictures", "planner", "others", "method", "records"];
    let places: Vec<_> = order.iter().map(|id| page.find(&format!(" id=\"{id}\"")).unwrap()).collect();
    assert!(places.is_sorted(), "{places:?}");
    check_ids(&page);
}

#[test]
fn the_page_with_a_browser_is_well_formed_and_leads_nowhere_but_within() {
    let run = fixture::in_pages();
    let page = page(&run);
    check_balance(&page);
    check_links(&page);
    check_ids(&page);
    assert!(page.contains("<h2>What the client takes"));
}

#[test]
fn no_two_elements_share_an_id_whatever_workloads_are_called_and_however_many_runs_had_the_same_browser() {
    let mut run = fixture::in_pages();
    run.environments.push(run.environments[0].clone());
    let of_ticker = run.records.iter().filter(|it| it.workload.name == "ticker").cloned();
    let renamed = of_ticker.map(|mut record| {
        record.workload.name = "ticker-sse".into();
        record
    });
    run.records = [run.records.clone(), renamed.collect()].concat();
    check_ids(&page(&run));
}

fn check_ids(page: &str) {
    let ids: Vec<_> = page.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let once: std::collections::BTreeSet<_> = ids.iter().collect();
    assert_eq!(ids.len(), once.len(), "an id stands twice");
}

#[test]
fn the_page_of_three_servers_is_well_formed_and_leads_nowhere_but_within() {
    let run = fixture::servers();
    let page = page(&run);
    check_balance(&page);
    check_links(&page);
    check_ids(&page);
    let charts = page.matches("<svg class=\"chart\"").count();
    assert_eq!((page.matches("<desc").count(), page.matches("class=\"rows\"").count()), (charts, charts));
    let places = ["id=\"servers\"", "<h2>Transports side by side", "id=\"others\""].map(|mark| page.find(mark));
    assert!(places.is_sorted() && places[0].is_some(), "{places:?}");
    assert!(page.len() < MOST_BYTES, "{} bytes", page.len());
}

#[test]
fn a_server_alone_has_a_page_without_a_floor() {
    let run = fixture::remote();
    let page = page(&run);
    check_balance(&page);
    check_links(&page);
    check_ids(&page);
    assert!(!page.contains("id=\"servers\"") && page.contains("the server's processor time and memory not known"));
}

#[test]
fn every_link_within_the_page_has_its_target() {
    check_links(&report());
}

fn check_links(page: &str) {
    for target in page.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(page.contains(&format!("id=\"{target}\"")), "#{target} leads nowhere");
    }
}

#[test]
fn a_debug_build_has_a_banner_and_a_release_build_has_none() {
    let mut run = fixture::run();
    assert!(!page(&run).contains("mean nothing"));
    run.environments[0].profile = "debug".into();
    assert!(page(&run).contains("these figures mean nothing"));
}

#[test]
fn the_policy_allows_the_script_of_the_page() {
    let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(SCRIPT));
    assert_eq!(hash, SCRIPT_HASH, "script.js has changed: put its new hash into SCRIPT_HASH");
}

#[test]
fn what_a_workload_says_cannot_break_out_of_the_page() {
    let mut run = fixture::run();
    for record in &mut run.records {
        record.workload.question = "</script><script>alert(1)</script>".into();
    }
    assert!(!page(&run).contains("<script>alert"));
}
