//! Parses the head of an HTTP/1.1 response and the length of its body. Source: RFC 9112.
//!
//! A head whose length two parsers could read differently is refused: the next response would begin in the wrong
//! place.

use std::mem::MaybeUninit;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::body::Body;

/// The longest head that is accepted, interim heads included. Chosen here.
const LONGEST_HEAD: usize = 64 * 1024;
/// The most fields of a head. Chosen here: hyper's limit.
const MOST_FIELDS: usize = 100;

/// Room for the fields of one head.
pub(crate) type FieldRoom<'h> = [MaybeUninit<httparse::Header<'h>>; MOST_FIELDS];

pub(crate) const fn field_room<'h>() -> FieldRoom<'h> {
    [const { MaybeUninit::uninit() }; MOST_FIELDS]
}

/// The head of a response.
pub(crate) struct Head<'h> {
    pub(crate) status: StatusCode,
    /// Its length in bytes, with the interim heads before it.
    pub(crate) length: usize,
    pub(crate) body: Body,
    /// Whether the connection can be used again.
    pub(crate) keeps: bool,
    fields: &'h [httparse::Header<'h>],
}

impl<'h> Head<'h> {
    /// Parses the head at the start of these bytes; `None` until it is complete. Interim responses are skipped (RFC
    /// 9110 §15.2).
    pub(crate) fn parse(bytes: &'h [u8], room: &'h mut FieldRoom<'h>) -> Result<Option<Self>, &'static str> {
        let mut begin = 0;
        while is_interim(&bytes[begin..]) {
            let Some((_, length)) = response(bytes, begin, &mut field_room())? else { return Ok(None) };
            begin += length;
        }
        let Some((response, length)) = response(bytes, begin, room)? else { return Ok(None) };
        let status = response.code.and_then(|code| StatusCode::from_u16(code).ok()).ok_or("its status is none")?;
        let is_http_11 = response.version == Some(1);
        let body = Body::of(status, is_http_11, response.headers)?;
        let keeps = body != Body::UntilClosed && keeps(is_http_11, response.headers);
        Ok(Some(Self { status, length: begin + length, body, keeps, fields: response.headers }))
    }

    /// The text of the first field with that name; `None` for a folded value.
    pub(crate) fn text(&self, name: &HeaderName) -> Option<&str> {
        let field = self.fields.iter().find(|field| field.name.eq_ignore_ascii_case(name.as_str()))?;
        std::str::from_utf8(field.value.trim_ascii()).ok().filter(|text| !text.contains('\n'))
    }

    pub(crate) fn fields(&self) -> HeaderMap {
        let field = |field: &httparse::Header<'_>| {
            Some((HeaderName::from_bytes(field.name.as_bytes()).ok()?, value_of(field.value)?))
        };
        let mut fields = HeaderMap::with_capacity(self.fields.len());
        for (name, value) in self.fields.iter().filter_map(field) {
            fields.append(name, value);
        }
        fields
    }
}

/// Whether an interim response begins here.
fn is_interim(bytes: &[u8]) -> bool {
    let code = bytes.trim_ascii_start().get("HTTP/1.1 ".len().."HTTP/1.1 101".len());
    code.is_some_and(|code| code.starts_with(b"1") && code != b"101")
}

/// Parses the response that begins at `begin`; its length, or `None` until it is complete.
fn response<'r, 'h>(
    bytes: &'h [u8],
    begin: usize,
    room: &'r mut FieldRoom<'h>,
) -> Result<Option<(httparse::Response<'r, 'h>, usize)>, &'static str> {
    let mut response = httparse::Response::new(&mut []);
    let mut parser = httparse::ParserConfig::default();
    parser.allow_obsolete_multiline_headers_in_responses(true);
    let parsed = parser.parse_response_with_uninit_headers(&mut response, &bytes[begin..], room);
    match parsed.map_err(|_error| "its head is not one of HTTP/1.1")? {
        httparse::Status::Complete(length) => Ok(Some((response, length))),
        httparse::Status::Partial if bytes.len() > LONGEST_HEAD => Err("its head is too long"),
        httparse::Status::Partial => Ok(None),
    }
}

/// A field's value on one line: spaces replace the line breaks of a folded value (RFC 9112 §5.2).
fn value_of(bytes: &[u8]) -> Option<HeaderValue> {
    let in_a_line = bytes.trim_ascii().iter().map(|byte| if matches!(byte, b'\r' | b'\n') { b' ' } else { *byte });
    HeaderValue::from_bytes(&in_a_line.collect::<Vec<u8>>()).ok()
}

/// Whether the connection can be used again (RFC 9112 §9.3).
fn keeps(is_http_11: bool, fields: &[httparse::Header<'_>]) -> bool {
    let options = fields.iter().filter(|field| field.name.eq_ignore_ascii_case("connection"));
    let mut options = options.flat_map(|field| field.value.split(|&byte| byte == b',')).map(<[u8]>::trim_ascii);
    if is_http_11 {
        !options.any(|option| option.eq_ignore_ascii_case(b"close"))
    } else {
        options.any(|option| option.eq_ignore_ascii_case(b"keep-alive"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<Option<(u16, usize, bool, Body)>, &'static str> {
        let mut room = field_room();
        let parsed = Head::parse(text.as_bytes(), &mut room)?;
        Ok(parsed.map(|head| (head.status.as_u16(), head.length, head.keeps, head.body)))
    }

    fn answer(fields: &str) -> Result<(bool, Body), &'static str> {
        read(&format!("HTTP/1.1 200 OK\r\n{fields}\r\nrest"))
            .map(|read| read.map(|(_, _, keeps, body)| (keeps, body)).unwrap())
    }

    #[test]
    fn a_head_says_how_far_its_body_goes() {
        assert_eq!(answer("Content-Length: 12\r\n"), Ok((true, Body::Sized(12))));
        assert_eq!(answer("content-length: 0\r\nConnection: Keep-Alive, Close\r\n"), Ok((false, Body::Sized(0))));
        assert_eq!(answer("Transfer-Encoding: Chunked\r\n"), Ok((true, Body::chunked())));
        assert_eq!(answer("X: y\r\n"), Ok((false, Body::UntilClosed)));
        assert_eq!(answer("Content-Length: 3\r\nContent-Length: 3\r\n"), Ok((true, Body::Sized(3))));
        for status in ["204 No Content", "304 Not Modified", "101 Switching Protocols"] {
            let (_, _, keeps, body) =
                read(&format!("HTTP/1.1 {status}\r\nTransfer-Encoding: chunked\r\n\r\n")).unwrap().unwrap();
            assert_eq!((keeps, body), (true, Body::Sized(0)));
        }
    }

    #[test]
    fn an_older_server_keeps_a_connection_only_where_it_says_so() {
        let old =
            |fields: &str| read(&format!("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n{fields}\r\n")).unwrap().unwrap().2;
        assert!(!old("") && old("Connection: keep-alive\r\n"));
    }

    #[test]
    fn an_ambiguous_length_is_refused() {
        for fields in [
            "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
            "Content-Length: 3\r\nContent-Length: 4\r\n",
            "Content-Length: +3\r\n",
            "Content-Length: 3, 3\r\n",
            "Content-Length:\r\n",
            "Content-Length: 99999999999999999999\r\n",
            "Transfer-Encoding: gzip, chunked\r\n",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            "Content-Length : 3\r\n",
        ] {
            assert!(answer(fields).is_err(), "{fields}");
        }
        assert!(read("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").is_err());
        assert!(read("ICY 200 OK\r\n\r\n").is_err());
    }

    #[test]
    fn a_field_that_is_folded_is_read_as_if_it_were_not() {
        let text = b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nTransfer-Encoding:\r\n\tchunked\r\nY: c\r\n\r\n";
        let [x, y] = ["x", "y"].map(HeaderName::from_static);
        let mut room = field_room();
        let head = Head::parse(text, &mut room).unwrap().unwrap();
        let fields = head.fields();
        let folded: Vec<_> = fields[&x].to_str().unwrap().split_whitespace().collect();
        assert_eq!((folded, head.text(&x), head.text(&y)), (vec!["a", "b"], None, Some("c")));
        assert_eq!(head.body, Body::chunked());
    }

    #[test]
    fn interim_responses_are_passed_over_and_a_head_is_bounded() {
        let (early, last) =
            ("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        let both = format!("{early}{last}");
        assert_eq!(read(&both), Ok(Some((200, both.len(), true, Body::Sized(0)))));
        for cut in 0..both.len() {
            assert_eq!(read(&both[..cut]), Ok(None), "{cut}");
        }
        assert!(read(&format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(LONGEST_HEAD))).is_err());
    }

    #[test]
    fn fields_are_found_whatever_their_case() {
        let text = b"HTTP/1.1 200 OK\r\nLAST-EVENT-id: a-1\r\nX: \xff\r\nContent-Length: 0\r\n\r\n";
        let mut room = field_room();
        let head = Head::parse(text, &mut room).unwrap().unwrap();
        let id = head.text(&HeaderName::from_static("last-event-id"));
        assert_eq!((id, head.fields().len()), (Some("a-1"), 3));
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes: Vec<u8>) {
            prop_assert!(!matches!(Head::parse(&bytes, &mut field_room()), Ok(Some(_))), "no response is made of chance");
        }
    }
}
