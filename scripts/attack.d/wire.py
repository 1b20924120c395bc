"""What the attacks share: raw requests, answers that are read strictly, frames, and what a process uses.

Plain sockets and the standard library: a library would not send most of this. The server, `expect` and
`run` are those of scripts/interop.d/pushoff.py.
"""

import contextlib
import json
import os
import pathlib
import select
import socket
import struct
import sys
import tempfile
import time
import typing

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "interop.d"))

from pushoff import DEADLINE_S, Server, expect, run, serve  # noqa: E402  (the path is set above)

__all__ = ["DEADLINE_S", "Server", "expect", "run", "serve"]

SHORT = os.environ.get("PUSHOFF_ATTACK") == "short"
JSON = "Content-Type: application/json"
NDJSON = "Content-Type: application/x-ndjson"
MIB = 1 << 20


def amount(whole, short):
    """How much of something: less in the short form."""
    return short if SHORT else whole


@contextlib.contextmanager
def attacked(*flags, **options):
    """A server that must live through the block, and never panic."""
    with tempfile.TemporaryFile("w+") as errors, serve(*flags, stderr=errors, **options) as server:
        yield server
        ended = server.process.poll()
        errors.seek(0)
        said = errors.read()
        assert "panicked" not in said, said
        assert ended in (None, 0), f"the server ended with {ended}: {said}"


class Answer(typing.NamedTuple):
    """A response, read to its end."""

    status: int
    fields: dict
    body: bytes = b""


class Connection:
    """One TCP connection; what comes back is read strictly by RFC 9112."""

    def __init__(self, address, deadline_s=DEADLINE_S, receive_buffer=None):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(deadline_s)
        self.socket.connect(address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.read_ahead = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, *pieces):
        self.socket.sendall(b"".join(pieces))

    def send_slowly(self, data, pause_s):
        """A byte at a time, until all is sent or something comes back."""
        for at in range(len(data)):
            if select.select([self.socket], [], [], pause_s)[0]:
                return
            self.socket.sendall(data[at:at + 1])

    def half_close(self):
        self.socket.shutdown(socket.SHUT_WR)

    def fill(self):
        read = self.socket.recv(1 << 16)
        if not read:
            raise EOFError(f"the connection ended after {self.read_ahead[:80]!r}")
        self.read_ahead += read

    def until(self, separator):
        while separator not in self.read_ahead:
            self.fill()
        found, self.read_ahead = self.read_ahead.split(separator, 1)
        return found

    def exactly(self, length):
        while len(self.read_ahead) < length:
            self.fill()
        found, self.read_ahead = self.read_ahead[:length], self.read_ahead[length:]
        return found

    def to_the_end(self):
        """All that still comes, a reset counting as the end."""
        with contextlib.suppress(EOFError, ConnectionError):
            while True:
                self.fill()
        found, self.read_ahead = self.read_ahead, b""
        return found

    def head(self):
        while True:
            line, *fields = self.until(b"\r\n\r\n").split(b"\r\n")
            version, status = line.split(b" ")[:2]
            assert version in (b"HTTP/1.1", b"HTTP/1.0"), line
            if status != b"100":
                pairs = (field.decode("latin-1").split(":", 1) for field in fields)
                return Answer(int(status), {name.strip().lower(): value.strip() for name, value in pairs})

    def answer(self, is_head=False):
        status, fields, _ = self.head()
        if is_head or status in (204, 304, 101):
            return Answer(status, fields)
        return Answer(status, fields, b"".join(self.pieces(fields)))

    def pieces(self, fields):
        """The body that follows a head, as it comes."""
        if fields.get("transfer-encoding") == "chunked":
            while length := int(self.until(b"\r\n"), 16):
                yield self.exactly(length)
                expect(self.exactly(2), b"\r\n")
            expect(self.exactly(2), b"\r\n")
        elif "content-length" in fields:
            yield self.exactly(int(fields["content-length"]))
        else:
            yield self.to_the_end()

    def is_told(self):
        """Whether the server says by now that it has no room, as HTTP/1.1, HTTP/2 (ENHANCE_YOUR_CALM) or WebSocket (1013)."""
        self.socket.settimeout(0)
        with contextlib.suppress(EOFError, OSError):
            while True:
                self.fill()
        calm = http2_frame(7, 0, 0, bytes(7) + b"\x0b")
        return any(told in self.read_ahead for told in (b" 503 ", calm, (1013).to_bytes(2, "big")))

    def http2_frame(self):
        """The next HTTP/2 frame: its kind, its flags and its stream."""
        head = self.exactly(9)
        self.exactly(int.from_bytes(head[:3]))
        return head[3], head[4], int.from_bytes(head[5:])

    def frame(self):
        """The next WebSocket frame: its opcode and its payload."""
        first, length = self.exactly(2)
        if length == 126:
            length = struct.unpack(">H", self.exactly(2))[0]
        elif length == 127:
            length = struct.unpack(">Q", self.exactly(8))[0]
        return first & 15, self.exactly(length)


def request(method, target, *fields, body=None, host="localhost", version="1.1", end="\r\n"):
    """The bytes of a request, right or wrong."""
    lines = [f"{method} {target} HTTP/{version}", *([f"Host: {host}"] if host is not None else []), *fields]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return (end.join(lines) + end + end).encode("latin-1") + (body or b"")


def chunked(method, target, *fields, body, **options):
    """The same, with the body in one chunk."""
    head = request(method, target, "Transfer-Encoding: chunked", *fields, **options)
    return head + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)


def ask(server, raw, is_head=False):
    """Sends one request on a connection of its own."""
    with Connection(server.address) as connection:
        connection.send(raw)
        return connection.answer(is_head)


def status(server, raw):
    """The status alone: what should be refused may be a stream that never ends."""
    with Connection(server.address) as connection:
        connection.send(raw)
        return connection.head().status


def publish(server, topic, payload=b"1", *fields):
    return ask(server, request("POST", f"/topics/{topic}", JSON, *fields, body=payload))


def kept(server, topic):
    """The payloads that a topic keeps."""
    body = ask(server, request("GET", f"/topics/{topic}/short-polling?after=start")).body
    return [json.loads(line)["data"] for line in body.splitlines()]


def healthy(server):
    """A bystander on a new connection is served."""
    expect(ask(server, request("GET", "/healthz")).status, 200)


def handshake(path, *fields, **options):
    return request("GET", path, "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
                   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", *fields, **options)


def frame(opcode, payload, is_final=True, mask=b"\1\2\3\4", reserved=0):
    """A frame as a client sends it; without a mask, as it may not."""
    first = (0x80 if is_final else 0) | reserved | opcode
    masked = 0x80 if mask is not None else 0
    if len(payload) < 126:
        head = struct.pack(">BB", first, masked | len(payload))
    elif len(payload) < 1 << 16:
        head = struct.pack(">BBH", first, masked | 126, len(payload))
    else:
        head = struct.pack(">BBQ", first, masked | 127, len(payload))
    if mask is None:
        return head + payload
    key = int.from_bytes((mask * (len(payload) // 4 + 1))[:len(payload)])
    return head + mask + (int.from_bytes(payload) ^ key).to_bytes(len(payload))


def metrics(server):
    text = ask(server, request("GET", "/metrics")).body.decode()
    pairs = (line.rsplit(" ", 1) for line in text.splitlines() if line and not line.startswith("#"))
    return {name: float(value) for name, value in pairs}


def resident(server):
    """Bytes of memory that the server's process has."""
    status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS"))


def processor_s(server):
    """Seconds of processor time that the server's process has used."""
    used = pathlib.Path(f"/proc/{server.process.pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(used[11]) + int(used[12])) / os.sysconf("SC_CLK_TCK")


def eventually(holds, what, deadline_s=DEADLINE_S):
    """Waits until something holds and returns it."""
    end = time.monotonic() + deadline_s
    while not (found := holds()):
        assert time.monotonic() < end, f"waited {deadline_s} s for {what}"
        time.sleep(0.02)
    return found


GET, POST = 0x82, 0x83
# Kinds of frames.
DATA, HEADERS, RST_STREAM = 0, 1, 3


def http2_frame(kind, flags, stream, payload):
    """RFC 9113, section 4.1."""
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def http2(*requests):
    """A connection that opens all windows as wide as they go, and then asks."""
    widest = (4).to_bytes(2, "big") + (2**31 - 1).to_bytes(4, "big")
    return [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + http2_frame(4, 0, 0, widest)
            + http2_frame(8, 0, 0, (2**30).to_bytes(4, "big")) + b"".join(requests)]


def http2_request(stream, method, path, flags):
    """HPACK without Huffman: a method of the static table, http, a path and an authority."""
    fields = [bytes([method, 0x86]), b"\x04", bytes([len(path)]), path, b"\x01\x09localhost"]
    return http2_frame(1, flags, stream, b"".join(fields))
