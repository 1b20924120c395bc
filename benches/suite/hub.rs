//! What the log costs without any socket: to append, to wake those who wait, to read.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput};
use futures_util::future::join_all;
use pushoff_model::{Start, Topic};
use pushoff_server::Payload;
use pushoff_server::framing::Framing;
use pushoff_server::hub::{Bounds, Hub, HubLimits, Memory, Reading, Retention};

const WAITING: u64 = 100;
const PENDING: u64 = 100;
const BOUNDS: Bounds = Bounds { messages: 1_000, bytes: 1024 * 1024 };

pub(crate) fn benches(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let payload = Payload::parse(format!("\"{}\"", "x".repeat(126)).as_bytes(), 1024).unwrap();
    let mut group = criterion.benchmark_group("hub");

    group.throughput(Throughput::Elements(1));
    group.bench_function("append", |bencher| {
        let (hub, topic) = hub();
        bencher.iter(|| black_box(hub.publish(&topic, vec![payload.clone()]).unwrap()));
    });

    group.throughput(Throughput::Elements(WAITING));
    group.bench_function("wake", |bencher| {
        let (hub, topic) = hub();
        let mut waiting: Vec<_> = (0..WAITING).map(|_| hub.subscribe(&topic, Start::Now)).collect();
        bencher.iter(|| {
            runtime.block_on(async {
                let readers = join_all(waiting.iter_mut().map(|reader| reader.next(Framing::Ndjson, BOUNDS)));
                let publisher = async { hub.publish(&topic, vec![payload.clone()]).unwrap() };
                black_box(tokio::join!(readers, publisher));
            });
        });
    });

    group.throughput(Throughput::Elements(PENDING));
    group.bench_function("read", |bencher| {
        let (hub, topic) = hub();
        for _ in 0..PENDING {
            hub.publish(&topic, vec![payload.clone()]).unwrap();
        }
        bencher.iter_batched(
            || hub.subscribe(&topic, Start::Oldest),
            |mut reader| {
                let Reading::Batch(batch) = reader.read(Framing::Ndjson, BOUNDS) else {
                    panic!("there is something to read");
                };
                assert_eq!(batch.messages, PENDING);
                batch
            },
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

/// A hub, and the one topic that is used in it.
fn hub() -> (Hub, Topic) {
    let (retention, memory) = (Retention { messages: 1024, bytes: 4 * 1024 * 1024 }, Memory::new(1 << 30));
    let hub = Hub::new(HubLimits { retention, topics: 1, idle: Duration::from_mins(1), memory });
    (hub, "bench".parse().unwrap())
}
