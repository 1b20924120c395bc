//! HTTP: requests parsed, responses encoded, and the rules about hosts, origins and queries.
//!
//! Every response says `Cache-Control: no-store`; every error is a problem in JSON. The module knows no
//! server state, no publishing, no route and no transport. Sources: RFC 9110, RFC 9112.

pub(crate) mod chunked;
mod encode;
pub(crate) mod head;
mod host;
pub(crate) mod origin;
mod problem;
mod response;

pub(crate) use self::chunked::{ChunkError, Chunkable, Chunks};
pub(crate) use self::encode::{Encoded, Options, http2_response};
pub(crate) use self::head::{BodyLength, Head, Parsed, Version};
pub(crate) use self::host::Hosts;
pub use self::host::{HostName, InvalidHost};
pub(crate) use self::origin::Origin;
pub use self::origin::{AllowedOrigin, InvalidOrigin};
pub(crate) use self::problem::Problem;
pub(crate) use self::response::Response;
