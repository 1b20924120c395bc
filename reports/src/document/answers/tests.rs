use std::collections::BTreeMap;

use crate::document;
use crate::findings::study::Study;
use crate::fixture;

/// Words with a digit that are names and not figures.
const NAMES: [&str; 3] = ["p99", "HTTP/1.1", "HTTP/2"];

/// An element of a page: its start tag and all that it holds.
struct Element<'p> {
    tag: &'p str,
    inner: &'p str,
}

/// Whatever stands between tags, with the start tags that are open there.
fn texts(page: &str, mut each: impl FnMut(&[&str], &str)) {
    let mut open: Vec<&str> = Vec::new();
    for piece in page.split('<').skip(1) {
        let Some((tag, text)) = piece.split_once('>') else { continue };
        if tag.starts_with('/') {
            open.pop();
        } else if !tag.ends_with('/') && !tag.starts_with('!') && !tag.starts_with("meta") && !tag.starts_with("br") {
            open.push(tag);
        }
        each(&open, text);
    }
}

fn attribute<'t>(tag: &'t str, name: &str) -> Option<&'t str> {
    tag.split_once(&format!(" {name}=\"")).and_then(|(_, rest)| rest.split_once('"')).map(|(value, _)| value)
}

/// Every element with an id, as often as it stands there.
fn identified(page: &str) -> BTreeMap<&str, Vec<Element<'_>>> {
    let mut found: BTreeMap<&str, Vec<Element<'_>>> = BTreeMap::new();
    for (at, _) in page.match_indices('<') {
        let Some((tag, rest)) = page[at + 1..].split_once('>') else { continue };
        if let Some(id) = attribute(tag, "id") {
            let name = tag.split(' ').next().unwrap();
            let inner = rest.split(&format!("</{name}>")).next().unwrap();
            found.entry(id).or_default().push(Element { tag, inner });
        }
    }
    found
}

fn plain(markup: &str) -> String {
    let mut all = String::new();
    texts(&format!("<x>{markup}"), |_, text| all.push_str(text));
    all.replace('\u{a0}', " ")
}

fn figures(text: &str) -> impl Iterator<Item = &str> {
    let is_edge = |letter: char| !letter.is_alphanumeric();
    let words = text.split([' ', '\u{a0}', '–', '(', ')']).map(move |word| word.trim_matches(is_edge));
    words.filter(|word| word.contains(|letter: char| letter.is_ascii_digit()) && !NAMES.contains(word))
}

/// The page without what is packed, its style and its script: those are not read as markup.
fn page(run: &crate::Run) -> String {
    let page = document::report(&Study::of(run)).unwrap().html().unwrap();
    let mut kept = String::new();
    for piece in page.split_inclusive("</script>").flat_map(|piece| piece.split_inclusive("</style>")) {
        let cut = ["<script", "<style"].iter().filter_map(|start| piece.find(start)).min();
        match cut {
            // The element itself is a target.
            Some(cut) => {
                let name = if piece[cut..].starts_with("<script") { "script" } else { "style" };
                let tag = &piece[cut..=cut + piece[cut..].find('>').unwrap()];
                kept.push_str(&format!("{}{tag}</{name}>", &piece[..cut]));
            }
            None => kept.push_str(piece),
        }
    }
    kept
}

fn runs() -> [crate::Run; 5] {
    [fixture::run(), fixture::whole(), fixture::servers(), fixture::remote(), fixture::in_pages()]
}

#[test]
fn every_figure_of_the_first_screen_is_a_link() {
    for run in runs() {
        let (mut seen, mut linked) = (0, 0);
        texts(&page(&run), |open, text| {
            if !open.iter().any(|tag| attribute(tag, "class").is_some_and(|class| class == "answers")) {
                return;
            }
            // What is to be copied is no figure.
            if open.iter().any(|tag| tag.starts_with("code")) {
                return;
            }
            for figure in figures(text) {
                let link = open.iter().find_map(|tag| tag.starts_with("a ").then(|| attribute(tag, "href")).flatten());
                assert!(link.is_some_and(|it| it.starts_with('#')), "{figure} in {text:?} leads nowhere");
                linked += 1;
            }
            seen += 1;
        });
        assert!(seen > 20 && linked > 10, "{seen} texts, {linked} figures");
    }
}

#[test]
fn every_link_has_one_target() {
    for run in runs() {
        let page = page(&run);
        let targets = identified(&page);
        for id in page.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
            assert_eq!(targets.get(id).map(Vec::len), Some(1), "#{id}");
        }
        assert!(targets.values().all(|all| all.len() == 1));
    }
}

#[test]
fn a_figure_stands_where_it_leads_and_from_there_it_is_one_step_to_its_records() {
    for run in runs() {
        let page = page(&run);
        let targets = identified(&page);
        let mut cells = 0;
        for link in page.split("<a class=\"figure\" href=\"#").skip(1) {
            let (id, rest) = link.split_once("\">").unwrap();
            let written = plain(rest.split("</a>").next().unwrap());
            let target = &targets[id][0];
            let there = plain(target.inner);
            for figure in figures(&written) {
                // Of a section the pieces stand without a gap here.
                let is_there = figures(&there).any(|it| it == figure) || id == "clients" && there.contains(figure);
                assert!(is_there, "{figure} of {written:?} is not in {there:?} (#{id})");
            }
            if !id.starts_with("cell-") {
                assert!(id.starts_with("workload-") || id == "clients", "{id}");
                continue;
            }
            cells += 1;
            assert!(target.tag.starts_with("td"), "{}", target.tag);
            let (_, trials) = target.inner.split_once("class=\"origin\" href=\"#").unwrap();
            let trials = &targets[trials.split('"').next().unwrap()][0];
            assert!(trials.tag.starts_with("tr") && trials.inner.contains("data-record=\""), "{id}");
        }
        assert!(cells > 2, "{cells}");
    }
}

#[test]
fn the_advice_has_its_conditions() {
    let page = page(&fixture::valid());
    let (_, ticker) = page.split_once("ticker: ").unwrap();
    let said = plain(ticker.split("</article>").next().unwrap());
    for words in [
        "“a stock ticker wants HTTP streaming or SSE” holds on this machine",
        "300 subscribers, 20 messages a second a topic",
        "wanted within 100 ms",
        "short polling every 75 ms",
        "Measured on loopback, over HTTP/1.1 without TLS, with the library client.",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let elsewhere = plain(&self::page(&fixture::remote()));
    assert!(elsewhere.contains("holds with nchan") && !elsewhere.contains("on loopback"));
}

#[test]
fn a_run_with_a_browser_says_on_the_card_what_its_pages_found() {
    let run = fixture::in_pages();
    let page = plain(&page(&run));
    assert!(page.contains("Chrome 140.0.1.2 connected 6 of 10 tabs by SSE."), "{page}");
    assert!(page.contains("In its pages half of the messages arrived within "), "{page}");
}
