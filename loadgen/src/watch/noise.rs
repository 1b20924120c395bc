//! The noise of the machine before a run: no figure of the run can be finer than this.
//!
//! It measures three parts of every latency: the clock, the timer that paces the load, and a byte's round trip to
//! another thread over loopback. That thread runs on the server's processors, so the byte wakes a processor as a
//! message does.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use pushoff_model::environment::Noise;
use pushoff_model::time::nanos;
use pushoff_model::workload::Slo;
use pushoff_model::{LatencyHistogram, RunClock};
use rustix::thread::{CpuSet, sched_setaffinity};

use super::validity::{LAG_SHARE, LEAST_LAG};
use crate::timer::Timer;

const READINGS: usize = 10_000;
/// The timer's period. Chosen here: no other timer of the system has this period …
const TICK: Duration = Duration::from_micros(730);
/// … and the number of ticks: the 99th percentile is the fourth latest.
const TICKS: u32 = 300;
/// Batches of round trips …
const BATCHES: usize = 10;
/// … and their length: some hundreds of round trips, a quarter of a second in all.
const BATCH: Duration = Duration::from_millis(25);
/// How long a byte may take before the check fails.
const PATIENCE: Duration = Duration::from_secs(5);

/// Measures for about half a second. `server_cpus` are the server's processors; empty leaves the choice to the
/// scheduler.
///
/// # Errors
/// When there is no timer, socket or thread, or a byte does not come back over loopback.
pub fn noise(server_cpus: &[u32]) -> io::Result<Noise> {
    let clock = RunClock::start();
    let lateness = timer_lateness(clock)?;
    let (trips, repeat_ns) = round_trips(clock, server_cpus)?;
    let of = |histogram: &LatencyHistogram, quantile| histogram.quantile(quantile).map_or(0, nanos);
    Ok(Noise {
        clock_resolution_ns: clock_resolution(clock),
        timer_lateness_p50_ns: of(&lateness, 0.50),
        timer_lateness_p99_ns: of(&lateness, 0.99),
        timer_lateness_max_ns: lateness.max().map_or(0, nanos),
        round_trip_p50_ns: of(&trips, 0.50),
        round_trip_p99_ns: of(&trips, 0.99),
        repeat_ns,
    })
}

/// Warns if the machine is too noisy for the tightest of these SLOs.
///
/// The bound is the send lag that voids a trial: timers that wake later than that on an idle machine will not wake
/// earlier under load.
#[must_use]
pub fn too_loud<'a>(noise: &Noise, slos: impl IntoIterator<Item = &'a Slo>) -> Option<String> {
    let tightest = slos.into_iter().map(|slo| slo.within).min();
    let bound = tightest.map_or(LEAST_LAG, |within| within.mul_f64(LAG_SHARE));
    let late = Duration::from_nanos(noise.timer_lateness_p99_ns);
    (late > bound).then(|| {
        let asked = tightest.map_or_else(
            || format!("{LEAST_LAG:?}, the send lag that is allowed for any SLO"),
            |within| format!("{bound:?}, a tenth of the tightest SLO's {within:?}"),
        );
        format!(
            "the machine is too noisy for this run: 1 % of its timers wake {late:.1?} late or more, over {asked}; \
             end other programs, or measure on another machine"
        )
    })
}

/// The smallest difference between two readings.
fn clock_resolution(clock: RunClock) -> u64 {
    let difference = |_| {
        let first = clock.now();
        nanos(clock.now().since(first))
    };
    // Two readings of a coarse clock are mostly equal.
    (0..READINGS).map(difference).filter(|&nanos| nanos > 0).min().unwrap_or(0)
}

/// How late the timer that paces the load is.
fn timer_lateness(clock: RunClock) -> io::Result<LatencyHistogram> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let (timer, mut lateness) = (Timer::new()?, LatencyHistogram::new());
        let start = clock.now();
        for tick in 1..=TICKS {
            let due = start + TICK * tick;
            timer.until(clock, due).await?;
            lateness.record(clock.now().since(due));
        }
        Ok(lateness)
    })
}

/// All round trips, and the largest median of a batch minus the smallest.
fn round_trips(clock: RunClock, server_cpus: &[u32]) -> io::Result<(LatencyHistogram, u64)> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let mut near = TcpStream::connect(listener.local_addr()?)?;
    let (far, _) = listener.accept()?;
    for end in [&near, &far] {
        end.set_nodelay(true)?;
        end.set_read_timeout(Some(PATIENCE))?;
    }
    let cpus = server_cpus.to_vec();
    let echo = thread::Builder::new().name("echo".into()).spawn(move || echo(far, &cpus))?;
    let (mut all, mut medians) = (LatencyHistogram::new(), Vec::with_capacity(BATCHES));
    for _ in 0..BATCHES {
        let batch = batch(clock, &mut near)?;
        medians.extend(batch.quantile(0.50).map(nanos));
        all.merge(&batch);
    }
    drop(near);
    // The thread ends with the connection. This end has already seen any error.
    drop(echo.join());
    let (most, least) = (medians.iter().max().copied().unwrap_or(0), medians.iter().min().copied().unwrap_or(0));
    Ok((all, most - least))
}

fn batch(clock: RunClock, socket: &mut TcpStream) -> io::Result<LatencyHistogram> {
    let (mut trips, mut byte) = (LatencyHistogram::new(), [0]);
    let start = clock.now();
    loop {
        let sent = clock.now();
        socket.write_all(&byte)?;
        socket.read_exact(&mut byte)?;
        let back = clock.now();
        trips.record(back.since(sent));
        if back.since(start) >= BATCH {
            return Ok(trips);
        }
    }
}

/// Sends back each byte until the connection ends.
fn echo(mut socket: TcpStream, cpus: &[u32]) -> io::Result<()> {
    stay_on(cpus)?;
    let mut byte = [0];
    loop {
        match socket.read(&mut byte)? {
            0 => return Ok(()),
            _ => socket.write_all(&byte)?,
        }
    }
}

fn stay_on(cpus: &[u32]) -> io::Result<()> {
    let mut set = CpuSet::new();
    let known = cpus.iter().filter_map(|&cpu| usize::try_from(cpu).ok()).filter(|&cpu| cpu < CpuSet::MAX_CPU);
    known.for_each(|cpu| set.set(cpu));
    if set.count() > 0 {
        sched_setaffinity(None, &set)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use pushoff_model::Share;

    use super::*;

    #[test]
    fn a_machine_makes_some_noise_and_it_is_in_order() {
        let noise = noise(&[]).unwrap();
        assert!((1..1_000_000).contains(&noise.clock_resolution_ns), "{noise:?}");
        assert!(noise.timer_lateness_p50_ns > 0, "{noise:?}");
        assert!(noise.timer_lateness_p50_ns <= noise.timer_lateness_p99_ns, "{noise:?}");
        assert!(noise.timer_lateness_p99_ns <= noise.timer_lateness_max_ns, "{noise:?}");
        assert!(noise.round_trip_p50_ns > 1_000, "two system calls a side take a microsecond: {noise:?}");
        assert!(noise.round_trip_p50_ns <= noise.round_trip_p99_ns, "{noise:?}");
    }

    #[test]
    fn a_late_timer_is_too_loud_for_a_tight_slo_and_not_for_a_wide_one() {
        let slo = |within| Slo { share: Share::new(0.99).unwrap(), within, may_skip: false };
        let (tight, wide) = (slo(Duration::from_millis(20)), slo(Duration::from_secs(1)));
        let noise = Noise { timer_lateness_p99_ns: 2_100_000, ..Noise::default() };
        let said = too_loud(&noise, [&wide, &tight]).unwrap();
        assert!(said.contains("2.1ms") && said.contains("a tenth of the tightest SLO's 20ms"), "{said}");
        assert_eq!(too_loud(&noise, [&wide]), None);
        assert_eq!(too_loud(&noise, []), None);
        let noise = Noise { timer_lateness_p99_ns: 5_100_000, ..Noise::default() };
        assert!(too_loud(&noise, []).unwrap().contains("5ms"));
    }
}
