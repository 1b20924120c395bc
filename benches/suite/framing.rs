//! What a message costs to frame, and to read out of its framing again with the library that the
//! generator uses: 100 messages of 128 bytes at a time.

use std::hint::black_box;
use std::io::Cursor as InMemory;
use std::sync::LazyLock;

use bytes::{Bytes, BytesMut};
use criterion::{BatchSize, Criterion, Throughput};
use eventsource_client::{Client, ClientBuilder, ReconnectOptions, SSE};
use futures_util::StreamExt;
use launchdarkly_sdk_transport::{ByteStream, HttpTransport, ResponseFuture};
use pushoff_loadgen::clients::{Lines, Reader, Trust, Unit};
use pushoff_model::target::{OURS, Parts, built_in};
use pushoff_model::{Cursor, Epoch, Transport};
use pushoff_server::framing::Framing;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocket};
use tokio_util::codec::{Decoder, LengthDelimitedCodec};

const MESSAGES: u64 = 100;

pub(crate) fn benches(criterion: &mut Criterion) {
    let payload = format!("\"{}\"", "x".repeat(126));
    let mut group = criterion.benchmark_group("framing_server");
    group.throughput(Throughput::Elements(MESSAGES));
    for transport in Transport::ALL {
        group.bench_function(transport.name(), |bencher| {
            let mut out = Vec::with_capacity(64 * 1024);
            bencher.iter(|| {
                out.clear();
                encode(transport, payload.as_bytes(), &mut out);
                black_box(&out);
            });
        });
    }
    group.finish();

    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut group = criterion.benchmark_group("framing_client");
    group.throughput(Throughput::Elements(MESSAGES));
    for transport in Transport::ALL {
        let mut encoded = Vec::new();
        encode(transport, payload.as_bytes(), &mut encoded);
        let encoded = Bytes::from(encoded);
        let decode = |bytes| runtime.block_on(decode(transport, bytes));
        assert_eq!(decode(encoded.clone()), MESSAGES, "{transport}");
        group.bench_function(transport.name(), |bencher| {
            bencher.iter_batched(|| encoded.clone(), decode, BatchSize::SmallInput);
        });
    }
    group.finish();
}

fn encode(transport: Transport, payload: &[u8], out: &mut Vec<u8>) {
    let framing = Framing::of(transport);
    for sequence in 1..=MESSAGES {
        framing.message(out, Cursor { epoch: Epoch(0x5f3a_9c21), sequence }, payload);
    }
}

/// Reads every message out of `bytes` and counts them.
async fn decode(transport: Transport, bytes: Bytes) -> u64 {
    match transport {
        Transport::ShortPolling | Transport::LongPolling | Transport::HttpStreaming => lines(&bytes),
        Transport::Sse => events(bytes).await,
        Transport::WebSocket => frames(&bytes),
        Transport::RawTcp => lengths(&bytes),
    }
}

fn lines(bytes: &Bytes) -> u64 {
    let (mut lines, mut rest) = (Lines::default(), &bytes[..]);
    let (mut reader, mut messages) = (reader(), 0);
    while let Some(line) = lines.next(&mut rest) {
        messages += message(&mut reader, line);
    }
    messages
}

fn frames(bytes: &Bytes) -> u64 {
    let mut socket = WebSocket::from_raw_socket(InMemory::new(bytes.to_vec()), Role::Client, None);
    let (mut reader, mut messages) = (reader(), 0);
    while let Ok(frame) = socket.read() {
        messages += message(&mut reader, &frame.into_data());
    }
    messages
}

fn lengths(bytes: &Bytes) -> u64 {
    let mut codec = LengthDelimitedCodec::new();
    let mut bytes = BytesMut::from(bytes.as_ref());
    let (mut reader, mut messages) = (reader(), 0);
    while let Some(frame) = codec.decode(&mut bytes).unwrap() {
        messages += message(&mut reader, &frame);
    }
    messages
}

/// Reads each line as the library clients do.
fn message(reader: &mut Reader<'_>, line: &[u8]) -> u64 {
    u64::from(matches!(reader.read(black_box(line)), Ok(Unit::Message { .. })))
}

static OUR_PARTS: LazyLock<Parts> = LazyLock::new(|| {
    let ours = built_in(OURS).unwrap().unwrap();
    ours.dialect.technique(Transport::WebSocket).unwrap().parts.clone()
});

fn reader() -> Reader<'static> {
    Reader::new(&OUR_PARTS, Trust::None)
}

/// `eventsource-client` keeps its parser to itself, so it is given a connection made of memory.
async fn events(bytes: Bytes) -> u64 {
    let client = ClientBuilder::for_url("http://memory/")
        .unwrap()
        .reconnect(ReconnectOptions::reconnect(false).build())
        .build_with_transport(Memory(bytes));
    let mut stream = client.stream();
    let mut messages = 0;
    while let Some(Ok(event)) = stream.next().await {
        messages += u64::from(matches!(black_box(event), SSE::Event(_)));
    }
    messages
}

#[derive(Clone)]
struct Memory(Bytes);

impl HttpTransport for Memory {
    fn request(&self, _: http::Request<Option<Bytes>>) -> ResponseFuture {
        let body: ByteStream = Box::pin(futures_util::stream::iter([Ok(self.0.clone())]));
        Box::pin(async move { Ok(http::Response::new(body)) })
    }
}
