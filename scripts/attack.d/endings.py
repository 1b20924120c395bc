"""How a server ends: killed in the middle of acknowledged publishes, or asked to, by whichever signal.

After a kill the log is gone (it is in memory), and whoever comes back is told so: nothing is lost in silence.
"""

import json
import signal

from subscribers import TRANSPORTS, Ledger, Publisher
from wire import (DEADLINE_S, Connection, amount, attacked, eventually, expect, handshake, metrics, publish, request,
                  run, serve)

KILLS = amount(20, 3)


def a_server_that_is_killed_acknowledged_only_what_it_handed_on_in_order():
    for kill in range(KILLS):
        with serve("--replay", "1000000") as server:
            ledgers = [Ledger(server, "t", transport) for transport in TRANSPORTS]
            publisher = Publisher(server, "t")
            for ledger in ledgers:
                ledger.wait(lambda ledger, least=10 + 7 * kill: len(ledger.messages) >= least, "another message")
            server.process.kill()
            server.process.wait()
            published = publisher.stop()
            for ledger in ledgers:
                ledger.join(DEADLINE_S)
                expect((ledger.transport, ledger.failure, ledger.missed), (ledger.transport, None, []))
                found = [(message["id"], message["data"]) for message in ledger.messages]
                # The last of them may have been handed on and not acknowledged any more.
                assert found[:len(published)] == published[:len(found)], f"{ledger.transport}: {found[-3:]}, {published[-3:]}"
                assert len(found) <= len(published) + 1, f"{ledger.transport}: {found[-3:]}, {published[-3:]}"


def whoever_comes_back_after_a_kill_is_told_that_nobody_knows_what_was_missed():
    with serve() as server:
        publisher = Publisher(server, "t")
        ledger = Ledger(server, "t", "sse")
        ledger.wait(lambda ledger: len(ledger.messages) >= 20, "message 20")
        server.process.kill()
        server.process.wait()
        old = publisher.stop()[9][0]
        port = server.port
    # On the same port, as a supervisor starts it again; another would do as well if it was taken meanwhile.
    with attacked(listen=f"127.0.0.1:{port}") as server:
        # Before anything is published again, and after: the cursor is of an earlier life either way.
        early = [Ledger(server, "t", transport, after=old) for transport in TRANSPORTS]
        for ledger in early:
            ledger.wait(lambda ledger: ledger.missed, "the missed notice, before anything is published")
        again = [json.loads(publish(server, "t", b'"again"').body)["id"] for _ in range(3)]
        assert again[0].split("-")[0] != old.split("-")[0], (again, old)
        late = [Ledger(server, "t", transport, after=old) for transport in TRANSPORTS]
        for ledger in early + late:
            ledger.wait(lambda ledger: len(ledger.messages) >= 3, "the messages after the notice")
            expect((ledger.transport, [event["missed"] for event in ledger.missed]), (ledger.transport, [None]))
            assert ledger.missed[0].get("id"), f"{ledger.transport}: the notice has no cursor: {ledger.missed}"
            expect((ledger.transport, [message["id"] for message in ledger.messages]), (ledger.transport, again))


def a_notice_carries_the_cursor_to_come_back_with():
    """A client that is cut off right behind the notice is not told again, and gets the rest."""
    with attacked("--replay", "3") as server:
        published = [json.loads(publish(server, "t", b"%d" % number).body)["id"] for number in range(1, 11)]
        for transport in TRANSPORTS:
            first = Ledger(server, "t", transport, after=published[1])
            first.wait(lambda ledger: len(ledger.messages) >= 3, "the messages that are kept")
            expect((transport, [event["missed"] for event in first.missed]), (transport, [5]))
            expect((transport, first.missed[0].get("id")), (transport, published[6]))
            second = Ledger(server, "t", transport, after=first.missed[0]["id"])
            second.wait(lambda ledger: len(ledger.messages) >= 3, "the same messages")
            expect((transport, second.missed), (transport, []))
            expect((transport, second.messages), (transport, first.messages))


def open_everywhere(server):
    """A connection that waits, of each kind, and what it is to end with."""
    waiting = {}
    for name, raw in {
        "long poll": request("GET", "/topics/t/long-polling?wait=60"),
        "long poll by HTTP/1.0": request("GET", "/topics/t/long-polling?wait=60", version="1.0"),
        "http-streaming": request("GET", "/topics/t/http-streaming"),
        "sse": request("GET", "/topics/t/sse"),
        "websocket": handshake("/topics/t/websocket"),
        "idle": request("GET", "/healthz"),
    }.items():
        waiting[name] = connection = Connection(server.address)
        connection.send(raw)
        if name == "idle":
            connection.answer()
        elif not name.startswith("long poll"):
            connection.head()
    polls = 'pushoff_connections{transport="long-polling"}'
    eventually(lambda: metrics(server).get(polls) == 2, "two long polls that wait")
    return waiting


def every_signal_that_asks_for_an_end_gets_a_clean_one():
    for asks in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        with attacked("--grace", "30s") as server:
            waiting = open_everywhere(server)
            publish(server, "other")
            server.process.send_signal(asks)
            for name in ("long poll", "long poll by HTTP/1.0"):
                answer = waiting[name].answer()
                expect((asks.name, name, answer.status, answer.fields.get("connection")), (asks.name, name, 204, "close"))
                expect((asks.name, name, waiting[name].to_the_end()), (asks.name, name, b""))
            for name in ("http-streaming", "sse"):
                end = waiting[name].to_the_end()
                assert end.endswith(b"\r\n0\r\n\r\n") or end == b"0\r\n\r\n", (asks.name, name, end)
            opcode = None
            while opcode != 8:
                opcode, payload = waiting["websocket"].frame()
            expect((asks.name, payload[:2]), (asks.name, (1001).to_bytes(2)))
            waiting["websocket"].socket.close()
            expect((asks.name, "idle", waiting["idle"].to_the_end()), (asks.name, "idle", b""))
            expect((asks.name, server.process.wait(DEADLINE_S)), (asks.name, 0))


def an_end_is_clean_while_answers_are_held_back():
    with attacked("--demo", "--grace", "5s") as server, Connection(server.address) as holding:
        waiting = open_everywhere(server)
        holding.send(request("POST", "/outage/hold?seconds=10", body=b""))

        def is_held():
            with Connection(server.address, 0.5) as connection:
                connection.send(request("GET", "/healthz"))
                try:
                    connection.answer()
                except TimeoutError:
                    return True
                return False
        eventually(is_held, "answers to be held back")
        server.process.terminate()
        expect(waiting["long poll"].answer().status, 204)
        assert waiting["sse"].to_the_end().endswith(b"0\r\n\r\n"), "the stream has no last chunk"
        expect(server.process.wait(DEADLINE_S), 0)


run("endings", a_server_that_is_killed_acknowledged_only_what_it_handed_on_in_order,
    whoever_comes_back_after_a_kill_is_told_that_nobody_knows_what_was_missed,
    a_notice_carries_the_cursor_to_come_back_with, every_signal_that_asks_for_an_end_gets_a_clean_one,
    an_end_is_clean_while_answers_are_held_back)
