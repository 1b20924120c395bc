//! A diff as a document: the verdict, what differs between the environments, the changes with the regressed
//! first, and what could not be compared.

use super::change::{By, Change, Finding, LeftOut};
use super::judge::SEARCH_STEP;
use super::{Diff, Side};
use crate::blocks::{Block, Document, Fold, Head, Section, Words, fields};
use crate::metric::Bound;
use crate::prose::{Prose, Tone};
use crate::words::number::{Quantity, asked_share, unbroken};

impl Diff {
    /// The comparison, for any format: what changed in sight, the rest folded away.
    #[must_use]
    pub fn document(&self) -> Document {
        let prose = |words: String| Block::Prose(words.into(), String::new());
        let changed = |it: &&Change| it.finding < Finding::Inconclusive;
        let (seen, folded): (Vec<&Change>, Vec<&Change>) = self.changes.iter().partition(changed);
        let mut blocks: Vec<Block> = [self.verdict()].into_iter().chain(self.about()).map(prose).collect();
        if !seen.is_empty() {
            blocks.push(Block::Words(table(&seen)));
        }
        if !folded.is_empty() {
            blocks.push(Block::Fold(Fold {
                summary: format!("{} inconclusive, {} unchanged", self.tally.inconclusive, self.tally.unchanged),
                is_open: false,
                blocks: vec![Block::Words(table(&folded))],
                is_brief: true,
            }));
        }
        blocks.extend(self.notes().into_iter().map(prose));
        let section = Section { id: Some("diff"), blocks, is_brief: true, ..Section::default() };
        Document { title: "pushoff diff".into(), sections: vec![section], data: fields(self), ..Document::default() }
    }

    /// One sentence: how many came out how.
    fn verdict(&self) -> String {
        let count = |finding: Finding| format!("{} {}", self.tally.of(finding), finding.label());
        let all = Finding::ALL.map(count).join(", ");
        let head = if self.tally.compared() == 0 {
            "nothing could be compared"
        } else if self.has_regressed() {
            "regressed"
        } else if self.tally.improved > 0 {
            "nothing regressed, something improved"
        } else if self.tally.unchanged == 0 {
            "inconclusive"
        } else {
            "nothing regressed"
        };
        let faults = match self.tally.faults {
            0 => String::new(),
            faults => format!(", {faults} where something went wrong that did not before"),
        };
        format!("{head} ({all}{faults})")
    }

    /// The two sides, how they were compared, and what differs between their environments.
    fn about(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.faults.iter().map(|fault| format!("{fault}.")).collect();
        lines.push(self.sides());
        if self.base.debug_build || self.new.debug_build {
            lines.push("A debug build measured this: the figures mean nothing.".into());
        }
        if self.by == By::RatioToFloor {
            lines.push(
                "The machines differ: what is compared is how many times raw TCP's each figure is, in the same run. \
                 What slows raw TCP as well does not show."
                    .into(),
            );
        }
        if self.is_one_run() {
            lines.push(
                "Their trials took turns, and are compared in pairs: what the machine did to both cancels out.".into(),
            );
        } else if self.environment.is_empty() {
            lines.push("Machine, versions and settings are the same.".into());
        } else {
            let all: Vec<String> = self.environment.iter().map(super::Difference::sentence).collect();
            lines.push(format!("What differs: {}.", all.join("; ")));
        }
        let changed = || self.changes.iter().filter(|it| it.finding < Finding::Inconclusive);
        if changed().any(|it| !it.key.transport.is_ranked()) {
            let machine = if self.is_one_run() { "" } else { "either the machine did between the runs, or " };
            lines.push(format!("Raw TCP changed too: {machine}what all transports share."));
        }
        if !self.is_one_run() && changed().any(|it| it.p.is_some()) {
            lines.push(
                "BASE and NEW ran at different times: what the machine did meanwhile is in no interval. Measured as two \
                 targets of one run (docs/CI.md), their trials would take turns."
                    .into(),
            );
        }
        lines
    }

    /// Which two were compared.
    fn sides(&self) -> String {
        let (base, new) = (&self.base, &self.new);
        if let (true, Some(old), Some(current)) = (self.is_one_run(), &base.server, &new.server) {
            return format!("BASE {old} and NEW {current}, both of {} (revision {}).", base.run, base.revision);
        }
        let side = |it: &Side| {
            let server = it.server.as_ref().map_or_else(String::new, |server| format!("{server} of "));
            format!("{server}{} (revision {})", it.run, it.revision)
        };
        format!("BASE {}, NEW {}.", side(base), side(new))
    }

    /// Whether both were measured by the same run.
    fn is_one_run(&self) -> bool {
        self.base.run == self.new.run
    }

    /// What could not be compared, and what the words mean.
    fn notes(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if !self.left_out.is_empty() {
            let all: Vec<String> =
                by_reason(&self.left_out).into_iter().map(|(why, what)| format!("{why}: {what}")).collect();
            lines.push(format!("Not compared: {}.", all.join(". ")));
        }
        if !self.changes.is_empty() {
            let mut floors = Vec::new();
            if self.noise_ns > 0.0 && self.changes.iter().any(|it| it.metric.latency().is_some()) {
                floors.push(format!("of a latency at least {}", Quantity::Time.write(self.noise_ns)));
            }
            if self.changes.iter().any(|it| it.metric.is_of_a_search()) {
                floors.push(format!("of the most deliveries {}, a step of their search", asked_share(SEARCH_STEP)));
            }
            let floors = if floors.is_empty() { String::new() } else { format!(" ({})", floors.join("; ")) };
            lines.push(unbroken(&format!(
                "Regressed and improved: by more than {}{floors}, with at most 5 % false among all that are called so. \
                 Unchanged: the whole 95 % interval lies within that. Inconclusive: neither; more trials tell more.",
                asked_share(self.floor)
            )));
        }
        lines
    }
}

/// The changes as a table; the two figures go first where there is not room for all.
fn table(changes: &[&Change]) -> Words {
    let figure = |words: &str| Head { is_figure: true, ..Head::from(words) };
    let dropped = |words: &str| Head { is_dropped_first: true, ..figure(words) };
    let head = ["verdict", "workload", "transport", "figure"].map(Head::from);
    let head = head.into_iter().chain([dropped("BASE"), dropped("NEW"), figure("NEW ÷ BASE")]);
    Words::new("diff", head.collect(), changes.iter().map(|change| row(change)).collect())
}

fn row(change: &Change) -> Vec<Prose> {
    // Where machines differ, base and new are ratios to raw TCP.
    let quantity = if change.is_ratio { Quantity::Ratio } else { change.metric.unit() };
    let tone = match change.finding {
        Finding::Regressed => Tone::Bad,
        Finding::Improved => Tone::Good,
        Finding::Inconclusive | Finding::Unchanged => Tone::Faint,
    };
    let ratio = match change.bound {
        Bound::Exact => Quantity::Ratio.write_figure(&change.ratio),
        Bound::AtLeast | Bound::AtMost => {
            format!("{}{}", change.bound.sign(), Quantity::Ratio.write(change.ratio.point))
        }
    };
    vec![
        Prose::strong(change.finding.label(), tone),
        change.key.workload.clone().into(),
        change.key.transport.into(),
        change.metric.label().into(),
        quantity.write(change.base.point).into(),
        quantity.write(change.new.point).into(),
        ratio.into(),
    ]
}

/// Why cells and figures were not compared: each reason once, with all that it keeps out.
fn by_reason(all: &[LeftOut]) -> Vec<(&str, String)> {
    let mut reasons: Vec<(&str, String)> = Vec::new();
    for one in all {
        match reasons.iter_mut().find(|(reason, _)| *reason == one.reason) {
            Some((_, what)) => {
                what.push_str("; ");
                what.push_str(&one.what);
            }
            None => reasons.push((&one.reason, one.what.clone())),
        }
    }
    reasons
}
