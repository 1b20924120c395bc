"""One bound on all memory that the server keeps: the worst inputs that are known, each on a server of its own.

`--memory` is 64 MiB here, and each input would fill several times that. The peak of the process stays below what it
had when it was idle, the bound, and what docs/TRANSPORTS.md says comes on top.
"""

import contextlib
import itertools
import os
import pathlib
import random
import time
import zlib

from wire import (GET, JSON, MIB, NDJSON, POST, SHORT, Connection, amount, ask, attacked, eventually, expect, frame,
                  handshake, healthy, http2, http2_frame, http2_request, publish, request, run, status)

BOUND = 64 * MIB
# What the bound does not count (docs/TRANSPORTS.md, "What bounds the server's memory"): some 10 MiB, and a batch of
# each processor, of 1 MiB and one payload, eight times as long as it was published.
BESIDE = 10 * MIB + len(os.sched_getaffinity(0)) * (MIB + 8 * 64 * 1024)
# The server's own for a message from its first byte, which no flag sets; and what a busy machine may add.
MESSAGE_TIMEOUT_S = 30
MESSAGE_DEADLINE_S = 60
# Of what comes while nothing is asked for, a connection keeps less than this.
AHEAD_KIB = 6

# Each line break is seven bytes on an event stream.
BREAKS = b"[" + b"\n" * 65_000 + b"1]"
PLAIN = b'"' + b"x" * 65_000 + b'"'


def peak(server):
    """The most bytes that the process had at a time."""
    status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))


@contextlib.contextmanager
def bounded(*flags, newcomers=(200,)):
    """A server whose peak must stay within its bound, that answers newcomers meanwhile, and publishes again afterwards."""
    with attacked("--memory", "64MiB", *flags) as server:
        for _ in range(20):
            healthy(server)
        before = peak(server)
        with contextlib.ExitStack() as connections:
            yield server, connections
            # What one kind of thing takes, another does not lack; and timers give it back.
            found = status(server, request("GET", "/healthz"))
            assert found in newcomers, found
        eventually(lambda: publish(server, "afterwards").status == 201, "a publish after the attack")
        grown = peak(server) - before
        assert grown <= BOUND + BESIDE, f"{grown / MIB:.0f} MiB above idle, where the bound is {BOUND / MIB:.0f} MiB"


def fill(server, topics, payload, messages, media=JSON):
    """Publishes to many topics, some at a time; the server may say that it has no room."""
    raws = (request("POST", f"/topics/t{topic}", media, body=payload)
            for topic in range(topics) for _ in range(messages))
    with Connection(server.address, 120) as connection:
        while some := list(itertools.islice(raws, 8)):
            connection.send(*some)
            for _ in some:
                found = connection.answer().status
                assert found in (201, 503), found


def opened(server, connections, count, raws, receive_buffer=None):
    """Connections that send what they send, as far as it is taken, and read nothing."""
    crowd = []
    for number in range(count):
        connection = connections.enter_context(Connection(server.address, 5, receive_buffer))
        with contextlib.suppress(TimeoutError, ConnectionError):
            for raw in raws(number):
                connection.send(raw)
        crowd.append(connection)
    return crowd


def held(connection):
    """The bytes that the server counts, asked for on a connection that stood before the attack."""
    connection.send(request("GET", "/metrics"))
    lines = connection.answer().body.decode().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("pushoff_memory_bytes "))


def settle(server):
    """Until the process neither grows nor shrinks: then nothing of the attack is under way."""
    def is_still():
        first = peak(server)
        time.sleep(0.3)
        return peak(server) == first
    eventually(is_still, "the end of the growth")


def many_topics_that_are_full():
    with bounded() as (server, _):
        fill(server, amount(150, 28), PLAIN, 66)


def many_small_topics():
    with bounded("--max-topics", "1000000") as (server, _):
        fill(server, amount(400_000, 50_000), b'"' + b"x" * 1_000 + b'"', 1)


def very_many_very_short_messages():
    with bounded("--replay", "1000000") as (server, _):
        fill(server, amount(10, 2), b"1\n" * (MIB // 2), amount(4, 2), NDJSON)


def line_breaks_to_readers_that_do_not_read():
    with bounded() as (server, connections):
        fill(server, 1, BREAKS, 64)
        # Each asks for another number, so that none shares what was made for another.
        opened(server, connections, amount(100, 15), lambda number: [
            request("GET", f"/topics/t0/sse?mode=short-polling&after=start&limit={500 + number}")], 4096)
        settle(server)


def line_breaks_to_streams_that_do_not_read():
    with bounded() as (server, connections):
        fill(server, amount(12, 3), BREAKS, 60)
        newest = [ask(server, request("GET", f"/topics/t{topic}/short-polling")).fields["last-event-id"].split("-")
                  for topic in range(amount(12, 3))]
        for topic, (epoch, last) in enumerate(newest):
            # Each begins at another message, and gets no further than that.
            opened(server, connections, 60, lambda number, topic=topic, epoch=epoch, last=int(last): [
                request("GET", f"/topics/t{topic}/sse?after={epoch}-{max(0, last - 1 - number)}")], 4096)
        settle(server)


def batches_of_readers_that_left():
    with bounded() as (server, _):
        for topic in range(amount(50, 12)):
            for _ in range(17):
                ask(server, request("POST", f"/topics/t{topic}", JSON, body=BREAKS))
            with Connection(server.address) as waiting:
                waiting.send(request("GET", f"/topics/t{topic}/long-polling?wait=5"))
                for path in ("short-polling?after=start", "sse?mode=short-polling&after=start"):
                    ask(server, request("GET", f"/topics/t{topic}/{path}"))


def bodies_that_never_end():
    with bounded() as (server, connections):
        batch = request("POST", "/topics/t", NDJSON, body=b"1\n" * (MIB // 2))[:-1]
        opened(server, connections, amount(400, 120), lambda _: [batch])
        settle(server)


def chunked_bodies_that_never_end():
    with bounded() as (server, connections):
        head = request("POST", "/topics/t", NDJSON, "Transfer-Encoding: chunked")
        opened(server, connections, amount(400, 120), lambda _: [head, b"ffffe\r\n" + b"1\n" * (MIB // 2 - 1)])
        settle(server)


def close_among_pongs(connection):
    """The code with which the server closes a connection that sends pongs all the time."""
    end = time.monotonic() + MESSAGE_DEADLINE_S
    connection.socket.settimeout(1)
    while time.monotonic() < end:
        connection.send(frame(10, b""))
        with contextlib.suppress(TimeoutError):
            while (got := connection.frame())[0] != 8:
                pass
            return int.from_bytes(got[1][:2])
    raise AssertionError(f"a message without an end was kept for {MESSAGE_DEADLINE_S} s")


def a_message_without_an_end(server):
    """It is given up in time, whatever comes between."""
    with Connection(server.address) as connection:
        connection.send(handshake("/topics/t/websocket"))
        connection.head()
        begun = time.monotonic()
        connection.send(frame(1, b'"', is_final=False))
        expect(close_among_pongs(connection), 1008)
        took_s = time.monotonic() - begun
        assert took_s > 0.9 * MESSAGE_TIMEOUT_S, f"it was given up after {took_s:.1f} s"


def frames_that_never_end():
    if not SHORT:
        with attacked() as server:
            a_message_without_an_end(server)
    # In the long form there are more connections than 64 MiB have room for.
    with bounded(newcomers=(200, 503)) as (server, connections):
        unfinished = [handshake("/topics/t/websocket"), frame(1, PLAIN[:60_000], is_final=False), frame(0, b"x" * 5_000)[:-1]]
        opened(server, connections, amount(4_000, 1_000), lambda _: unfinished)
        settle(server)


def echoes():
    with bounded("--echo") as (server, connections):
        whole = frame(2, b"x" * (16 * MIB))
        # Half of them never end, the other half is sent back to nobody who reads.
        opened(server, connections, amount(48, 6), lambda number: [
            handshake("/echo"), whole[:-10] if number % 2 else whole], 4096)
        settle(server)


def deflate(parameters=""):
    return f"Sec-WebSocket-Extensions: permessage-deflate{parameters}"


def compressors_of_every_kind():
    with bounded("--compress") as (server, connections):
        before = connections.enter_context(Connection(server.address))
        kinds = [request("GET", f"/topics/t0/{transport}", f"Accept-Encoding: {coding}")
                 for transport in ("sse", "http-streaming") for coding in ("gzip", "br", "zstd")]
        kinds += [handshake("/topics/t0/websocket", deflate(f"; server_max_window_bits={bits}")) for bits in (9, 12, 15)]
        opened(server, connections, amount(900, 180), lambda number: [kinds[number % len(kinds)]], 4096)
        # What is hard to compress fills what a compressor has.
        chance = random.Random(7)
        for _ in range(20):
            fill(server, 1, b'"' + bytes(chance.choices(b"abcdefghijklmnopqrstuvwxyz0123456789", k=60_000)) + b'"', 1)
        settle(server)
        assert held(before) > 16 * MIB * 3 // 4, "the compressors were refused"


def messages_that_inflate_without_end():
    with bounded("--compress", "--echo") as (server, connections):
        def bomb(size):
            compress = zlib.compressobj(9, zlib.DEFLATED, -15)
            return frame(1, compress.compress(b"1" * size) + compress.flush(zlib.Z_SYNC_FLUSH)[:-4], reserved=0x40)
        for path, size, codes in (("/topics/t/websocket", 64 * MIB, {1009}), ("/echo", 256 * MIB, {1009, 1013})):
            raw = bomb(size)
            for _ in range(amount(20, 5)):
                with Connection(server.address) as connection:
                    connection.send(handshake(path, deflate()), raw)
                    connection.until(b"\r\n\r\n")
                    while (got := connection.frame())[0] != 8:
                        pass
                    found = int.from_bytes(got[1][:2])
                    assert found in codes, f"{path}: {found}"
            opened(server, connections, amount(100, 20), lambda _, path=path, raw=raw: [handshake(path, deflate()), raw])
        settle(server)


def streams_of_http2_that_do_not_read():
    with bounded(newcomers=(200, 503)) as (server, connections):
        before = connections.enter_context(Connection(server.address))
        fill(server, 1, PLAIN, 60)
        epoch, last = ask(server, request("GET", "/topics/t0/short-polling")).fields["last-event-id"].split("-")
        # Each stream of a connection begins at another message.
        opened(server, connections, amount(300, 60), lambda _: http2(*(
            http2_request(2 * number + 1, GET, f"/topics/t0/http-streaming?after={epoch}-{max(0, int(last) - 1 - number % 60)}".encode(), 5)
            for number in range(100))), 4096)
        settle(server)
        assert held(before) > 4 * MIB, "the streams were refused"


def bodies_over_http2_that_never_end():
    with bounded(newcomers=(200, 503)) as (server, connections):
        before = connections.enter_context(Connection(server.address))
        json = b"\x0f\x10\x10application/json"
        begun = []
        for number in range(100):
            block = http2_request(2 * number + 1, POST, b"/topics/t", 4)[9:] + json
            begun += [http2_frame(1, 4, 2 * number + 1, block), http2_frame(0, 0, 2 * number + 1, b"1" * 600)]
        opened(server, connections, amount(300, 60), lambda _: http2(*begun))
        settle(server)
        assert held(before) > 4 * MIB, "the bodies were refused"


def what_clients_send_ahead_is_left_with_the_kernel():
    """A connection that waits keeps a few KiB, whatever its client sends meanwhile."""
    for path in ("sse", "http-streaming", "long-polling?wait=60"):
        with bounded() as (server, connections):
            count = amount(2_000, 300)
            waiting = [connections.enter_context(Connection(server.address, 5)) for _ in range(count)]
            for connection in waiting:
                connection.send(request("GET", f"/topics/t/{path}"))
            settle(server)
            before = peak(server)
            for connection in waiting:
                with contextlib.suppress(TimeoutError, ConnectionError):
                    connection.send(b"x" * 60_000)
            settle(server)
            each = (peak(server) - before) / count / 1024
            assert each <= AHEAD_KIB, f"{path}: {each:.1f} KiB more a connection"


def leases_that_are_refused_and_given_back():
    """Each part of a small bound is filled to its limit, by many at once: all of its bytes come back."""
    # A log of one message, so that what is kept is the same after each round.
    with attacked("--memory", "16MiB", "--replay", "1") as server, Connection(server.address) as observer:
        kinds = {
            "heads": (600, [b"GET / HTTP/1.1\r\n"]),
            "streams": (600, [request("GET", "/topics/t/sse")]),
            "HTTP/2": (40, http2(http2_request(1, GET, b"/topics/t/sse", 5))),
            "bodies": (40, [request("POST", "/topics/t", NDJSON, body=b"1\n" * (MIB // 2))[:-1]]),
            "frames": (80, [handshake("/topics/t/websocket"), frame(1, PLAIN, is_final=False)]),
        }
        expect(publish(server, "t").status, 201)
        # The connection of that publish may be counted a moment longer.
        before = min(held(observer) for _ in range(20))
        for _ in range(amount(5, 2)):
            for kind, (count, raws) in kinds.items():
                with contextlib.ExitStack() as connections:
                    crowd = opened(server, connections, count, lambda _, raws=raws: raws, 4096)
                    eventually(lambda crowd=crowd: any(connection.is_told() for connection in crowd), f"the end of room for {kind}")
                eventually(lambda: held(observer) <= before, f"the bytes of {kind}")
                expect(publish(server, "t").status, 201)


def small_publishes_beside_batches_that_do_not_fit():
    """A batch whose messages take more than there is takes nothing from those that fit."""
    with bounded("--replay", "1000000") as (server, connections):
        batch = request("POST", "/topics/t", NDJSON, body=b"1\n" * (MIB // 2))
        large, small = (connections.enter_context(Connection(server.address, 60)) for _ in range(2))
        for _ in range(amount(100, 20)):
            large.send(batch)
            # A body that comes in two parts is kept until it is whole.
            for part in (request("POST", "/topics/t", JSON, "Content-Length: 3"), b'"', b'1"'):
                small.send(part)
            expect(small.answer().status, 201)
            expect(large.answer().status, 503)


run("memory", many_topics_that_are_full, many_small_topics, very_many_very_short_messages,
    line_breaks_to_readers_that_do_not_read, line_breaks_to_streams_that_do_not_read,
    batches_of_readers_that_left, bodies_that_never_end, chunked_bodies_that_never_end, frames_that_never_end, echoes,
    compressors_of_every_kind, messages_that_inflate_without_end,
    streams_of_http2_that_do_not_read, bodies_over_http2_that_never_end,
    what_clients_send_ahead_is_left_with_the_kernel,
    leases_that_are_refused_and_given_back, small_publishes_beside_batches_that_do_not_fit)
