//! Starts Chromium for a trial and puts the subscribers into its pages.
//!
//! Plan, publishers, ledgers and histograms are the same as for every client; only the receiver differs. Members of a
//! conversation send by `POST` from the generator.
//!
//! Subscribers stand for people who do not share a browser. Chromium allows six HTTP/1.1 connections to one host name
//! and 256 connections to one browser context, and its cache queues requests for the same URL. So each page has its
//! own context, and each subscriber in a page has its own name for the server under `localhost`.

use std::collections::VecDeque;

use futures_util::future::try_join_all;
use pushoff_model::record::{BrowserUse, Heap, MainThread, PageClocks};
use pushoff_model::{Client, RunClock, Topic, Transport, Workload};
use serde_json::json;

use super::chromium::Chromium;
use super::devtools::text;
use super::error::BrowserError;
use super::page::{Page, Used};
use super::rest::rest;
use super::subscribers::PageSubscribers;
use crate::books::Subscriber;
use crate::failure::{Failed, caused};
use crate::plan::{SUBSCRIBERS_A_PAGE, Trial};
use crate::server::Server;
use crate::subscribers::all::Subscribers;

/// The browser of one trial, its pages loaded.
#[derive(Debug)]
pub(crate) struct Browser {
    chromium: Chromium,
    pages: Vec<Page>,
    /// The pages' use before anybody subscribed.
    empty: Vec<Used>,
}

impl Browser {
    /// Starts a browser where the trial's client is one.
    pub(crate) async fn of(trial: &Trial, server: &Server, clock: RunClock) -> Result<Option<Self>, Failed> {
        match trial.client {
            Client::Library | Client::Lean => Ok(None),
            Client::Browser => {
                let subscribers = trial.workload.subscribers as usize;
                let started = Self::start(subscribers, server, clock).await;
                started.map(Some).map_err(|error| caused(error.kind(), "opening the browser", &error))
            }
        }
    }

    async fn start(subscribers: usize, server: &Server, clock: RunClock) -> Result<Self, BrowserError> {
        let chromium = Chromium::start(server).await?;
        // By such a name the page is a secure context, whatever the server's address: without one its clock is coarse.
        let origin = format!("{}://page.localhost:{}", server.scheme(), server.http.port());
        let mut pages = Vec::new();
        for _ in 0..subscribers.div_ceil(SUBSCRIBERS_A_PAGE) {
            let context = context(&chromium).await?;
            pages.push(Page::open(&chromium.devtools, &context, &origin).await?);
        }
        rest(chromium.pid, clock).await;
        // All pages are loaded by now: loading must not delay the answers that the clocks are measured with.
        for page in &mut pages {
            page.zero = page.zero_now(clock).await?;
        }
        let empty = used(&pages).await?;
        Ok(Self { chromium, pages, empty })
    }

    /// The process that all browser processes descend from.
    pub(crate) const fn pid(&self) -> u32 {
        self.chromium.pid
    }

    /// Connects every subscriber, in the order of their numbers, each in its page.
    pub(crate) fn subscribe(
        &self,
        all: &mut Subscribers,
        subscribers: Vec<(Box<Subscriber>, Topic)>,
        trial: &Trial,
        (server, clock): (&Server, RunClock),
    ) {
        let Workload { polling, phases, .. } = &*trial.workload;
        let load = phases.warm_up + phases.measure;
        let page = |page: &Page| PageSubscribers {
            page: page.clone(),
            subscribers: Vec::new(),
            load,
            clock,
            reasons: VecDeque::new(),
        };
        let mut pages: Vec<_> = self.pages.iter().map(page).collect();
        for (number, (subscriber, topic)) in subscribers.into_iter().enumerate() {
            let place = number % pages.len();
            let Some(page) = pages.get_mut(place) else { break };
            // Those that share a name share its connections.
            let name = page.subscribers.len() / trial.workload.tabs as usize;
            let asked = json!({
                "transport": trial.transport,
                "topic": format!("{}://s{name}.localhost:{}/topics/{topic}", server.scheme(), server.http.port()),
                "options": match trial.transport {
                    Transport::ShortPolling => json!({ "after": "start", "interval": polling.interval.as_millis() }),
                    Transport::LongPolling => json!({ "after": "start", "wait": polling.wait.as_secs() }),
                    Transport::HttpStreaming | Transport::Sse | Transport::WebSocket | Transport::RawTcp => {
                        json!({ "after": "start" })
                    }
                },
            });
            page.subscribers.push((subscriber, asked));
        }
        for page in pages {
            all.spawn(page.run(all.signals()));
        }
    }

    /// The pages' use so far.
    pub(crate) async fn used(&self) -> Result<Vec<Used>, Failed> {
        used(&self.pages).await.map_err(|error| caused(error.kind(), "reading what the pages used", &error))
    }

    /// The browser's use and the quality of its clocks, read after the load.
    pub(crate) async fn showed(&self, idle: &[Used], clock: RunClock) -> Result<BrowserUse, Failed> {
        let loaded = self.used().await?;
        let clock =
            self.clocks(clock).await.map_err(|error| caused(error.kind(), "reading the pages' clocks", &error))?;
        let heap = |all: &[Used]| all.iter().map(|used| used.heap_bytes).sum();
        let grew = |of: fn(&Used) -> u64| {
            loaded.iter().zip(idle).map(|(later, earlier)| of(later).saturating_sub(of(earlier))).sum()
        };
        Ok(BrowserUse {
            pages: u32::try_from(self.pages.len()).unwrap_or(u32::MAX),
            clock,
            heap: Heap { empty_bytes: heap(&self.empty), idle_bytes: heap(idle), loaded_bytes: heap(&loaded) },
            main_thread: MainThread {
                messages: grew(|used| used.messages),
                tasks_ns: grew(|used| used.tasks_ns),
                scripts_ns: grew(|used| used.scripts_ns),
            },
        })
    }

    async fn clocks(&self, clock: RunClock) -> Result<PageClocks, BrowserError> {
        let mut clocks = PageClocks::default();
        for page in self.pages.iter().rev() {
            let later = page.zero_now(clock).await?;
            clocks = PageClocks {
                resolution_ns: clocks.resolution_ns.max(page.resolution_ns),
                uncertainty_ns: clocks.uncertainty_ns.max(page.zero.uncertainty_ns()),
                drift_ns: clocks.drift_ns.max(page.zero.moved_ns(&later)),
                offset_ns: page.zero.offset_ns(),
            };
        }
        Ok(clocks)
    }

    /// Closes the browser and waits until its processes are gone.
    pub(crate) async fn close(self) {
        drop(self.pages);
        self.chromium.close().await;
    }
}

/// Creates a browser context: its cookies, cache and connections are its own.
pub(super) async fn context(chromium: &Chromium) -> Result<String, BrowserError> {
    const METHOD: &str = "Target.createBrowserContext";
    let context = chromium.devtools.call(METHOD, json!({ "disposeOnDetach": true })).await?;
    Ok(text(&context, METHOD, "browserContextId")?.to_owned())
}

async fn used(pages: &[Page]) -> Result<Vec<Used>, BrowserError> {
    try_join_all(pages.iter().map(Page::used)).await
}
