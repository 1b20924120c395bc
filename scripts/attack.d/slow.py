"""Heads and bodies that never end, in every form: each is given up with 408, and nobody else waits.

A form that is rare is where a server has a second parser, or no timer: 65 fields were enough once.
"""

import concurrent.futures
import time
import typing

from wire import JSON, Connection, attacked, eventually, expect, healthy, kept, processor_s, publish, request, run

HEAD_TIMEOUT_S = 1
# The server's own, which no flag sets; and what a busy machine may add.
BODY_TIMEOUT_S = 30
BODY_DEADLINE_S = 60


def heads():
    """Heads without their last line end, by name."""
    for count in (1, 63, 64, 65, 90, 99, 100):
        fields = b"".join(b"X-%d: y\r\n" % number for number in range(count - 1))
        yield f"{count} fields", b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + fields
        yield f"{count} fields, the last of them cut", b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + fields + b"X: y"
    for name, line, fields in (
        ("a request line", b"GET /healthz HTTP/1.1", b""),
        ("HTTP/1.0", b"GET /healthz HTTP/1.0\r\n", b"Host: localhost\r\n"),
        ("HTTP/1.0 without a field", b"GET /healthz HTTP/1.0\r\n", b""),
        ("absolute-form", b"GET http://localhost/healthz HTTP/1.1\r\n", b"Host: localhost\r\n"),
        ("chunked", b"POST /topics/t HTTP/1.1\r\n", b"Host: localhost\r\nTransfer-Encoding: chunked\r\n"),
        ("Expect", b"POST /topics/t HTTP/1.1\r\n", b"Host: localhost\r\nExpect: 100-continue\r\n"),
        ("a handshake", b"GET /topics/t/websocket HTTP/1.1\r\n", b"Host: localhost\r\nUpgrade: websocket\r\n"),
        ("bare line feeds", b"GET /healthz HTTP/1.1\n", b"Host: localhost\n"),
        ("an empty line first", b"\r\nGET /healthz HTTP/1.1\r\n", b"Host: localhost\r\n"),
        ("one byte", b"G", b""),
        ("a long field", b"GET /healthz HTTP/1.1\r\n", b"X: " + b"y" * 15_000),
    ):
        yield name, line + fields


# What a server may judge by what it has, before the time is over.
JUDGED_AT_ONCE = {"bare line feeds": 400, "an empty line first": 400, "a request line": 400,
                  "100 fields": 431, "100 fields, the last of them cut": 431}


class Slow(typing.NamedTuple):
    """What is sent on one connection and never ends."""

    name: str
    raw: bytes
    # Sent byte by byte after that.
    drip: bytes = b""
    pause_s: float = 0.05
    deadline_s: float = 20
    # Whole requests that are answered before.
    before: bytes = b""


class Given(typing.NamedTuple):
    """What came of it."""

    name: str
    status: object
    after_s: float


def given_up(server, slow):
    """Sends what never ends and waits for the answer."""
    with Connection(server.address, slow.deadline_s) as connection:
        if slow.before:
            connection.send(slow.before)
            expect(connection.answer().status, 200)
        begun = time.monotonic()
        connection.send(slow.raw)
        connection.send_slowly(slow.drip, slow.pause_s)
        try:
            status = connection.answer().status
            connection.to_the_end()
        except TimeoutError:
            status = "nothing"
        except (EOFError, ConnectionError) as error:
            status = f"no answer: {error}"
        return Given(slow.name, status, time.monotonic() - begun)


def together(server, cases):
    """All at once, with a bystander beside them."""
    with concurrent.futures.ThreadPoolExecutor(len(cases)) as pool:
        waiting = [pool.submit(given_up, server, case) for case in cases]
        healthy(server)
        return [done.result() for done in waiting]


def wrong(answers, timeout_s, judged_at_once):
    """What was not given up with 408 when its time was over, nor judged before that."""
    return [f"{given.name}: {given.status} after {given.after_s:.1f} s" for given in answers
            if not (given.status == 408 and given.after_s > 0.9 * timeout_s)
            and judged_at_once.get(given.name) != given.status]


def a_head_that_never_ends_is_given_up_whatever_its_form():
    with attacked("--head-timeout", f"{HEAD_TIMEOUT_S}s") as server:
        answers = together(server, [Slow(name, raw) for name, raw in heads()])
        expect(wrong(answers, HEAD_TIMEOUT_S, JUDGED_AT_ONCE), [])


def a_head_that_comes_byte_by_byte_is_given_up_as_a_whole():
    with attacked("--head-timeout", f"{HEAD_TIMEOUT_S}s") as server:
        answers = together(server, [Slow(name, raw, b"z" * 400) for name, raw in heads()])
        expect(wrong(answers, HEAD_TIMEOUT_S, JUDGED_AT_ONCE), [])


def a_head_behind_an_answered_request_is_given_up_too():
    with attacked("--head-timeout", f"{HEAD_TIMEOUT_S}s") as server:
        answers = together(server, [Slow(name, raw, before=request("GET", "/healthz")) for name, raw in heads()])
        expect(wrong(answers, HEAD_TIMEOUT_S, JUDGED_AT_ONCE), [])


def a_connection_that_begins_with_a_slow_head_does_not_hold_up_the_shutdown():
    with attacked("--head-timeout", "30s", "--grace", "20s") as server:
        connections = [Connection(server.address) for _ in heads()]
        for connection, (_, raw) in zip(connections, heads(), strict=True):
            connection.send(raw)
        healthy(server)
        begun = time.monotonic()
        server.process.terminate()
        expect(server.process.wait(25), 0)
        took_s = time.monotonic() - begun
        assert took_s < 10, f"it took {took_s:.1f} s of a grace of 20 s"


def bodies():
    """Publishes whose body never ends, by name."""
    def post(*fields, version="1.1", target="/topics/slow"):
        return request("POST", target, JSON, *fields, version=version)

    for name, head, begun in (
        ("length", post("Content-Length: 100"), b'"begun'),
        ("length, nothing of it", post("Content-Length: 100"), b""),
        ("HTTP/1.0", post("Content-Length: 100", version="1.0"), b'"begun'),
        ("absolute-form", post("Content-Length: 100", target="http://localhost/topics/slow"), b'"begun'),
        ("chunked, in a chunk", post("Transfer-Encoding: chunked"), b"64\r\n\"begun"),
        ("chunked, in a length", post("Transfer-Encoding: chunked"), b"6"),
        ("chunked, without its last chunk", post("Transfer-Encoding: chunked"), b"1\r\n1\r\n"),
        ("chunked, in its trailer", post("Transfer-Encoding: chunked"), b"1\r\n1\r\n0\r\nX: y"),
        ("chunked, in an extension", post("Transfer-Encoding: chunked"), b"1;" + b"x" * 100),
        ("Expect", post("Content-Length: 100", "Expect: 100-continue"), b""),
        ("Expect, begun", post("Content-Length: 100", "Expect: 100-continue"), b'"begun'),
        ("Expect, chunked", post("Transfer-Encoding: chunked", "Expect: 100-continue"), b"64\r\n"),
        ("65 fields", post("Content-Length: 100", *(f"X-{number}: y" for number in range(62))), b'"begun'),
    ):
        yield Slow(name, head + begun, deadline_s=BODY_DEADLINE_S)
    for name, head, drip in (
        ("length", post("Content-Length: 1000"), b'"' + b"x" * 900),
        ("chunked", post("Transfer-Encoding: chunked"), b"1\r\n1\r\n" * 1000),
        ("trailer", post("Transfer-Encoding: chunked"), b"1\r\n1\r\n0\r\n" + b"X: y\r\n" * 1000),
    ):
        yield Slow(f"{name}, byte by byte", head, drip, 0.1, BODY_DEADLINE_S)


def a_body_that_never_ends_is_given_up_and_publishes_nothing():
    with attacked("--head-timeout", "300s") as server:
        publish(server, "slow", b'"whole"')
        before_s = processor_s(server)
        answers = together(server, list(bodies()))
        judged_at_once = {"chunked, in an extension": 400, "trailer, byte by byte": 400}
        expect(wrong(answers, BODY_TIMEOUT_S, judged_at_once), [])
        expect(kept(server, "slow"), ["whole"])
        assert processor_s(server) - before_s < 10, "waiting for bodies took the processor"
        eventually(lambda: publish(server, "slow").status == 201, "a publish behind them")


run("slow", a_head_that_never_ends_is_given_up_whatever_its_form,
    a_head_that_comes_byte_by_byte_is_given_up_as_a_whole,
    a_head_behind_an_answered_request_is_given_up_too,
    a_connection_that_begins_with_a_slow_head_does_not_hold_up_the_shutdown,
    a_body_that_never_ends_is_given_up_and_publishes_nothing)
