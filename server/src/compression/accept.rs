//! Which content coding a response gets, by the request's `Accept-Encoding`. Source: RFC 9110 §12.4.2 and §12.5.3.

use super::Coding;

/// The codings that a client accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Accepts {
    /// The accepted coding of the greatest weight; `None` where content without a coding has a greater one.
    pub(crate) coding: Option<Coding>,
    /// Whether the client also accepts content without a coding.
    pub(crate) identity: bool,
}

/// A weight in thousandths.
type Weight = u16;

impl Accepts {
    /// By the values of the field, of which a request may have several or none. A member that is not understood counts
    /// as absent.
    pub(crate) fn of<'a>(values: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut named = [None; Coding::ALL.len()];
        let (mut identity, mut any) = (None, None);
        for member in values.flat_map(|value| value.split(|&byte| byte == b',')) {
            let Some((name, weight)) = member_of(member) else { continue };
            let place = match name {
                b"*" => Some(&mut any),
                name if name.eq_ignore_ascii_case(b"identity") => Some(&mut identity),
                name => {
                    // `x-gzip` is gzip (RFC 9110 §8.4.1.3).
                    let name = if name.eq_ignore_ascii_case(b"x-gzip") { b"gzip" } else { name };
                    let index = Coding::ALL.iter().position(|it| name.eq_ignore_ascii_case(it.name().as_bytes()));
                    index.map(|index| &mut named[index])
                }
            };
            if let Some(place) = place {
                *place = Some(weight.min(place.unwrap_or(Weight::MAX)));
            }
        }
        let liked = std::iter::zip(Coding::ALL, named).map(|(coding, weight)| (coding, weight.or(any).unwrap_or(0)));
        // Of equal weights the first counts.
        let best = liked.filter(|&(_, weight)| weight > 0).rev().max_by_key(|&(_, weight)| weight);
        // Where the field does not name `identity`, the best coding wins: it saves the client bytes.
        let identity_weight = identity.or(any.filter(|&weight| weight == 0));
        let coding = best.filter(|&(_, weight)| identity.is_none_or(|identity| weight >= identity));
        Self { coding: coding.map(|(coding, _)| coding), identity: identity_weight != Some(0) }
    }
}

/// The name and the weight of a member; `None` where it is empty or malformed.
fn member_of(member: &[u8]) -> Option<(&[u8], Weight)> {
    let mut parts = member.split(|&byte| byte == b';').map(<[u8]>::trim_ascii);
    let name = parts.next().filter(|name| !name.is_empty())?;
    let weight = match parts.next() {
        None => 1000,
        Some(parameter) => {
            let value = parameter.strip_prefix(b"q=").or_else(|| parameter.strip_prefix(b"Q="))?;
            thousandths(value)?
        }
    };
    parts.next().is_none().then_some((name, weight))
}

/// `0`, `0.5`, `1.000`.
fn thousandths(value: &[u8]) -> Option<Weight> {
    let (&whole, rest) = value.split_first()?;
    let digits = match rest {
        [] => rest,
        [b'.', digits @ ..] if digits.len() <= 3 => digits,
        _ => return None,
    };
    let is_right = matches!(whole, b'0' | b'1') && digits.iter().all(u8::is_ascii_digit);
    let digit = |index: usize| Weight::from(digits.get(index).map_or(0, |digit| digit - b'0'));
    let weight = || Weight::from(whole - b'0') * 1000 + digit(0) * 100 + digit(1) * 10 + digit(2);
    is_right.then(weight).filter(|&weight| weight <= 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[&str]) -> (Option<&'static str>, bool) {
        let accepts = Accepts::of(values.iter().map(|value| value.as_bytes()));
        (accepts.coding.map(Coding::name), accepts.identity)
    }

    #[test]
    fn the_heaviest_coding_wins_and_ties_have_a_fixed_order() {
        for (field, coding) in [
            ("gzip", Some("gzip")),
            ("x-gzip", Some("gzip")),
            ("BR", Some("br")),
            ("gzip, deflate, br, zstd", Some("zstd")),
            ("br, gzip", Some("gzip")),
            ("gzip;q=0.5, br;q=0.8", Some("br")),
            ("gzip ; q=0.501 , br; Q=0.5", Some("gzip")),
            ("*", Some("zstd")),
            ("*;q=0.1, br", Some("br")),
            ("zstd;q=0, *", Some("gzip")),
            ("identity, gzip", Some("gzip")),
            ("identity, gzip;q=0.5", None),
            ("gzip;q=0", None),
            ("deflate, compress", None),
            ("", None),
            (",, gzip ,", Some("gzip")),
            ("gzip;q=1.5", None),
            ("gzip;q=0.1234", None),
            ("gzip;level=1", None),
            ("gzip;q=x", None),
        ] {
            assert_eq!(of(&[field]), (coding, true), "{field:?}");
        }
        assert_eq!(of(&[]), (None, true));
        assert_eq!(of(&["gzip;q=0.1", "br"]), (Some("br"), true));
    }

    #[test]
    fn no_coding_at_all_is_taken_unless_it_is_refused() {
        assert_eq!(of(&["identity;q=0"]), (None, false));
        assert_eq!(of(&["*;q=0"]), (None, false));
        assert_eq!(of(&["gzip, *;q=0"]), (Some("gzip"), false));
        assert_eq!(of(&["gzip, identity;q=0.000"]), (Some("gzip"), false));
        assert_eq!(of(&["identity, *;q=0"]), (None, true));
        assert_eq!(of(&["*;q=0.5, identity;q=0"]), (Some("zstd"), false));
    }
}
