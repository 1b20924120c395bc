//! The bench page: the transports side by side, by Criterion's estimates and intervals, and beside their floor.

use maud::{Markup, html};
use pushoff_model::Transport;
use pushoff_stats::{Figure, Interval};

use crate::name::name;
use crate::render::html::shell;
use crate::words::number::Quantity;

/// What Criterion estimated for one transport in one group of benches.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimate {
    /// The group, such as `fan_out`.
    pub group: String,
    /// The bench within it: the transport's name, and how often it polls.
    pub function: String,
    /// The transport.
    pub transport: Transport,
    /// Whether the group's raw TCP does all that the others do, and less: nothing can be quicker.
    pub has_floor: bool,
    /// The time of one iteration, in nanoseconds.
    pub point_ns: f64,
    /// The lower end of its confidence interval.
    pub low_ns: f64,
    /// The upper end of its confidence interval.
    pub high_ns: f64,
    /// Criterion's page of the benchmark, relative to this one.
    pub link: String,
}

impl Estimate {
    const fn figure(&self) -> Figure {
        Figure { point: self.point_ns, interval: Some(Interval { low: self.low_ns, high: self.high_ns }) }
    }
}

/// What the page says of an estimate beside the others of its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// The quickest by more than the intervals.
    Quickest,
    /// The quickest, and others whose intervals reach as low.
    AmongTheQuickest,
    /// Quicker than the floor that it stands on.
    FaultOfTheBench,
    Other,
}

/// The page: a section a group, in alphabetical order.
#[must_use]
pub fn page(estimates: &[Estimate]) -> String {
    let mut sorted: Vec<&Estimate> = estimates.iter().collect();
    sorted.sort_by_key(|it| (&it.group, it.transport, &it.function));
    shell(
        "pushoff bench",
        &html! {
            h1 { "What each transport costs, piece by piece" }
            p { "The time of one iteration: the median of Criterion's samples, with its 95 % interval. Shorter is better. \
                 connect, delivery and fan_out cross real sockets, server and clients on a processor each, every sample in a \
                 fresh process, the transports in turns; the framing benches run in memory. ≈ marks the quickest and those \
                 whose intervals reach as low. A name leads to Criterion's own page, which has the distributions and the \
                 changes since the last run." }
            @if sorted.is_empty() { p { "There are no estimates yet." } }
            @for members in sorted.chunk_by(|one, other| one.group == other.group) { (section(members)) }
        },
    )
}

fn section(members: &[&Estimate]) -> Markup {
    let group = members.first().map_or("", |member| &member.group);
    let standings = standings(members);
    html! {
        section {
            h2 { (group) }
            @if standings.contains(&Standing::FaultOfTheBench) {
                p { strong { "A fault of this bench: " } "nothing can be quicker than raw TCP, on which it stands. No transport of \
                    this group is called the quickest; run the bench again on a quiet machine." }
            }
            div.scroll tabindex="0" role="region" aria-label=(group) {
                table.bench {
                    thead { tr { th scope="col" { "benchmark" } th scope="col" { "time" } } }
                    tbody { @for (member, standing) in members.iter().zip(&standings) { (row(member, *standing)) } }
                }
            }
        }
    }
}

/// How the members of a group stand. Where one is quicker than the floor, none is the quickest.
fn standings(members: &[&Estimate]) -> Vec<Standing> {
    let floor = members.iter().find(|it| it.has_floor && !it.transport.is_ranked());
    let is_faulty = |it: &Estimate| it.transport.is_ranked() && floor.is_some_and(|floor| it.high_ns < floor.low_ns);
    let ranked = || members.iter().filter(|it| it.transport.is_ranked());
    let best = ranked().min_by(|one, other| one.point_ns.total_cmp(&other.point_ns));
    let best = best.filter(|best| !is_faulty(best));
    let is_near =
        |it: &Estimate| it.transport.is_ranked() && best.is_some_and(|best| best.figure().is_near(&it.figure()));
    let near = members.iter().filter(|it| is_near(it)).count();
    let standing = |it: &&Estimate| match (is_faulty(it), is_near(it)) {
        (true, _) => Standing::FaultOfTheBench,
        (false, true) if near == 1 => Standing::Quickest,
        (false, true) => Standing::AmongTheQuickest,
        (false, false) => Standing::Other,
    };
    members.iter().map(standing).collect()
}

fn row(member: &Estimate, standing: Standing) -> Markup {
    let time = Quantity::Time.write_figure(&member.figure());
    let polls = member.function.strip_prefix(member.transport.name()).unwrap_or_default();
    html! {
        tr {
            th scope="row" { a href=(member.link) { (name(member.transport)) (polls) } }
            td { @match standing {
                Standing::Quickest => b.best { (time) span.unseen { " (quickest)" } },
                Standing::AmongTheQuickest => { span.tie title="among the quickest" { "≈" } " " (time) },
                Standing::FaultOfTheBench => { (time) " (a fault of the bench: quicker than raw TCP)" },
                Standing::Other => (time),
            } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn estimate(group: &str, function: &str, point_ns: f64) -> Estimate {
        Estimate {
            group: group.into(),
            function: function.into(),
            transport: function.split(' ').next().unwrap().parse().unwrap(),
            has_floor: group != "framing_client",
            point_ns,
            low_ns: point_ns * 0.97,
            high_ns: point_ns * 1.04,
            link: format!("../criterion/{group}/{function}/report/index.html"),
        }
    }

    fn standings_of(estimates: &[Estimate]) -> Vec<Standing> {
        standings(&estimates.iter().collect::<Vec<_>>())
    }

    #[test]
    fn every_benchmark_stands_in_its_group_and_leads_to_criterions_page() {
        let page = page(&[
            estimate("fan_out", "raw-tcp", 400_000.0),
            estimate("connect", "sse", 210_000.0),
            estimate("fan_out", "short-polling every 10ms", 9_000_000.0),
            estimate("fan_out", "sse", 900_000.0),
        ]);
        assert_eq!(page.matches("<h2>").count(), 2);
        assert!(page.contains("href=\"../criterion/fan_out/sse/report/index.html\""));
        assert!(page.contains("900 µs (873–936)") && page.contains(" every 10ms"), "{page}");
        assert!(!page.contains("A fault of this bench"));
    }

    #[test]
    fn what_is_quicker_than_its_floor_is_a_fault_and_nobody_wins() {
        let found = standings_of(&[
            estimate("delivery", "sse", 24_000.0),
            estimate("delivery", "websocket", 80_000.0),
            estimate("delivery", "raw-tcp", 66_000.0),
        ]);
        assert_eq!(found, [Standing::FaultOfTheBench, Standing::Other, Standing::Other]);
        let page = page(&[estimate("delivery", "sse", 24_000.0), estimate("delivery", "raw-tcp", 66_000.0)]);
        assert!(page.contains("A fault of this bench") && !page.contains("(quickest)"), "{page}");
    }

    #[test]
    fn near_the_floor_is_no_fault_and_in_memory_there_is_no_floor() {
        let near = [estimate("delivery", "sse", 64_000.0), estimate("delivery", "raw-tcp", 66_000.0)];
        assert_eq!(standings_of(&near), [Standing::Quickest, Standing::Other]);
        let memory = [estimate("framing_client", "sse", 24.0), estimate("framing_client", "raw-tcp", 66.0)];
        assert_eq!(standings_of(&memory), [Standing::Quickest, Standing::Other]);
    }

    #[test]
    fn a_page_without_estimates_says_so() {
        assert!(page(&[]).contains("no estimates yet"));
    }
}
