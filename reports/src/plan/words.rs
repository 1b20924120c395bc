//! A plan in words: the recommendation, what would change it, and what it rests on.
//!
//! Never stronger than the figures: what cannot be told apart is called that, and each ratio has its
//! interval.

use pushoff_model::Transport;
use pushoff_model::workload::Direction;

use super::Plan;
use crate::number::{Quantity, asked_share};
use crate::sentence::{capitalised, list};
use pushoff_planner::costs::Dimension;
use pushoff_planner::{Change, Estimate, GIBIBYTE, KEEP_ALIVE, Need, Needs, Reason, Standing, TARGET, Unit};
use pushoff_stats::{Figure, Interval};

impl Plan {
    /// What to take, what the others would cost, and what would change it: a sentence or two each.
    pub(super) fn recommendation(&self) -> Vec<String> {
        let taken = self.answer.choice.and_then(|choice| self.answer.estimate(choice));
        let mut sentences = vec![taken.map_or_else(|| self.nothing(), |taken| self.take(taken))];
        sentences.extend(taken.and_then(|taken| self.others(taken)));
        sentences.push(self.what_would_change());
        sentences
    }

    /// `Take SSE for 1M users, each with updates of 300B at 0.2/s, within 2s: 123 USD a month (110–140); …`
    fn take(&self, taken: &Estimate) -> String {
        let figures = &taken.figures;
        let mut parts: Vec<String> = Vec::new();
        let mut part = |quantity: Quantity, figure: Option<Figure>, what: &str| {
            parts.extend(figure.map(|figure| format!("{}{what}", quantity.write_figure(&figure))));
        };
        part(Quantity::Count, figures.cores, " cores");
        part(Quantity::Bytes, figures.memory_bytes, " of memory");
        part(Quantity::ByteRate, figures.bandwidth_bytes_per_second, " of bandwidth");
        let money = figures.money_a_month.map_or_else(String::new, |money| format!("{}; ", self.money(&money)));
        format!(
            "Take {} for {}: {money}{} [{}].",
            taken.transport.label(),
            self.needed(),
            parts.join(", "),
            self.answer.sureness.label()
        )
    }

    /// `1M users, each with updates of 300B at 0.2/s, within 2s`.
    pub(super) fn needed(&self) -> String {
        let needs = &self.needs;
        let write = |need: Need| need.write(need.of(needs));
        format!(
            "{} users, each with updates of {} at {}, within {}",
            write(Need::Users),
            write(Need::Payload),
            write(Need::Rate),
            write(Need::Staleness)
        )
    }

    /// `123 USD a month (110–140)`.
    fn money(&self, money: &Figure) -> String {
        let point = format!("{} {} a month", Quantity::Count.write(money.point), self.prices.currency());
        Quantity::Count.write_interval(money).map_or_else(|| point.clone(), |interval| format!("{point} {interval}"))
    }

    fn nothing(&self) -> String {
        let share = asked_share(Needs::SHARE);
        let open: Vec<Transport> = self.standing(Standing::Undecided).map(|it| it.transport).collect();
        if open.is_empty() {
            format!("No transport has {share} of the updates with their user in time: {}.", self.needed())
        } else {
            let verb = if open.len() == 1 { "is" } else { "are" };
            format!(
                "None is shown to have {share} of the updates with their user in time; {} {verb} undecided: {}.",
                list(&open),
                self.needed()
            )
        }
    }

    fn standing(&self, standing: Standing) -> impl Iterator<Item = &Estimate> {
        self.answer.estimates.iter().filter(move |it| it.standing == standing)
    }

    /// Those that would do as well by cost, and how many times as much the others would cost.
    fn others(&self, taken: &Estimate) -> Option<String> {
        let answer = &self.answer;
        let choice = taken.transport;
        let but = |all: &[Transport]| -> Vec<Transport> { all.iter().copied().filter(|&it| it != choice).collect() };
        let mut parts = Vec::new();
        let tied = but(&answer.tied);
        let meeting = self.standing(Standing::Meets).count();
        if meeting > 1 && self.standing(Standing::Meets).any(|it| it.figures.money_a_month.is_none()) {
            parts.push("the model does not know what all of them cost: the simplest to build is taken".into());
        } else if !tied.is_empty() {
            let verb = if tied.len() == 1 { "costs" } else { "cost" };
            let why = "and of those within a quarter of the least it is the simplest to build";
            parts.push(format!("{} {verb} about the same, {why}", list(&tied)));
        }
        let ours = taken.figures.money_a_month;
        let mut dearer: Vec<(Transport, Figure)> = self
            .standing(Standing::Meets)
            .filter(|it| it.transport != choice && !answer.tied.contains(&it.transport))
            .filter_map(|it| Some((it.transport, over(&it.figures.money_a_month?, &ours?)?)))
            .collect();
        dearer.sort_by(|one, other| one.1.point.total_cmp(&other.1.point));
        let dearer: Vec<String> = dearer
            .iter()
            .enumerate()
            .map(|(place, (transport, times))| {
                let (costs, much) = if place == 0 { (" costs", " as much") } else { ("", "") };
                format!("{}{costs} {}{much}", transport.label(), Quantity::Ratio.write_figure(times))
            })
            .collect();
        parts.extend((!dearer.is_empty()).then(|| dearer.join(", ")));
        if !answer.contenders.is_empty() {
            parts.push(format!("whether {} would do for less is undecided", list(&answer.contenders)));
        }
        (!parts.is_empty()).then(|| capitalised(&format!("{}.", parts.join("; "))))
    }

    fn what_would_change(&self) -> String {
        if self.changes.is_empty() {
            return "Each need alone may be up to a thousand times as much or as little, and that stays so.".into();
        }
        let each: Vec<String> = self.changes.iter().map(|change| self.change(change)).collect();
        format!("What would change it, each alone: {}.", each.join("; "))
    }

    /// `from about 4/s on, WebSocket`.
    fn change(&self, change: &Change) -> String {
        let value = change.need.about(change.value);
        let where_ = match (change.need, change.above) {
            (Need::Rate, true) => format!("from about {value} on"),
            (Need::Rate, false) => format!("at about {value} or less often"),
            (Need::Staleness, true) => format!("where about {value} is fresh enough"),
            (Need::Staleness, false) => format!("where it must be within about {value}"),
            (Need::Users, true) => format!("from about {value} users on"),
            (Need::Users, false) => format!("with about {value} users or fewer"),
            (Need::Payload, true) => format!("from payloads of about {value} on"),
            (Need::Payload, false) => format!("with payloads of about {value} or less"),
        };
        let then = change.choice.map_or("none is shown to meet it", Transport::label);
        format!("{where_}, {then}")
    }

    /// What was assumed, what fails and why, what lies outside what was measured, where the model is from.
    pub(super) fn assumptions(&self) -> Vec<String> {
        let mut notes: Vec<String> = self.answer.estimates.iter().filter_map(|it| self.shortcoming(it)).collect();
        let polls = self.answer.estimates.iter().find_map(|it| it.interval_s);
        notes.extend(polls.map(|interval| {
            let every = Quantity::Time.write(interval * 1e9);
            let most = if interval >= KEEP_ALIVE { ", the longest for which its connection is kept" } else { "" };
            format!("Short polling asks every {every}{most}.")
        }));
        notes.extend(self.answer.choice.and_then(|choice| self.bill(self.answer.estimate(choice)?)));
        notes.extend(self.beyond());
        notes.push(self.assumed());
        notes.push(self.origin());
        notes
    }

    /// For what the money is.
    fn bill(&self, taken: &Estimate) -> Option<String> {
        let figures = &taken.figures;
        let all = figures.money_a_month?.point;
        let part = |point: f64| Quantity::Share.write((point / all).clamp(0.0, 1.0));
        let cores = figures.cores?.point * self.prices.core_month();
        let memory = figures.memory_bytes?.point / GIBIBYTE * self.prices.gib_month();
        (all > 0.0).then(|| {
            format!(
                "Of the money of {} {} is for traffic, {} for cores and {} for memory.",
                taken.transport.label(),
                part(all - cores - memory),
                part(cores),
                part(memory)
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
        let within = Need::Staleness.write(self.needs.staleness);
        Some(match it.reason? {
            Reason::TooFresh => {
                "its polls would have to follow each other faster than a tenth of the shortest interval \
                                 that was measured"
                    .into()
            }
            Reason::TooMuch => format!("one user is more than a process at {} carries", asked_share(TARGET)),
            Reason::NotMeasured => "the model does not know what it costs".into(),
            Reason::TooLate => format!("its p99 is {}, and {within} is needed", p99()),
            Reason::CannotTell => format!("its p99 of {} may lie on either side of {within}", p99()),
            Reason::LatencyUnknown => "the model does not know its latency".into(),
        })
    }

    /// In what the loads lie outside what was measured, with who is concerned.
    fn beyond(&self) -> Option<String> {
        let mut parts = Vec::new();
        for dimension in Dimension::ALL {
            for below in [true, false] {
                let concerned = self.answer.estimates.iter().filter_map(|estimate| {
                    let beyond = estimate.beyond.iter().find(|it| (it.dimension, it.below) == (dimension, below))?;
                    Some((estimate.transport, beyond.times))
                });
                let concerned: Vec<(Transport, f64)> = concerned.collect();
                let Some(times) = concerned.iter().map(|(_, times)| *times).reduce(f64::max) else { continue };
                let times = Quantity::Ratio.write(times);
                let times = times.trim_end_matches('×');
                let how =
                    if below { format!("{times} times below the least") } else { format!("{times} times the most") };
                let is_all = concerned.len() == self.model.transports.len();
                let who: Vec<Transport> = concerned.into_iter().map(|(transport, _)| transport).collect();
                let who = if is_all { "all".into() } else { list(&who) };
                parts.push(format!("{} {how} ({who})", dimension.label()));
            }
        }
        (!parts.is_empty())
            .then(|| format!("Outside what was measured, and so with wider intervals: {}.", parts.join("; ")))
    }

    fn assumed(&self) -> String {
        let needs = &self.needs;
        let audience = match needs.audience {
            None => "everybody hears every message".to_owned(),
            Some(_) => format!("{} users hear a message", Unit::Users.write(needs.audience())),
        };
        let speaks = match needs.direction {
            Direction::Down => "",
            Direction::Both => " (the users publish: over WebSocket on their own connection, else by POST)",
        };
        format!(
            "Assumed: a round trip of {} to users in browsers; {audience}{speaks}, at random times; server processes at \
             most {} busy, with at most {} users; no TLS, no proxy, HTTP/1.1. docs/PLANNING.md has all of it.",
            Unit::Time.write(needs.rtt),
            asked_share(TARGET),
            Unit::Users.write(self.model.most_users),
        )
    }

    /// Where the figures come from, and how to have one's own.
    pub(super) fn origin(&self) -> String {
        let source = &self.model.source;
        let date = source.started.get(..10).unwrap_or(&source.started);
        let processors = if source.cpus == 1 { "1 processor".into() } else { format!("{} processors", source.cpus) };
        let measured =
            format!("measured {date} on {processors} of {}, revision {}, over loopback", source.cpu, source.revision);
        let figures = if self.model.is_shipped {
            format!(
                "Figures: the model that comes with pushoff, {measured}. One of your own machine: scripts/model (25 \
                 minutes), then --model DIR."
            )
        } else {
            format!("Figures: the model of the run {}, {measured}.", source.run)
        };
        if source.debug_build { format!("{figures} A debug build measured it: they mean nothing.") } else { figures }
    }
}

/// How many times another a figure is; the uncertainties of both add up in squares on the scale of ratios.
fn over(figure: &Figure, other: &Figure) -> Option<Figure> {
    if figure.low() <= 0.0 || other.low() <= 0.0 {
        return None;
    }
    let point = figure.point / other.point;
    let spread = |one: f64, two: f64| one.ln().hypot(two.ln()).exp();
    let low = point / spread(figure.point / figure.low(), other.high() / other.point);
    let high = point * spread(figure.high() / figure.point, other.point / other.low());
    Some(Figure { point, interval: Some(Interval { low, high }) })
}
