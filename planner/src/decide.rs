//! The rule of choice among transports: one function for measured and for predicted costs.
//!
//! 1. Only a transport that meets the SLO is chosen.
//! 2. The least cost wins, unless others are *equivalent*: shown to lie within the margin that matters of the
//!    cheapest. That a difference was not found is no equivalence.
//! 3. Among equivalent transports freshness chooses where a difference of the medians is worth something, and then
//!    simplicity.
//! 4. Where a transport that is not settled could still change the answer, the answer is *undecided*, and it names
//!    those that remain.
//!
//! Every comparison is one with the cheapest, as in Hsu's multiple comparisons with the best (*Multiple Comparisons*,
//! 1996, ch. 4): the caller's intervals must hold together for so many comparisons.

use pushoff_model::Transport;
use pushoff_stats::{Figure, Interval};
use serde::Serialize;

/// Whether a transport is good enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fitness {
    /// Shown to meet the SLO.
    Meets,
    /// Neither shown to meet it nor to fail it.
    Open,
    /// Shown to fail it.
    Fails,
}

/// A transport and what the rule needs to know of it.
#[derive(Clone, Copy, Debug)]
pub struct Contender {
    /// Which transport.
    pub transport: Transport,
    /// Whether it is good enough.
    pub fitness: Fitness,
    /// Its cost, in whatever unit; absent where it is not known.
    pub cost: Option<f64>,
    /// The median age of a message when it arrives, in nanoseconds; absent where it is not known.
    pub median_ns: Option<Figure>,
}

/// What differences matter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rule {
    /// Costs that differ by no more than this share are equivalent: 0.1 is a tenth.
    pub margin: f64,
    /// Medians that differ by no more than so many nanoseconds are equally fresh.
    pub freshness_ns: f64,
    /// Whether more evidence may narrow the intervals. Then only what is shown to lie beyond the margin is out, or the
    /// answer would hang on how much was measured: what costs a twentieth more would be out after a few rounds, and
    /// equivalent after many. A prediction gets no narrower: there what is shown to cost more, and expected to lie beyond
    /// the margin, is out.
    pub may_narrow: bool,
}

impl Rule {
    /// The rule for measured costs.
    #[must_use]
    pub const fn measured(margin: f64, freshness_ns: f64) -> Self {
        Self { margin, freshness_ns, may_narrow: true }
    }

    /// The rule for predicted costs.
    #[must_use]
    pub const fn predicted(margin: f64, freshness_ns: f64) -> Self {
        Self { margin, freshness_ns, may_narrow: false }
    }
}

/// How far a question is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The choice costs less than every other transport that may be good enough: the others are out.
    Decided,
    /// The choice costs within the margin of the cheapest, and no other could be cheaper by more than the margin;
    /// freshness or simplicity chose it.
    Equivalent,
    /// More than one transport could still be the one to take.
    Undecided,
    /// Every transport was shown to fail.
    NothingMeets,
}

impl Outcome {
    /// As every document writes it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Decided => "decided",
            Self::Equivalent => "equivalent",
            Self::Undecided => "undecided",
            Self::NothingMeets => "nothing meets the SLO",
        }
    }

    /// Whether more evidence would change nothing.
    #[must_use]
    pub const fn is_settled(self) -> bool {
        match self {
            Self::Decided | Self::Equivalent | Self::NothingMeets => true,
            Self::Undecided => false,
        }
    }
}

/// What chose among equivalent transports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Chosen {
    /// The least cost.
    ByCost,
    /// A median that is earlier by more than matters.
    ByFreshness,
    /// How little a team must build and operate.
    BySimplicity,
}

/// The answer of the rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// How far the question is answered.
    pub outcome: Outcome,
    /// The transport to take; absent where the question is not answered.
    pub choice: Option<Transport>,
    /// What chose it; absent as the choice is.
    pub chosen: Option<Chosen>,
    /// The cheapest of those that meet the SLO, by what was measured.
    pub cheapest: Option<Transport>,
    /// Those shown to cost within the margin of the cheapest, the cheapest among them.
    pub equivalent: Vec<Transport>,
    /// Where the question is not answered: those that may still be the one to take.
    pub contenders: Vec<Transport>,
}

/// How a cost compares with that of the cheapest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Compared {
    /// Within the margin on both sides.
    Within,
    /// More than what puts a transport out.
    Dearer,
    /// Not less by more than the margin; whether more is not known.
    NotMuchCheaper,
    /// Nothing is settled.
    Unknown,
}

fn compared(ratio: Option<Figure>, rule: Rule) -> Compared {
    let Some(Figure { point, interval: Some(Interval { low, high }) }) = ratio else { return Compared::Unknown };
    let (least, most) = (1.0 / (1.0 + rule.margin), 1.0 + rule.margin);
    if low >= least && high <= most {
        Compared::Within
    } else if low > most || (!rule.may_narrow && low > 1.0 && point > most) {
        Compared::Dearer
    } else if low >= least {
        Compared::NotMuchCheaper
    } else {
        Compared::Unknown
    }
}

/// Applies the rule. `ratio` gives the cost of the first over that of the second, with an interval.
pub fn decide(
    contenders: &[Contender],
    ratio: impl Fn(Transport, Transport) -> Option<Figure>,
    rule: Rule,
) -> Decision {
    let meeting: Vec<&Contender> = contenders.iter().filter(|it| it.fitness == Fitness::Meets).collect();
    let open: Vec<&Contender> = contenders.iter().filter(|it| it.fitness == Fitness::Open).collect();
    let undecided = |cheapest, equivalent, contenders| Decision {
        outcome: Outcome::Undecided,
        choice: None,
        chosen: None,
        cheapest,
        equivalent,
        contenders,
    };
    let names = |all: &[&Contender]| all.iter().map(|it| it.transport).collect::<Vec<_>>();
    if meeting.is_empty() {
        let mut decision = undecided(None, Vec::new(), names(&open));
        if open.is_empty() && !contenders.is_empty() {
            decision.outcome = Outcome::NothingMeets;
        }
        return decision;
    }
    let order = |it: &&&Contender| it.cost.unwrap_or(f64::INFINITY);
    let Some(&cheapest) = meeting.iter().min_by(|one, other| order(one).total_cmp(&order(other))) else {
        return undecided(None, Vec::new(), names(&open));
    };
    let against = |it: &Contender| {
        let is_itself = it.transport == cheapest.transport;
        if is_itself { Compared::Within } else { compared(ratio(it.transport, cheapest.transport), rule) }
    };
    let equivalent: Vec<&Contender> = meeting.iter().copied().filter(|it| against(it) == Compared::Within).collect();
    let preferred = preferred(&equivalent, rule);
    // A transport whose standing or cost is not settled matters only if it could change the choice.
    let could_change = |it: &Contender| match (against(it), preferred) {
        (Compared::Dearer, _) => false,
        (Compared::Within, Some(_)) if it.fitness == Fitness::Meets => false,
        (Compared::Within | Compared::NotMuchCheaper, Some((choice, _))) => {
            let with: Vec<&Contender> = equivalent.iter().copied().chain([it]).collect();
            self::preferred(&with, rule).is_none_or(|(preferred, _)| preferred != choice)
        }
        (Compared::Within | Compared::NotMuchCheaper, None) | (Compared::Unknown, _) => true,
    };
    let unsettled: Vec<&Contender> = meeting.iter().chain(&open).copied().filter(|it| could_change(it)).collect();
    let Some((choice, chosen)) = preferred.filter(|_| unsettled.is_empty()) else {
        let mut remaining = names(&equivalent);
        remaining.extend(names(&unsettled).into_iter().filter(|it| !names(&equivalent).contains(it)));
        return undecided(Some(cheapest.transport), names(&equivalent), remaining);
    };
    let others = meeting.iter().chain(&open).filter(|it| it.transport != choice);
    let is_cheapest = others.clone().all(|it| against(it) == Compared::Dearer);
    Decision {
        outcome: if is_cheapest { Outcome::Decided } else { Outcome::Equivalent },
        choice: Some(choice),
        chosen: Some(if is_cheapest { Chosen::ByCost } else { chosen }),
        cheapest: Some(cheapest.transport),
        equivalent: names(&equivalent),
        contenders: Vec::new(),
    }
}

/// Which of equivalent transports to take, and why: those that are fresh enough, then the simplest. `None` where it
/// hangs on a difference of medians that is not settled.
fn preferred(equivalent: &[&Contender], rule: Rule) -> Option<(Transport, Chosen)> {
    let medians: Vec<(&Contender, Figure)> = equivalent.iter().filter_map(|it| Some((*it, it.median_ns?))).collect();
    let freshest = medians.iter().min_by(|one, other| one.1.point.total_cmp(&other.1.point));
    let (who, freshest) = (freshest.map(|(it, _)| it.transport), freshest.map(|(_, median)| *median));
    let lag = |it: &Contender| it.median_ns.zip(freshest);
    let is_stale = |it: &Contender| lag(it).is_some_and(|(it, best)| it.low() - best.high() > rule.freshness_ns);
    let lags = |it: &Contender| lag(it).is_some_and(|(it, best)| it.high() - best.low() > rule.freshness_ns);
    // The freshest is not later than itself, however wide its interval is.
    let may_be_stale = |it: &Contender| Some(it.transport) != who && lags(it);
    let simplest = |all: &mut dyn Iterator<Item = &Contender>| {
        all.map(|it| it.transport).min_by_key(|transport| transport.simplicity())
    };
    let lenient = simplest(&mut equivalent.iter().copied().filter(|it| !is_stale(it)))?;
    let strict = simplest(&mut equivalent.iter().copied().filter(|it| !may_be_stale(it)));
    if strict.is_some_and(|strict| strict != lenient) {
        return None;
    }
    let any = simplest(&mut equivalent.iter().copied())?;
    Some((lenient, if any == lenient { Chosen::BySimplicity } else { Chosen::ByFreshness }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use Transport::{HttpStreaming, LongPolling, ShortPolling, Sse, WebSocket};

    const RULE: Rule = Rule::measured(0.10, 1e7);

    /// A transport that meets the SLO, with its cost and its median in milliseconds.
    fn meets(transport: Transport, cost: f64, median_ms: f64) -> Contender {
        let median_ns = Some(Figure { point: median_ms * 1e6, interval: None });
        Contender { transport, fitness: Fitness::Meets, cost: Some(cost), median_ns }
    }

    fn open(transport: Transport, cost: f64) -> Contender {
        Contender { fitness: Fitness::Open, ..meets(transport, cost, 1.0) }
    }

    /// The decision where every ratio is known to within a factor.
    fn decided(contenders: &[Contender], factor: f64) -> Decision {
        decided_by(RULE, contenders, factor)
    }

    fn decided_by(rule: Rule, contenders: &[Contender], factor: f64) -> Decision {
        let cost = |transport| contenders.iter().find(|it| it.transport == transport).unwrap().cost.unwrap();
        let ratio = |one, other| {
            let ratio = cost(one) / cost(other);
            let interval = Some(Interval { low: ratio / factor, high: ratio * factor });
            Some(Figure { point: ratio, interval })
        };
        decide(contenders, ratio, rule)
    }

    #[test]
    fn what_costs_less_than_all_others_is_decided_by_cost() {
        let all = [meets(WebSocket, 100.0, 1.0), meets(Sse, 130.0, 1.0), meets(ShortPolling, 200.0, 500.0)];
        let decision = decided(&all, 1.05);
        assert_eq!((decision.outcome, decision.choice), (Outcome::Decided, Some(WebSocket)));
        assert_eq!(decision.chosen, Some(Chosen::ByCost));
    }

    #[test]
    fn of_those_shown_to_cost_the_same_the_simplest_is_taken() {
        let all = [meets(WebSocket, 100.0, 1.0), meets(Sse, 103.0, 1.0), meets(LongPolling, 200.0, 1.0)];
        let decision = decided(&all, 1.02);
        assert_eq!((decision.outcome, decision.choice), (Outcome::Equivalent, Some(Sse)));
        assert_eq!(decision.chosen, Some(Chosen::BySimplicity));
        assert_eq!(decision.equivalent, [WebSocket, Sse]);
    }

    #[test]
    fn no_difference_that_was_found_is_no_equivalence() {
        let all = [meets(WebSocket, 100.0, 1.0), meets(Sse, 103.0, 1.0)];
        let decision = decided(&all, 1.2);
        assert_eq!((decision.outcome, decision.choice), (Outcome::Undecided, None));
        assert_eq!(decision.contenders, [WebSocket, Sse]);
    }

    #[test]
    fn what_costs_more_but_may_lie_within_the_margin_is_not_passed_over() {
        // Shown to cost 1.01 to 1.11 times as much: more rounds may make the simpler one the choice.
        let all = [meets(WebSocket, 100.0, 1.0), meets(Sse, 106.0, 1.0)];
        assert_eq!(decided(&all, 1.05).outcome, Outcome::Undecided);
        assert_eq!(decided(&all, 1.02).choice, Some(Sse));
        let all = [meets(WebSocket, 100.0, 1.0), meets(Sse, 113.0, 1.0)];
        assert_eq!(decided(&all, 1.02).choice, Some(WebSocket));
        assert_eq!(decided(&all, 1.05).choice, None);
    }

    #[test]
    fn a_prediction_rules_out_what_costs_more_and_is_expected_beyond_the_margin() {
        let of = |cost| {
            let all = [meets(WebSocket, 100.0, 1.0), meets(Sse, cost, 1.0)];
            decided_by(Rule::predicted(0.10, 1e7), &all, 1.08).choice
        };
        assert_eq!([of(109.0), of(112.0)], [None, Some(WebSocket)]);
    }

    #[test]
    fn a_doubt_that_cannot_change_the_choice_leaves_no_doubt() {
        // Long polling may be as cheap as SSE or dearer; it is less simple, so that SSE is taken either way.
        let all = [meets(Sse, 100.0, 1.0), meets(LongPolling, 109.0, 1.0)];
        assert_eq!(decided(&all, 1.15).outcome, Outcome::Equivalent);
        assert_eq!(decided(&all, 1.15).choice, Some(Sse));
        // A simpler transport in the same place would change it.
        let all = [meets(LongPolling, 100.0, 1.0), meets(Sse, 109.0, 1.0)];
        assert_eq!(decided(&all, 1.15).outcome, Outcome::Undecided);
    }

    #[test]
    fn freshness_goes_before_simplicity_where_the_median_is_later_by_more_than_matters() {
        let all = [meets(Sse, 100.0, 0.5), meets(ShortPolling, 99.0, 500.0)];
        let decision = decided(&all, 1.01);
        assert_eq!((decision.choice, decision.chosen), (Some(Sse), Some(Chosen::ByFreshness)));
        let all = [meets(Sse, 100.0, 0.5), meets(ShortPolling, 99.0, 6.0)];
        assert_eq!(decided(&all, 1.01).choice, Some(ShortPolling));
    }

    #[test]
    fn a_median_that_may_or_may_not_be_late_leaves_the_answer_open() {
        let late = Some(Figure { point: 1.1e7, interval: Some(Interval { low: 0.8e7, high: 1.4e7 }) });
        let all = [meets(Sse, 100.0, 0.5), Contender { median_ns: late, ..meets(ShortPolling, 99.0, 0.0) }];
        assert_eq!(decided(&all, 1.01).outcome, Outcome::Undecided);
    }

    #[test]
    fn one_that_is_not_shown_to_meet_the_slo_keeps_the_answer_open_unless_it_is_dearer() {
        let all = [meets(Sse, 100.0, 1.0), open(WebSocket, 70.0)];
        let decision = decided(&all, 1.05);
        assert_eq!((decision.outcome, decision.contenders), (Outcome::Undecided, vec![Sse, WebSocket]));
        let all = [meets(Sse, 100.0, 1.0), open(WebSocket, 150.0)];
        assert_eq!(decided(&all, 1.05).choice, Some(Sse));
    }

    #[test]
    fn an_unknown_cost_is_no_tie() {
        let unknown = Contender { cost: None, ..meets(Sse, 0.0, 1.0) };
        let decision = decide(&[meets(HttpStreaming, 1.0, 1.0), unknown], |_, _| None, RULE);
        assert_eq!(decision.outcome, Outcome::Undecided);
        let alone = decide(&[Contender { cost: None, ..meets(Sse, 0.0, 1.0) }], |_, _| None, RULE);
        assert_eq!((alone.outcome, alone.choice), (Outcome::Decided, Some(Sse)));
    }

    #[test]
    fn where_all_fail_nothing_meets_and_where_some_are_open_nothing_is_said() {
        let fails = |transport| Contender { fitness: Fitness::Fails, ..meets(transport, 1.0, 1.0) };
        assert_eq!(decided(&[fails(Sse), fails(WebSocket)], 1.0).outcome, Outcome::NothingMeets);
        assert_eq!(decided(&[fails(Sse), open(WebSocket, 1.0)], 1.0).outcome, Outcome::Undecided);
        assert_eq!(decide(&[], |_, _| None, RULE).outcome, Outcome::Undecided);
    }
}
