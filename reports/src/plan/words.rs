//! A plan in words: the recommendation, what would change it, and what it rests on.
//!
//! Never stronger than the figures: costs that cannot be told apart are called that, and each ratio has its interval.

use pushoff_model::Transport;
use pushoff_model::workload::Direction;

use super::Plan;
use crate::words::number::{Quantity, asked_share};
use crate::words::text::{capitalised, list};
use pushoff_planner::costs::Dimension;
use pushoff_planner::{Change, Estimate, KEEP_ALIVE, Need, Needs, Reason, SAME, Standing, TARGET, Unit};
use pushoff_stats::{Figure, Interval};

impl Plan {
    /// What to take and what the others would cost: a sentence each.
    pub(super) fn recommendation(&self) -> Vec<String> {
        let taken = self.answer.choice.and_then(|choice| self.answer.estimate(choice));
        let mut sentences = vec![taken.map_or_else(|| self.nothing(), |taken| self.take(taken))];
        sentences.extend(taken.and_then(|taken| self.others(taken)));
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
    fn needed(&self) -> String {
        let [users, payload, rate, staleness] =
            [Need::Users, Need::Payload, Need::Rate, Need::Staleness].map(|need| need.write(need.of(&self.needs)));
        let who = if users == "1" { "1 user,".to_owned() } else { format!("{users} users, each") };
        format!("{who} with updates of {payload} at {rate}, within {staleness}")
    }

    /// `123 USD a month (110–140)`.
    fn money(&self, money: &Figure) -> String {
        let point = format!("{} {} a month", Quantity::Count.write(money.point), self.prices.currency());
        Quantity::Count.write_interval(money).map_or_else(|| point.clone(), |interval| format!("{point} {interval}"))
    }

    fn nothing(&self) -> String {
        let (share, needed) = (asked_share(Needs::SHARE), self.needed());
        let open: Vec<Transport> = self.standing(Standing::Undecided).map(|it| it.transport).collect();
        if open.is_empty() {
            return format!("No transport delivers {share} of the updates in time: {needed}.");
        }
        let verb = if open.len() == 1 { "is" } else { "are" };
        format!(
            "No transport is shown to deliver {share} of the updates in time; {} {verb} undecided: {needed}.",
            list(&open)
        )
    }

    fn standing(&self, standing: Standing) -> impl Iterator<Item = &Estimate> {
        self.answer.estimates.iter().filter(move |it| it.standing == standing)
    }

    /// The transports that cost the same as the choice, and how much more the others would cost.
    fn others(&self, taken: &Estimate) -> Option<String> {
        let mut sentences: Vec<String> = self.ties(taken).into_iter().collect();
        let dearer = self.dearer(taken);
        sentences.extend((!dearer.is_empty()).then(|| format!("{}.", capitalised(&dearer.join(", ")))));
        let contenders = &self.answer.contenders;
        if !contenders.is_empty() {
            let names = capitalised(&list(contenders));
            sentences.push(format!("{names} might cost less, but whether the updates would be in time is undecided."));
        }
        (!sentences.is_empty()).then(|| sentences.join(" "))
    }

    /// Why one of several with the same cost was chosen.
    fn ties(&self, taken: &Estimate) -> Option<String> {
        let (answer, choice) = (&self.answer, taken.transport.label());
        let meeting: Vec<&Estimate> = self.standing(Standing::Meets).collect();
        if meeting.len() > 1 && meeting.iter().any(|it| it.figures.money_a_month.is_none()) {
            return Some("The model does not know the cost of every transport, so the simplest is chosen.".into());
        }
        let tied = answer.tied.iter().copied().filter(|&it| it != taken.transport);
        let all: Vec<Transport> = [taken.transport].into_iter().chain(tied).collect();
        let margin = asked_share(SAME - 1.0);
        let same = format!(
            "{} differ in cost by less than {margin}, or by less than the model can tell",
            capitalised(&list(&all))
        );
        (all.len() > 1).then(|| match answer.affordable.len() {
            0 | 1 => format!("{same}; of these only {choice} is predicted to cost within 25 % of the least."),
            _ => format!("{same}. {} is the simplest of those within 25 % of the least.", capitalised(choice)),
        })
    }

    /// `long polling costs 1.47× (1.36–1.76) as much`, the cheapest first.
    fn dearer(&self, taken: &Estimate) -> Vec<String> {
        let times = |it: &Estimate| over(&it.figures.money_a_month?, &taken.figures.money_a_month?);
        let is_dearer = |it: &&Estimate| it.transport != taken.transport && !self.answer.tied.contains(&it.transport);
        let dearer = self.standing(Standing::Meets).filter(is_dearer);
        let mut dearer: Vec<_> = dearer.filter_map(|it| Some((it.transport.label(), times(it)?))).collect();
        dearer.sort_by(|one, other| one.1.point.total_cmp(&other.1.point));
        let words = |(place, (name, times)): (usize, &(&str, Figure))| {
            let times = Quantity::Ratio.write_figure(times);
            if place == 0 { format!("{name} costs {times} as much") } else { format!("{name} {times}") }
        };
        dearer.iter().enumerate().map(words).collect()
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
        notes.extend(self.answer.choice.and_then(|choice| self.bill(self.answer.estimate(choice)?)));
        notes.extend(self.beyond());
        notes.push(self.assumed());
        notes.push(self.origin());
        notes
    }

    /// What the money is for.
    fn bill(&self, taken: &Estimate) -> Option<String> {
        let [traffic, cores, memory] = taken.bill(&self.prices)?.map(|share| Quantity::Share.write(share));
        let name = taken.transport.label();
        Some(format!("Of the money for {name} {traffic} is for traffic, {cores} for cores and {memory} for memory."))
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
        let within = Need::Staleness.write(Need::Staleness.of(&self.needs));
        Some(match it.reason? {
            Reason::TooFresh => "it would have to poll more than ten times as often as any that was measured".into(),
            Reason::TooMuch => format!("one user is more than a process carries that is {} busy", asked_share(TARGET)),
            Reason::NotMeasured => "the model does not know what it costs".into(),
            Reason::TooLate => format!("its p99 is {}, and {within} is needed", p99()),
            Reason::CannotTell => format!("its p99 of {} may lie on either side of {within}", p99()),
            Reason::LatencyUnknown => "the model does not know its latency".into(),
        })
    }

    /// In what the loads lie outside what was measured, and for which transports.
    fn beyond(&self) -> Option<String> {
        let sides = Dimension::ALL.into_iter().flat_map(|dimension| [(dimension, true), (dimension, false)]);
        let parts: Vec<String> = sides.filter_map(|(dimension, below)| self.beyond_in(dimension, below)).collect();
        (!parts.is_empty())
            .then(|| format!("Outside what was measured, and so with wider intervals: {}.", parts.join("; ")))
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
        let speaks = match needs.direction() {
            Direction::Down => "",
            Direction::Both => " (the users publish: over WebSocket on their own connection, else by POST)",
        };
        format!(
            "Assumed: a round trip of {} to users in browsers; {audience}{speaks}, at random times; server processes at \
             most {} busy, with at most {} users; no TLS, no proxy, HTTP/1.1. docs/PLANNING.md has all of it.",
            Unit::Time.write(needs.rtt()),
            asked_share(TARGET),
            Unit::Users.write(self.model.most_users),
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
                "Figures: the model that comes with pushoff, {measured}. To measure your own machine: scripts/model (25 \
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
    format!("{need} {side}: {}", change.choice.map_or("no transport is shown to be in time", Transport::label))
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
