//! What a plan is asked for: how many users, how many updates, how large, and how fresh.
//!
//! Parsed once: a [`Needs`] is within what can be planned for. Numbers are in base units: users, a second, bytes,
//! seconds.

use serde::Serialize;

use super::decide::Rule;
use super::units::{self, Unit};

/// The flags of a plan as they were typed; none where a flag was not given.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked<'a> {
    /// How many users are connected: `1M`, `20k`, `1000`.
    pub users: Option<&'a str>,
    /// Updates that each of them receives: `0.2/s`, `12/min`, `3/h`.
    pub rate: Option<&'a str>,
    /// Size of an update: `300B`, `4KiB`.
    pub payload: Option<&'a str>,
    /// How old an update may be when its user has it: `2s`.
    pub staleness: Option<&'a str>,
    /// How many users hear a message, or `all`, the default.
    pub audience: Option<&'a str>,
    /// Updates that each user publishes: `0.2/s`; none is the default.
    pub up_rate: Option<&'a str>,
    /// `down`, the default, or `both`: the users publish all that they receive.
    pub direction: Option<&'a str>,
    /// The users' round trip: `40ms`, the default.
    pub rtt: Option<&'a str>,
    /// By how much costs may differ and still be equivalent: `10%`, the default.
    pub margin: Option<&'a str>,
    /// By how much medians may differ and still be equally fresh: `200ms`; the default is a tenth of the staleness.
    pub freshness: Option<&'a str>,
}

/// A need that cannot be planned for: which, and what is allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("--{flag} is {given}: {allowed}")]
pub struct NeedsError {
    flag: &'static str,
    /// What was given, or that it is missing or empty.
    given: String,
    allowed: &'static str,
}

const AUDIENCE: &str = "how many users hear a message is needed, 1 or more, e.g. 50 or 20k, or `all`";
const DIRECTION: &str = "`down`, where a server publishes, or `both`, where the users do too";
const BOTH: &str = "--up-rate says what the users publish, so leave one of the two out";
const RTT: &str = "a round trip of 0s to 10s is planned for, e.g. 40ms";
const UP_RATE: &str = "1/d to 1000/s updates from each user are planned for, e.g. 0.2/s, 12/min or 3/h";
const MARGIN: &str = "the share by which costs may differ is needed, 1% to 100%, e.g. 10%";
const FRESHNESS: &str = "the time by which medians may differ is needed, 0s to 1h, e.g. 200ms";

/// What is needed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Needs {
    /// How many are connected, 1 to 1e9.
    pub(crate) users: f64,
    /// Updates a second to each of them, above 0 to 1,000.
    #[serde(rename = "rate_per_second")]
    pub(crate) rate: f64,
    /// Size of an update, 1 to 65,536.
    #[serde(rename = "payload_bytes")]
    pub(crate) payload: f64,
    /// 99 % of the updates arrive within so many seconds after they were due, 0.001 to 3,600.
    #[serde(rename = "staleness_s")]
    pub(crate) staleness: f64,
    /// How many users hear a message; absent where all do.
    pub(crate) audience: Option<f64>,
    /// Updates a second that each user publishes, 0 to 1,000.
    #[serde(rename = "up_rate_per_second")]
    pub(crate) up_rate: f64,
    /// Whether that is all that they receive, whatever that is.
    #[serde(skip)]
    pub(crate) is_mutual: bool,
    /// Seconds there and back between a user and the server, 0 to 10.
    #[serde(rename = "rtt_s")]
    pub(crate) rtt: f64,
    /// The share by which costs may differ and still be equivalent, 0.01 to 1.
    pub(crate) margin: f64,
    /// Seconds by which medians may differ and still be equally fresh; absent where it is a tenth of the staleness.
    #[serde(rename = "freshness_s")]
    pub(crate) freshness: Option<f64>,
}

impl Needs {
    /// The share of updates that must be in time.
    pub const SHARE: f64 = 0.99;

    /// The needs that the page's sliders begin with, and `--help` has for an example.
    pub const EXAMPLE: Self = Self {
        users: 1e6,
        rate: 0.2,
        payload: 300.0,
        staleness: 2.0,
        audience: None,
        up_rate: 0.0,
        is_mutual: false,
        rtt: DEFAULT_RTT,
        margin: 0.10,
        freshness: None,
    };

    /// What was asked, where it can be planned for.
    ///
    /// # Errors
    /// With the first flag that is missing or wrong, and what it may be.
    pub fn parse(asked: &Asked<'_>) -> Result<Self, NeedsError> {
        let users = Need::Users.parse(asked.users)?;
        let mut needs = Self {
            users,
            rate: Need::Rate.parse(asked.rate)?,
            payload: Need::Payload.parse(asked.payload)?,
            staleness: Need::Staleness.parse(asked.staleness)?,
            audience: audience(asked.audience, users)?,
            up_rate: within(("up-rate", UP_RATE), asked.up_rate, Need::Rate.bounds(), |given| Unit::Rate.parse(given))?
                .unwrap_or_default(),
            is_mutual: asked.direction == Some("both"),
            rtt: within(("rtt", RTT), asked.rtt, RTTS, |given| Unit::Time.parse(given))?.unwrap_or(DEFAULT_RTT),
            margin: within(("margin", MARGIN), asked.margin, MARGINS, percent)?.unwrap_or(Self::EXAMPLE.margin),
            freshness: within(("freshness", FRESHNESS), asked.freshness, (0.0, 3_600.0), |given| {
                Unit::Time.parse(given)
            })?,
        };
        match asked.direction {
            None => {}
            Some("down" | "both") if asked.up_rate.is_some() => {
                return Err(wrong("direction", asked.direction.unwrap_or_default(), BOTH));
            }
            Some("down" | "both") => needs.answer_all(),
            Some(given) => return Err(wrong("direction", given, DIRECTION)),
        }
        Ok(needs)
    }

    /// Where users publish all that they receive: each of an audience its part.
    fn answer_all(&mut self) {
        if self.is_mutual {
            self.up_rate = self.rate / self.audience();
        }
    }

    /// What differences matter.
    #[must_use]
    pub fn rule(&self) -> Rule {
        Rule::predicted(self.margin, 1e9 * self.freshness.unwrap_or(self.staleness / 10.0))
    }

    /// How many users hear a message; none where all do.
    #[must_use]
    pub const fn room(&self) -> Option<f64> {
        self.audience
    }

    /// Updates a second that each user publishes; 0 where none does.
    #[must_use]
    pub const fn up_rate(&self) -> f64 {
        self.up_rate
    }

    /// Seconds there and back between a user and the server.
    #[must_use]
    pub const fn rtt(&self) -> f64 {
        self.rtt
    }

    /// How many users hear a message.
    #[must_use]
    pub fn audience(&self) -> f64 {
        self.audience.map_or(self.users, |audience| audience.min(self.users))
    }

    /// Seconds on the way to a user: half a round trip, and as much before it where users publish.
    pub(crate) fn way(&self) -> f64 {
        if self.up_rate > 0.0 { self.rtt } else { self.rtt / 2.0 }
    }

    /// Messages that the users publish, a second.
    pub(crate) fn spoken(&self) -> f64 {
        self.users * self.up_rate
    }
}

/// The round trips that are planned for, in seconds.
const RTTS: (f64, f64) = (0.0, 10.0);
/// The margins that are planned for.
const MARGINS: (f64, f64) = (0.01, 1.0);
/// The round trip of users in one country on a mobile network or a home network. Chosen here; every answer names it.
const DEFAULT_RTT: f64 = 0.040;

/// A value that may be left out, within bounds.
fn within(
    (flag, allowed): (&'static str, &'static str),
    asked: Option<&str>,
    (least, most): (f64, f64),
    parse: impl Fn(&str) -> Option<f64>,
) -> Result<Option<f64>, NeedsError> {
    let Some(given) = asked else { return Ok(None) };
    let value = parse(given).filter(|value| (least..=most).contains(value));
    value.map(Some).ok_or_else(|| wrong(flag, given, allowed))
}

fn percent(given: &str) -> Option<f64> {
    Some(given.strip_suffix('%')?.trim_end().parse::<f64>().ok()? / 100.0)
}

fn audience(asked: Option<&str>, users: f64) -> Result<Option<f64>, NeedsError> {
    let Some(given) = asked.filter(|asked| *asked != "all") else { return Ok(None) };
    let audience = Unit::Users.parse(given).filter(|it| *it >= 1.0 && units::is_whole(*it));
    let audience = audience.ok_or_else(|| wrong("audience", given, AUDIENCE))?;
    if audience > users {
        let given = format!("{given}, and there are {} users", Unit::Users.write(users));
        return Err(wrong("audience", &given, "at most as many hear a message, or `all`"));
    }
    Ok(Some(audience))
}

fn wrong(flag: &'static str, given: &str, allowed: &'static str) -> NeedsError {
    let given = if given.trim().is_empty() { "empty".into() } else { given.to_owned() };
    NeedsError { flag, given, allowed }
}

/// A need that is a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Need {
    /// Updates a second to each user.
    Rate,
    /// Seconds.
    Staleness,
    /// Connected at a time.
    Users,
    /// Bytes of an update.
    Payload,
}

impl Need {
    /// All needs, in the order in which their changes are named.
    pub const ALL: [Self; 4] = [Self::Rate, Self::Staleness, Self::Users, Self::Payload];

    const fn field(self) -> Field {
        match self {
            Self::Users => Field {
                flag: "users",
                allowed: "1 to 1G users are planned for, e.g. 1000, 20k or 1M",
                bounds: (1.0, 1e9),
                unit: Unit::Users,
                is_whole: true,
            },
            Self::Rate => Field {
                flag: "rate",
                allowed: "1/d to 1000/s updates to each user are planned for, e.g. 0.2/s, 12/min or 3/h",
                bounds: (1.0 / 86_400.0, 1_000.0),
                unit: Unit::Rate,
                is_whole: false,
            },
            Self::Payload => Field {
                flag: "payload",
                allowed: "1B to 64KiB are planned for (the server's --max-payload), in B, kB or KiB, e.g. 300B or 4KiB",
                bounds: (1.0, 65_536.0),
                unit: Unit::Bytes,
                is_whole: true,
            },
            Self::Staleness => Field {
                flag: "staleness",
                allowed: "1ms to 1h is planned for, e.g. 200ms, 2s or 1m",
                bounds: (0.001, 3_600.0),
                unit: Unit::Time,
                is_whole: false,
            },
        }
    }

    /// The least and the most that is planned for.
    #[must_use]
    pub const fn bounds(self) -> (f64, f64) {
        self.field().bounds
    }

    /// A value of it as it may be typed.
    pub fn write(self, value: f64) -> String {
        self.field().unit.write(value)
    }

    /// A value of it with two digits.
    pub fn about(self, value: f64) -> String {
        self.field().unit.about(value)
    }

    /// The nearest value that can be asked for: users and bytes are whole.
    pub(crate) fn nearest(self, value: f64) -> f64 {
        if self.field().is_whole { value.round() } else { value }
    }

    /// Its value in these needs.
    pub const fn of(self, needs: &Needs) -> f64 {
        match self {
            Self::Users => needs.users,
            Self::Rate => needs.rate,
            Self::Payload => needs.payload,
            Self::Staleness => needs.staleness,
        }
    }

    /// These needs with another value of it; none where the value is out of bounds.
    pub fn with(self, needs: &Needs, value: f64) -> Option<Needs> {
        let (least, most) = self.bounds();
        let mut needs = *needs;
        match self {
            Self::Users => needs.users = value,
            Self::Rate => needs.rate = value,
            Self::Payload => needs.payload = value,
            Self::Staleness => needs.staleness = value,
        }
        needs.answer_all();
        (least..=most).contains(&value).then_some(needs)
    }

    fn parse(self, asked: Option<&str>) -> Result<f64, NeedsError> {
        let Field { flag, allowed, bounds: (least, most), unit, is_whole } = self.field();
        let given = asked.ok_or_else(|| wrong(flag, "missing", allowed))?;
        let is_allowed = |value: &f64| (least..=most).contains(value) && (!is_whole || units::is_whole(*value));
        unit.parse(given).filter(is_allowed).ok_or_else(|| wrong(flag, given, allowed))
    }
}

/// What the flag of a need takes.
struct Field {
    flag: &'static str,
    /// What is allowed, as errors say it.
    allowed: &'static str,
    bounds: (f64, f64),
    unit: Unit,
    /// Whether it is a number of whole things.
    is_whole: bool,
}

#[cfg(test)]
mod tests;
