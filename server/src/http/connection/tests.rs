//! One connection from its client's end, under a clock of its own.

use std::time::Duration;

use tokio::io::{DuplexStream, duplex};
use tokio::time::advance;

use super::*;
use crate::Config;

const GET: &str = "GET /healthz HTTP/1.1\r\nHost: t\r\n\r\n";
const POST: &str = "POST /topics/t HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\nContent-Length: 1\r\n\r\n7";

/// The other end of a connection that is served.
struct Client(DuplexStream);

impl Client {
    fn new(config: Config) -> Self {
        let (ours, theirs) = duplex(1 << 20);
        tokio::spawn(serve(ours, Arc::new(Server::new(config))));
        Self(theirs)
    }

    async fn send(&mut self, bytes: &str) {
        self.0.write_all(bytes.as_bytes()).await.unwrap();
    }

    /// Reads to the end of one response, whose body is said to be so long, or of the connection.
    async fn receive(&mut self) -> String {
        let mut read = String::new();
        loop {
            if let Some((head, body)) = read.split_once("\r\n\r\n") {
                let length = head.split_once("content-length: ").map_or("0", |(_, rest)| rest);
                let length: usize = length.lines().next().unwrap().parse().unwrap();
                if body.len() >= length {
                    return read;
                }
            }
            let mut byte = [0];
            match self.0.read(&mut byte).await.unwrap() {
                0 => return read,
                _ => read.push(char::from(byte[0])),
            }
        }
    }

    async fn ask(&mut self, request: &str) -> String {
        self.send(request).await;
        self.receive().await
    }

    async fn is_closed(&mut self) -> bool {
        self.0.read(&mut [0]).await.unwrap() == 0
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_is_kept_alive_whatever_is_asked_on_it_and_at_whatever_pace() {
    let mut client = Client::new(Config::default());
    for pause in [50, 90, 20, 10_001, 74_999, 5, 95, 10, 74_999] {
        for (request, status) in [(GET, "200 OK"), (POST, "201 Created")] {
            let answer = client.ask(request).await;
            assert!(answer.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{answer}");
            advance(Duration::from_millis(pause)).await;
        }
    }
    client.ask(GET).await;
    let idle_since = Instant::now();
    assert!(client.is_closed().await);
    assert_eq!(idle_since.elapsed().as_secs(), 75);
}

#[tokio::test(start_paused = true)]
async fn a_head_has_its_time_from_its_first_byte_on() {
    let mut client = Client::new(Config::default());
    client.ask(GET).await;
    advance(Duration::from_secs(70)).await;
    let (begun, rest) = GET.split_at(3);
    client.send(begun).await;
    advance(Duration::from_secs(9)).await;
    assert!(client.ask(rest).await.starts_with("HTTP/1.1 200 "));
    let begun_at = Instant::now();
    let answer = client.ask(begun).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert_eq!(begun_at.elapsed().as_secs(), 10);
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn requests_are_answered_alike_wherever_they_are_cut() {
    let head = GET.replace("GET", "HEAD");
    let delete = "DELETE /topics/other HTTP/1.1\r\nHost: t\r\n\r\n";
    let close = GET.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
    let requests = [POST, GET, &head, POST, delete, &close].concat();
    for cut in 1..requests.len() {
        let mut client = Client::new(Config::default());
        client.send(&requests[..cut]).await;
        tokio::task::yield_now().await;
        client.send(&requests[cut..]).await;
        let mut answers = String::new();
        client.0.read_to_string(&mut answers).await.unwrap();
        let answers: Vec<_> = answers.split("HTTP/1.1 ").skip(1).collect();
        let statuses: Vec<_> = answers.iter().map(|answer| &answer[..3]).collect();
        assert_eq!(statuses, ["201", "200", "200", "201", "204", "200"], "cut at {cut}");
        assert!(answers[2].contains("\r\ncontent-length: 2\r\n") && answers[2].ends_with("\r\n\r\n"));
        assert!(answers[5].contains("\r\nconnection: close\r\n") && answers[5].ends_with("ok"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_waited_for_only_where_it_is_wanted() {
    let announced = POST.replace("Length: 1\r\n\r\n7", "Length: 9\r\n\r\n7");
    let mut client = Client::new(Config::default());
    let asked_at = Instant::now();
    assert!(client.ask(&announced).await.starts_with("HTTP/1.1 408 "));
    assert_eq!(asked_at.elapsed().as_secs(), 30);
    assert!(client.is_closed().await);

    let refused = announced.replace("application/json", "text/plain");
    let mut client = Client::new(Config::default());
    let answer = client.ask(&refused).await;
    assert!(answer.starts_with("HTTP/1.1 415 ") && answer.contains("\r\nconnection: close\r\n"), "{answer}");
    // What comes of the body is no request.
    client.send(GET).await;
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn what_is_not_plainly_right_is_answered_and_is_the_last_of_its_connection() {
    let chunked = POST.replace("Content-Length: 1\r\n\r\n7", "Transfer-Encoding: chunked\r\n\r\n1\r\n7\r\n0\r\n\r\n");
    let both = chunked.replace("Transfer-", "Content-Length: 11\r\nTransfer-");
    let two_lengths = POST.replace("Content-Length: 1\r\n", "Content-Length: 1\r\nContent-Length: 2\r\n");
    let bare = GET.replace("\r\n", "\n");
    let spaced = GET.replace("Host:", "Host :");
    let old = GET.replace("1.1", "1.0");
    for (request, status) in
        [(&chunked, "201"), (&both, "201"), (&two_lengths, "400"), (&bare, "200"), (&spaced, "400"), (&old, "200")]
    {
        let mut client = Client::new(Config::default());
        let answer = client.ask(&format!("{request}{GET}")).await;
        assert_eq!(&answer[9..12], status, "{request} {answer}");
        assert!(client.is_closed().await, "{request}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_poll_keeps_what_comes_while_it_waits() {
    let mut client = Client::new(Config::default());
    let poll = "GET /topics/t/long-polling?wait=5 HTTP/1.1\r\nHost: t\r\n\r\n";
    client.send(&[poll, GET].concat()).await;
    let asked_at = Instant::now();
    assert!(client.receive().await.starts_with("HTTP/1.1 204 "));
    assert_eq!(asked_at.elapsed().as_secs(), 5);
    assert!(client.receive().await.ends_with("\r\n\r\nok"));
}
