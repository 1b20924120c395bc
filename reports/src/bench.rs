//! The bench page: Criterion's own estimates and intervals, the transports side by side.

use maud::{Markup, html};
use pushoff_model::Transport;

use crate::name::name;
use crate::render::html::shell;
use crate::words::number::{ABSENT, Quantity};
use pushoff_stats::{Figure, Interval};

/// What Criterion estimated for one benchmark.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimate {
    /// The group, such as `fan_out`.
    pub group: String,
    /// The function within it: a transport's name where it is one's.
    pub function: String,
    /// The time of one iteration, in nanoseconds.
    pub point_ns: f64,
    /// The lower end of its confidence interval.
    pub low_ns: f64,
    /// The upper end of its confidence interval.
    pub high_ns: f64,
    /// Elements of one iteration, where the group counts them.
    pub elements: Option<u64>,
    /// Criterion's page of the benchmark, relative to this one.
    pub link: String,
}

impl Estimate {
    const fn figure(&self) -> Figure {
        Figure { point: self.point_ns, interval: Some(Interval { low: self.low_ns, high: self.high_ns }) }
    }

    fn transport(&self) -> Option<Transport> {
        self.function.parse().ok()
    }

    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    fn rate(&self) -> Option<f64> {
        Some(self.elements? as f64 * 1e9 / self.point_ns)
    }
}

/// The page: a section a group, in the order given.
#[must_use]
pub fn page(estimates: &[Estimate]) -> String {
    let mut groups: Vec<(&str, Vec<&Estimate>)> = Vec::new();
    for estimate in estimates {
        match groups.iter_mut().find(|(group, _)| *group == estimate.group) {
            Some((_, members)) => members.push(estimate),
            None => groups.push((&estimate.group, vec![estimate])),
        }
    }
    shell(
        "pushoff bench",
        &html! {
            h1 { "What each piece costs" }
            p { "Criterion's estimates of the time of one iteration, with their confidence intervals. Shorter is better; ≈ \
                 marks what is too close to call. A name leads to Criterion's own page." }
            @if groups.is_empty() { p { "There are no estimates yet." } }
            @for (group, members) in &groups { (section(group, members)) }
        },
    )
}

fn section(group: &str, members: &[&Estimate]) -> Markup {
    let has_rate = members.iter().any(|member| member.elements.is_some());
    let most = members.iter().map(|member| member.high_ns).fold(0.0, f64::max);
    let near = near_best(members);
    html! {
        section {
            h2 { (group) }
            div.scroll tabindex="0" role="region" aria-label=(group) {
                table.bench {
                    thead { tr {
                        th scope="col" { "benchmark" }
                        th scope="col" { "time" }
                        @if has_rate { th scope="col" { "elements a second" } }
                        th scope="col" { span.unseen { "Drawn from zero" } }
                    } }
                    tbody { @for member in members {
                        (row(member, has_rate, most, &near))
                    } }
                }
            }
        }
    }
}

/// The transport that is fastest and those that cannot be told from it. What is no transport's is
/// not compared: pieces of the hub do different things.
fn near_best(members: &[&Estimate]) -> Vec<Transport> {
    let ranked = || members.iter().filter(|member| member.transport().is_some_and(Transport::is_ranked));
    let best = ranked().min_by(|one, other| one.point_ns.total_cmp(&other.point_ns));
    let is_near = |member: &&&Estimate| best.is_some_and(|best| best.figure().is_near(&member.figure()));
    ranked().filter(is_near).filter_map(|member| member.transport()).collect()
}

fn row(member: &Estimate, has_rate: bool, most: f64, near: &[Transport]) -> Markup {
    let rate = member.rate().map_or_else(|| ABSENT.to_owned(), |rate| Quantity::Rate.write(rate));
    let time = Quantity::Time.write_figure(&member.figure());
    let is_near = member.transport().is_some_and(|transport| near.contains(&transport));
    html! {
        tr {
            th scope="row" { a href=(member.link) {
                @match member.transport() { Some(transport) => (name(transport)), None => (member.function) }
            } }
            td {
                @match (is_near, near.len()) {
                    (true, 1) => b.best { (time) span.unseen { " (best)" } },
                    (true, _) => { span.tie title="too close to call" { "≈" } " " (time) },
                    (false, _) => (time),
                }
            }
            @if has_rate { td { (rate) } }
            td.drawn { (drawn(member, most)) }
        }
    }
}

/// A dot with its interval on an axis from zero that the group shares.
fn drawn(member: &Estimate, most: f64) -> Markup {
    let ink = member.transport().map_or("ink", Transport::name);
    let place = |value: f64| format!("{:.1}", if most > 0.0 { 8.0 + 480.0 * value / most } else { 8.0 });
    let marker = member.transport().unwrap_or(Transport::ALL[0]).traits().marker;
    html! {
        svg viewBox="0 0 500 28" preserveAspectRatio="xMinYMid" aria-hidden="true" {
            line class="s-rule" x1="8" x2=(place(member.point_ns)) y1="14" y2="14" stroke-width="2" {}
            line class=(format!("s-{ink}")) x1=(place(member.low_ns)) x2=(place(member.high_ns)) y1="14" y2="14" stroke-width="5" {}
            path class=(format!("f-{ink}")) d=(marker) transform=(format!("translate({},14) scale(.75)", place(member.point_ns))) {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn estimate(group: &str, function: &str, point_ns: f64, elements: Option<u64>) -> Estimate {
        Estimate {
            group: group.into(),
            function: function.into(),
            point_ns,
            low_ns: point_ns * 0.97,
            high_ns: point_ns * 1.04,
            elements,
            link: format!("../criterion/{group}/{function}/report/index.html"),
        }
    }

    #[test]
    fn every_benchmark_stands_in_its_group_and_leads_to_criterions_page() {
        let page = page(&[
            estimate("connect", "sse", 210_000.0, None),
            estimate("fan_out", "sse", 900_000.0, Some(100)),
            estimate("fan_out", "raw-tcp", 400_000.0, Some(100)),
            estimate("hub", "append", 120.0, None),
        ]);
        assert_eq!(page.matches("<h2>").count(), 3);
        assert!(page.contains("href=\"../criterion/fan_out/sse/report/index.html\""));
        assert!(page.contains("900 µs (873–936)") && page.contains("111 k/s"), "{page}");
    }

    #[test]
    fn a_page_without_estimates_says_so() {
        assert!(page(&[]).contains("no estimates yet"));
    }
}
