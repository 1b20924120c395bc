//! What a measured message costs the generator itself: it must be little beside what it measures.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput};
use pushoff_loadgen::books::{Ledger, Recorder, Sample, SampleBlock, Window};
use pushoff_model::{LatencyHistogram, RunInstant};

/// Latencies that a histogram spreads over many of its buckets, from 50 µs to 50 ms.
fn latency(index: u64) -> Duration {
    Duration::from_nanos(50_000 + index.wrapping_mul(0x9E37_79B9_7F4A_7C15) % 50_000_000)
}

pub(crate) fn benches(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("recorder");
    group.throughput(Throughput::Elements(1));
    group.bench_function("sample", |bencher| {
        let recorder = Recorder::default();
        recorder.begin(Window::new(RunInstant::default(), Duration::from_hours(1)));
        let mut block = SampleBlock::default();
        let mut index = 0;
        bencher.iter(|| {
            index += 1;
            let due = RunInstant::from_nanos(index * 1_000);
            let received = due + latency(index);
            block.push(Sample { publisher: 0, index, due, sent: due, received, polled: None, own: false }, &recorder);
        });
        block.flush(&recorder);
        assert!(recorder.take().delivered > 0);
    });
    group.bench_function("ledger", |bencher| {
        let mut ledger = Ledger::new(10);
        let mut index = 0;
        bencher.iter(|| {
            index += 1;
            black_box(ledger.deliver(3, index - 1))
        });
    });
    group.bench_function("merge", |bencher| {
        let (mut one, mut other) = (LatencyHistogram::new(), LatencyHistogram::new());
        for index in 0..100_000 {
            one.record(latency(index));
            other.record(latency(index + 1));
        }
        bencher.iter(|| one.merge(black_box(&other)));
    });
    group.finish();
}
