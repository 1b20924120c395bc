//! One page with subscribers: opened, asked for its time, started, and read.
//!
//! The page records events as rows of numbers, which are fetched in batches. Page and generator exchange nothing
//! while a message is on its way, unless a load lasts long.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use pushoff_model::RunClock;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::clock::Zero;
use super::devtools::{Devtools, Session, text};
use super::error::BrowserError;
use super::row::Row;
use crate::numbers::whole;

/// The page of the server that runs the clients.
const PATH: &str = "/web/measure.html";
/// Round trips that measure a page's clock. Chosen here: more of them do not narrow the bounds.
const ROUND_TRIPS: u32 = 40;
/// How long a page may take to load or to answer. Chosen here: it takes a tenth of a second.
const WITHIN: Duration = Duration::from_secs(20);

/// A page. Clones refer to the same page.
#[derive(Clone, Debug)]
pub(super) struct Page {
    session: Session,
    /// Its id among the browser's targets.
    target: Arc<str>,
    pub(super) zero: Zero,
    pub(super) resolution_ns: u64,
    /// How many messages were fetched from it.
    messages: Arc<AtomicU64>,
}

/// The records of a page since it was last asked.
#[derive(Debug, Deserialize)]
pub(super) struct Notes {
    pub(super) rows: Vec<Row>,
    /// The reasons that its clients gave for broken connections.
    pub(super) reasons: Vec<String>,
    /// Whether more rows wait to be fetched.
    pub(super) more: bool,
}

/// A page's use so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Used {
    pub(super) messages: u64,
    pub(super) heap_bytes: u64,
    pub(super) tasks_ns: u64,
    pub(super) scripts_ns: u64,
}

impl Page {
    /// Opens a page of the server at `origin` in this browser context. The page has its own window, because a hidden
    /// page would be throttled.
    pub(super) async fn open(devtools: &Devtools, context: &str, origin: &str) -> Result<Self, BrowserError> {
        timeout(WITHIN, Self::load(devtools, context, origin)).await.or(Err(BrowserError::Silent(WITHIN)))?
    }

    async fn load(devtools: &Devtools, context: &str, origin: &str) -> Result<Self, BrowserError> {
        let blank = json!({ "url": "about:blank", "browserContextId": context, "newWindow": true });
        let target = devtools.call("Target.createTarget", blank).await?;
        let target = text(&target, "Target.createTarget", "targetId")?;
        let attach = devtools.call("Target.attachToTarget", json!({ "targetId": target, "flatten": true })).await?;
        let session = devtools.session(text(&attach, "Target.attachToTarget", "sessionId")?);
        let url = format!("{origin}{PATH}");
        let went = session.call("Page.navigate", json!({ "url": url })).await?;
        if let Some(reason) = went.get("errorText").and_then(Value::as_str) {
            return Err(BrowserError::Page { url, reason: reason.to_owned() });
        }
        let page =
            Self { session, target: target.into(), zero: Zero::default(), resolution_ns: 0, messages: Arc::default() };
        let state = page.session.evaluate(LOADED).await?;
        match state.as_str() {
            Some("ready") => {}
            reason => {
                let reason = reason.unwrap_or("its script was not run").to_owned();
                return Err(BrowserError::Page { url, reason });
            }
        }
        page.session.call("Performance.enable", json!({ "timeDomain": "timeTicks" })).await?;
        let resolution = page.session.evaluate("pushoff.resolution()").await?.as_f64();
        let resolution_ns = whole(resolution.ok_or(BrowserError::Clock)? * 1e6);
        Ok(Self { resolution_ns, ..page })
    }

    /// Measures where the page's zero lies on the run's clock.
    pub(super) async fn zero_now(&self, clock: RunClock) -> Result<Zero, BrowserError> {
        let mut zero = Zero::default();
        for _ in 0..ROUND_TRIPS {
            let asked = clock.now();
            let page = self.session.evaluate("performance.now()").await?.as_f64().ok_or(BrowserError::Clock)?;
            zero.narrow(asked, page, clock.now());
        }
        Ok(zero)
    }

    /// Starts the client with that number.
    pub(super) async fn begin(&self, number: usize, asked: &Value) -> Result<(), BrowserError> {
        self.session.evaluate(&format!("pushoff.begin({number}, {asked})")).await?;
        Ok(())
    }

    /// Fetches the next rows, at most a thousand.
    pub(super) async fn notes(&self) -> Result<Notes, BrowserError> {
        let noted = timeout(WITHIN, self.session.evaluate("pushoff.take()"));
        let noted = noted.await.or(Err(BrowserError::Silent(WITHIN)))??;
        let notes: Notes = serde_json::from_str(noted.as_str().unwrap_or_default()).map_err(BrowserError::Notes)?;
        let messages = notes.rows.iter().filter(|row| row.is_message()).count();
        self.messages.fetch_add(messages as u64, Ordering::Relaxed);
        Ok(notes)
    }

    /// The page's use so far, after a garbage collection.
    pub(super) async fn used(&self) -> Result<Used, BrowserError> {
        let mut used = self.metrics().await?;
        self.session.call("HeapProfiler.collectGarbage", json!({})).await?;
        used.heap_bytes = self.metrics().await?.heap_bytes;
        Ok(used)
    }

    async fn metrics(&self) -> Result<Used, BrowserError> {
        let answer = self.session.call("Performance.getMetrics", json!({})).await?;
        let metrics = answer.get("metrics").and_then(Value::as_array);
        let value = |name: &str| {
            let metric = metrics?.iter().find(|metric| metric.get("name").and_then(Value::as_str) == Some(name))?;
            metric.get("value")?.as_f64()
        };
        let seconds = |name: &str| value(name).map_or(0, |seconds| whole(seconds * 1e9));
        Ok(Used {
            messages: self.messages.load(Ordering::Relaxed),
            heap_bytes: value("JSHeapUsedSize").map_or(0, whole),
            tasks_ns: seconds("TaskDuration"),
            scripts_ns: seconds("ScriptDuration"),
        })
    }

    pub(super) async fn evaluate(&self, expression: &str) -> Result<Value, BrowserError> {
        Ok(self.session.evaluate(expression).await?)
    }

    /// Opens another tab in front of the page.
    pub(super) async fn cover(&self, devtools: &Devtools, context: &str) -> Result<(), BrowserError> {
        let hidden = self.session.evaluate(HIDDEN);
        let tab = json!({ "url": "about:blank", "browserContextId": context });
        let (hidden, opened) = tokio::join!(timeout(WITHIN, hidden), devtools.call("Target.createTarget", tab));
        opened?;
        hidden.or(Err(BrowserError::Silent(WITHIN)))??;
        Ok(())
    }

    pub(super) async fn close(self, devtools: &Devtools) -> Result<(), BrowserError> {
        devtools.call("Target.closeTarget", json!({ "targetId": *self.target })).await?;
        Ok(())
    }
}

/// Waits until the page is hidden.
const HIDDEN: &str = "new Promise((hidden) => {
  const look = () => document.visibilityState === 'hidden' && hidden(true);
  document.addEventListener('visibilitychange', look);
  look();
})";

/// Waits for the page's script, and returns what is wrong with the page, if anything is.
const LOADED: &str = "new Promise((loaded) => {
  const say = () => loaded(!globalThis.pushoff ? 'its script was not run'
    : document.visibilityState !== 'visible' ? 'it is not visible, and its timers are throttled'
    : !crossOriginIsolated ? 'it is not isolated, and its clock is coarse' : 'ready');
  if (document.readyState === 'complete') say(); else addEventListener('load', say);
})";
