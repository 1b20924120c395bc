//! HPACK against the examples of RFC 7541, Appendix C, byte for byte as they stand there.

use super::*;

type Fields = &'static [(&'static str, &'static str)];

/// The requests of C.3 and C.4.
const REQUESTS: [Fields; 3] = [
    &[(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "www.example.com")],
    &[
        (":method", "GET"),
        (":scheme", "http"),
        (":path", "/"),
        (":authority", "www.example.com"),
        ("cache-control", "no-cache"),
    ],
    &[
        (":method", "GET"),
        (":scheme", "https"),
        (":path", "/index.html"),
        (":authority", "www.example.com"),
        ("custom-key", "custom-value"),
    ],
];

/// The responses of C.5 and C.6, with a table of 256 bytes.
const RESPONSES: [Fields; 3] = [
    &[
        (":status", "302"),
        ("cache-control", "private"),
        ("date", "Mon, 21 Oct 2013 20:13:21 GMT"),
        ("location", "https://www.example.com"),
    ],
    &[
        (":status", "307"),
        ("cache-control", "private"),
        ("date", "Mon, 21 Oct 2013 20:13:21 GMT"),
        ("location", "https://www.example.com"),
    ],
    &[
        (":status", "200"),
        ("cache-control", "private"),
        ("date", "Mon, 21 Oct 2013 20:13:22 GMT"),
        ("location", "https://www.example.com"),
        ("content-encoding", "gzip"),
        ("set-cookie", "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1"),
    ],
];

fn fields(all: Fields) -> impl Iterator<Item = (&'static str, &'static [u8])> {
    all.iter().map(|(name, value)| (*name, value.as_bytes()))
}

fn plain(text: &[u8]) -> u64 {
    text.len() as u64
}

fn holds(table_size: u64, text: fn(&[u8]) -> u64, heads: [Fields; 3], written: [(&str, u64); 3]) {
    let mut hpack = Hpack { keeps: Keeps::All, text, ..Hpack::new(table_size) };
    for (head, (bytes, size)) in heads.into_iter().zip(written) {
        let digits = bytes.chars().filter(char::is_ascii_hexdigit).count();
        assert_eq!((hpack.encode(fields(head)), hpack.size), (digits as u64 / 2, size), "{bytes}");
    }
}

#[test]
fn requests_of_appendix_c_3_without_huffman_code() {
    let written = [
        ("8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d", 57),
        ("8286 84be 5808 6e6f 2d63 6163 6865", 110),
        ("8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65", 164),
    ];
    holds(TABLE_SIZE, plain, REQUESTS, written);
}

#[test]
fn requests_of_appendix_c_4_with_huffman_code() {
    let written = [
        ("8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff", 57),
        ("8286 84be 5886 a8eb 1064 9cbf", 110),
        ("8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf", 164),
    ];
    holds(TABLE_SIZE, huffman, REQUESTS, written);
}

#[test]
fn responses_of_appendix_c_5_evict_the_oldest_entries() {
    let written = [
        (
            "4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120 \
             474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
            222,
        ),
        ("4803 3330 37c1 c0bf", 222),
        (
            "88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738 \
             666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 \
             3630 303b 2076 6572 7369 6f6e 3d31",
            215,
        ),
    ];
    holds(256, plain, RESPONSES, written);
}

#[test]
fn responses_of_appendix_c_6_evict_the_same_with_huffman_code() {
    let written = [
        (
            "4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 \
             63c7 8f0b 97c8 e9ae 82ae 43d3",
            222,
        ),
        ("4883 640e ffc1 c0bf", 222),
        (
            "88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 \
             b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07",
            215,
        ),
    ];
    holds(256, huffman, RESPONSES, written);
}

#[test]
fn an_integer_takes_as_many_bytes_as_in_appendix_c_1() {
    assert_eq!([(10, 5), (1_337, 5), (42, 8)].map(|(value, prefix)| integer(value, prefix)), [1, 3, 1]);
    assert_eq!([30, 31, 158, 159].map(|value| integer(value, 5)), [1, 2, 2, 3]);
}

/// The path and a cookie are sent in full each time, what else is the same costs a byte.
#[test]
fn a_warm_table_leaves_a_byte_of_a_field() {
    let head: Fields = &[
        (":method", "GET"),
        (":scheme", "https"),
        (":authority", "example.com"),
        (":path", "/topics/orders/sse"),
        ("accept", "text/event-stream"),
        ("cookie", "session=1"),
    ];
    let mut hpack = Hpack::new(TABLE_SIZE);
    let (cold, warm) = (hpack.encode(fields(head)), hpack.encode(fields(head)));
    let text = |of: &[u8]| string(huffman(of));
    let sent = 1 + text(b"/topics/orders/sse") + 2 + text(b"session=1");
    assert_eq!(warm, 4 + sent);
    assert_eq!(cold, 2 + 1 + text(b"example.com") + 1 + text(b"text/event-stream") + sent);
    assert_eq!(hpack.encode(fields(head)), warm);
}

#[test]
fn a_field_that_would_fill_three_quarters_of_the_table_is_not_kept() {
    let value = [b'0'; 3_072 - 32];
    let mut hpack = Hpack::new(TABLE_SIZE);
    hpack.encode([("x", &value[1..])]);
    assert_eq!(hpack.size, 3_072);
    hpack.encode([("y", &value[..])]);
    assert_eq!(hpack.entries.len(), 1);
    let mut none = Hpack::new(0);
    assert_eq!(none.encode([("x", &b"1"[..])]), none.encode([("x", &b"1"[..])]));
}
