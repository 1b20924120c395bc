//! The limits of a browser for a page: connections to one host, timers in hidden tabs, and reconnect delays.
//!
//! Each limit is found by trying, in the browser and with the clients that are measured. The pages use the server's
//! own origin, as a user's page would, instead of the host names that spread connections in a measurement.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::try_join_all;
use http::header::CONTENT_TYPE;
use pushoff_model::browser::{Browser, Connected, EventSourceWait, Later, Timer, WebSockets};
use pushoff_model::time::nanos;
use pushoff_model::{RunClock, Transport};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::{interval, timeout};

use super::browser::context;
use super::chromium::Chromium;
use super::error::BrowserError;
use super::page::Page;
use super::row::Row;
use crate::clients::http_client;
use crate::message::stamp::{self, Stamp};
use crate::numbers::whole;
use crate::origin::Origin;
use crate::server::Server;

/// Tabs on one origin. Chosen here: more than the six connections, and a number that users really have.
const TABS: u32 = 10;
/// `WebSocket`s of one page: more than the 255 that Chromium is said to allow.
const WEBSOCKETS: u32 = 300;
/// Time between two samples of a count.
const LOOK: Duration = Duration::from_millis(50);
/// A count is settled when this many samples did not change it. Chosen here: a connection takes a millisecond.
const UNCHANGED: u32 = 20;
/// The most samples of a count.
const MOST_LOOKS: u32 = 200;
/// The polling interval while the timer is watched.
const POLL_INTERVAL: Duration = Duration::from_millis(100);
/// Polls that are watched in a visible tab and in a hidden one …
const POLLS: usize = 9;
/// … of which the first are skipped: a timer that was set while visible still fires on time.
const LEFT_OUT: usize = 4;
/// How long all of these polls may take. In a tab hidden for five minutes, a timer fires once a minute.
const POLLED_WITHIN: Duration = Duration::from_secs(20);
/// Messages that two clients receive from one stream, and the time between two messages. The time is shorter than the
/// 50 ms in which `XMLHttpRequest` reports new text at most once (XHR §3.6.6).
const MESSAGES: u64 = 60;
const APART: Duration = Duration::from_millis(17);
/// The `retry:` value of a server that ends its streams: pushoff's own value.
const RETRY: Duration = Duration::from_secs(1);
/// How long a client may take to reconnect after a stream ended.
const BACK_WITHIN: Duration = Duration::from_secs(30);

/// Finds out what Chromium allows. The server must be a new pushoff server.
///
/// # Errors
/// When Chromium cannot be started, or refuses a call.
pub async fn browser_limits(server: &Server) -> Result<Browser, BrowserError> {
    let (chromium, clock) = (Chromium::start(server).await?, RunClock::start());
    let found = find(&chromium, server, clock).await;
    let version = chromium.version.clone();
    chromium.close().await;
    found.map(|browser| Browser { version, ..browser })
}

async fn find(chromium: &Chromium, server: &Server, clock: RunClock) -> Result<Browser, BrowserError> {
    let tries = Tries { chromium, server, origin: format!("http://{}", server.http), clock };
    let connected = tries.tabs().await?;
    let websockets = tries.websockets().await?;
    // Both spend most of their time waiting.
    let (timer, event_source) = tokio::try_join!(tries.timer(), tries.event_source())?;
    let xhr_stream = tries.xhr_stream().await?;
    Ok(Browser { version: String::new(), tabs: TABS, connected, websockets, timer, event_source, xhr_stream })
}

struct Tries<'a> {
    chromium: &'a Chromium,
    server: &'a Server,
    origin: String,
    clock: RunClock,
}

impl Tries<'_> {
    /// How many of the tabs are connected at the same time, by transport.
    async fn tabs(&self) -> Result<Vec<Connected>, BrowserError> {
        let mut connected = Vec::new();
        for transport in Transport::ALL.into_iter().filter(|&transport| transport != Transport::RawTcp) {
            connected.push(Connected { transport, tabs: self.tabs_by(transport).await? });
        }
        Ok(connected)
    }

    /// The same for one transport, in its own context, because a closed connection ends a little later.
    async fn tabs_by(&self, transport: Transport) -> Result<u32, BrowserError> {
        let context = context(self.chromium).await?;
        // Loaded before anybody subscribes: a tab that comes later would not even get its page.
        let opened = (0..TABS).map(|_| Page::open(&self.chromium.devtools, &context, &self.origin));
        let pages = try_join_all(opened).await?;
        let asked = self.subscription(transport, &json!({}));
        try_join_all(pages.iter().map(|page| page.begin(0, &asked))).await?;
        let tabs = if transport == Transport::ShortPolling {
            self.settled(|| answered(&pages)).await?
        } else {
            self.settled(|| self.held(transport)).await?
        };
        let ended = json!({ "browserContextId": context });
        self.chromium.devtools.call("Target.disposeBrowserContext", ended).await?;
        Ok(tabs)
    }

    /// How many `WebSocket`s one page may open to one host.
    async fn websockets(&self) -> Result<WebSockets, BrowserError> {
        let page = Page::open(&self.chromium.devtools, &context(self.chromium).await?, &self.origin).await?;
        let asked = self.subscription(Transport::WebSocket, &json!({}));
        page.evaluate(&format!(
            "for (let number = 0; number < {WEBSOCKETS}; number += 1) pushoff.begin(number, {asked})"
        ))
        .await?;
        let connected = self.settled(|| self.held(Transport::WebSocket)).await?;
        page.close(&self.chromium.devtools).await?;
        Ok(WebSockets { asked: WEBSOCKETS, connected })
    }

    /// How often short polling's timer fires in a visible tab and in a hidden one.
    async fn timer(&self) -> Result<Timer, BrowserError> {
        let context = context(self.chromium).await?;
        let page = Page::open(&self.chromium.devtools, &context, &self.origin).await?;
        let asked = self.subscription(Transport::ShortPolling, &json!({ "interval": POLL_INTERVAL.as_millis() }));
        page.begin(0, &asked).await?;
        let in_front_ns = self.gap(&page).await?;
        page.cover(&self.chromium.devtools, &context).await?;
        // Drops the requests of the visible phase.
        page.notes().await?;
        let behind_ns = self.gap(&page).await?;
        page.close(&self.chromium.devtools).await?;
        Ok(Timer { asked_ns: nanos(POLL_INTERVAL), in_front_ns, behind_ns })
    }

    /// The median time between the page's next requests.
    async fn gap(&self, page: &Page) -> Result<u64, BrowserError> {
        let mut asked: Vec<f64> = Vec::new();
        let mut looks = interval(LOOK);
        let patience = self.clock.now() + POLLED_WITHIN;
        while asked.len() < POLLS && self.clock.now() < patience {
            looks.tick().await;
            asked.extend(page.notes().await?.rows.iter().filter_map(Row::request_ms));
        }
        let mut gaps: Vec<f64> = asked.windows(2).skip(LEFT_OUT).map(|pair| pair[1] - pair[0]).collect();
        gaps.sort_by(f64::total_cmp);
        let median = gaps.get(gaps.len() / 2).copied().ok_or(BrowserError::Clock)?;
        Ok(whole(median * 1e6))
    }

    /// How long `EventSource` waits before it reconnects.
    async fn event_source(&self) -> Result<EventSourceWait, BrowserError> {
        let page = Page::open(&self.chromium.devtools, &context(self.chromium).await?, &self.origin).await?;
        let waited = self.wait_of(&page, &format!("retry: {}\n", RETRY.as_millis())).await?;
        let unasked = self.wait_of(&page, "").await?;
        page.close(&self.chromium.devtools).await?;
        Ok(EventSourceWait { asked_ns: nanos(RETRY), waited_ns: nanos(waited), unasked_ns: nanos(unasked) })
    }

    /// The same after a stream that sends `advice`: from the end of one stream to the next request.
    async fn wait_of(&self, page: &Page, advice: &str) -> Result<Duration, BrowserError> {
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(BrowserError::Listen)?;
        let port = listener.local_addr().map_err(BrowserError::Listen)?.port();
        page.evaluate(&format!("globalThis.source = new EventSource('http://ends.localhost:{port}/')")).await?;
        let waited = timeout(BACK_WITHIN, async {
            let ended = self.end_a_stream(&listener, advice).await?;
            let (_next, _) = listener.accept().await?;
            Ok(self.clock.now().since(ended))
        });
        let waited = waited.await.or(Err(BrowserError::Silent(BACK_WITHIN)))?.map_err(BrowserError::Listen)?;
        page.evaluate("source.close()").await?;
        Ok(waited)
    }

    /// Answers one request with a stream of one event, and returns when the stream ended.
    async fn end_a_stream(&self, listener: &TcpListener, advice: &str) -> std::io::Result<pushoff_model::RunInstant> {
        let (mut stream, _) = listener.accept().await?;
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") && stream.read_buf(&mut request).await? > 0 {}
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nAccess-Control-Allow-Origin: *\r\n\
                    Connection: close\r\n\r\n";
        stream.write_all(format!("{head}{advice}data: 1\n\n").as_bytes()).await?;
        stream.shutdown().await?;
        Ok(self.clock.now())
    }

    /// How much later `XMLHttpRequest` reports a stream's messages than `fetch` does, in one page.
    async fn xhr_stream(&self) -> Result<Later, BrowserError> {
        let page = Page::open(&self.chromium.devtools, &context(self.chromium).await?, &self.origin).await?;
        let topic = format!("{}/topics/stream", self.origin);
        for (number, transport) in ["http-streaming", "fetch-streaming"].into_iter().enumerate() {
            page.begin(number, &json!({ "transport": transport, "topic": topic, "options": {} })).await?;
        }
        if self.settled(|| self.held(Transport::HttpStreaming)).await? != 2 {
            return Err(BrowserError::Silent(LOOK * MOST_LOOKS));
        }
        self.publish(&topic).await.map_err(BrowserError::Server)?;
        let mut came = [const { BTreeMap::new() }; 2];
        let mut looks = interval(LOOK);
        for _ in 0..MOST_LOOKS {
            looks.tick().await;
            for row in page.notes().await?.rows {
                if let (Some((index, at)), Some(mine)) = (row.message_ms(), came.get_mut(row.subscriber())) {
                    mine.insert(index, at);
                }
            }
            if came.iter().all(|mine| mine.len() as u64 == MESSAGES) {
                break;
            }
        }
        page.close(&self.chromium.devtools).await?;
        let [xhr, fetch] = came;
        let mut later: Vec<f64> = xhr.iter().filter_map(|(index, at)| Some(at - fetch.get(index)?)).collect();
        later.sort_by(f64::total_cmp);
        let at = |place: usize| later.get(place).map(|later| whole(later * 1e6)).ok_or(BrowserError::Clock);
        Ok(Later { median_ns: at(later.len() / 2)?, most_ns: at(later.len().saturating_sub(1))? })
    }

    /// Publishes stamped messages one by one.
    async fn publish(&self, topic: &str) -> reqwest::Result<()> {
        let (client, mut ticks) = (http_client(self.server, &Origin::default())?, interval(APART));
        for index in 0..MESSAGES {
            ticks.tick().await;
            let (mut payload, now) = (String::new(), self.clock.now());
            stamp::write(&mut payload, &Stamp { publisher: 0, index, due: now, sent: now }, |body| body.push('0'));
            let post = client.post(topic).header(CONTENT_TYPE, "application/json").body(payload);
            post.send().await?.error_for_status()?;
        }
        Ok(())
    }

    fn subscription(&self, transport: Transport, options: &Value) -> Value {
        json!({ "transport": transport, "topic": format!("{}/topics/limits", self.origin), "options": options })
    }

    /// How many connections of that transport the server holds.
    async fn held(&self, transport: Transport) -> Result<u32, BrowserError> {
        let url = format!("{}/metrics", self.origin);
        let asking = async { http_client(self.server, &Origin::default())?.get(url).send().await?.text().await };
        let text = asking.await.map_err(BrowserError::Server)?;
        let line = format!("pushoff_connections{{transport=\"{transport}\"}} ");
        let held = text.lines().find_map(|text| text.strip_prefix(&line)?.trim().parse().ok());
        held.ok_or_else(|| BrowserError::Page {
            url: self.server.http.to_string(),
            reason: "its metrics have no count of connections".into(),
        })
    }

    /// Samples a count until it no longer changes.
    async fn settled<F>(&self, count: impl Fn() -> F) -> Result<u32, BrowserError>
    where
        F: Future<Output = Result<u32, BrowserError>>,
    {
        let (mut last, mut unchanged, mut looks) = (count().await?, 0, interval(LOOK));
        for _ in 0..MOST_LOOKS {
            looks.tick().await;
            let now = count().await?;
            unchanged = if now == last { unchanged + 1 } else { 0 };
            last = now;
            if unchanged == UNCHANGED {
                break;
            }
        }
        Ok(last)
    }
}

/// How many pages have had an answer.
async fn answered(pages: &[Page]) -> Result<u32, BrowserError> {
    let open = pages.iter().map(|page| page.evaluate("Number(pushoff.clients[0].isOpen)"));
    let open: Vec<Value> = try_join_all(open).await?;
    Ok(open.iter().filter(|open| open.as_u64() == Some(1)).count().try_into().unwrap_or(u32::MAX))
}
