use std::time::Duration;

use proptest::prelude::*;
use pushoff_model::LatencyHistogram;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use rand_distr::{Distribution as _, LogNormal};

use super::resample::EXACT_UP_TO;
use super::*;

fn histogram(nanoseconds: &[u64]) -> LatencyHistogram {
    let mut histogram = LatencyHistogram::new();
    for &latency in nanoseconds {
        histogram.record(Duration::from_nanos(latency));
    }
    histogram
}

#[test]
fn three_trials_have_ten_resamples_and_their_weights_are_multinomial() {
    let all = resamples(3);
    assert_eq!(all.len(), 10);
    let weight = |drawn: [u32; 3]| all.iter().find(|resample| resample.drawn == drawn).unwrap().weight;
    assert!((weight([1, 1, 1]) - 6.0 / 27.0).abs() < 1e-12);
    assert!((weight([3, 0, 0]) - 1.0 / 27.0).abs() < 1e-12);
    assert!((weight([2, 1, 0]) - 3.0 / 27.0).abs() < 1e-12);
}

/// For a mean, the exact bootstrap with its factor is the textbook's s ÷ √n.
#[test]
fn the_interval_of_a_mean_is_students() {
    // The zero keeps it off the logarithmic scale: mean 4, s = 4, t(2) = 4.303.
    let figure = estimate_ratio(&[(0.0, 1.0), (4.0, 1.0), (8.0, 1.0)], &resamples(3)).unwrap();
    assert!((figure.high() - (4.0 + 4.302_65 * 4.0 / 3.0_f64.sqrt())).abs() < 1e-3, "{figure:?}");
    assert!(figure.low().abs() < 1e-12, "what cannot be negative is not said to be: {figure:?}");
}

#[test]
fn the_interval_of_what_is_positive_reaches_as_many_times_up_as_down() {
    let figure = estimate_ratio(&[(1.0, 1.0), (2.0, 1.0), (4.0, 1.0)], &resamples(3)).unwrap();
    assert!((figure.point - 7.0 / 3.0).abs() < 1e-12);
    assert!((figure.high() / figure.point - figure.point / figure.low()).abs() < 1e-9, "{figure:?}");
    assert!(figure.low() > 0.0 && figure.low() < 1.0 && figure.high() > 4.0, "{figure:?}");
}

/// Two cells that are the same, measured by three trials each: to tell them apart is an error,
/// and it must be made less often than 1 time in 20.
#[test]
fn three_trials_of_the_same_thing_are_hardly_ever_told_apart() {
    let mut random = StdRng::seed_from_u64(7);
    let mut cell = || {
        let noisy = |_| ((random.random_range(0.0_f64..1.0)).exp2(), 1.0);
        estimate_ratio(&(0..3).map(noisy).collect::<Vec<_>>(), &resamples(3)).unwrap()
    };
    let apart = (0..2_000).filter(|_| !cell().is_near(&cell())).count();
    assert!(apart < 70, "{apart} of 2,000 pairs were told apart");
}

#[test]
fn a_difference_that_may_be_none_is_not_judged_by_ratios() {
    let parts = [(0.01, 1.0), (4.0, 1.0), (8.0, 1.0)];
    let figure = estimate_ratio_on(Scale::Differences, &parts, &resamples(3)).unwrap();
    assert!(figure.low() < 0.0 && figure.high() < 15.0, "{figure:?}");
    assert!((figure.high() - figure.point - (figure.point - figure.low())).abs() < 1e-9, "{figure:?}");
}

#[test]
fn one_trial_has_no_interval() {
    assert!(resamples(1).is_empty());
    assert_eq!(estimate_ratio(&[(3.0, 2.0)], &[]), Some(Figure { point: 1.5, interval: None }));
}

#[test]
fn many_trials_give_about_the_textbook_interval_and_always_the_same() {
    let parts: Vec<_> = (0..100).map(|number| (f64::from(number), 1.0)).collect();
    let figure = estimate_ratio(&parts, &resamples(100)).unwrap();
    let interval = figure.interval.unwrap();
    // 1.96 standard errors of the mean of 0 … 99.
    let half = 1.96 * 28.87 / 10.0;
    assert!((interval.low - (49.5 - half)).abs() < 0.6, "{interval:?}");
    assert!((interval.high - (49.5 + half)).abs() < 0.6, "{interval:?}");
    assert_eq!(Some(figure), estimate_ratio(&parts, &resamples(100)));
}

#[test]
fn figures_are_told_apart_by_more_than_both_uncertainties_together() {
    // Each within a factor of e^0.3 or e^0.4 of its point: together e^0.5.
    let figure = |point: f64, half: f64| Figure {
        point,
        interval: Some(Interval { low: point * (-half).exp(), high: point * half.exp() }),
    };
    assert!(figure(1.0, 0.3).is_near(&figure(0.49_f64.exp(), 0.4)));
    assert!(!figure(1.0, 0.3).is_near(&figure(0.51_f64.exp(), 0.4)));
    // Around zero there are no ratios, only differences.
    let zero = Figure { point: 0.0, interval: Some(Interval { low: 0.0, high: 3.0 }) };
    let other = |point| Figure { point, interval: Some(Interval { low: point - 4.0, high: point + 4.0 }) };
    assert!(zero.is_near(&other(4.9)) && !zero.is_near(&other(5.1)));
}

/// A percentile that few messages make: a trial has fifty, and each sixtieth is several times as slow. Whole trials drawn
/// anew do not show how many slow ones there might have been: their intervals alone hold 91 times of 100.
#[test]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "nanoseconds above zero")]
fn an_interval_of_a_p99_holds_the_p99_of_very_many_messages() {
    let (mut random, scatter) = (StdRng::seed_from_u64(11), LogNormal::new(0.0, 0.2).unwrap());
    let mut latency = || {
        let slow = if random.random_bool(1.0 / 60.0) { random.random_range(3.0..6.0) } else { 1.0 };
        (1e6 * slow * scatter.sample(&mut random)) as u64
    };
    let mut trial = || histogram(&(0..50).map(|_| latency()).collect::<Vec<_>>());
    let all: Vec<_> = (0..4_000).map(|_| trial()).collect();
    let truth = Pool::new(&all.iter().collect::<Vec<_>>()).quantiles(&vec![1; all.len()], &[0.99])[0].unwrap();
    let held_with = |messages: u64| {
        let holds = all.chunks_exact(10).take(400).filter(|each| {
            let pool = Pool::new(&each.iter().collect::<Vec<_>>());
            let figure = pool.estimate(messages, 10, &resamples(10), &[0.99])[0].unwrap();
            figure.low() <= truth && truth <= figure.high()
        });
        holds.count()
    };
    let (with, without) = (held_with(500), held_with(u64::MAX));
    assert!(with >= 380 && without < 372, "of 400 intervals over ten trials, {with} and {without} hold it");
}

/// What differs between trials is then nothing, and has no sign.
#[test]
fn trials_that_are_alike_have_an_interval_about_their_percentile() {
    for spread in 1..200 {
        let one = histogram(&(0..50).map(|place| 300_000_000 + place * spread * 10_000).collect::<Vec<_>>());
        let figure = Pool::new(&[&one, &one, &one]).estimate(150, 3, &resamples(3), &[0.98])[0].unwrap();
        assert!(figure.low() <= figure.point && figure.point <= figure.high(), "{figure:?}");
    }
}

#[test]
fn a_ratio_of_p99s_in_pairs_is_no_surer_than_so_few_messages_are() {
    // Three pairs of trials of 40 messages: 1.2 in all lie beyond a p99, and the trials of a side are alike.
    let side = |times: u64| {
        let latencies: Vec<u64> = (1..=40).map(|it| it * it * 1_000 * times).collect();
        let trial = histogram(&latencies);
        Statistic::Quantile(Pool::new(&[&trial, &trial, &trial]), 0.99, 120)
    };
    let (twice, once) = (side(2), side(1));
    let over = |other: &Statistic| twice.over(other, [3, 3], &[(0, 0), (1, 1), (2, 2)]).unwrap();
    let ratio = over(&once);
    assert!((ratio.point - 2.0).abs() < 0.01, "{ratio:?}");
    assert!(ratio.low() < 1.95 && ratio.high() > 2.05, "{ratio:?}");
    let same = over(&side(2));
    assert!((same.high() - same.low()).abs() < 1e-12, "the same trials err alike: {same:?}");
}

proptest! {
    #[test]
    fn exact_weights_sum_to_one(trials in 2_usize..=EXACT_UP_TO) {
        let all = resamples(trials);
        prop_assert!((all.iter().map(|resample| resample.weight).sum::<f64>() - 1.0).abs() < 1e-9);
        prop_assert!(all.iter().all(|resample| resample.drawn.iter().sum::<u32>() as usize == trials));
    }

    #[test]
    fn a_pool_reads_the_percentiles_of_the_merged_histograms(
        one in proptest::collection::vec(1_u64..5_000_000_000, 1..60),
        other in proptest::collection::vec(1_u64..5_000_000_000, 1..60),
        quantile in 0.0_f64..=1.0,
    ) {
        let (one, other) = (histogram(&one), histogram(&other));
        let mut merged = one.clone();
        merged.merge(&other);
        let pool = Pool::new(&[&one, &other]);
        let wanted = merged.quantile(quantile).map(|value| value.as_nanos() as f64);
        prop_assert_eq!(pool.quantiles(&[1, 1], &[quantile]), vec![wanted]);
        prop_assert_eq!(pool.count(), merged.count());
    }

    #[test]
    fn an_interval_holds_its_point(values in proptest::collection::vec(0.0_f64..1e9, 2..9)) {
        let parts: Vec<_> = values.iter().map(|&value| (value, 1.0)).collect();
        let figure = estimate_ratio(&parts, &resamples(parts.len())).unwrap();
        prop_assert!(figure.low() <= figure.point * (1.0 + 1e-12) && figure.point <= figure.high() * (1.0 + 1e-12));
    }
}
