//! The verdict in words that a newcomer understands, with the figures that it rests on.
//!
//! Never stronger than the verdict: each outcome has its own sentence.

use pushoff_model::cell::NETWORK;
use pushoff_model::target::OURS;
use pushoff_model::wire::{Http, Wire};
use pushoff_model::workload::built_in;
use pushoff_model::{Transport, Workload, network};
use pushoff_planner::{Chosen, Outcome};

use super::{Candidate, Case, Part, Verdict};
use crate::cells::faults::{CellFaults, number};
use crate::metric::{Metric, Standing};
use crate::prose::{Place, Prose, prose};
use crate::words::number::{Quantity, asked_share, is_vague, tick};
use crate::words::text::{capitalised, joined, list};

/// The fewest rounds that are proposed. Chosen here: twice those that every run has.
const ROUNDS: usize = 6;

/// A verdict with what its words are made of.
pub(super) struct Words<'a> {
    pub(super) verdict: &'a Verdict,
    pub(super) case: Case<'a>,
}

impl Words<'_> {
    /// The verdict in a few short sentences.
    pub(super) fn sentence(&self) -> Prose {
        let decision = &self.verdict.decision;
        let verdict = match (decision.outcome, decision.choice) {
            (Outcome::NothingMeets, _) => self.nothing_meets(),
            (Outcome::Undecided, _) if !self.verdict.enough_trials => self.too_few_trials(),
            (Outcome::Undecided, _) | (_, None) => self.undecided(),
            (Outcome::Decided, Some(choice)) => self.decided(choice),
            (Outcome::Equivalent, Some(choice)) => self.equivalent(choice),
        };
        match self.went_wrong() {
            Some(wrong) => verdict.then(" ").then(wrong),
            None => verdict,
        }
    }

    /// That nothing can be said, and what keeps the trials from counting, where something does.
    fn too_few_trials(&self) -> Prose {
        let said = "There are too few trials that count: at least two of each transport are needed.";
        let void = self.case.ranked().find(|it| matches!(it.standing, Standing::Void { .. }));
        match void.and_then(|it| Some((it.transport.label(), it.standing.reason()?))) {
            Some((transport, reason)) => prose![said, " Of ", transport, ": ", reason.to_owned(), "."],
            None => said.into(),
        }
    }

    /// What would be taken where one part of the bill alone counts, and how much of the bill is traffic.
    pub(super) fn by_part(&self) -> Option<Prose> {
        let parts = &self.verdict.by_part;
        let choice = self.verdict.choice()?;
        let mut said: Vec<(String, Vec<&str>)> = Vec::new();
        for it in parts {
            let answer = match it.decision.choice {
                Some(same) if same == choice => "the same choice".to_owned(),
                Some(other) => other.label().to_owned(),
                None => format!("undecided between {}", list(&it.decision.contenders)),
            };
            match said.iter_mut().find(|(known, _)| *known == answer) {
                Some((_, parts)) => parts.push(it.part.label()),
                None => said.push((answer, vec![it.part.label()])),
            }
        }
        let said = said.into_iter().map(|(answer, parts)| format!("{} alone: {answer}", joined(&parts)));
        let said = said.collect::<Vec<_>>().join("; ");
        (!parts.is_empty()).then(|| prose![self.traffic(choice), capitalised(&said), "."])
    }

    /// `26.1 USD of that is traffic at a list price. `
    fn traffic(&self, choice: Transport) -> Prose {
        let money = self.figure(choice, Metric::CostTraffic);
        let has_traffic = self.case.billed().has(Part::Traffic);
        if has_traffic { prose![money, " of the cost is traffic at a list price. "] } else { Prose::default() }
    }

    fn decided(&self, choice: Transport) -> Prose {
        let cost = self.cost(choice);
        let others = self.meeting().filter(|it| it.transport != choice);
        let ratios = others.filter_map(|it| Some((it, it.figures.as_ref()?.get(Metric::CostToCheapest)?)));
        match ratios.min_by(|(_, one), (_, other)| one.point.total_cmp(&other.point)) {
            Some((next, ratio)) => {
                let times = Quantity::Ratio.write_figure(&ratio);
                let times = Prose::figure(times, Place::Cell(next.transport, Metric::CostToCheapest));
                prose![
                    capitalised(choice.label()),
                    " costs least",
                    cost,
                    "; ",
                    next.transport.label(),
                    ", the next, costs ",
                    times,
                    " as much."
                ]
            }
            None => prose![
                capitalised(choice.label()),
                " alone is shown to deliver ",
                self.wanted(),
                " of messages within ",
                self.within(),
                cost,
                "."
            ],
        }
    }

    fn equivalent(&self, choice: Transport) -> Prose {
        let decision = &self.verdict.decision;
        let (margin, cost) = (self.margin(), self.cost(choice));
        let name = capitalised(choice.label());
        if decision.equivalent.len() < 2 {
            return prose![
                name,
                " costs least",
                cost,
                ". None is cheaper by more than ",
                margin,
                ", and of those that might cost the same and are as fresh ",
                choice.label(),
                " is the simplest: ",
                choice.traits().why_so_simple,
                "."
            ];
        }
        let all = capitalised(&list(&decision.equivalent));
        let same = prose![all, " cost the same within ", margin, cost, ". "];
        let simpler = self.simpler_and_stale(choice);
        match decision.chosen {
            Some(Chosen::ByFreshness) => {
                let median = |transport| self.figure(transport, Metric::P50);
                let stalest = decision.equivalent.iter().copied().filter(|it| it.simplicity() < choice.simplicity());
                let late = stalest.min_by_key(|it| it.simplicity());
                let late =
                    late.map_or_else(Prose::default, |it| prose![", and with ", it.label(), " after ", median(it)]);
                same.then(prose![name, " is fresher: half of the messages arrive within ", median(choice), late, "."])
            }
            Some(Chosen::ByCost | Chosen::BySimplicity) | None => {
                same.then(prose![name, " is the simplest of them: ", choice.traits().why_so_simple, ".", simpler])
            }
        }
    }

    /// Why one that is simpler yet, and might cost the same, is not taken: its messages come too late.
    fn simpler_and_stale(&self, choice: Transport) -> Prose {
        let most = 1.0 + self.case.workload.decide.margin.as_f64();
        let equivalent = &self.verdict.decision.equivalent;
        let passed_over = self.meeting().find_map(|it| {
            let ratio = it.figures.as_ref()?.get(Metric::CostToCheapest)?;
            let is_simpler = it.transport.simplicity() < choice.simplicity() && !equivalent.contains(&it.transport);
            (is_simpler && ratio.low() <= most).then_some((it.transport, ratio))
        });
        let Some((transport, ratio)) = passed_over else { return Prose::default() };
        let times = Prose::figure(Quantity::Ratio.write_figure(&ratio), Place::Cell(transport, Metric::CostToCheapest));
        let median = self.figure(transport, Metric::P50);
        let name = capitalised(transport.label());
        prose![" ", name, " is simpler yet and costs ", times, ", but half of its messages take ", median, " or more."]
    }

    /// Who remains, what is not known of them, and what would settle it.
    fn undecided(&self) -> Prose {
        let decision = &self.verdict.decision;
        let remaining = capitalised(&list(&decision.contenders));
        let is_open = || self.case.ranked().filter(|it| it.standing.is_open());
        let open: Vec<Transport> = is_open().map(|it| it.transport).collect();
        let has_few_messages = is_open().any(|it| it.standing.rounds().is_some());
        let of_slo = if open.is_empty() {
            Prose::default()
        } else {
            prose![
                "Whether ",
                list(&open),
                if open.len() == 1 { " delivers " } else { " deliver " },
                self.wanted(),
                " of messages within ",
                self.within(),
                if self.case.over.is_empty() { "" } else { " over every network" },
                if has_few_messages { " is not shown: more messages are needed. " } else { " is not shown. " }
            ]
        };
        let ratios = decision.contenders.iter().filter(|it| !decision.equivalent.contains(it));
        let ratios = ratios.filter_map(|&it| self.unsettled_ratio(it));
        let ratios = ratios.reduce(|all, one| all.then(", ").then(one));
        let of_cost = match (ratios, decision.cheapest) {
            (Some(ratios), Some(cheapest)) => prose![
                "Against ",
                cheapest.label(),
                ": ",
                ratios,
                "; whether that is more than ",
                self.margin(),
                " apart is not shown. "
            ],
            (None, _) | (_, None) => Prose::default(),
        };
        let may_be = if decision.contenders.len() == 1 { " may be" } else { " may each be" };
        prose![remaining, may_be, " the one to take. ", of_slo, of_cost, self.settle()]
    }

    /// `WebSocket costs 0.98× (0.85–1.13)`, where that may lie within the margin or not.
    fn unsettled_ratio(&self, transport: Transport) -> Option<Prose> {
        let ratio = self.case.candidate(transport)?.figures.as_ref()?.get(Metric::CostToCheapest)?;
        let most = 1.0 + self.case.workload.decide.margin.as_f64();
        let ends = [1.0 / most, most];
        let is_settled = ends.iter().all(|end| ratio.high() <= *end || ratio.low() >= *end);
        if is_vague(&ratio) || is_settled {
            return None;
        }
        let times = Prose::figure(Quantity::Ratio.write_figure(&ratio), Place::Cell(transport, Metric::CostToCheapest));
        Some(prose![transport.label(), " costs ", times])
    }

    /// The command that would probably settle the question: the same load under the same conditions, those that remain,
    /// more rounds.
    fn settle(&self) -> Prose {
        let (rounds, is_foretold) = self.rounds();
        if !self.case.is_at_hand {
            return format!("More rounds of the same may settle it, {rounds} in all.").into();
        }
        let names: Vec<&str> = self.verdict.decision.contenders.iter().map(|it| it.name()).collect();
        let transports = names.join(",");
        let (flags, others) = self.conditions();
        let command =
            format!("pushoff run --workload {}{flags} --transport {transports} --trials {rounds}", self.load());
        let verb = if is_foretold { " would probably settle it." } else { " may settle it." };
        prose![Prose::code(command), others, verb]
    }

    /// How many rounds to ask for in all, and whether so many are foretold to do.
    fn rounds(&self) -> (usize, bool) {
        let so_far = self.case.ranked().map(|it| it.valid).max().unwrap_or_default();
        let contenders = &self.verdict.decision.contenders;
        let of_messages = contenders.iter().filter_map(|it| self.case.candidate(*it)?.standing.rounds()).max();
        let more = of_messages.unwrap_or_default().max(2 * so_far);
        let foretold = self.verdict.rounds_to_settle;
        (foretold.unwrap_or(more).max(ROUNDS), foretold.is_some())
    }

    /// The flags that ask for the same conditions, and in words those that no flag asks for.
    fn conditions(&self) -> (String, String) {
        let (workload, conditions) = (self.case.workload, self.case.conditions);
        let mut flags = String::new();
        if conditions.server != OURS {
            flags += " --target FILE";
        }
        let Wire { tls, http, compressed } = conditions.wire();
        let switches = [(tls, " --tls"), (http == Http::Two, " --http 2"), (compressed, " --compress")];
        switches.iter().filter(|(is, _)| *is).for_each(|(_, flag)| flags += flag);
        if conditions.client != workload.client {
            flags += &format!(" --client {}", conditions.client.name());
        }
        let over = conditions.value(NETWORK).into_iter().chain(self.case.over.iter().copied());
        let is_built_in = |name: &&str| network::BUILT_IN.iter().any(|it| it.0 == *name);
        let over: Vec<&str> = over.map(|name| if is_built_in(&name) { name } else { "FILE" }).collect();
        if !over.is_empty() {
            flags += &format!(" --network {}", over.join(","));
        }
        let others = conditions.off_the_wire().others.into_iter().filter(|(factor, _)| factor != NETWORK);
        let others: Vec<String> = others.map(|(factor, value)| format!("{factor} {value}")).collect();
        let others: Vec<&str> = others.iter().map(String::as_str).collect();
        let others = if others.is_empty() { String::new() } else { format!(" with {}", joined(&others)) };
        (flags, others)
    }

    /// What `--workload` takes for this load: the name of a built-in one with what was changed of it, else a file.
    fn load(&self) -> String {
        let workload = self.case.workload;
        let is_same = |shipped: &Workload| {
            let mut asked = shipped.clone();
            (asked.subscribers, asked.phases.measure) = (workload.subscribers, workload.phases.measure);
            asked == *workload
        };
        let Some(shipped) = built_in(&workload.name).and_then(Result::ok).filter(is_same) else {
            return "FILE".to_owned();
        };
        let mut load = workload.name.clone();
        if shipped.subscribers != workload.subscribers {
            load += &format!(" --subscribers {}", workload.subscribers);
        }
        if shipped.phases.measure != workload.phases.measure {
            let duration = humantime::format_duration(workload.phases.measure).to_string();
            load += &format!(" --duration {}", duration.replace(' ', ""));
        }
        load
    }

    fn nothing_meets(&self) -> Prose {
        let nearest = self.nearest().map_or_else(Prose::default, |(transport, share)| {
            let share = Prose::figure(Quantity::Share.write(share), Place::Cell(transport, Metric::WithinSlo));
            prose!["; ", transport.label(), " comes nearest with ", share]
        });
        let over = if self.case.over.is_empty() { "" } else { " over every network" };
        prose!["No transport delivers ", self.wanted(), " of messages within ", self.within(), over, nearest, "."]
    }

    /// What did not happen as it should, of whichever transport. The causes stand below the table.
    fn went_wrong(&self) -> Option<Prose> {
        let wrong = self.case.ranked().filter_map(|it| {
            Some(prose![it.transport.label(), ": ", in_short(&it.faults, it.transport, it.figures.is_some())?])
        });
        let all = wrong.reduce(|all, one| all.then("; ").then(one))?;
        Some(prose!["What went wrong: ", all, "."])
    }

    /// `, 25.3 USD a month at this load`, and which parts that does not contain.
    fn cost(&self, choice: Transport) -> Prose {
        let has_cost = self.case.candidate(choice).is_some_and(|it| it.bills.figure(self.case.billed()).is_some());
        if !has_cost {
            return Prose::default();
        }
        let missing = self.case.billed().missing();
        let whose = if matches!(missing.first(), Some(Part::Processor | Part::Memory)) { "the server's " } else { "" };
        let missing: Vec<&str> = missing.into_iter().map(Part::label).collect();
        let without =
            if missing.is_empty() { String::new() } else { format!(", {whose}{} not known", joined(&missing)) };
        prose![", ", self.figure(choice, Metric::Cost), " a month at this load", without]
    }

    /// A figure as it stands in the table.
    fn figure(&self, transport: Transport, metric: Metric) -> Prose {
        let figure = self.case.candidate(transport).and_then(|it| it.figures.as_ref()?.get(metric));
        figure.map_or_else(Prose::default, |it| {
            Prose::figure(metric.unit().write(it.point), Place::Cell(transport, metric))
        })
    }

    pub(super) fn meeting(&self) -> impl Iterator<Item = &Candidate> {
        self.case.ranked().filter(|it| it.standing == Standing::Meets)
    }

    /// The transport that falls short by the least. One that loses or misses messages is not near,
    /// whatever its share.
    fn nearest(&self) -> Option<(Transport, f64)> {
        self.case
            .ranked()
            .filter_map(|candidate| Some((candidate.transport, candidate.figures.as_ref()?)))
            .filter(|(_, figures)| {
                !figures.has_fault(Metric::Lost) && (self.case.slo.may_skip || !figures.has_fault(Metric::Missed))
            })
            .filter_map(|(transport, figures)| Some((transport, figures.get(Metric::WithinSlo)?.point)))
            // One that falls short over a network alone is not seen to here.
            .filter(|(_, share)| *share < self.case.slo.share.as_f64())
            .max_by(|one, other| one.1.total_cmp(&other.1))
    }

    fn margin(&self) -> Prose {
        Prose::asked(asked_share(self.case.workload.decide.margin.as_f64()))
    }

    fn wanted(&self) -> Prose {
        Prose::asked(asked_share(self.case.slo.share.as_f64()))
    }

    fn within(&self) -> Prose {
        Prose::asked(tick(self.case.slo.within.as_secs_f64() * 1e9))
    }
}

/// What went wrong, but for lost and missed deliveries, which the SLO judges; `None` where nothing did. Its
/// figures stand in the table, where the transport has any.
pub(crate) fn in_short(faults: &CellFaults, transport: Transport, has_figures: bool) -> Option<Prose> {
    let counted = |count: u64, [one, several]: [&str; 2], metric: Metric| {
        let noun = if count == 1 { one } else { several };
        let figure = Prose::figure(number(count), Place::Cell(transport, metric)).then(" ");
        (count > 0).then(|| if has_figures { figure.then(noun) } else { noun.into() })
    };
    let failed = match faults.failed_trials {
        0 => None,
        all if all == faults.trials => Some("every trial failed".into()),
        1 => Some("one of its trials failed".into()),
        _ => Some("several of its trials failed".into()),
    };
    let unpublished = faults.unpublished + faults.unsent;
    let all = [
        counted(unpublished, ["message not published", "messages not published"], Metric::NotPublished),
        counted(faults.connections_broken, ["connection broken", "connections broken"], Metric::Broken),
        failed,
    ];
    all.into_iter().flatten().reduce(|all, one| all.then(", ").then(one))
}
