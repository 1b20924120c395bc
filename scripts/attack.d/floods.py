"""Floods of connections that say nothing or half a thing: others are served, and who is turned away is told so."""

import contextlib
import os
import time

from wire import (DATA, GET, HEADERS, MIB, RST_STREAM, Connection, amount, ask, attacked, eventually, expect, frame,
                  handshake, healthy, http2, http2_request, publish, request, resident, run)

MANY = amount(5_000, 500)
# What a server has room for in the checks of the limit.
ROOM = 40
# All of these are told within the second in which they come (docs/TRANSPORTS.md).
REFUSED_AT_ONCE = amount(800, 200)


def silent(_):
    return b""


def half_a_head(number):
    return b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-%d: y" % number


def half_an_old_head(number):
    return b"GET /healthz HTTP/1.0\r\nHost: localhost\r\nX-%d: y" % number


def half_a_frame(number):
    return handshake(f"/topics/flood-{number % 7}/websocket") + frame(1, b"1" * 60)[:20]


def a_stream(number):
    return request("GET", f"/topics/flood-{number % 7}/sse")


def flood(server, opening):
    """Opens many connections, each with its opening, and has a bystander served all the while."""
    connections = []
    try:
        for number in range(MANY):
            connection = Connection(server.address)
            connections.append(connection)
            connection.send(opening(number))
            if number % (MANY // 10) == 0:
                healthy(server)
        expect(publish(server, "bystander").status, 201)
        with Connection(server.address) as reader:
            reader.send(request("GET", "/topics/bystander/short-polling?after=start"))
            expect(reader.answer().body.count(b"\n"), 1)
    finally:
        for connection in connections:
            connection.socket.close()


def a_bystander_is_served_during_a_flood():
    for opening in (silent, half_a_head, half_an_old_head, half_a_frame, a_stream):
        with attacked("--head-timeout", "300s") as server:
            flood(server, opening)
            # All of them left: the server notices, and lets go of them.
            sockets = f"/proc/{server.process.pid}/fd"
            eventually(lambda: len(os.listdir(sockets)) < 50, f"the end of what {opening.__name__} opened")


def who_says_nothing_is_let_go_when_the_time_for_a_head_is_over():
    with attacked("--head-timeout", "1s", "--max-connections", str(ROOM)) as server:
        held = [Connection(server.address) for _ in range(ROOM)]
        for number, connection in enumerate(held):
            connection.send((silent, half_a_head, half_an_old_head)[number % 3](number))
        eventually(lambda: ask(server, request("GET", "/healthz")).status == 200, "room for another")
        for connection in held:
            answer = connection.to_the_end()
            assert answer.startswith(b"HTTP/1.1 408 "), answer


def whoever_comes_beyond_the_limit_is_told_so():
    with attacked("--max-connections", str(ROOM), "--head-timeout", "300s") as server:
        held = [Connection(server.address) for _ in range(ROOM)]
        for connection in held[:1]:
            connection.send(request("GET", "/healthz"))
            expect(connection.answer().status, 200)
        for raw in (request("GET", "/healthz"), request("GET", "/healthz", version="1.0"), b""):
            with Connection(server.address) as refused:
                refused.send(raw)
                answer = refused.answer()
                expect((answer.status, "retry-after" in answer.fields), (503, True))
                expect(refused.to_the_end(), b"")
        time.sleep(1)  # The figure is one for a second.
        crowd = [Connection(server.address) for _ in range(REFUSED_AT_ONCE)]
        told = sum(connection.to_the_end().startswith(b"HTTP/1.1 503 ") for connection in crowd)
        expect(told, REFUSED_AT_ONCE)
        # Those who were there are served still, and their places are given to others.
        held[0].send(request("GET", "/healthz"))
        expect(held[0].answer().status, 200)
        for connection in held:
            connection.socket.close()
        eventually(lambda: ask(server, request("GET", "/healthz")).status == 200, "room for another")


def ended(connection, streams):
    """How many of so many streams are answered, and how many refused; it reads until all are one or the other."""
    left, refused = set(streams), 0
    while left:
        kind, flags, stream = connection.http2_frame()
        if stream in left and (kind == RST_STREAM or kind in (DATA, HEADERS) and flags & 1):
            left.remove(stream)
            refused += kind == RST_STREAM
    return len(streams) - refused, refused


def http2_requests(streams):
    return b"".join(http2_request(stream, GET, b"/topics/t/short-polling", 5) for stream in streams)


def many_requests_at_once_on_one_connection_of_http2():
    at_a_time, rounds = 100, amount(200, 20)
    with attacked() as server, Connection(server.address, 60) as connection:
        healthy(server)
        before = resident(server)
        connection.send(*http2())
        for number in range(rounds):
            streams = range(2 * at_a_time * number + 1, 2 * at_a_time * (number + 1), 2)
            connection.send(http2_requests(streams))
            if number % (rounds // 10) == 0:
                healthy(server)
            expect(ended(connection, streams), (at_a_time, 0))
        # All at once, on connections of which nothing is read: some are refused, or the connection ends.
        with contextlib.ExitStack() as flooding:
            for _ in range(10):
                flood = flooding.enter_context(Connection(server.address, 1, receive_buffer=4096))
                with contextlib.suppress(TimeoutError, ConnectionError):
                    flood.send(*http2(http2_requests(range(1, 2 * at_a_time * rounds, 2))))
                healthy(server)
        grown = resident(server) - before
        assert grown < 32 * MIB, f"{grown / MIB:.0f} MiB more for requests of HTTP/2"


run("floods", a_bystander_is_served_during_a_flood,
    who_says_nothing_is_let_go_when_the_time_for_a_head_is_over,
    whoever_comes_beyond_the_limit_is_told_so,
    many_requests_at_once_on_one_connection_of_http2)
