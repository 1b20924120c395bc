//! Reads a body that is not to be longer than so many bytes.

use bytes::Bytes;

/// Reads the body to its end, so that the connection can be used again; `None` where it is longer than `longest`.
pub(crate) async fn bounded_body(response: &mut reqwest::Response, longest: usize) -> reqwest::Result<Option<Bytes>> {
    let Some(first) = response.chunk().await? else { return Ok(Some(Bytes::new())) };
    let Some(second) = response.chunk().await? else { return Ok(Some(first).filter(|first| first.len() <= longest)) };
    let mut body = [first, second].concat();
    while body.len() <= longest {
        let Some(chunk) = response.chunk().await? else { return Ok(Some(body.into())) };
        body.extend_from_slice(&chunk);
    }
    Ok(None)
}
