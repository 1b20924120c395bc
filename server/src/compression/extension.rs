//! The negotiation of permessage-deflate. Sources: RFC 6455 §9.1, RFC 7692 §5 and §7.1.
//!
//! Of a client's offers, the first that can be met is accepted. What an offer names is met as it is named; what it
//! leaves open the server settles: a window of [`DEFLATE_BITS`], and context both ways as long as there is memory. Only
//! a client can ask for no context and none can ask for context, so this way every client gets what it wants.

use std::fmt;

use super::DEFLATE_BITS;

const NAME: &[u8] = b"permessage-deflate";

/// Whether a compressor refers to earlier messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Context {
    Kept,
    None,
}

/// What was agreed on, as the response says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Agreed {
    /// Of the server's compressor.
    pub(crate) server: Context,
    /// Of the client's compressor.
    pub(crate) client: Context,
    /// The window of the server's compressor, as a power of two: 9 to 15.
    pub(crate) server_bits: u8,
    /// The window of the client's compressor, where the client named one: 8 to 15.
    client_bits: Option<u8>,
}

impl Agreed {
    /// The answer to the offers in the values of `Sec-WebSocket-Extensions`; `None` where the server declines all.
    pub(crate) fn of<'a>(values: impl Iterator<Item = &'a [u8]>) -> Option<Self> {
        let offers = values.flat_map(|value| value.split(|&byte| byte == b','));
        offers.filter_map(Offer::parse).find_map(Offer::accepted)
    }
}

impl fmt::Display for Agreed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("permessage-deflate")?;
        if self.server == Context::None {
            f.write_str("; server_no_context_takeover")?;
        }
        if self.client == Context::None {
            f.write_str("; client_no_context_takeover")?;
        }
        write!(f, "; server_max_window_bits={}", self.server_bits)?;
        self.client_bits.map_or(Ok(()), |bits| write!(f, "; client_max_window_bits={bits}"))
    }
}

/// The parameters of an offer, each at most once.
#[derive(Default)]
struct Offer {
    server_no_context: bool,
    client_no_context: bool,
    server_bits: Option<u8>,
    /// With a value or without.
    client_bits: Option<Option<u8>>,
}

impl Offer {
    /// `None` where it offers another extension, or has a parameter that is unknown, repeated or has a wrong value
    /// (RFC 7692 §7.1).
    fn parse(offer: &[u8]) -> Option<Self> {
        let mut parts = offer.split(|&byte| byte == b';').map(<[u8]>::trim_ascii);
        parts.next().filter(|name| name.eq_ignore_ascii_case(NAME))?;
        let mut found = Self::default();
        for part in parts {
            let mut sides = part.splitn(2, |&byte| byte == b'=').map(<[u8]>::trim_ascii);
            let (name, value) = (sides.next()?, sides.next());
            let is_new = match (&*name.to_ascii_lowercase(), value) {
                (b"server_no_context_takeover", None) => !std::mem::replace(&mut found.server_no_context, true),
                (b"client_no_context_takeover", None) => !std::mem::replace(&mut found.client_no_context, true),
                (b"server_max_window_bits", Some(value)) => found.server_bits.replace(bits(value)?).is_none(),
                (b"client_max_window_bits", value) => {
                    let value = value.map(|value| bits(value).ok_or(())).transpose().ok()?;
                    found.client_bits.replace(value).is_none()
                }
                _ => false,
            };
            if !is_new {
                return None;
            }
        }
        Some(found)
    }

    /// `None` where the server cannot meet it: zlib has no window of 256 bytes for deflate without its own header.
    fn accepted(self) -> Option<Agreed> {
        let context = |is_refused| if is_refused { Context::None } else { Context::Kept };
        Some(Agreed {
            server: context(self.server_no_context),
            client: context(self.client_no_context),
            server_bits: Some(self.server_bits.unwrap_or(DEFLATE_BITS)).filter(|&bits| bits > 8)?,
            client_bits: self.client_bits.flatten(),
        })
    }
}

/// 8 to 15 in decimal without a leading zero (RFC 7692 §7.1.2), perhaps in quotation marks (RFC 6455 §9.1).
fn bits(value: &[u8]) -> Option<u8> {
    let value = value.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or(value);
    match value {
        [digit @ (b'8' | b'9')] => Some(digit - b'0'),
        [b'1', digit @ b'0'..=b'5'] => Some(10 + digit - b'0'),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(offers: &[&str]) -> Option<String> {
        Agreed::of(offers.iter().map(|offer| offer.as_bytes())).map(|agreed| agreed.to_string())
    }

    #[test]
    fn each_parameter_is_met_as_it_is_offered() {
        for (offer, parameters) in [
            ("permessage-deflate", "; server_max_window_bits=12"),
            ("Permessage-Deflate ; Client_Max_Window_Bits", "; server_max_window_bits=12"),
            ("permessage-deflate; client_max_window_bits=8", "; server_max_window_bits=12; client_max_window_bits=8"),
            ("permessage-deflate; server_max_window_bits=9", "; server_max_window_bits=9"),
            ("permessage-deflate; server_max_window_bits = \"15\"", "; server_max_window_bits=15"),
            (
                "permessage-deflate; server_no_context_takeover",
                "; server_no_context_takeover; server_max_window_bits=12",
            ),
            (
                "permessage-deflate; client_no_context_takeover; server_max_window_bits=10; server_no_context_takeover; \
                 client_max_window_bits=\"11\"",
                "; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=10; \
                 client_max_window_bits=11",
            ),
        ] {
            assert_eq!(answer(&[offer]), Some(format!("permessage-deflate{parameters}")), "{offer}");
        }
    }

    #[test]
    fn an_offer_that_cannot_be_met_is_declined_and_the_next_one_counts() {
        for offer in [
            "",
            "permessage-bzip2",
            "x-webkit-deflate-frame",
            "permessage-deflate; server_max_window_bits=8",
            "permessage-deflate; server_max_window_bits=16",
            "permessage-deflate; server_max_window_bits=09",
            "permessage-deflate; server_max_window_bits=7",
            "permessage-deflate; server_max_window_bits",
            "permessage-deflate; server_max_window_bits=",
            "permessage-deflate; client_max_window_bits=x",
            "permessage-deflate; client_max_window_bits=100",
            "permessage-deflate; server_no_context_takeover=1",
            "permessage-deflate; client_no_context_takeover=\"\"",
            "permessage-deflate; level=9",
            "permessage-deflate; ",
            "permessage-deflate; server_max_window_bits=9; server_max_window_bits=9",
            "permessage-deflate; client_max_window_bits; client_max_window_bits=9",
            "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
            "permessage-deflate; client_no_context_takeover; client_no_context_takeover",
        ] {
            assert_eq!(answer(&[offer]), None, "{offer}");
            let met = Some("permessage-deflate; server_max_window_bits=11".to_owned());
            let next = "permessage-deflate; server_max_window_bits=11";
            assert_eq!(answer(&[&format!("{offer}, {next}")]), met, "{offer}");
            assert_eq!(answer(&[offer, next, "permessage-deflate"]), met, "{offer}");
        }
        assert_eq!(answer(&[]), None);
    }
}
