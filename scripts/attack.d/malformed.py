"""Malformed inputs by the ten thousand, through every parser, beside subscribers whose ledgers must balance.

What is right is taken, cut, doubled, written over and put together again, by a seeded generator: the seed is
printed, and PUSHOFF_SEED repeats a run.
"""

import os
import random
import re
import select
import time

from subscribers import TRANSPORTS, Ledger, Publisher
from wire import (JSON, NDJSON, Connection, amount, attacked, chunked, expect, frame, handshake, healthy, publish, request,
                  run)

INPUTS = amount(100_000, 2_000)
AT_A_TIME = 200
# What a client may be told that made a mistake; 5xx beside these are the server's own.
NOT_THE_SERVERS = {501, 503, 505}

# What a parser gives a meaning to.
PIECES = [b"\r\n", b"\n", b"\r", b"\0", b" ", b"\t", b":", b",", b";", b"%", b"%00", b"?", b"#", b"\xff", b"\xc3", b"-1",
          b"0", b"99999999999999999999", b"0x10", b"Host: localhost\r\n", b"Content-Length: 3\r\n", b"{", b"}", b'"', b"\\u",
          b"Transfer-Encoding: chunked\r\n", b"Connection: close\r\n", b"Expect: 100-continue\r\n", b"HTTP/1.1", b"HTTP/2.0",
          b"\x81\xfe\xff\xff", b"\x88\x80\0\0\0\0", b"\x7f\xff\xff\xff\xff\xff\xff\xff", b"5f3a9c21-1", b"start", b"[" * 40]


def generator():
    """Draws anew in each run, unless told to repeat one."""
    seed = int(os.environ.get("PUSHOFF_SEED") or random.SystemRandom().randrange(1 << 32))
    print(f"  PUSHOFF_SEED={seed}", flush=True)
    return random.Random(seed)


def right_heads(draw):
    number = draw.randrange(4)
    path = draw.choice(["short-polling?after=start", "long-polling?wait=0", "sse", "http-streaming?after=5f3a9c21-1",
                        "websocket?subscribe=false"])
    return draw.choice([
        request("GET", f"/topics/garbage-{number}/{path}", "Last-Event-ID: 5f3a9c21-3"),
        request("HEAD", "/healthz"), request("OPTIONS", "/topics/garbage"), request("DELETE", "/topics/garbage-9"),
        request("GET", "/", "Accept-Encoding: gzip", "User-Agent: x"), request("GET", "http://localhost/metrics"),
    ])


def right_bodies(draw):
    body = draw.choice([b"1", b'{"a":[1,2.5e3,"\\u00e9",null]}', b'"\xc3\xa9"', b"1\n2\n\n{}\n", b"1\r\n[\n"])
    post = draw.choice([request, chunked])
    return post("POST", f"/topics/garbage-{draw.randrange(4)}", draw.choice([JSON, NDJSON]), body=body)


def right_frames(draw):
    frames = [frame(draw.choice([1, 1, 1, 2, 8, 9, 10, 0, 3, 11]), draw.choice([b"1", b'{"a":1}', b"\x03\xe8bye", b"", b"x" * 200]),
                    is_final=draw.random() < 0.8, mask=draw.choice([b"\1\2\3\4"] * 9 + [None]),
                    reserved=draw.choice([0] * 9 + [0x40])) for _ in range(draw.randrange(1, 5))]
    return b"".join(frames)


def right_raw_heads(draw):
    return b"SUBSCRIBE garbage-%d %b\n" % (draw.randrange(4), draw.choice([b"", b"start", b"5f3a9c21-42"]))


def spoilt(draw, right):
    """The same with some of it left out, doubled or written over."""
    found = bytearray(right)
    for _ in range(draw.randrange(1, 5)):
        at = draw.randrange(len(found) + 1)
        end = min(len(found), at + draw.choice([0, 1, 1, 2, 5, 30]))
        piece = draw.choice([draw.choice(PIECES), draw.randbytes(draw.randrange(1, 5)), bytes(found[at:end]) * 2])
        found[at:end] = piece
    return bytes(found[:draw.randrange(len(found) + 1)] if draw.random() < 0.2 else found)


def inputs(server, draw):
    """Where an input goes, and what is sent there."""
    make = draw.choice([right_heads, right_bodies, right_frames, right_raw_heads])
    found = spoilt(draw, make(draw))
    if make is right_raw_heads:
        return server.raw_tcp, found
    if make is right_frames:
        path = draw.choice(["/topics/garbage-0/websocket", "/topics/garbage-1/websocket?subscribe=false", "/echo"])
        return server.address, handshake(path) + found
    return server.address, found


def throw(server, thrown):
    """Throws some inputs, each at a connection of its own, and returns those that the server answered badly."""
    connections = {}
    for address, raw in thrown:
        connection = Connection(address)
        try:
            connection.send(raw)
            if len(connections) % 2:
                connection.half_close()
        except OSError:
            pass  # It had heard enough.
        connections[connection.socket] = (connection, raw, bytearray())
    # What was answered is read, and what waits for more is left: nothing is waited for but the slowest answer.
    end, open_still = time.monotonic() + 0.2, set(connections)
    while open_still and time.monotonic() < end:
        for ready in select.select(list(open_still), [], [], 0.05)[0]:
            try:
                read = ready.recv(1 << 16)
            except OSError:
                read = b""
            connections[ready][2].extend(read)
            if not read:
                open_still.discard(ready)
    bad = []
    for connection, raw, answer in connections.values():
        connection.socket.close()
        statuses = {int(status) for status in re.findall(rb"(?:^|\r\n\r\n)HTTP/1\.[01] ([0-9]{3}) ", bytes(answer))}
        if any(status >= 500 and status not in NOT_THE_SERVERS for status in statuses):
            bad.append((raw, bytes(answer[:200])))
    return bad


def the_ledgers_of_healthy_subscribers_balance_beside_malformed_inputs():
    draw = generator()
    with attacked("--echo", "--replay", "1000000") as server:
        ledgers = [Ledger(server, "ledger", transport) for transport in TRANSPORTS]
        publisher = Publisher(server, "ledger", pause_s=0.01)
        for _ in range(INPUTS // AT_A_TIME):
            expect(throw(server, [inputs(server, draw) for _ in range(AT_A_TIME)]), [])
        published = publisher.stop()
        assert len(published) > INPUTS // AT_A_TIME, f"only {len(published)} messages were published meanwhile"
        for ledger in ledgers:
            ledger.balance(published)
        healthy(server)


def no_malformed_batch_is_published_in_part():
    """All or none: a marker stands first and last in each batch, and both are there or neither is."""
    draw, taken = generator(), 0
    with attacked("--replay", "1000000") as server:
        publish(server, "batches", b"0")
        for number in range(1, amount(2_000, 200)):
            middle = spoilt(draw, b'{"a":1}\n2\n"x"\n').replace(b"\r", b"").replace(b"first", b"").replace(b"last", b"")
            body = b'"first %d"\n%b\n"last %d"\n' % (number, middle, number)
            with Connection(server.address) as connection:
                connection.send(request("POST", "/topics/batches", NDJSON, body=body))
                status = connection.answer().status
                assert status in (201, 400), status
                taken += status == 201
        found = []
        with Connection(server.address) as connection:
            after = "start"
            while True:
                connection.send(request("GET", f"/topics/batches/short-polling?after={after}"))
                answer = connection.answer()
                if answer.status == 204:
                    break
                found += re.findall(rb'"(first|last) ([0-9]+)"', answer.body)
                after = answer.fields["last-event-id"]
        expect(found[::2], [(b"first", number) for _, number in found[1::2]])
        expect(found[1::2], [(b"last", number) for _, number in found[::2]])
        expect(len(found), 2 * taken)


run("malformed", the_ledgers_of_healthy_subscribers_balance_beside_malformed_inputs,
    no_malformed_batch_is_published_in_part)
