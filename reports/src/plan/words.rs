//! A plan in words: the recommendation, what would change it, and what it rests on.
//!
//! Never stronger than the figures: what the rule leaves undecided is called that, and each ratio has its interval.

use pushoff_model::{Transport, Wire};

use super::Plan;
use crate::words::describe;
use crate::words::limits::six_connections;
use crate::words::number::{Quantity, asked_share};
use crate::words::text::{capitalised, list};
use pushoff_planner::costs::Dimension;
use pushoff_planner::{Change, Chosen, Estimate, KEEP_ALIVE, Need, Needs, Outcome, Reason, Standing, TARGET, Unit};
use pushoff_stats::Figure;

impl Plan {
    /// What to take, what it needs, and what the others would cost: a sentence each.
    pub(super) fn recommendation(&self) -> Vec<String> {
        let decision = &self.answer.decision;
        let Some(taken) = decision.choice.and_then(|choice| self.answer.estimate(choice)) else {
            let mut sentences = vec![self.untaken()];
            sentences.extend((decision.outcome == Outcome::Undecided).then(|| self.what_would_settle_it()));
            return sentences;
        };
        let name = taken.transport.label();
        let flushed =
            taken.flush_every_s.map_or_else(String::new, |every| format!(", flushed every {},", seconds(every)));
        let label = outcome(decision.outcome);
        let take = format!("Take {name}{flushed} for {} [{label}].", self.needed());
        let mut sentences = vec![take, needs(taken), self.reason(taken)];
        sentences.extend(self.money(taken));
        sentences
    }

    fn standing(&self, standing: Standing) -> impl Iterator<Item = &Estimate> {
        self.answer.estimates.iter().filter(move |it| it.standing == standing)
    }

    /// `1M users, each with updates of 300B at 0.2/s, within 2s`.
    fn needed(&self) -> String {
        let [users, payload, rate, staleness] =
            [Need::Users, Need::Payload, Need::Rate, Need::Staleness].map(|need| need.write(need.of(&self.needs)));
        let who = if users == "1" { "1 user,".to_owned() } else { format!("{users} users, each") };
        format!("{who} with updates of {payload} at {rate}, within {staleness}")
    }

    /// What the money is, and how much of it no measurement stands behind.
    fn money(&self, taken: &Estimate) -> Option<String> {
        let (money, bill) = (taken.figures.money_a_month?, taken.bill?);
        let share = |part: f64| Quantity::Share.write(if bill.total() > 0.0 { part / bill.total() } else { 0.0 });
        let interval =
            Quantity::Count.write_interval(&money).map_or_else(String::new, |interval| format!(" {interval}"));
        Some(format!(
            "At the prices of the table that is {} {} a month{interval}: {} for traffic, {} for requests, {} for cores and {} \
             for memory.",
            Quantity::Count.write(money.point),
            self.prices.currency(),
            share(bill.traffic),
            share(bill.requests),
            share(bill.processor),
            share(bill.memory),
        ))
    }

    /// Why the choice is the choice, and what the others cost.
    fn reason(&self, taken: &Estimate) -> String {
        let decision = &self.answer.decision;
        let name = taken.transport.label();
        let margin = asked_share(self.needs.rule().margin);
        let same = capitalised(&list(&decision.equivalent));
        let why = match decision.chosen {
            Some(Chosen::ByCost) | None => format!("{} costs the least.", capitalised(name)),
            Some(Chosen::BySimplicity) if decision.equivalent.len() > 1 => {
                format!("{same} cost the same within {margin}; {name} is the simplest of them to build.")
            }
            Some(Chosen::ByFreshness) if decision.equivalent.len() > 1 => {
                let later = Quantity::Time.write(self.needs.rule().freshness_ns);
                format!(
                    "{same} cost the same within {margin}; {name} is the simplest of those with a median at most {later} \
                     later than the freshest."
                )
            }
            Some(Chosen::BySimplicity | Chosen::ByFreshness) => {
                format!(
                    "No other costs less by more than {margin}, and {name} is the simplest that may cost as little."
                )
            }
        };
        let others = self.compared(taken, |it| !decision.equivalent.contains(&it.transport));
        [vec![why], others].concat().join(" ")
    }

    /// `Long polling costs 1.47× (1.36–1.76) as much as SSE, short polling 2.07× (2.06–2.09).`
    fn compared(&self, base: &Estimate, which: impl Fn(&Estimate) -> bool) -> Vec<String> {
        let is_other = |it: &&Estimate| it.transport != base.transport && it.standing != Standing::Fails && which(it);
        let times = |it: &Estimate| it.figures.money_a_month?.over(&base.figures.money_a_month?);
        let others = self.answer.estimates.iter().filter(is_other);
        let mut others: Vec<_> = others.filter_map(|it| Some((it.transport.label(), times(it)?))).collect();
        others.sort_by(|one, other| one.1.point.total_cmp(&other.1.point));
        let words = |(place, (name, times)): (usize, &(&str, Figure))| {
            let times = Quantity::Ratio.write_figure(times);
            if place == 0 {
                format!("{name} costs {times} as much as {}", base.transport.label())
            } else {
                format!("{name} {times}")
            }
        };
        let words: Vec<String> = others.iter().enumerate().map(words).collect();
        if words.is_empty() { Vec::new() } else { vec![format!("{}.", capitalised(&words.join(", ")))] }
    }

    /// That nothing is taken.
    fn untaken(&self) -> String {
        let decision = &self.answer.decision;
        let (share, needed, label) = (asked_share(Needs::SHARE), self.needed(), outcome(decision.outcome));
        match (decision.outcome, decision.cheapest) {
            (Outcome::NothingMeets, _) => {
                format!("No transport delivers {share} of the updates in time for {needed} [{label}].")
            }
            (_, None) => format!(
                "No transport is shown to deliver {share} of the updates in time for {needed}, and {} may [{label}].",
                list(&decision.contenders)
            ),
            (_, Some(_)) => format!("Take {} for {needed} [{label}].", either(&decision.contenders)),
        }
    }

    /// What keeps the contenders apart, and the command that would.
    fn what_would_settle_it(&self) -> String {
        let decision = &self.answer.decision;
        let mut sentences = Vec::new();
        if let Some(cheapest) = decision.cheapest.and_then(|cheapest| self.answer.estimate(cheapest)) {
            let margin = asked_share(self.needs.rule().margin);
            sentences.extend(self.compared(cheapest, |it| decision.contenders.contains(&it.transport)));
            let is_late = |it: &&Transport| self.standing(Standing::Undecided).any(|open| open.transport == **it);
            let late: Vec<Transport> = decision.contenders.iter().filter(is_late).copied().collect();
            let is_settled = decision.contenders.iter().all(|it| decision.equivalent.contains(it));
            sentences.push(match (late.as_slice(), is_settled) {
                ([], true) => format!(
                    "They cost the same within {margin}; the model cannot tell whether one has a median more than {} later.",
                    Quantity::Time.write(self.needs.rule().freshness_ns)
                ),
                ([], false) => format!("The model cannot tell whether they cost the same within {margin}."),
                (late, _) => format!("Whether {} would be in time is not known.", either(late)),
            });
        }
        let flags: Vec<String> = decision.contenders.iter().map(|it| format!(" --transport {}", it.name())).collect();
        sentences.push(format!(
            "To settle it, put this load into a workload file and measure: pushoff run --workload FILE{}.",
            flags.concat()
        ));
        sentences.join(" ")
    }

    /// The nearest changes of the choice, in a sentence.
    pub(super) fn what_would_change(&self) -> String {
        if self.changes.is_empty() {
            return "No single need changes the choice, up to a thousand times more or less of it within what can be planned for.".into();
        }
        let each: Vec<String> = self.changes.iter().map(change).collect();
        format!("What would change the choice: {}.", each.join("; "))
    }

    /// What was assumed, what fails and why, what lies outside what was measured, where the model is from.
    pub(super) fn assumptions(&self) -> Vec<String> {
        let mut notes: Vec<String> = self.answer.estimates.iter().filter_map(|it| self.shortcoming(it)).collect();
        let polls = self.answer.estimates.iter().find_map(|it| it.interval_s);
        notes.extend(polls.map(|interval| {
            let every = Quantity::Time.write(interval * 1e9);
            let most =
                if interval >= KEEP_ALIVE { ", the longest that the server keeps its connection open" } else { "" };
            format!("Short polling polls every {every}{most}.")
        }));
        notes.extend(self.flushed());
        notes.extend(self.answer.decision.choice.and_then(six_connections));
        notes.extend(self.beyond());
        notes.push(self.assumed());
        notes.push(self.wire());
        notes.push(self.origin());
        notes
    }

    /// Which streams are flushed how often, and what that rests on.
    fn flushed(&self) -> Option<String> {
        let each = self.answer.estimates.iter().filter_map(|it| Some((it.transport.label(), it.flush_every_s?)));
        let words: Vec<String> = each.map(|(name, every)| format!("{name} every {}", seconds(every))).collect();
        (!words.is_empty()).then(|| {
            format!(
                "A server that holds updates back saves segments. Assumed here: it flushes {}. That is computed from \
                 measured sizes; pushoff's own server writes each update at once.",
                words.join(", ")
            )
        })
    }

    /// `Short polling fails: …`.
    fn shortcoming(&self, it: &Estimate) -> Option<String> {
        let verb = match it.standing {
            Standing::Meets => return None,
            Standing::Fails => "fails",
            Standing::Undecided => "is undecided",
        };
        Some(format!("{} {verb}: {}.", capitalised(it.transport.label()), self.why(it)?))
    }

    /// Why a transport does not meet what is needed.
    pub(super) fn why(&self, it: &Estimate) -> Option<String> {
        let p99 = || it.figures.p99_ns.map_or_else(String::new, |p99| Quantity::Time.write_figure(&p99));
        // A process with fewer users reaches them sooner: what is late was given the fewest that were measured.
        let few = || it.users_a_process.map_or_else(String::new, |users| format!("with {users:.0} users a process "));
        let within = Need::Staleness.write(Need::Staleness.of(&self.needs));
        Some(match it.reason? {
            Reason::TooFresh => "it would have to poll more than ten times as often as any that was measured".into(),
            Reason::TooMuch => format!("one user is more than a process carries that is {} busy", asked_share(TARGET)),
            Reason::NotMeasured => "the model does not know what it costs".into(),
            Reason::TooLate => format!("{}its p99 is {}, and {within} is needed", few(), p99()),
            Reason::CannotTell => format!("{}its p99 of {} may lie on either side of {within}", few(), p99()),
            Reason::LatencyUnknown => "the model does not know its latency".into(),
        })
    }

    /// In what the loads lie outside what was measured, and for which transports.
    fn beyond(&self) -> Option<String> {
        let sides = Dimension::ALL.into_iter().flat_map(|dimension| [(dimension, true), (dimension, false)]);
        let parts: Vec<String> = sides.filter_map(|(dimension, below)| self.beyond_in(dimension, below)).collect();
        (!parts.is_empty()).then(|| format!("Outside what was measured, and so less sure: {}.", parts.join("; ")))
    }

    /// `bytes of a payload 4.00 times the most (all)`.
    fn beyond_in(&self, dimension: Dimension, below: bool) -> Option<String> {
        let times = |it: &Estimate| {
            let beyond = it.beyond.iter().find(|it| (it.dimension, it.below) == (dimension, below))?;
            Some((it.transport, beyond.times))
        };
        let beyond = self.answer.estimates.iter().filter_map(times);
        let (who, times): (Vec<Transport>, Vec<f64>) = beyond.unzip();
        let most = Quantity::Ratio.write(times.into_iter().reduce(f64::max)?);
        let side = if below { "times below the least" } else { "times the most" };
        let who = if who.len() == self.model.transports.len() { "all".into() } else { list(&who) };
        Some(format!("{} {} {side} ({who})", dimension.label(), most.trim_end_matches('×')))
    }

    fn assumed(&self) -> String {
        let needs = &self.needs;
        let audience = match needs.room() {
            None => "all users hear every message".to_owned(),
            Some(room) if room < 2.0 => "one user hears a message".to_owned(),
            Some(_) => format!("{} users hear a message", Unit::Users.write(needs.audience())),
        };
        let speaks = if needs.up_rate() > 0.0 {
            let each = Unit::Rate.write(needs.up_rate());
            format!(" (each user publishes {each}: over WebSocket on its own connection, else by POST)")
        } else {
            String::new()
        };
        format!(
            "Assumed: a round trip of {} to users in browsers; {audience}{speaks}, at random times; server processes at \
             most {} busy, with at most {} users; no proxy. docs/PLANNING.md has all of it.",
            Unit::Time.write(needs.rtt()),
            asked_share(TARGET),
            Unit::Users.write(self.model.most_users),
        )
    }

    /// What carries the bytes of the figures.
    fn wire(&self) -> String {
        let planned = describe::wire(Wire::default());
        let others: Vec<String> = self.model.left_out.iter().copied().map(describe::wire).collect();
        if others.is_empty() {
            return format!("The figures are for {planned}, uncompressed: the cost model knows nothing else.");
        }
        let others = others.join("; ");
        format!(
            "The figures are for {planned}, uncompressed. The run's cells on other wires ({others}) are not in them."
        )
    }

    /// Where the figures come from, and how to have one's own.
    fn origin(&self) -> String {
        let source = &self.model.source;
        let date = source.started.get(..10).unwrap_or(&source.started);
        let processors = if source.cpus == 1 { "1 processor".into() } else { format!("{} processors", source.cpus) };
        let measured =
            format!("measured {date} on {processors} of {}, revision {}, over loopback", source.cpu, source.revision);
        let figures = if self.model.is_shipped {
            format!(
                "Figures: the model that comes with pushoff, {measured}. To measure your own machine: scripts/model (40 \
                 minutes), then --model DIR."
            )
        } else {
            format!("Figures: the model of the run {}, {measured}.", source.run)
        };
        if source.debug_build {
            format!("{figures} A debug build measured it: the figures mean nothing.")
        } else {
            figures
        }
    }
}

/// `updates at 4/s or more: WebSocket`.
fn change(change: &Change) -> String {
    let value = change.need.about(change.value);
    let need = match change.need {
        Need::Rate => format!("updates at {value}"),
        Need::Staleness => format!("a staleness of {value}"),
        Need::Users => format!("{value} users"),
        Need::Payload => format!("payloads of {value}"),
    };
    let side = if change.above { "or more" } else { "or less" };
    format!("{need} {side}: {}", change.choice.map_or(outcome(change.outcome), Transport::label))
}

/// The outcome, in the words that all reports use.
pub(super) const fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Decided => "decided",
        Outcome::Equivalent => "equivalent",
        Outcome::Undecided => "undecided",
        Outcome::NothingMeets => "nothing meets the SLO",
    }
}

/// `It needs 231 TB of traffic a month (230–232), no requests, 1 M connections, 2.80 cores (1.84–4.28) and …`
fn needs(taken: &Estimate) -> String {
    let it = &taken.figures;
    let figures = [
        (Quantity::Bytes, it.traffic_a_month_bytes, " of traffic a month"),
        (Quantity::Rate, it.requests_per_second, " of requests"),
        (Quantity::Count, it.connections, " connections"),
        (Quantity::Count, it.cores, " cores"),
        (Quantity::Bytes, it.memory_bytes, " of memory"),
    ];
    let part = |(quantity, figure, what): (Quantity, Option<Figure>, &str)| {
        let figure = figure?;
        if figure.high() <= 0.0 {
            return Some(format!("no{}", what.trim_start_matches(" of")));
        }
        let interval = quantity.write_interval(&figure).map_or_else(String::new, |interval| format!(" {interval}"));
        Some(format!("{}{what}{interval}", quantity.write(figure.point)))
    };
    let parts: Vec<String> = figures.into_iter().filter_map(part).collect();
    format!("It needs {}.", parts.join(", "))
}

fn seconds(time: f64) -> String {
    Quantity::Time.write(time * 1e9)
}

/// `SSE, HTTP streaming or WebSocket`.
fn either(all: &[Transport]) -> String {
    let mut names: Vec<&str> = all.iter().map(|it| it.label()).collect();
    let last = names.pop().unwrap_or_default();
    if names.is_empty() { last.to_owned() } else { format!("{} or {last}", names.join(", ")) }
}
