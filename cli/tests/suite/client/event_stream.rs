//! An event stream as `EventSource` reads it.
//!
//! Source: WHATWG HTML §9.2.6, "Interpreting an event stream".

use std::io::BufRead;

/// What one block of an event stream said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Block {
    /// The last `id` field.
    pub(crate) id: Option<String>,
    /// The `event` field.
    pub(crate) event: Option<String>,
    /// The `data` lines, joined with LF. Without any, no event is dispatched.
    pub(crate) data: Option<String>,
    /// The `retry` field, milliseconds.
    pub(crate) retry: Option<u64>,
}

/// One thing read from an event stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    /// Fields up to a blank line.
    Block(Block),
    /// A line that begins with a colon.
    Comment,
}

/// Reads the next block or comment; `None` at the stream's proper end.
///
/// A CR alone would end a line too. The server ends its lines with LF and must not let one
/// through inside a field, so a CR met here is a failure.
pub(crate) fn next_item(stream: &mut impl BufRead) -> Option<Item> {
    let mut block = Block::default();
    let mut blank_lines = 0;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).unwrap_or_else(|error| panic!("reading an event stream: {error}")) == 0 {
            assert_eq!(block, Block::default(), "the stream ended inside an event");
            return None;
        }
        let line = line.strip_suffix('\n').unwrap_or_else(|| panic!("the stream ended inside {line:?}"));
        assert!(!line.contains('\r'), "a CR splits a field: {line:?}");
        if line.is_empty() {
            // One blank line may end a comment that was read before; more would end nothing.
            if block == Block::default() {
                blank_lines += 1;
                assert_eq!(blank_lines, 1, "a blank line that ends nothing");
                continue;
            }
            return Some(Item::Block(block));
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "" => return Some(Item::Comment),
            "id" => block.id = Some(value.to_owned()),
            "event" => block.event = Some(value.to_owned()),
            "retry" => block.retry = Some(value.parse().unwrap()),
            "data" => match &mut block.data {
                Some(data) => {
                    data.push('\n');
                    data.push_str(value);
                }
                None => block.data = Some(value.to_owned()),
            },
            other => panic!("an unknown field {other:?} in {line:?}"),
        }
    }
}
