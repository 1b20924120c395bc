//! A WebSocket client down to the frame, so that tests can also send what a library refuses to.
//!
//! Source: RFC 6455 §4 (handshake), §5 (frames), §7 (closing).

use std::io::{self, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};

use crate::client::http::{Connection, Head, Request, Response};

/// The nonce and its answer that RFC 6455 §1.3 works out.
const NONCE: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// First bytes of frames that are whole messages: FIN and the opcode.
pub(crate) const TEXT: u8 = 0x81;
/// A binary message in one frame.
pub(crate) const BINARY: u8 = 0x82;
/// A close frame.
pub(crate) const CLOSE: u8 = 0x88;
/// A ping.
pub(crate) const PING: u8 = 0x89;
/// A pong.
pub(crate) const PONG: u8 = 0x8a;

/// A frame from the server, or the connection's end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    /// A text message.
    Text(String),
    /// A binary message.
    Binary(Vec<u8>),
    /// A ping with its payload.
    Ping(Vec<u8>),
    /// A pong with its payload.
    Pong(Vec<u8>),
    /// A close frame with its code, where it has one.
    Close(Option<u16>),
    /// The connection is closed.
    End,
}

/// An open WebSocket.
pub(crate) struct WebSocket {
    stream: BufReader<TcpStream>,
}

/// A handshake for `target`.
pub(crate) fn handshake(target: &str) -> Request {
    Request::get(target)
        .header("Connection", "Upgrade")
        .header("Upgrade", "websocket")
        .header("Sec-WebSocket-Version", "13")
        .header("Sec-WebSocket-Key", NONCE)
}

impl WebSocket {
    /// Connects and shakes hands.
    pub(crate) fn open(host: SocketAddr, target: &str) -> Self {
        Self::connect(Connection::open(host), &handshake(target))
            .unwrap_or_else(|response| panic!("the handshake was refused: {response:?}"))
            .0
    }

    /// Shakes hands over `connection`, or returns the response that refused it.
    pub(crate) fn connect(mut connection: Connection, handshake: &Request) -> Result<(Self, Head), Response> {
        connection.send(handshake);
        let response = connection.receive();
        if response.status != 101 {
            return Err(response);
        }
        let head = Head::clone(&response);
        assert_eq!(head.header("Sec-WebSocket-Accept").as_deref(), Some(ACCEPT));
        assert!(head.lists("Upgrade", "websocket") && head.lists("Connection", "upgrade"), "{head:?}");
        assert_eq!(head.header("Sec-WebSocket-Extensions"), None, "none was offered");
        Ok((Self { stream: connection.into_stream() }, head))
    }

    /// Connects and offers permessage-deflate with these parameters; gives the server's answer.
    pub(crate) fn offer(host: SocketAddr, target: &str, parameters: &str) -> (Self, Option<String>) {
        let mut connection = Connection::open(host);
        let offer = format!("permessage-deflate{parameters}");
        connection.send(&handshake(target).header("Sec-WebSocket-Extensions", &offer));
        let response = connection.receive();
        assert_eq!(response.status, 101, "{response:?}");
        (Self { stream: connection.into_stream() }, response.header("Sec-WebSocket-Extensions"))
    }

    /// The socket beneath.
    pub(crate) fn socket(&self) -> &TcpStream {
        self.stream.get_ref()
    }

    /// Sends one masked frame whose first byte (FIN, RSV, opcode) is `first`.
    pub(crate) fn send(&mut self, first: u8, payload: impl AsRef<[u8]>) {
        self.send_bytes(&frame(first, payload.as_ref())).unwrap();
    }

    /// Sends bytes as they are.
    ///
    /// # Errors
    /// Where the server has closed already.
    pub(crate) fn send_bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.get_mut().write_all(bytes)
    }

    /// Sends a close frame.
    pub(crate) fn send_close(&mut self, code: u16, reason: &str) {
        let mut payload = code.to_be_bytes().to_vec();
        payload.extend_from_slice(reason.as_bytes());
        self.send(CLOSE, payload);
    }

    /// Reads the next frame as it is, and answers nothing.
    pub(crate) fn receive(&mut self) -> Frame {
        match self.read_frame() {
            Ok(frame) => frame,
            Err(error) if matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset) => Frame::End,
            Err(error) => panic!("waiting for a frame: {error}"),
        }
    }

    /// Reads the next text message, answering pings.
    pub(crate) fn receive_text(&mut self) -> String {
        loop {
            match self.receive() {
                Frame::Text(text) => return text,
                Frame::Ping(payload) => self.send(PONG, payload),
                other @ (Frame::Binary(_) | Frame::Pong(_) | Frame::Close(_) | Frame::End) => {
                    panic!("a text message was due, not {other:?}")
                }
            }
        }
    }

    /// Asserts that the server closes with `code` next and then ends the connection.
    pub(crate) fn assert_closed_with(mut self, code: u16) {
        assert_eq!(self.receive_close(), Some(code));
        // Refused only where the server has closed the socket without waiting for the answer.
        drop(self.send_bytes(&frame(CLOSE, &code.to_be_bytes())));
        assert_eq!(self.receive(), Frame::End);
    }

    /// Skips messages until the close frame and returns its code.
    pub(crate) fn receive_close(&mut self) -> Option<u16> {
        loop {
            match self.receive() {
                Frame::Close(code) => return code,
                Frame::Text(_) | Frame::Binary(_) | Frame::Ping(_) | Frame::Pong(_) => {}
                Frame::End => panic!("the connection ended without a close frame"),
            }
        }
    }

    /// Reads the next frame: its first byte and its payload.
    pub(crate) fn read_bytes(&mut self) -> io::Result<(u8, Vec<u8>)> {
        let mut head = [0; 2];
        self.stream.read_exact(&mut head)?;
        let length = match head[1] {
            126 => u64::from(u16::from_be_bytes(self.read_array()?)),
            127 => u64::from_be_bytes(self.read_array()?),
            short => {
                assert_eq!(short & 0x80, 0, "a server must not mask");
                u64::from(short)
            }
        };
        let mut payload = vec![0; usize::try_from(length).unwrap()];
        self.stream.read_exact(&mut payload)?;
        Ok((head[0], payload))
    }

    fn read_frame(&mut self) -> io::Result<Frame> {
        let (first, payload) = self.read_bytes()?;
        Ok(match first {
            TEXT => Frame::Text(String::from_utf8(payload).unwrap()),
            BINARY => Frame::Binary(payload),
            PING => Frame::Ping(payload),
            PONG => Frame::Pong(payload),
            CLOSE => Frame::Close(payload.first_chunk().map(|code| u16::from_be_bytes(*code))),
            other => panic!("a frame that begins with {other:#04x}"),
        })
    }

    fn read_array<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.stream.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

/// A masked frame whose first byte is `first`.
pub(crate) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match payload.len() {
        short @ 0..=125 => bytes.push(0x80 | u8::try_from(short).unwrap()),
        medium @ 126..=0xffff => {
            bytes.push(0x80 | 126);
            bytes.extend_from_slice(&u16::try_from(medium).unwrap().to_be_bytes());
        }
        long => {
            bytes.push(0x80 | 127);
            bytes.extend_from_slice(&(long as u64).to_be_bytes());
        }
    }
    bytes.extend_from_slice(&MASK);
    bytes.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}
