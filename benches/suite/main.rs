//! `cargo bench`: the parts alone, then every transport across real sockets, then one page.
//!
//! These say what a part costs and whether a change made it dearer. Which transport to take is
//! what `pushoff run` answers: there the load is open-loop and server and generator are apart.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a bench that cannot go on must stop loudly"
)]

mod framing;
mod hub;
mod page;
mod recorder;
mod sockets;

use std::time::Duration;

use criterion::Criterion;

fn main() {
    if let Some(seconds) = sockets::sample() {
        println!("{seconds}");
        return;
    }
    let mut criterion = Criterion::default()
        .sample_size(sockets::SAMPLES)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    framing::benches(&mut criterion);
    hub::benches(&mut criterion);
    recorder::benches(&mut criterion);
    // To see that all of it works, one sample each is enough.
    sockets::benches(&mut criterion, if measures() { sockets::SAMPLES } else { 1 });
    criterion.final_summary();
    if measures() {
        page::write();
    }
}

/// Whether this was a measuring run, and not one that lists the benches, tests each once or profiles.
fn measures() -> bool {
    let is = |name: &str| std::env::args().any(|argument| argument.split('=').next() == Some(name));
    is("--bench") && !["--test", "--list", "--profile-time"].into_iter().any(is)
}
