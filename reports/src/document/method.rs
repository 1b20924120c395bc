//! How it was measured, in plain words.

use pushoff_model::wire::Wire;

use crate::blocks::{Block, Section};
use crate::findings::study::Study;

/// What was done, each with its name.
const PARAGRAPHS: [(&str, &str); 11] = [
    (
        "Open loop.",
        "Every message is due at a time that depends on its number alone, never on how the server is doing. Latency \
         runs from then, so a stalled server or a late generator shows up as latency, not as fewer samples. Latencies \
         that differ by less than the machine differs from itself are not called different.",
    ),
    (
        "Ledger.",
        "Every message is accounted for at every subscriber: delivered, missed (the subscriber was told) or lost (in \
         silence). A trial whose ledger does not balance is listed and never charted.",
    ),
    (
        "Fresh server.",
        "Where pushoff starts the server, each trial has one of its own and topics that were never used; the transports \
         of a trial get the same schedule and the same payloads. Trials of all transports alternate in a seeded random \
         order, so that a slow minute of the machine does not hit one transport alone.",
    ),
    (
        "Intervals.",
        "The unit is the trial. Histograms are merged and the percentile is read from the sum, never averaged; the \
         95 % interval is Student's t with a standard error by bootstrap over trials: with three it reaches 4.3 \
         standard errors, with ten 2.3. Where a trial has fewer than ten messages beyond a percentile, the sampling \
         error of so many messages is added, in squares. A percentile needs independent messages, however many \
         readers each has: 100 for p99, 1,000 for p99.9. ≈ marks what is not shown to differ from the best; no choice \
         rests on it.",
    ),
    (
        "Good enough.",
        "A transport meets the SLO when the lower end of its share in time is at least what is asked and nothing was \
         lost, nor missed where nothing may be. It fails when the upper end is below, or something was. Between, it \
         is undecided.",
    ),
    (
        "The choice.",
        "Cost is money a month by a price table: processor time, memory, bytes with their headers, requests. Costs are \
         compared round by round, with intervals that hold after every round at once, and for all comparisons with the \
         cheapest together. Of those that meet the SLO, the one shown to cost least is taken: decided. Those shown to \
         cost the same, within the margin that the workload states, are equivalent: those go whose median is later by \
         more than matters, and the simplest to build and run of the others is taken. Otherwise the question is \
         undecided, and the card names the command that would probably settle it.",
    ),
    (
        "The floor.",
        "Raw TCP carries the same plan without HTTP or framing beyond a length: what the machine itself costs. It is \
         shown beside the five and never ranked.",
    ),
    (
        "What a cell is worth.",
        "Generator-limited and machine-limited cells are void: struck through, hollow, never ranked. Server-limited is \
         a result. Where nothing was at its limit a cell is not saturated: its figures are the transport's at this \
         load, not the most that it can do.",
    ),
    (
        "Bytes.",
        "The kernel's own counters of each connection (TCP_INFO), read before it closes: bytes above TCP without those \
         sent again, and segments. Payload, framing and heads are what the clients found in them, framing and heads \
         weighed by the standards with each message sent alone; messages that share a chunk weigh a little less. A \
         browser's head is a documented one of Chrome with one cookie.",
    ),
    (
        "Memory and processor time.",
        "Memory a connection is what was held with everybody connected less what was held before, over the \
         connections: the server's process by smaps_rollup, the kernel by slab and TCP buffers, of both ends because \
         both are on this machine. Processor time is what the process used in the phase over what was done in it; \
         user and system apart are counted in ticks and mean something summed over trials. On one machine the \
         kernel does the reader's receiving in the server's system calls, and the server's in its clients': with a \
         machine each, and apart from the network card's own work, a stream would cost the server a sixth to a quarter \
         less, a poll between a tenth less and a sixth more, so that polls cost more beside streams than these figures \
         say (docs/BIAS.md has the recorded experiment).",
    ),
    (
        "Capacity.",
        "The load doubles until the SLO breaks, the border is bisected, and then walked up by a tenth where the last \
         step held and down where it did not. Capacity is the geometric mean of the midpoints between turns of that \
         walk; its interval is Student's t over them, and never narrower than half a step each way. Capacities whose \
         intervals touch are not shown to differ. Where the generator or the machine stopped the search it is a lower \
         bound (≥).",
    ),
];

/// What is said beside that of servers that are not pushoff's own.
const OF_OTHERS: [(&str, &str); 2] = [
    (
        "Servers.",
        "A server of somebody else’s is spoken to as its own documentation says, and each is judged by itself. Where \
         several were asked the same, their trials alternate; a ratio of two is that of the figures of the same \
         trials, drawn in pairs, so that what the machine did to both cancels out. Raw TCP is measured on one server, \
         and stands for the machine. Bytes have a theory on pushoff’s own wire contract only.",
    ),
    (
        "Unknown cost.",
        "Where the server’s process cannot be watched, as on another machine, and does not say itself what it uses, its \
         processor time and memory are not known. The cost is then that of traffic and requests, and the card says so.",
    ),
];

/// What is said where TLS, HTTP/2 or compression carried anything.
const OF_WIRES: [(&str, &str); 1] = [(
    "TLS, HTTP/2 and compression.",
    "Each combination is a condition of its own: no figure and no verdict is of two together. Answers are of the lightest \
     that was measured. Bytes are the kernel's, so records of TLS, frames of HTTP/2 and compressed payloads count as they \
     crossed; framing and heads by the standards are those of HTTP/2 where that carried them (heads by HPACK), and what was \
     compressed has no theory.",
)];

pub(super) fn section(study: &Study<'_>) -> Section {
    let others = if study.has_others() { OF_OTHERS.as_slice() } else { &[] };
    let is_clear = study.groups().all(|group| group.wire() == Wire::default());
    let wires = if is_clear { &[] } else { OF_WIRES.as_slice() };
    let all =
        PARAGRAPHS.iter().chain(others).chain(wires).map(|(name, words)| ((*name).to_owned(), (*words).to_owned()));
    Section::titled("method", "Method", vec![Block::Facts(all.collect())]).folded()
}
