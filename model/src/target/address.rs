//! The address of a server: `http://HOST[:PORT][/BASE]`, or `https://`. Source: RFC 3986, RFC 9110 §4.2.1.
//!
//! What is no such address is refused with a sentence: a number that is no port is never taken for
//! another port, nor a number that is no IPv4 address for a name. A password that stands in it is
//! not printed.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use http::uri::Authority;

use crate::foreign::{SENTENCE, shown};

/// An `http` or `https` URL without query: what all paths of a server begin with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Whether it is reached over TLS.
    pub is_tls: bool,
    /// Host and port, as the `Host` field of requests has them.
    pub authority: Authority,
    /// The port: 80 where none is named, 443 over TLS.
    pub port: u16,
    /// What stands before every path, without a slash at its end; often empty.
    pub base: String,
    /// Which of its host's addresses was found to listen; none until somebody has looked.
    pub socket: Option<SocketAddr>,
}

impl Address {
    /// The host, without the brackets of an IPv6 address.
    #[must_use]
    pub fn host(&self) -> &str {
        self.authority.host().trim_start_matches('[').trim_end_matches(']')
    }
}

/// Parses an address: `http://HOST[:PORT][/BASE]`, or `https://`.
///
/// # Errors
/// A sentence on what is wrong with it.
pub fn address(text: &str) -> Result<Address, String> {
    parsed(text)
        .map_err(|wrong| format!("{} is no address of a server: {wrong}, e.g. http://127.0.0.1:8080", redacted(text)))
}

/// An address as it may be printed: without a password, and without what a query or a fragment says.
#[must_use]
pub fn redacted(text: &str) -> String {
    let begin = text.find("://").map_or(0, |at| at + 3);
    let (scheme, rest) = text.split_at(begin);
    // A password may hold any character, and nobody may have encoded it.
    let (hidden, rest) = rest.rfind('@').map_or(("", rest), |at| ("***", &rest[at..]));
    let end = rest.find(['?', '#']).map(|at| at + 1);
    let (rest, more) = end.map_or((rest, ""), |end| (&rest[..end], "…"));
    shown(&format!("{scheme}{hidden}{rest}{more}"), SENTENCE)
}

/// Whether a URL may hold this behind its authority, path and query, so that every client sends the
/// same bytes: RFC 3986 §3.3 and §3.4, without dot segments, which some clients resolve.
pub(super) fn is_path_and_query(text: &str) -> bool {
    let path = text.split('?').next().unwrap_or_default();
    let is_dot = |segment: &str| matches!(segment.replace("%2e", ".").replace("%2E", ".").as_str(), "." | "..");
    is_query(text) && text.starts_with('/') && !path.split('/').any(is_dot)
}

/// Whether these characters may stand in a path and in a query.
pub(super) fn is_query(text: &str) -> bool {
    let bytes = text.as_bytes();
    (0_usize..).zip(bytes).all(|(at, byte)| match byte {
        b'%' => matches!(bytes.get(at + 1..at + 3), Some([a, b]) if a.is_ascii_hexdigit() && b.is_ascii_hexdigit()),
        byte => byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?".contains(byte),
    })
}

fn parsed(text: &str) -> Result<Address, &'static str> {
    let (is_tls, rest) = after_the_scheme(text)?;
    if rest.contains('#') {
        return Err("it must have no fragment (#)");
    }
    if rest.contains('?') {
        return Err("it must have no query (?)");
    }
    let (authority, base) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    if authority.contains('@') {
        return Err("it must hold no user and no password (`headers` of a TOML file is the place for Authorization)");
    }
    let (host, port) = host_and_port(authority)?;
    is_host(host)?;
    let port = port.map(port_of).transpose()?;
    if !base.is_empty() && !is_path_and_query(base) {
        return Err("its path must hold what a URL may, without . and .. between slashes");
    }
    let authority = port.map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    Ok(Address {
        is_tls,
        authority: authority.parse().or(Err("its host is no name and no IP address"))?,
        port: port.unwrap_or(if is_tls { 443 } else { 80 }),
        base: base.trim_end_matches('/').to_owned(),
        socket: None,
    })
}

/// Whether TLS is spoken, and the rest.
fn after_the_scheme(text: &str) -> Result<(bool, &str), &'static str> {
    const SCHEME: &str = "it must begin with http:// or https://";
    let (scheme, rest) = text.split_once("://").ok_or(SCHEME)?;
    match scheme.to_ascii_lowercase().as_str() {
        "http" => Ok((false, rest)),
        "https" => Ok((true, rest)),
        "ws" | "wss" => Err("it must begin with http:// or https://, by which a WebSocket is asked for too"),
        _other => Err(SCHEME),
    }
}

/// Cuts an authority; the host keeps the brackets of an IPv6 address.
fn host_and_port(authority: &str) -> Result<(&str, Option<&str>), &'static str> {
    const BRACKETS: &str = "one colon stands before its port, and an IPv6 address in brackets like [::1]";
    let end = match authority.strip_prefix('[') {
        Some(rest) => rest.find(']').ok_or(BRACKETS)? + 2,
        None => authority.find(':').unwrap_or(authority.len()),
    };
    let (host, rest) = authority.split_at(end);
    match rest.strip_prefix(':') {
        None if rest.is_empty() => Ok((host, None)),
        Some(port) if !port.contains(':') => Ok((host, Some(port))),
        None | Some(_) => Err(BRACKETS),
    }
}

fn port_of(text: &str) -> Result<u16, &'static str> {
    if text.is_empty() {
        return Err("its port is empty: name one, or leave the colon out for the usual one");
    }
    let port = text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten();
    port.filter(|&port| port > 0).ok_or("its port is no number from 1 to 65535")
}

/// A name of letters, digits, hyphens, dots and underscores, or an IP address in its usual form.
fn is_host(host: &str) -> Result<(), &'static str> {
    if host.is_empty() {
        return Err("it must name a host");
    }
    if let Some(address) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        return address.parse::<Ipv6Addr>().map(drop).or(Err("what stands in brackets is no IPv6 address"));
    }
    if !host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte)) {
        return Err("its host is no name and no IP address (other alphabets are written as xn--…)");
    }
    // Resolvers take 127.1, 0x7f.1 and 2130706433 for addresses (WHATWG URL, "ends in a number").
    let last = host.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
    let is_hex = last
        .to_ascii_lowercase()
        .strip_prefix("0x")
        .is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let is_number = last.bytes().all(|byte| byte.is_ascii_digit()) || is_hex;
    if is_number && host.parse::<Ipv4Addr>().is_err() {
        return Err("its host is no IPv4 address of four numbers from 0 to 255");
    }
    Ok(())
}

/// Whether a text is an address but for the `http://` before it.
#[must_use]
pub fn lacks_its_scheme(text: &str) -> bool {
    let authority = text.split(['/', '?', '#']).next().unwrap_or_default();
    let has_port = authority.rsplit_once(':').is_some_and(|(host, port)| {
        !host.is_empty() && !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())
    });
    let bare = authority.trim_start_matches('[').trim_end_matches(']');
    let has_user = text.split_once('@').is_some_and(|(user, _)| user.contains(':'));
    has_port
        || has_user
        || bare.parse::<IpAddr>().is_ok()
        || ["//", "http:", "https:"].iter().any(|begin| text.starts_with(begin))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_address_says_host_port_and_what_precedes_every_path() {
        for (text, authority, host, port, base) in [
            ("http://127.0.0.1:8080", "127.0.0.1:8080", "127.0.0.1", 8080, ""),
            ("HTTP://localhost", "localhost", "localhost", 80, ""),
            ("http://a-b.example_1.test:65535/push/", "a-b.example_1.test:65535", "a-b.example_1.test", 65535, "/push"),
            ("http://[::1]:1/@a/%20", "[::1]:1", "::1", 1, "/@a/%20"),
            ("http://[::1]", "[::1]", "::1", 80, ""),
            ("http://x:0080//a", "x:80", "x", 80, "//a"),
            ("https://x", "x", "x", 443, ""),
            ("https://x:8443/a", "x:8443", "x", 8443, "/a"),
        ] {
            let address = address(text).unwrap();
            let said = (address.authority.as_str(), address.host(), address.port, address.base.as_str());
            assert_eq!(said, (authority, host, port, base), "{text}");
            assert_eq!(address.is_tls, text.starts_with("https"), "{text}");
        }
    }

    #[test]
    fn what_is_no_port_is_refused_and_never_taken_for_another() {
        for port in
            ["99999", "65536", "0", "00000", "-1", "+80", "8o80", " 80", "80 ", "4294967376", "18446744073709551696"]
        {
            for host in ["127.0.0.1", "localhost", "[::1]"] {
                let wrong = address(&format!("http://{host}:{port}/a")).unwrap_err();
                assert!(wrong.contains("no number from 1 to 65535") && wrong.contains(host), "{wrong}");
            }
        }
        let wrong = address("http://127.0.0.1:").unwrap_err();
        assert!(wrong.contains("its port is empty"), "{wrong}");
    }

    #[test]
    fn what_could_be_another_address_is_refused() {
        for (text, says) in [
            ("http://127.1:80", "four numbers"),
            ("http://2130706433", "four numbers"),
            ("http://0x7f.0.0.1", "four numbers"),
            ("http://127.0.0.01", "four numbers"),
            ("http://256.0.0.1", "four numbers"),
            ("http://::1:80", "brackets"),
            ("http://127.0.0.1:80:80", "brackets"),
            ("http://[::1", "brackets"),
            ("http://[::1]80", "brackets"),
            ("http://[::1%25lo]:80", "no IPv6 address"),
            ("http://:80", "name a host"),
            ("http:///a", "name a host"),
            ("http://a b", "no name"),
            ("http://a\\b", "no name"),
            ("http://a,b", "no name"),
            ("http://münchen.test", "xn--"),
            ("http://a/x y", "its path"),
            ("http://a/../b", "its path"),
            ("http://a/%2E%2e/b", "its path"),
            ("http://a/#b", "no fragment"),
            ("http://a#b", "no fragment"),
            ("http://a/?b", "no query"),
            ("http://a?b", "no query"),
            ("wss://a", "begin with http://"),
            ("ws://a", "begin with http://"),
            ("ftp://a", "begin with http://"),
            ("a:80", "begin with http://"),
            ("", "begin with http://"),
        ] {
            let wrong = address(text).unwrap_err();
            assert!(wrong.contains(says), "{text}: {wrong}");
            assert!(!wrong.contains('\n'), "{wrong}");
        }
    }

    #[test]
    fn a_password_is_refused_and_not_printed() {
        for text in [
            "http://me:secret@127.0.0.1:80/a",
            "http://secret@127.0.0.1",
            "http://me:sec/secret@127.0.0.1",
            "http://me:a@secret@127.0.0.1:99999",
            "http://me:a#secret@127.0.0.1",
            "https://me:secret@127.0.0.1",
            "me:secret@127.0.0.1:80",
            "http://127.0.0.1/?token=secret",
            "http://127.0.0.1/#secret",
        ] {
            let wrong = address(text).unwrap_err();
            assert!(!wrong.contains("secret") && wrong.contains("127.0.0.1"), "{wrong}");
        }
        assert!(address("http://me:secret@127.0.0.1").unwrap_err().contains("no password"));
        assert_eq!(redacted("http://a\u{1b}[31m"), "http://a\\u{1b}[31m");
    }

    #[test]
    fn an_address_without_its_scheme_is_recognised() {
        for text in
            ["127.0.0.1:7001", "localhost:80/a", "[::1]:80", "::1", "127.0.0.1", "//a/b", "http:/a", "a:99999", "a:b@c"]
        {
            assert!(lacks_its_scheme(text), "{text}");
        }
        for text in ["mine.toml", "targets/mine.toml", "localhost", "nonsense", "", ":80", "a:b", "./a.toml"] {
            assert!(!lacks_its_scheme(text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_taken_is_what_it_says(host in "([a-z0-9-]{1,4}\\.){0,3}[a-z][a-z0-9-]{0,5}", port in 1_u16.., base in "(/[a-z0-9_~]{1,5}){0,3}") {
            let address = address(&format!("http://{host}:{port}{base}/")).unwrap();
            prop_assert_eq!((address.host(), address.port, address.base.as_str()), (host.as_str(), port, base.as_str()));
        }

        #[test]
        fn no_text_makes_it_panic_or_show_what_stands_before_an_at(text: String) {
            drop(address(&text));
            let printed = redacted(&format!("http://quitesecret@{text}"));
            prop_assert!(!printed.contains("quitesecret"), "{}", printed);
            prop_assert!(!lacks_its_scheme(&text) || !text.is_empty());
        }
    }
}
