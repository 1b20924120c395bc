//! Turns errors into the failure of a trial.

use std::error::Error;
use std::io;
use std::iter::successors;

use pushoff_model::record::{Failure, FailureKind, Faults};
use rustix::io::Errno;

/// A failure on its way to the outcome.
pub(crate) type Failed = Box<Failure>;

pub(crate) fn failed(kind: FailureKind, reason: impl Into<String>) -> Failed {
    Box::new(Failure { kind, reason: reason.into(), counts: None, faults: Faults::default() })
}

/// A failure with all causes of an error. If the machine was out of a resource, the failure is the machine's, and
/// says which limit to raise.
pub(crate) fn caused(kind: FailureKind, attempted: &str, error: &(dyn Error + 'static)) -> Failed {
    let known = format!("{attempted}: {}", chain(error));
    match exhausted(error) {
        Some(advice) => failed(FailureKind::Machine, format!("{known}; {advice}")),
        None => failed(kind, known),
    }
}

/// How to raise the limit of the machine that an error shows.
fn exhausted(error: &(dyn Error + 'static)) -> Option<&'static str> {
    let causes = successors(Some(error), |&error| error.source());
    let number = causes.filter_map(|error| error.downcast_ref::<io::Error>()?.raw_os_error()).next()?;
    match Errno::from_raw_os_error(number) {
        Errno::MFILE => Some("this process may open no more files: raise its hard limit (ulimit -Hn, LimitNOFILE=)"),
        Errno::NFILE => Some("the system may open no more files: raise fs.file-max"),
        Errno::ADDRNOTAVAIL | Errno::ADDRINUSE => {
            Some("the source address has no more ports: widen net.ipv4.ip_local_port_range, or connect fewer")
        }
        Errno::NOBUFS | Errno::NOMEM => {
            Some("the kernel has no more memory for sockets: raise net.ipv4.tcp_mem, or connect fewer")
        }
        _other => None,
    }
}

/// An error with its causes, as one sentence. A cause that a library repeats in its own text is said once.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !text.ends_with(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clients::ConnectionError;

    fn of(number: Errno) -> Failed {
        let error = ConnectionError::Io(io::Error::from_raw_os_error(number.raw_os_error()));
        caused(FailureKind::Connect, "subscriber 7", &error)
    }

    #[test]
    fn a_limit_of_the_machine_is_named_with_how_to_raise_it() {
        for (number, advice) in [
            (Errno::MFILE, "ulimit -Hn"),
            (Errno::NFILE, "fs.file-max"),
            (Errno::ADDRNOTAVAIL, "net.ipv4.ip_local_port_range"),
            (Errno::NOBUFS, "net.ipv4.tcp_mem"),
        ] {
            let failure = of(number);
            assert_eq!(failure.kind, FailureKind::Machine, "{failure:?}");
            assert!(failure.reason.starts_with("subscriber 7: the socket failed: "), "{failure:?}");
            assert!(failure.reason.contains(advice), "{failure:?}");
        }
    }

    #[test]
    fn a_cause_that_an_error_says_itself_is_said_once() {
        #[derive(Debug, thiserror::Error)]
        #[error("{text}")]
        struct Said {
            text: &'static str,
            #[source]
            cause: Option<Box<Self>>,
        }
        let said = |texts: &[&'static str]| {
            let causes = texts.iter().rev().fold(None, |cause, text| Some(Box::new(Said { text, cause })));
            chain(&*causes.unwrap())
        };
        assert_eq!(said(&["asking", "transport error: refused", "refused"]), "asking: transport error: refused");
        assert_eq!(said(&["a", "a"]), "a");
        assert_eq!(said(&["a", "b", "a"]), "a: b: a");
        assert_eq!(said(&["a", "", "b"]), "a: b");
    }

    #[test]
    fn a_refusal_of_the_server_is_not_the_machines_failure() {
        assert_eq!(of(Errno::CONNREFUSED).kind, FailureKind::Connect);
        assert_eq!(caused(FailureKind::Server, "asking", &ConnectionError::Status(503)).kind, FailureKind::Server);
    }
}
