//! The page at `/`: what the server is, what it offers, and a place to try it.
//!
//! One file without outside resources, under a policy that lets it load nothing and run only what
//! it came with.

use http::HeaderValue;
use http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};

use super::response::Response;

const PAGE: &str = include_str!("page.html");

/// Where the page wants the number that its style and script must name to be let run.
const NONCE: &str = "NONCE";

/// The page, with a number of its own.
pub(super) fn response() -> Response {
    let nonce = format!("{:032x}", rand::random::<u128>());
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    let response = super::text("text/html; charset=utf-8", PAGE.replace(NONCE, &nonce))
        .with(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"))
        .with(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    // A policy is letters: always a field value.
    let policy = HeaderValue::try_from(policy).unwrap_or_else(|_| HeaderValue::from_static("default-src 'none'"));
    response.with(CONTENT_SECURITY_POLICY, policy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_allows_the_pages_own_style_and_script_and_nothing_from_elsewhere() {
        assert_eq!(
            PAGE.matches("nonce=\"NONCE\"").count(),
            PAGE.matches("<script").count() + PAGE.matches("<style").count()
        );
        assert_eq!(PAGE.matches(NONCE).count(), PAGE.matches("nonce=\"NONCE\"").count());
        for outside in ["http://", "https://", " style=", " onclick="] {
            assert!(!PAGE.contains(outside), "{outside}");
        }
        let response = response();
        let (_, policy) = response.fields.iter().find(|(name, _)| *name == CONTENT_SECURITY_POLICY).unwrap();
        assert!(policy.to_str().unwrap().starts_with("default-src 'none'; script-src 'nonce-"));
    }
}
