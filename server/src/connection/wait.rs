//! How long a connection waits for its client, and for the server's shutdown.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::time::{Instant, Sleep};
use tokio_util::sync::WaitForCancellationFuture;

use crate::http::Problem;
use crate::state::Server;

/// The event that a connection waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The rest of a request's head; at first also its beginning.
    Head,
    /// Another request.
    Idle,
}

/// The wait for a client. The timer is not set anew for each request: it is compared with the deadline when
/// it fires.
pub(super) struct Wait<'a, 's> {
    pub(super) server: &'s Arc<Server>,
    phase: Phase,
    /// Whether a request came of which there was no room to keep what was read.
    pub(super) is_short: bool,
    /// The deadline, once the connection waits.
    due: Option<Instant>,
    timer: Pin<&'a mut Sleep>,
    closing: Pin<&'a mut WaitForCancellationFuture<'s>>,
}

impl<'a, 's> Wait<'a, 's> {
    /// The wait for a first request, whose head is due when `timer` fires.
    pub(super) fn new(
        server: &'s Arc<Server>,
        timer: Pin<&'a mut Sleep>,
        closing: Pin<&'a mut WaitForCancellationFuture<'s>>,
    ) -> Self {
        Self { server, due: Some(timer.deadline()), phase: Phase::Head, is_short: false, timer, closing }
    }

    /// Notes that a request has arrived.
    pub(super) const fn rest(&mut self) {
        self.phase = Phase::Idle;
        self.due = None;
    }

    /// Waits until the connection is to end; gives the last response, if any. `is_idle` says that no request
    /// has begun.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, is_idle: bool) -> Poll<Option<Problem>> {
        if self.closing.as_mut().poll(cx).is_ready() {
            return Poll::Ready(None);
        }
        if self.phase == Phase::Idle && !is_idle {
            (self.phase, self.due) = (Phase::Head, None);
        }
        let config = &self.server.config;
        let patience = match self.phase {
            Phase::Head => config.head_timeout,
            Phase::Idle => config.keep_alive,
        };
        let due = *self.due.get_or_insert_with(|| Instant::now() + patience);
        if due < self.timer.deadline() {
            self.timer.as_mut().reset(due);
        }
        loop {
            ready!(self.timer.as_mut().poll(cx));
            if self.timer.deadline() >= due {
                break;
            }
            self.timer.as_mut().reset(due);
        }
        Poll::Ready(match self.phase {
            Phase::Head => Some(Problem::late("the head of the request did not come in time")),
            Phase::Idle => None,
        })
    }
}
