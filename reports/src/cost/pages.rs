//! What a page takes for the same: a browser's figures beside those of the other clients.

use pushoff_model::record::{BrowserUse, Measurement};
use pushoff_model::{Client, Transport};
use serde::Serialize;

use crate::group::{Cell, Group};
use crate::table::{Column, Reading, Subject, Table, column};
use crate::validity::Validity;
use pushoff_stats::Figure;
use pushoff_stats::Sums;

/// A workload that a browser received, with what the other clients took for it where they did too.
#[derive(Debug)]
pub(crate) struct Pages {
    /// The label of the group that the browser received.
    pub(crate) label: String,
    cells: Vec<(Transport, Validity, Option<String>, usize, InPages)>,
}

/// One transport, by client.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct InPages {
    pub(crate) lean_p50_ns: Option<Figure>,
    pub(crate) library_p50_ns: Option<Figure>,
    pub(crate) browser_p50_ns: Option<Figure>,
    /// The browser's median over the library's.
    pub(crate) browser_to_library: Option<Figure>,
    pub(crate) lean_p99_ns: Option<Figure>,
    pub(crate) library_p99_ns: Option<Figure>,
    pub(crate) browser_p99_ns: Option<Figure>,
    /// Time of a page's main thread a message, scripts included.
    pub(crate) main_thread_ns: Option<Figure>,
    /// Time in scripts a message.
    pub(crate) scripts_ns: Option<Figure>,
    /// JavaScript's heap a connection that is at rest.
    pub(crate) heap_bytes: Option<Figure>,
    /// What a message leaves in that heap while its connection is open.
    pub(crate) left_bytes: Option<Figure>,
}

/// The workloads that a browser received.
pub(crate) fn pages(groups: &[Group<'_>]) -> Vec<Pages> {
    let browsers = groups.iter().filter(|group| group.client == Client::Browser && !group.is_search);
    browsers
        .map(|browser| {
            let of = |client: Client| {
                groups.iter().find(|it| {
                    let is_same = it.server == browser.server && it.workload == browser.workload;
                    is_same && it.client == client && !it.is_search
                })
            };
            let (library, lean) = (of(Client::Library), of(Client::Lean));
            let cells = browser.cells.iter().map(|cell| {
                let trials = |group: Option<&Group<'_>>| latencies(group.and_then(|it| it.cell(cell.transport)));
                let figures = InPages::of(&cell.shown(), trials(library), trials(lean));
                let void = cell.void_reason().map(str::to_owned);
                (cell.transport, Validity::of(cell), void, cell.shown().len(), figures)
            });
            Pages { label: browser.label.clone(), cells: cells.collect() }
        })
        .collect()
}

/// The median and the 99th percentile of a cell's latencies, where they count.
fn latencies(cell: Option<&Cell<'_>>) -> [Option<Figure>; 2] {
    cell.map_or([None; 2], |cell| percentiles(&cell.valid()))
}

fn percentiles(trials: &[&Measurement]) -> [Option<Figure>; 2] {
    let sums = Sums::of(trials);
    let pool = sums.pool(|trial| Some(&trial.delivery_latency));
    sums.percentiles(pool.as_ref(), [0.5, 0.99])
}

impl InPages {
    fn of(browser: &[&Measurement], library: [Option<Figure>; 2], lean: [Option<Figure>; 2]) -> Self {
        let sums = Sums::of(browser);
        let [browser_p50_ns, browser_p99_ns] = percentiles(browser);
        let a_message = |of: fn(&BrowserUse) -> u64| {
            sums.ratio(|trial| trial.browser.as_ref().map(|used| (of(used), used.main_thread.messages)))
        };
        #[expect(clippy::cast_precision_loss, reason = "bytes and counts need no more than 53 bits")]
        let grew = |of: fn(&BrowserUse) -> (u64, u64), by: fn(&Measurement, &BrowserUse) -> u64| {
            sums.difference(|trial| {
                let used = trial.browser.as_ref()?;
                let (from, to) = of(used);
                let by = by(trial, used);
                (by > 0).then_some((to as f64 - from as f64, by as f64))
            })
        };
        Self {
            lean_p50_ns: lean[0],
            library_p50_ns: library[0],
            browser_p50_ns,
            browser_to_library: browser_p50_ns.zip(library[0]).and_then(|(one, other)| one.over(&other)),
            lean_p99_ns: lean[1],
            library_p99_ns: library[1],
            browser_p99_ns,
            main_thread_ns: a_message(|used| used.main_thread.tasks_ns),
            scripts_ns: a_message(|used| used.main_thread.scripts_ns),
            heap_bytes: grew(|used| (used.heap.empty_bytes, used.heap.idle_bytes), |trial, _| trial.counts.subscribers),
            left_bytes: grew(
                |used| (used.heap.idle_bytes, used.heap.loaded_bytes),
                |_, used| used.main_thread.messages,
            ),
        }
    }
}

#[rustfmt::skip]
const COLUMNS: [Column<InPages>; 11] = [
    column!(3, "lean p50", Latency, Time, Neither, "half of the deliveries to the lean client took at most so long",
        |it| Reading::Figure(it.lean_p50_ns)),
    column!(2, "library p50", Latency, Time, Neither, "the same with the library that an application would use",
        |it| Reading::Figure(it.library_p50_ns)),
    column!(1, "browser p50", Latency, Time, Neither, "the same in a page, until its client dispatches the message",
        |it| Reading::Figure(it.browser_p50_ns)),
    column!(4, "browser ÷ library", Latency, Ratio, Neither, "how many times the library's median the page's is",
        |it| Reading::Figure(it.browser_to_library)),
    column!(7, "lean p99", Latency, Time, Neither, "99 of 100 deliveries to the lean client took at most so long",
        |it| Reading::Figure(it.lean_p99_ns)),
    column!(6, "library p99", Latency, Time, Neither, "the same with the library",
        |it| Reading::Figure(it.library_p99_ns)),
    column!(5, "browser p99", Latency, Time, Neither, "the same in a page",
        |it| Reading::Figure(it.browser_p99_ns)),
    column!(8, "main thread", Processor, Time, Neither, "what a page's main thread is busy with a message",
        |it| Reading::Figure(it.main_thread_ns)),
    column!(9, "scripts", Processor, Time, Neither, "of that, in scripts: the client and the counting",
        |it| Reading::Figure(it.scripts_ns)),
    column!(10, "heap", Memory, Bytes, Neither, "JavaScript's heap a connection at rest, after a collection",
        |it| Reading::Figure(it.heap_bytes)),
    column!(11, "heap left", Memory, Bytes, Neither, "what a message leaves in that heap while its connection is open",
        |it| Reading::Figure(it.left_bytes)),
];

impl Pages {
    /// One a transport.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Transport, &InPages)> {
        self.cells.iter().map(|cell| (cell.0, &cell.4))
    }

    /// The table of the clients.
    pub(crate) fn table(&self) -> Table<'static> {
        let subjects = self.cells.iter().map(|(transport, validity, void, trials, figures)| Subject {
            validity: *validity,
            void: void.clone(),
            trials: *trials,
            ..Subject::new(*transport, Some(figures))
        });
        Table::lay_out(&COLUMNS, subjects.collect(), 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::group::group;

    #[test]
    fn a_page_stands_beside_the_library_of_the_same_run() {
        let run = fixture::in_pages();
        let pages = pages(&group(&run));
        assert_eq!(pages.iter().map(|it| it.label.as_str()).collect::<Vec<_>>(), ["ticker, browser client"]);
        let figures: Vec<_> = pages[0].iter().collect();
        assert_eq!(figures.len(), Transport::ALL.len() - 1, "no page has the floor");
        let (_, sse) = figures.iter().find(|(transport, _)| *transport == Transport::Sse).unwrap();
        let point = |figure: Option<Figure>| figure.unwrap().point;
        assert!((point(sse.browser_to_library) - 3.0).abs() < 0.05, "{:?}", sse.browser_to_library);
        assert!(point(sse.browser_p99_ns) > point(sse.browser_p50_ns) && sse.lean_p50_ns.is_none());
        let is = |figure: Option<Figure>, wanted: f64| (point(figure) / wanted - 1.0).abs() < 1e-9;
        assert!(is(sse.main_thread_ns, 120_000.0) && is(sse.scripts_ns, 30_000.0));
        assert!(is(sse.heap_bytes, 6_400.0) && is(sse.left_bytes, 170.0));
    }

    #[test]
    fn where_no_browser_received_there_is_nothing_to_show() {
        assert!(pages(&group(&fixture::whole())).is_empty());
    }
}
