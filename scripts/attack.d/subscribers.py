"""Well-behaved subscribers, one on each transport, and the ledgers of what they were told.

They read what the wire contract says and nothing else, so that whatever is wrong in a ledger is the server's doing.
"""

import contextlib
import json
import struct
import threading
import time

from wire import DEADLINE_S, Connection, expect, handshake, request

TRANSPORTS = ["short-polling", "long-polling", "http-streaming", "sse", "websocket", "raw-tcp"]


class Ledger(threading.Thread):
    """Subscribes in a thread of its own and notes every message and every missed notice, until the server ends."""

    def __init__(self, server, topic, transport, after="start"):
        super().__init__(daemon=True)
        self.server, self.topic, self.transport, self.after = server, topic, transport, after
        self.messages, self.missed, self.failure = [], [], None
        self.news = threading.Condition()
        self.start()

    def run(self):
        try:
            for event in READERS[self.transport](self):
                with self.news:
                    self.enter(event)
                    self.news.notify_all()
        except (OSError, EOFError):
            pass  # The server is gone.
        except Exception as failure:  # Whatever it is: the check reads it.
            with self.news:
                self.failure = failure
                self.news.notify_all()

    def enter(self, event):
        if "missed" in event:
            self.missed.append(event)
        elif "data" in event:
            self.messages.append(event)

    def wait(self, holds, what, deadline_s=4 * DEADLINE_S):
        """Waits until the ledger is as it should be."""
        with self.news:
            done = self.news.wait_for(lambda: self.failure or holds(self), deadline_s)
        assert done, f"{self.transport}: {what} was not to come: {len(self.messages)} messages, missed {self.missed}"
        assert not self.failure, f"{self.transport}: {self.failure!r}"

    def balance(self, published, deadline_s=4 * DEADLINE_S):
        """Every message came once and in order, and nothing was missed. `published` are pairs of cursor and data."""
        self.wait(lambda ledger: len(ledger.messages) >= len(published), f"message {len(published)}", deadline_s)
        expect((self.transport, self.missed), (self.transport, []))
        found = [(message["id"], message["data"]) for message in self.messages]
        for place, (one, other) in enumerate(zip(found, published, strict=True)):
            assert one == other, f"{self.transport}: message {place + 1} is {one}, and {other} was published"

    def path(self, **query):
        query = {"after": self.after, **query}
        return f"/topics/{self.topic}/{self.transport}?" + "&".join(f"{name}={value}" for name, value in query.items())


def polls(ledger, pause_s=0.0, **query):
    with Connection(ledger.server.address) as connection:
        while True:
            connection.send(request("GET", ledger.path(**query)))
            answer = connection.answer()
            assert answer.status in (200, 204), answer
            yield from map(json.loads, answer.body.splitlines())
            ledger.after = answer.fields["last-event-id"]
            time.sleep(pause_s)


def short_polling(ledger):
    # Nothing wakes a short poll: that is what it is.
    return polls(ledger, pause_s=0.02)


def long_polling(ledger):
    return polls(ledger, wait=5)


def lines(ledger):
    """The lines of a response that does not end."""
    with Connection(ledger.server.address, 60) as connection:
        connection.send(request("GET", ledger.path()))
        status, fields, _ = connection.head()
        expect(status, 200)
        rest = b""
        for piece in connection.pieces(fields):
            *whole, rest = (rest + piece).split(b"\n")
            yield from whole


def http_streaming(ledger):
    for line in lines(ledger):
        if line:
            yield json.loads(line)


def sse(ledger):
    event, fields = [], {}
    for line in lines(ledger):
        name, _, value = line.decode().partition(": ")
        if name == "data":
            event.append(value)
        elif line:
            fields[name] = value
        else:
            if event and fields.get("event") == "missed":
                yield {"missed": json.loads(event[0]), "id": fields.get("id")}
            elif event:
                yield {"id": fields["id"], "data": json.loads("\n".join(event))}
            event, fields = [], {}


def websocket(ledger):
    with Connection(ledger.server.address, 60) as connection:
        connection.send(handshake(ledger.path()))
        expect(connection.head().status, 101)
        while True:
            opcode, payload = connection.frame()
            if opcode == 8:
                return
            if opcode == 1:
                yield json.loads(payload)


def raw_tcp(ledger):
    with Connection(ledger.server.raw_tcp, 60) as connection:
        connection.send(f"SUBSCRIBE {ledger.topic} {ledger.after}\n".encode())
        while True:
            length = struct.unpack(">I", connection.exactly(4))[0]
            yield json.loads(connection.exactly(length))


READERS = dict(zip(TRANSPORTS, [short_polling, long_polling, http_streaming, sse, websocket, raw_tcp], strict=True))


class Publisher(threading.Thread):
    """Publishes numbers one after the other, and notes those that were acknowledged with their cursors."""

    def __init__(self, server, topic, pause_s=0.0):
        super().__init__(daemon=True)
        self.server, self.topic, self.pause_s = server, topic, pause_s
        self.published, self.failure, self.ending = [], None, threading.Event()
        self.start()

    def run(self):
        with contextlib.suppress(OSError, EOFError), Connection(self.server.address) as connection:
            while not self.ending.is_set():
                number = len(self.published) + 1
                connection.send(request("POST", f"/topics/{self.topic}", "Content-Type: application/json",
                                        body=str(number).encode()))
                answer = connection.answer()
                if answer.status != 201:
                    self.failure = answer
                    return
                self.published.append((json.loads(answer.body)["id"], number))
                time.sleep(self.pause_s)

    def stop(self):
        """All that was published."""
        self.ending.set()
        self.join(4 * DEADLINE_S)
        assert not self.failure and not self.is_alive(), f"a healthy publisher was answered {self.failure}"
        return self.published
