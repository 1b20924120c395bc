//! HTTP/1.1: requests parsed, responses encoded, and the rules about hosts, origins and queries.
//!
//! Every response says `Cache-Control: no-store`; every error is a problem in JSON. The module knows no
//! server state, no publishing, no route and no transport. Sources: RFC 9110, RFC 9112.

pub(crate) mod chunked;
pub(crate) mod encode;
pub(crate) mod head;
pub(crate) mod host;
pub(crate) mod origin;
pub(crate) mod problem;
pub(crate) mod query;
pub(crate) mod response;
