//! The server over real sockets, on ports of its own.
//!
//! These tests serve development of the server. The conformance suite in `cli/tests` covers the whole wire
//! contract across processes.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod edges;
mod http2;
mod tls;
mod transports;
mod web;

use std::net::SocketAddr;
use std::time::Duration;

use pushoff_server::{Config, Listeners, ServerError};
use reqwest::{Client, Method, Response, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// A limit on every wait, so that a missing event fails instead of hanging.
const PATIENCE: Duration = Duration::from_secs(20);

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A server in this process.
struct Running {
    http: SocketAddr,
    raw_tcp: SocketAddr,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<Result<(), ServerError>>,
}

impl Running {
    async fn start(config: Config) -> Self {
        let http = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let raw_tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addresses = (http.local_addr().unwrap(), raw_tcp.local_addr().unwrap());
        let listeners = Listeners { http: Some(http), https: None, networks: Vec::new(), raw_tcp: Some(raw_tcp) };
        Self::with(listeners, config, addresses.0, addresses.1)
    }

    /// `http` and `raw_tcp` are where it listens, or an address at which nobody asks.
    fn with(listeners: Listeners, config: Config, http: SocketAddr, raw_tcp: SocketAddr) -> Self {
        // reqwest asks for a provider even where it needs no TLS; all but the first of a process are refused.
        drop(rustls::crypto::ring::default_provider().install_default());
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async move { stopped.await.unwrap_or_default() };
        let ended = tokio::spawn(pushoff_server::run(listeners, config, shutdown));
        Self { http, raw_tcp, stop, ended }
    }

    /// Shuts the server down; the handle resolves once it has ended.
    fn stop(self) -> JoinHandle<Result<(), ServerError>> {
        self.stop.send(()).unwrap();
        self.ended
    }

    async fn request(&self, method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Response {
        let mut request = Client::new().request(method, format!("http://{}{path}", self.http)).body(body.to_owned());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        timeout(PATIENCE, request.send()).await.unwrap().unwrap()
    }

    async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path, &[], "").await
    }

    async fn post(&self, topic: &str, media_type: &str, body: &str) -> Response {
        self.request(Method::POST, &format!("/topics/{topic}"), &[("content-type", media_type)], body).await
    }

    /// Publishes one payload and gives its cursor.
    async fn publish(&self, topic: &str, payload: &str) -> String {
        let response = self.post(topic, "application/json", payload).await;
        assert_eq!(response.status(), StatusCode::CREATED);
        let published: serde_json::Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
        published["id"].as_str().unwrap().to_owned()
    }

    async fn complete(&self, topic: &str) {
        let response = self.request(Method::DELETE, &format!("/topics/{topic}"), &[], "").await;
        assert_eq!(response.status(), StatusCode::NO_CONTENT);
    }

    /// A socket on which the head of a request was sent.
    async fn send(&self, head: &str) -> TcpStream {
        let mut socket = TcpStream::connect(self.http).await.unwrap();
        socket.write_all(head.as_bytes()).await.unwrap();
        socket
    }

    async fn websocket(&self, path: &str) -> Socket {
        timeout(PATIENCE, connect_async(format!("ws://{}{path}", self.http))).await.unwrap().unwrap().0
    }
}

/// Reads until `end` or the end of the connection; gives all input.
async fn read_until(socket: &mut TcpStream, end: &str) -> String {
    let mut read = Vec::new();
    let reading = async {
        while !String::from_utf8_lossy(&read).contains(end) && socket.read_buf(&mut read).await.unwrap() > 0 {}
    };
    assert!(timeout(PATIENCE, reading).await.is_ok(), "waited for {end:?}");
    String::from_utf8(read).unwrap()
}

/// Reads chunks of a response until `end` or the end of the response.
async fn chunks_until(response: &mut Response, end: &str) -> String {
    let mut read = String::new();
    while !read.contains(end) {
        let Some(chunk) = timeout(PATIENCE, response.chunk()).await.unwrap().unwrap() else { break };
        read.push_str(std::str::from_utf8(&chunk).unwrap());
    }
    read
}

/// The next message of a WebSocket; `None` once it is closed in order.
async fn next(socket: &mut Socket) -> Option<Result<Message, Error>> {
    timeout(PATIENCE, futures_util::StreamExt::next(socket)).await.unwrap()
}

/// The next text message of a WebSocket.
async fn next_text(socket: &mut Socket) -> String {
    next(socket).await.unwrap().unwrap().into_text().unwrap().to_string()
}

/// The close code at the end of a WebSocket.
async fn close_code(socket: &mut Socket) -> u16 {
    loop {
        match next(socket).await.unwrap().unwrap() {
            Message::Close(frame) => return frame.unwrap().code.into(),
            Message::Text(_) | Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
        }
    }
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}
