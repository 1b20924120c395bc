//! Why a trial has no measurement, from what went wrong.

use std::error::Error;

use pushoff_model::record::{Failure, FailureKind};

/// A failure on its way to the outcome.
pub(crate) type Failed = Box<Failure>;

/// A failure in one sentence.
pub(crate) fn failed(kind: FailureKind, reason: impl Into<String>) -> Failed {
    Box::new(Failure { kind, reason: reason.into(), counts: None })
}

/// A failure with everything that its error knows.
pub(crate) fn caused(kind: FailureKind, attempted: &str, error: &(dyn Error + 'static)) -> Failed {
    failed(kind, format!("{attempted}: {}", chain(error)))
}

/// An error with its causes, as one sentence.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
