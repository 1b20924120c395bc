//! What a plan is asked for: how many users, how many updates, how large, and how fresh.
//!
//! Parsed once: a [`Needs`] is within what can be planned for. Numbers are in base units: users, a second, bytes,
//! seconds.

use std::ops::RangeInclusive;

use pushoff_model::workload::Direction;
use serde::{Serialize, Serializer};

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
    /// `down`, the default, or `both`.
    pub direction: Option<&'a str>,
    /// The users' round trip: `40ms`, the default.
    pub rtt: Option<&'a str>,
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
const RTT: &str = "a round trip of 0s to 10s is planned for, e.g. 40ms";

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
    /// Whether the users publish, too.
    #[serde(serialize_with = "direction")]
    pub(crate) direction: Direction,
    /// Seconds there and back between a user and the server, 0 to 10.
    #[serde(rename = "rtt_s")]
    pub(crate) rtt: f64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn direction<S: Serializer>(direction: &Direction, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(direction_name(*direction))
}

/// As it is typed.
const fn direction_name(direction: Direction) -> &'static str {
    match direction {
        Direction::Down => "down",
        Direction::Both => "both",
    }
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
        direction: Direction::Down,
        rtt: DEFAULT_RTT,
    };

    /// What was asked, where it can be planned for.
    ///
    /// # Errors
    /// With the first flag that is missing or wrong, and what it may be.
    pub fn parse(asked: &Asked<'_>) -> Result<Self, NeedsError> {
        let users = Need::Users.parse(asked.users)?;
        let needs = Self {
            users,
            rate: Need::Rate.parse(asked.rate)?,
            payload: Need::Payload.parse(asked.payload)?,
            staleness: Need::Staleness.parse(asked.staleness)?,
            audience: audience(asked.audience, users)?,
            direction: match asked.direction {
                None | Some("down") => Direction::Down,
                Some("both") => Direction::Both,
                Some(given) => return Err(wrong("direction", given, DIRECTION)),
            },
            rtt: match asked.rtt {
                None => DEFAULT_RTT,
                Some(given) => {
                    Unit::Time.parse(given).filter(|rtt| RTTS.contains(rtt)).ok_or_else(|| wrong("rtt", given, RTT))?
                }
            },
        };
        Ok(needs)
    }

    /// How many users hear a message; none where all do.
    #[must_use]
    pub const fn room(&self) -> Option<f64> {
        self.audience
    }

    /// Whether the users publish, too.
    #[must_use]
    pub const fn direction(&self) -> Direction {
        self.direction
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

    /// Seconds on the way to a user: half a round trip, and as much before it where a user speaks.
    pub(crate) fn way(&self) -> f64 {
        match self.direction {
            Direction::Down => self.rtt / 2.0,
            Direction::Both => self.rtt,
        }
    }

    /// Messages that the users publish, a second.
    pub(crate) fn spoken(&self) -> f64 {
        match self.direction {
            Direction::Down => 0.0,
            Direction::Both => self.users * self.rate / self.audience(),
        }
    }
}

/// The round trips that are planned for, in seconds.
const RTTS: RangeInclusive<f64> = 0.0..=10.0;
/// The round trip of users in one country on a mobile network or a home network. Chosen here; every answer names it.
const DEFAULT_RTT: f64 = 0.040;

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
mod tests {
    use super::*;

    const ASKED: Asked<'static> = Asked {
        users: Some("1M"),
        rate: Some("0.2/s"),
        payload: Some("300B"),
        staleness: Some("2s"),
        audience: None,
        direction: None,
        rtt: None,
    };

    #[test]
    fn what_is_typed_is_what_is_planned_for() {
        assert_eq!(Needs::parse(&ASKED), Ok(Needs::EXAMPLE));
        let rooms = Asked { audience: Some("20"), direction: Some("both"), rtt: Some("100ms"), ..ASKED };
        let rooms = Needs::parse(&rooms).unwrap();
        assert_eq!((rooms.audience, rooms.direction), (Some(20.0), Direction::Both));
        // 1 million users, each told 0.2 times a second by one of 20: a 20th of the deliveries is said.
        assert!((rooms.spoken() - 10_000.0).abs() < 1e-6 && (rooms.way() - 0.1).abs() < 1e-12);
        assert!((Needs::EXAMPLE.way() - 0.02).abs() < 1e-12 && Needs::EXAMPLE.spoken() < 1e-12);
    }

    #[test]
    fn everybody_stays_everybody_and_a_room_is_never_larger_than_all() {
        let fewer = Need::Users.with(&Needs { audience: Some(50.0), ..Needs::EXAMPLE }, 10.0).unwrap();
        assert!((fewer.audience() - 10.0).abs() < 1e-9);
        assert!((Need::Users.with(&Needs::EXAMPLE, 7.0).unwrap().audience() - 7.0).abs() < 1e-9);
        assert_eq!(Need::Users.with(&Needs::EXAMPLE, 0.5), None);
    }

    #[test]
    fn what_cannot_be_planned_for_is_named_with_what_can() {
        let cases = [
            (Asked { users: Some("0"), ..ASKED }, "--users is 0: 1 to 1G users"),
            (Asked { users: Some("1.5"), ..ASKED }, "--users is 1.5: "),
            (Asked { users: Some("NaN"), ..ASKED }, "--users is NaN: "),
            (Asked { users: None, ..ASKED }, "--users is missing: "),
            (Asked { rate: Some("-1/s"), ..ASKED }, "--rate is -1/s: 1/d to 1000/s"),
            (Asked { rate: Some("0/s"), ..ASKED }, "--rate is 0/s: "),
            (Asked { rate: Some("2"), ..ASKED }, "--rate is 2: "),
            (Asked { rate: Some("2/fortnight"), ..ASKED }, "--rate is 2/fortnight: "),
            (Asked { payload: Some("1TB"), ..ASKED }, "--payload is 1TB: 1B to 64KiB"),
            (Asked { payload: Some("3 stone"), ..ASKED }, "--payload is 3 stone: "),
            (Asked { staleness: Some("2"), ..ASKED }, "--staleness is 2: 1ms to 1h"),
            (Asked { staleness: Some("1d"), ..ASKED }, "--staleness is 1d: "),
            (Asked { staleness: Some(""), ..ASKED }, "--staleness is empty: "),
            (Asked { audience: Some("2M"), ..ASKED }, "--audience is 2M, and there are 1M users"),
            (Asked { audience: Some("0"), ..ASKED }, "--audience is 0: "),
            (Asked { direction: Some("up"), ..ASKED }, "--direction is up: `down`"),
            (Asked { rtt: Some("11s"), ..ASKED }, "--rtt is 11s: "),
        ];
        for (asked, said) in cases {
            let sentence = Needs::parse(&asked).unwrap_err().to_string();
            assert!(sentence.starts_with(said) && !sentence.contains('\n'), "{sentence}");
        }
    }
}
