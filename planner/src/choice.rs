//! The rule of choice among the transports that are good enough: the least cost; and where costs cannot be told
//! apart, the simplest to build of those near the least.
//!
//! One rule for measured and for predicted costs.

use pushoff_model::Transport;

use pushoff_stats::Figure;

/// How many times the least cost (or latency, where the cost is not known) a simpler transport may cost and still be
/// chosen in a tie. Chosen here: a quarter more of a server's processor costs less than a team's time.
const WORTH_OF_SIMPLICITY: f64 = 1.25;

/// A transport that is good enough, and what it costs.
#[derive(Clone, Copy, Debug)]
pub struct Weighed {
    /// The transport.
    pub transport: Transport,
    /// Where one cost is not known, simplicity decides among all.
    pub cost: Option<Figure>,
}

/// The choice among several transports.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// None where there was nothing to choose from.
    pub choice: Option<Transport>,
    /// The next simplest of the affordable transports, else the next cheapest.
    pub runner_up: Option<Transport>,
    /// The transports whose cost cannot be told from the least.
    pub tied: Vec<Transport>,
    /// Those of the tied that are also near the least: simplicity decides among these. Without this bound a noisy
    /// cost would be tied with every other, and its transport be chosen for its noise.
    pub affordable: Vec<Transport>,
}

/// Chooses one. `is_noise` says whether a cost that differs from the least does so by too little to count.
pub fn take(mut meeting: Vec<Weighed>, is_noise: impl Fn(&Figure, &Figure) -> bool) -> Taken {
    meeting.sort_by(|one, other| order(one).total_cmp(&order(other)));
    let Some(least) = meeting.first().copied() else { return Taken::default() };
    let known: Option<Vec<(Transport, Figure)>> = meeting.iter().map(|it| Some((it.transport, it.cost?))).collect();
    let (tied, affordable) = match (known, least.cost) {
        (Some(known), Some(least)) => {
            let is_tied = |cost: &Figure| cost.is_near(&least) || is_noise(cost, &least);
            let tied: Vec<_> = known.into_iter().filter(|(_, cost)| is_tied(cost)).collect();
            let is_near = |cost: &Figure| cost.point <= least.point * WORTH_OF_SIMPLICITY;
            let affordable = tied.iter().filter(|(_, cost)| is_near(cost)).map(|(transport, _)| *transport).collect();
            (tied.into_iter().map(|(transport, _)| transport).collect(), affordable)
        }
        (None, _) | (_, None) => {
            let mut all: Vec<Transport> = meeting.iter().map(|it| it.transport).collect();
            all.sort_by_key(|transport| transport.simplicity());
            (all.clone(), all)
        }
    };
    let simplest = |all: &[Transport], but: Option<Transport>| {
        all.iter().copied().filter(|&it| Some(it) != but).min_by_key(|transport| transport.simplicity())
    };
    let choice = simplest(&affordable, None);
    let next_cheapest = meeting.iter().map(|it| it.transport).find(|&it| Some(it) != choice);
    Taken { choice, runner_up: simplest(&affordable, choice).or(next_cheapest), tied, affordable }
}

/// Whether a transport that is still undecided might cost less than the choice: its interval does not lie wholly
/// above.
pub fn might_cost_less(theirs: Option<Figure>, ours: Option<Figure>) -> bool {
    match (theirs, ours) {
        (Some(theirs), Some(ours)) => theirs.low() <= ours.high(),
        (None, _) | (_, None) => true,
    }
}

/// Least cost first; without a cost, the simplest first.
fn order(it: &Weighed) -> f64 {
    it.cost.map_or_else(|| f64::from(it.transport.simplicity()), |cost| cost.point)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pushoff_stats::Interval;

    fn weighed(transport: Transport, point: f64, half: f64) -> Weighed {
        let interval = Some(Interval { low: point - half, high: point + half });
        Weighed { transport, cost: Some(Figure { point, interval }) }
    }

    #[test]
    fn the_simplest_of_those_near_the_least_is_taken_and_no_noisy_one() {
        let near = vec![
            weighed(Transport::WebSocket, 100.0, 10.0),
            weighed(Transport::Sse, 105.0, 10.0),
            weighed(Transport::ShortPolling, 140.0, 120.0),
            weighed(Transport::LongPolling, 300.0, 1.0),
        ];
        let taken = take(near, |_, _| false);
        assert_eq!((taken.choice, taken.runner_up), (Some(Transport::Sse), Some(Transport::WebSocket)));
        assert_eq!(taken.tied, [Transport::WebSocket, Transport::Sse, Transport::ShortPolling]);
        assert_eq!(taken.affordable, [Transport::WebSocket, Transport::Sse]);
    }

    #[test]
    fn where_one_cost_is_unknown_simplicity_decides_among_all() {
        let unknown = Weighed { transport: Transport::Sse, cost: None };
        let taken = take(vec![weighed(Transport::WebSocket, 1.0, 0.1), unknown], |_, _| false);
        assert_eq!((taken.choice, taken.runner_up), (Some(Transport::Sse), Some(Transport::WebSocket)));
        assert_eq!(take(Vec::new(), |_, _| false), Taken::default());
    }
}
