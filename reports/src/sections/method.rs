//! How it was measured, in plain words: the same for the page and the Markdown.

use maud::{Markup, html};

use crate::ReportError;
use crate::study::Study;

/// What was done, each with its name.
pub(crate) const PARAGRAPHS: [(&str, &str); 10] = [
    (
        "Open loop.",
        "Every message is due at a time that depends on its number alone, never on how the server is doing. Latency \
         runs from then, so a stalled server or a late generator shows up as latency, not as fewer samples.",
    ),
    (
        "Three histograms.",
        "Delivery latency is received − due; latency from send is received − sent, what a generator that waits for \
         its server would see; send lag is sent − due, how late the generator itself was. Each keeps three digits.",
    ),
    (
        "Ledger.",
        "Every message is accounted for at every subscriber: delivered, missed (the subscriber was told) or lost (in \
         silence). A trial whose ledger does not balance is listed and never charted.",
    ),
    (
        "Fresh server.",
        "Where pushoff starts the server, each trial has one of its own, on a port that was free, and topics that were \
         never used; the transports of a trial get the same schedule and the same payloads.",
    ),
    (
        "Interleaved.",
        "Trials of all transports alternate in a seeded random order, so that a slow minute of the machine does not \
         hit one transport alone.",
    ),
    (
        "Pinning.",
        "Server and generator are two processes, each on processors of its own where there are at least two; whether \
         that was so stands under Environment.",
    ),
    (
        "Intervals.",
        "The unit is the trial. Histograms are merged and the percentile is read from the sum, never averaged; the \
         95 % interval is Student's t with a standard error by bootstrap over trials. So few trials are asked for \
         more: with three, an interval reaches 4.3 standard errors, with ten 2.3. More trials say more.",
    ),
    (
        "Good enough.",
        "A transport meets the SLO when the lower end of its share in time is at least what is asked and nothing was \
         lost, nor missed where nothing may be. It fails when the upper end is below, or something was. Between, it \
         is undecided.",
    ),
    (
        "The choice.",
        "Among those that meet the SLO, the least server CPU a delivery. Those that differ from the \
         least by no more than both uncertainties together (their squares add up) are too close to call. Of these, \
         among those that measured within a quarter of the least, the simplest to build and run is taken: short \
         polling, SSE, HTTP streaming, long polling, WebSocket, in this order.",
    ),
    (
        "The floor.",
        "Raw TCP carries the same plan without HTTP or framing beyond a length: what the machine itself costs. It is \
         shown beside the five and never ranked.",
    ),
];

#[expect(clippy::unnecessary_wraps, reason = "a section may fail; this one does not")]
pub(super) fn section(_study: &Study<'_>) -> Result<Markup, ReportError> {
    Ok(html! {
        section #method {
            h2 { "How it was measured" }
            dl.method { @for (name, words) in PARAGRAPHS { dt { (name) } dd { (words) } } }
        }
    })
}
