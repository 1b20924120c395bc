//! Links as the kernel knows them. Root only: a user makes namespaces before any thread is made, and tests are threads.
//!
//! What many links at once cost and how late they are, on an idle machine:
//! `cargo test --release -p pushoff-network --test links -- --ignored --nocapture many`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::net::{Ipv4Addr, UdpSocket};
use std::time::Duration;

use pushoff_model::network::{built_in, parse};
use pushoff_model::{LatencyHistogram, RunClock, RunInstant};
use pushoff_network::{FAR, Link, NEAR, Namespace, enter};

const LINKS: u32 = 45;
/// Between two packets of a direction: 20 packets a second.
const GAP: Duration = Duration::from_millis(50);
const SECONDS: u32 = 5;

fn socket(namespace: &Namespace, at: Ipv4Addr) -> UdpSocket {
    namespace.within(|| UdpSocket::bind((at, 9_000))).unwrap().unwrap()
}

fn take_device_down() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
    runtime.block_on(async {
        let (connection, handle, _) = rtnetlink::new_connection().unwrap();
        tokio::spawn(connection);
        let down = rtnetlink::LinkUnspec::new_with_name("link0").down().build();
        handle.link().set(down).execute().await.unwrap();
    });
}

#[test]
#[ignore = "needs root and network namespaces: scripts/test runs it where they are"]
fn only_packets_that_pass_while_a_link_is_watched_count_in_its_lateness() {
    enter(|| ()).unwrap();
    let link = Link::new(&built_in("lan").unwrap().unwrap(), 1).unwrap();
    let (far, near) = (socket(&link.far, FAR), socket(&link.near, NEAR));
    near.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let ten_pass = || {
        for _ in 0..10 {
            far.send_to(&[1], (NEAR, 9_000)).unwrap();
            near.recv(&mut [0]).unwrap();
        }
    };
    ten_pass();
    link.watch(true);
    ten_pass();
    let down = link.end().unwrap().down;
    // A packet is received before its lateness is noted, so the last of the first ten may count as well.
    assert!((10..=11).contains(&down.lateness.count()) && down.passed >= 20, "{down:?}");
}

#[test]
#[ignore = "needs root and network namespaces: scripts/test runs it where they are"]
fn a_link_whose_device_fails_says_so_before_its_end() {
    enter(|| ()).unwrap();
    let link = Link::new(&built_in("lan").unwrap().unwrap(), 1).unwrap();
    let far = socket(&link.far, FAR);
    far.send_to(&[1], (NEAR, 9_000)).unwrap();
    assert!(!link.has_failed());
    link.near.within(take_device_down).unwrap();
    far.send_to(&[2], (NEAR, 9_000)).unwrap();
    let clock = RunClock::start();
    while !link.has_failed() {
        assert!(clock.now().since(RunInstant::default()) < Duration::from_mins(1), "it did not fail");
        std::thread::yield_now();
    }
    assert!(link.end().is_err());
}

#[test]
#[ignore = "measures, and needs root and network namespaces"]
fn many_links_at_once() {
    enter(|| ()).unwrap();
    for delay in [20, 75] {
        let text = format!("name = \"n\"\nsays = \"n\"\n[down]\ndelay = \"{delay}ms\"\n[up]\ndelay = \"{delay}ms\"\n");
        let network = parse(&text, "n.toml".as_ref()).unwrap();
        let links: Vec<Link> = (0..LINKS).map(|seed| Link::new(&network, seed.into()).unwrap()).collect();
        links.iter().for_each(|link| link.watch(true));
        let ends: Vec<_> = links.iter().map(|link| (socket(&link.far, FAR), socket(&link.near, NEAR))).collect();
        let clock = RunClock::start();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let mut ticks = tokio::time::interval(GAP / LINKS);
            for round in 0..SECONDS * 20 * LINKS {
                ticks.tick().await;
                let (far, near) = &ends[(round % LINKS) as usize];
                far.send_to(&[0; 200], (NEAR, 9_000)).unwrap();
                near.send_to(&[0; 40], (FAR, 9_000)).unwrap();
            }
        });
        let took = clock.now().since(RunInstant::default());
        let mut in_time = 0;
        let (mut late, mut processor, mut passed) = (LatencyHistogram::default(), Duration::ZERO, 0);
        for link in links {
            assert!(!link.has_failed());
            let of = link.end().unwrap();
            in_time += u32::from(of.is_in_time());
            for tally in [of.down, of.up] {
                late.merge(&tally.lateness);
                processor += Duration::from_nanos(tally.cpu_ns);
                passed += tally.passed;
            }
        }
        let ended = clock.now().since(RunInstant::default()).saturating_sub(took);
        println!(
            "{LINKS} links of {delay} ms: {passed} packets, {:.1} % of one processor, 99 % at most {:?} late, \
             {in_time} links in time, ended within {ended:?}",
            processor.as_secs_f64() / took.as_secs_f64() * 100.0,
            late.quantile(0.99).unwrap(),
        );
    }
}
