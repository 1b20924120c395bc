//! What a browser allows a page and how well its clock was known, as words.

use pushoff_model::browser::Browser;
use pushoff_model::record::PageClocks;

use crate::number::Quantity;
use crate::study::Study;

/// Facts under one title: what each is and how it was found.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) title: String,
    pub(crate) all: Vec<(String, String)>,
}

/// What each browser of a run allows, and then how well the pages' clocks were known.
pub(crate) fn facts(study: &Study<'_>) -> Vec<Facts> {
    let browsers = study.run.environments.iter().filter_map(|environment| environment.browser.as_ref());
    browsers.map(allows).chain(clocks(study)).collect()
}

fn allows(browser: &Browser) -> Facts {
    let tabs = |connected: &pushoff_model::browser::Connected| {
        let name = format!("{}, tabs of one origin", connected.transport.label());
        (name, format!("{} of {} connected", connected.tabs, browser.tabs))
    };
    let websockets = &browser.websockets;
    let (timer, waits) = (&browser.timer, &browser.event_source);
    let others = [
        (
            "WebSocket, one page to one host".to_owned(),
            format!("{} of {} connected", websockets.connected, websockets.asked),
        ),
        (
            format!("Short polling every {}", time(timer.asked_ns)),
            format!(
                "every {} in a tab in front, every {} in one behind another",
                time(timer.in_front_ns),
                time(timer.behind_ns)
            ),
        ),
        (
            "EventSource after a stream has ended".to_owned(),
            format!(
                "back after {} where the server said {}, after {} where it said nothing",
                time(waits.waited_ns),
                time(waits.asked_ns),
                time(waits.unasked_ns)
            ),
        ),
        (
            "A stream's text by XMLHttpRequest".to_owned(),
            format!(
                "{} later than by fetch for half of the messages, at most {}",
                time(browser.xhr_stream.median_ns),
                time(browser.xhr_stream.most_ns)
            ),
        ),
    ];
    Facts {
        title: format!("What {} allows over HTTP/1.1", browser.version.replace('/', " ")),
        all: browser.connected.iter().map(tabs).chain(others).collect(),
    }
}

/// The worst that any trial knew of its pages' clocks.
fn clocks(study: &Study<'_>) -> Option<Facts> {
    let measured = study.run.records.iter().filter_map(|record| record.measurement()?.browser.as_ref());
    let worst = measured.map(|browser| browser.clock).reduce(|one, other| PageClocks {
        resolution_ns: one.resolution_ns.max(other.resolution_ns),
        uncertainty_ns: one.uncertainty_ns.max(other.uncertainty_ns),
        drift_ns: one.drift_ns.max(other.drift_ns),
        offset_ns: one.offset_ns.max(other.offset_ns),
    })?;
    let known = [
        ("A page's clock ticks in", format!("{}, at worst", time(worst.resolution_ns))),
        ("Its place on the run's clock is known to", format!("± {}, at worst", time(worst.uncertainty_ns))),
        ("That place had moved after the load by", format!("{}, at worst", time(worst.drift_ns))),
        ("It began after the run's by", format!("{}, at most", time(worst.offset_ns))),
    ];
    let all = known.map(|(name, value)| (name.to_owned(), value)).into();
    Some(Facts { title: "The pages' clocks".to_owned(), all })
}

#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
fn time(nanoseconds: u64) -> String {
    Quantity::Time.write(nanoseconds as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{fixture, html, markdown};

    #[test]
    fn what_a_browser_allows_is_said_in_every_document() {
        let run = fixture::in_pages();
        let study = Study::of(&run);
        let (page, text) = (html::page(&study).unwrap(), markdown::document(&study));
        for said in [
            "What Chrome 140.0.1.2 allows over HTTP/1.1",
            "6 of 10 connected",
            "255 of 300 connected",
            "every 100 ms in a tab in front, every 1.00 s in one behind another",
            "back after 1.01 s where the server said 1.00 s, after 3.01 s where it said nothing",
            "24.0 ms later than by fetch for half of the messages, at most 49.0 ms",
            "± 84.0 µs, at worst",
        ] {
            assert!(page.contains(said), "{said}");
            assert!(text.contains(said), "{said}: {text}");
        }
    }
}
