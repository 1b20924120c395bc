//! The loads that the page's sliders choose among: a few stops a slider, and the plan of every combination.

use pushoff_planner::{Asked, Needs, Prices};

use super::{Model, Plan};

/// One slider of the page.
pub(crate) struct Slider {
    /// Its part of the ids of elements.
    pub(crate) name: &'static str,
    pub(crate) label: &'static str,
    pub(crate) meaning: &'static str,
    pub(crate) stops: &'static [Stop],
    /// The stop that the page begins with.
    pub(crate) first: usize,
}

/// A stop of a slider.
pub(crate) struct Stop {
    /// As the page writes it.
    pub(crate) text: &'static str,
    /// What it asks of the planner.
    asks: fn(&mut Asked<'static>),
    /// The flags that ask the same of `pushoff plan`.
    flags: &'static str,
}

/// Stops of a need: the text is what the flag takes.
macro_rules! stops {
    ($field:ident, $flag:literal, $($text:literal)*) => {
        &[$(Stop {
            text: $text,
            asks: |asked| asked.$field = Some($text),
            flags: concat!(" --", $flag, " ", $text),
        }),*]
    };
}

/// The sliders, in the order in which their stops number the plans: the last changes fastest. Payloads lie within
/// what the shipped model was fitted to.
pub(crate) const SLIDERS: [Slider; 5] = [USERS, RATES, PAYLOADS, STALENESS, AUDIENCES];

/// How many users there are.
pub(crate) const USERS: Slider = Slider {
    name: "users",
    label: "Users",
    meaning: "connected at the same time",
    stops: stops!(users, "users", "1k" "10k" "100k" "1M"),
    first: 3,
};

/// How many updates each user receives.
pub(crate) const RATES: Slider = Slider {
    name: "rate",
    label: "Updates",
    meaning: "that each user receives",
    stops: stops!(rate, "rate", "1/min" "0.2/s" "1/s" "10/s" "40/s"),
    first: 1,
};

/// How long an update is.
pub(crate) const PAYLOADS: Slider = Slider {
    name: "payload",
    label: "Payload",
    meaning: "the size of an update",
    stops: stops!(payload, "payload", "128B" "300B" "4KiB"),
    first: 1,
};

/// How old an update may be.
pub(crate) const STALENESS: Slider = Slider {
    name: "staleness",
    label: "Staleness",
    meaning: "99 % of the updates arrive within this time",
    stops: stops!(staleness, "staleness", "100ms" "500ms" "2s" "30s"),
    first: 2,
};

/// The kinds of audience.
pub(crate) const AUDIENCES: Slider = Slider {
    name: "audience",
    label: "Audience",
    meaning: "the users that receive a message",
    stops: &[
        Stop { text: "all users", asks: |_| (), flags: "" },
        Stop { text: "one user", asks: |asked| asked.audience = Some("1"), flags: " --audience 1" },
        Stop {
            text: "rooms of 20, all speak",
            asks: |asked| (asked.audience, asked.direction) = (Some("20"), Some("both")),
            flags: " --audience 20 --direction both",
        },
    ],
    first: 0,
};

/// The number of the plan at these stops, one a slider.
pub(crate) fn number(stops: [usize; 5]) -> usize {
    stops.into_iter().zip(&SLIDERS).fold(0, |number, (stop, slider)| number * slider.stops.len() + stop)
}

/// The stops that the page begins with.
pub(crate) fn first() -> [usize; 5] {
    SLIDERS.map(|slider| slider.first)
}

/// A plan for every combination of stops, by its [`number`], each with the flags that ask the command for it.
pub(crate) fn plans(model: &Model, prices: &Prices) -> Vec<(Plan, String)> {
    let mut all = vec![(Asked::default(), String::new())];
    for slider in &SLIDERS {
        let with = |(asked, flags): &(Asked<'static>, String), stop: &Stop| {
            let mut asked = *asked;
            (stop.asks)(&mut asked);
            (asked, format!("{flags}{}", stop.flags))
        };
        all = all.iter().flat_map(|one| slider.stops.iter().map(move |stop| with(one, stop))).collect();
    }
    all.into_iter().map(|(asked, flags)| (Plan::without_changes(model, needs(&asked), prices.clone()), flags)).collect()
}

#[expect(clippy::expect_used, reason = "a test plans for every stop")]
fn needs(asked: &Asked<'_>) -> Needs {
    Needs::parse(asked).expect("a stop is a need that is planned for")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn the_number_of_a_plan_is_its_place_among_all() {
        let plans = plans(&Model::of_report(fixture::model(), false), &Prices::shipped());
        assert_eq!(plans.len(), SLIDERS.iter().map(|slider| slider.stops.len()).product::<usize>());
        let (plan, flags) = &plans[number(first())];
        assert_eq!(plan.needs, Needs::EXAMPLE);
        assert_eq!(flags, " --users 1M --rate 0.2/s --payload 300B --staleness 2s");
        let last = SLIDERS.map(|slider| slider.stops.len() - 1);
        assert_eq!(number(last), plans.len() - 1);
        assert!(plans[number(last)].1.ends_with("--staleness 30s --audience 20 --direction both"));
    }
}
