//! The names of this server. A request under any other name is refused.
//!
//! A page of any site can make its own name resolve to this machine (DNS rebinding). For the browser, the
//! server then has the page's origin; only the name in the request tells the attack. Sources: RFC 9110 §7.4 and
//! §15.5.20, RFC 3986 §3.2.2, RFC 6761 §6.3.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use http::StatusCode;

use super::problem::Problem;

/// A name or an address, without a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostName {
    /// In lower case.
    Name(String),
    /// An IPv4-mapped address is stored as IPv4.
    Address(IpAddr),
}

/// The text is no host; says what a host looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a host is a name or an address without scheme and port, e.g. push.example or 192.0.2.1")]
pub struct InvalidHost;

impl FromStr for HostName {
    type Err = InvalidHost;

    fn from_str(text: &str) -> Result<Self, InvalidHost> {
        let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
        let address = match bare {
            Some(text) => text.parse::<Ipv6Addr>().map(IpAddr::V6),
            None => text.parse(),
        };
        match address {
            Ok(address) => Ok(Self::Address(address.to_canonical())),
            Err(_) if bare.is_none() && is_name(text) => Ok(Self::Name(without_dot(text).to_ascii_lowercase())),
            Err(_) => Err(InvalidHost),
        }
    }
}

/// The names of one server.
#[derive(Debug)]
pub(crate) struct Hosts {
    listen: SocketAddr,
    /// The listen address as text, the usual name.
    usual: String,
    allowed: Vec<HostName>,
    /// Ports that are forwarded over a network.
    forwarded: Vec<u16>,
}

impl Hosts {
    pub(crate) fn new(listen: SocketAddr, allowed: Vec<HostName>, forwarded: Vec<u16>) -> Self {
        Self { listen, usual: listen.to_string(), allowed, forwarded }
    }

    /// The live page's authority, if this one has the same host and a port that is forwarded over a network.
    pub(crate) fn page(&self, authority: &str) -> Option<String> {
        let (host, port) = authority.rsplit_once(':')?;
        let port = port.parse().ok()?;
        self.forwarded.contains(&port).then(|| format!("{host}:{}", self.listen.port()))
    }

    /// Checks that an authority, with or without a port, names this server.
    pub(crate) fn check(&self, authority: &str) -> Result<(), Problem> {
        if authority == self.usual {
            return Ok(());
        }
        let host = host(authority).ok_or_else(|| {
            Problem::bad_request("the host that the request names is none: a name or an address, and perhaps a port")
        })?;
        let is_own = match host {
            Host::Name(name) => is_loopback(name) || self.allowed.iter().any(|allowed| allowed.is_name(name)),
            Host::Address(address) => {
                address.is_loopback()
                    || address == self.listen.ip().to_canonical()
                    // A server that listens on all addresses accepts any address: rebinding needs a name.
                    || self.listen.ip().is_unspecified()
                    || self.allowed.contains(&HostName::Address(address))
            }
        };
        if is_own { Ok(()) } else { Err(misdirected(authority)) }
    }
}

impl HostName {
    fn is_name(&self, other: &str) -> bool {
        matches!(self, Self::Name(name) if name.eq_ignore_ascii_case(other))
    }
}

fn misdirected(authority: &str) -> Problem {
    let end = if authority.starts_with('[') { authority.find(']').map(|at| at + 1) } else { authority.find(':') };
    let name = &authority[..end.unwrap_or(authority.len())];
    let detail = format!(
        "this server is not called {name}: start it with --allow-host {name} if it is (this keeps pages of other sites out)"
    );
    Problem::new(StatusCode::MISDIRECTED_REQUEST, detail)
}

enum Host<'a> {
    Name(&'a str),
    Address(IpAddr),
}

/// The host of an authority; `None` where the authority is malformed.
fn host(authority: &str) -> Option<Host<'_>> {
    if let Some(rest) = authority.strip_prefix('[') {
        let (address, port) = rest.split_once(']')?;
        let is_right = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
        return is_right.then(|| address.parse().ok()).flatten().map(|address| canonical(IpAddr::V6(address)));
    }
    let (name, port) = authority.split_once(':').unwrap_or((authority, ""));
    match name.parse().map(IpAddr::V4) {
        _ if !is_port(port) => None,
        Ok(address) => Some(canonical(address)),
        Err(_) => is_name(name).then(|| Host::Name(without_dot(name))),
    }
}

const fn canonical<'a>(address: IpAddr) -> Host<'a> {
    Host::Address(address.to_canonical())
}

/// A port may be empty (RFC 3986 §3.2.3).
fn is_port(text: &str) -> bool {
    text.is_empty() || text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok()
}

/// A DNS name, or a local name with underscores.
fn is_name(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    text.len() <= 254 && without_dot(text).split('.').all(is_label)
}

fn without_dot(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}

/// A name that always means this machine, without DNS.
fn is_loopback(name: &str) -> bool {
    const LOCALHOST: &str = "localhost";
    let (parent, own) = name.split_at_checked(name.len().saturating_sub(LOCALHOST.len())).unwrap_or_default();
    own.eq_ignore_ascii_case(LOCALHOST) && (parent.is_empty() || parent.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(listen: &str, allowed: &[&str], authority: &str) -> u16 {
        let allowed = allowed.iter().map(|host| host.parse().unwrap()).collect();
        let checked = Hosts::new(SocketAddr::new(listen.parse().unwrap(), 8080), allowed, Vec::new()).check(authority);
        checked.map_or_else(|problem| problem.status().as_u16(), |()| 200)
    }

    #[test]
    fn loopback_and_the_listen_address_name_the_server_on_any_port() {
        for own in [
            "localhost",
            "LOCALHOST:8080",
            "localhost.",
            "a.localhost:1",
            "127.0.0.1",
            "127.8.9.1:80",
            "[::1]",
            "[::1]:8080",
            "[::ffff:127.0.0.1]:1",
            "192.0.2.7:80",
            "localhost:",
        ] {
            assert_eq!(status("192.0.2.7", &[], own), 200, "{own}");
        }
    }

    #[test]
    fn any_other_name_is_misdirected_unless_it_is_allowed() {
        for other in [
            "evil.example",
            "evil.example:8080",
            "localhost.evil.example",
            "notlocalhost",
            "127.0.0.1.evil.example",
            "192.0.2.8",
            "0.0.0.0",
            "[::2]:80",
            "[::]",
            "2130706433",
            "0x7f.1",
            "t",
        ] {
            assert_eq!(status("192.0.2.7", &["push.example"], other), 421, "{other}");
        }
        for allowed in ["push.example", "PUSH.example.:8080", "198.51.100.1:80", "[2001:db8::1]"] {
            assert_eq!(status("::1", &["Push.Example", "198.51.100.1", "[2001:db8::1]"], allowed), 200, "{allowed}");
        }
    }

    #[test]
    fn a_server_that_listens_everywhere_accepts_any_address_and_no_other_name() {
        for (host, expected) in [("203.0.113.9:80", 200), ("[2001:db8::9]", 200), ("evil.example", 421)] {
            assert_eq!(status("0.0.0.0", &[], host), expected, "{host}");
            assert_eq!(status("::", &[], host), expected, "{host}");
        }
    }

    #[test]
    fn a_malformed_host_is_a_bad_request() {
        for none in [
            "",
            "exa mple",
            "a@localhost",
            "localhost:80:80",
            "localhost:x",
            "localhost:65536",
            "[::1",
            "::1",
            "[::1]x",
            "[127.0.0.1]",
            "a..b",
            "-é-",
            "http://localhost",
            "localhost/",
            &"a".repeat(300),
        ] {
            assert_eq!(status("127.0.0.1", &[], none), 400, "{none}");
        }
    }

    #[test]
    fn an_allowed_host_has_neither_scheme_nor_port() {
        for wrong in
            ["", "*", "https://push.example", "push.example:80", "[::1]:80", "push example", "a/b", "é.example"]
        {
            assert_eq!(wrong.parse::<HostName>(), Err(InvalidHost), "{wrong}");
        }
        assert_eq!("::1".parse::<HostName>(), "[::1]".parse());
    }
}
