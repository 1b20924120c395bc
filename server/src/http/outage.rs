//! `POST /outage/cut` and `POST /outage/hold?seconds=N`: what the live page asks for, where the
//! server lets it. A page of another host may not, even one that may subscribe.

use std::time::Duration;

use http::StatusCode;

use super::head::Head;
use super::origin;
use super::problem::Problem;
use super::response::Response;
use crate::limits;
use crate::publish;
use crate::server::Server;

/// What is to happen to the connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Cut,
    Hold,
}

/// Has it happen. Under the same token as publishing, where there is one.
pub(super) fn strike(server: &Server, head: &Head<'_>, kind: Kind) -> Result<Response, Problem> {
    let outage = server.outage.as_ref().ok_or_else(Problem::not_found)?;
    if !origin::is_own(head) {
        return Err(Problem::new(StatusCode::FORBIDDEN, "outages are asked for by pages of this host alone"));
    }
    publish::authorize(server, head)?;
    match kind {
        Kind::Cut => outage.cut(),
        // Those who are held back must not be taken for those who do not read.
        Kind::Hold => outage.hold(seconds(head.query)?.min(server.config.write_timeout / 2)),
    }
    Ok(Response::bare(StatusCode::NO_CONTENT))
}

fn seconds(query: &str) -> Result<Duration, Problem> {
    let seconds = query.strip_prefix("seconds=").and_then(|digits| digits.parse::<u8>().ok()).map(u64::from);
    seconds
        .map(Duration::from_secs)
        .filter(|time| (Duration::from_secs(1)..=limits::LONGEST_HOLD).contains(time))
        .ok_or_else(|| Problem::bad_request("answers are held back for ?seconds=, 1 to 10"))
}
