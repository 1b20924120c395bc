"""Topics that nobody published to cost nothing and evict nothing; a full table costs its refusals little."""

import statistics
import time

from wire import (JSON, MIB, Connection, amount, ask, attacked, expect, handshake, kept, metrics, processor_s, publish,
                  request, resident, run)

UNKNOWN = amount(100_000, 6_000)
# How long the server lets a topic rest before it may make room for another.
IDLE_S = 60


def pipelined(server, requests, is_head=False):
    """Sends requests on one connection, some at a time, and counts the statuses of the answers."""
    counts = {}
    with Connection(server.address) as connection:
        for at in range(0, len(requests), 100):
            some = requests[at:at + 100]
            connection.send(*some)
            for _ in some:
                status = connection.answer(is_head).status
                counts[status] = counts.get(status, 0) + 1
    return counts


def asks_for_unknown_topics(server, count):
    """Every way to name a topic without publishing to it, in equal parts."""
    part = count // 4
    yield pipelined(server, [request("GET", f"/topics/get-{n}/short-polling") for n in range(part)]), {204: part}
    heads = [request("HEAD", f"/topics/head-{n}/short-polling") for n in range(part)]
    yield pipelined(server, heads, is_head=True), {204: part}
    yield pipelined(server, [request("GET", f"/topics/ws-{n}/websocket") for n in range(part)]), {426: part}
    waits = [request("GET", f"/topics/long-{n}/long-polling?wait=0") for n in range(part)]
    yield pipelined(server, waits), {204: part}


def topics_that_nobody_published_to_cost_nothing():
    with attacked("--max-topics", "100") as server:
        cursors = [publish(server, "log", b'"line %d"' % number).body for number in range(5)]
        expect(len(set(cursors)), 5)
        before = resident(server)
        for found, wanted in asks_for_unknown_topics(server, UNKNOWN):
            expect(found, wanted)
        expect(metrics(server)["pushoff_topics"], 1)
        expect(publish(server, "another").status, 201)
        expect(kept(server, "log"), [f"line {number}" for number in range(5)])
        grown = resident(server) - before
        assert grown < 16 * MIB, f"{UNKNOWN} asks for unknown topics left {grown / MIB:.1f} MiB"


def readers_of_unknown_topics_leave_nothing_behind():
    with attacked("--max-topics", "10") as server:
        expect(publish(server, "log").status, 201)
        readers = []
        for number in range(200):
            path = f"/topics/unknown-{number}/"
            raw = (request("GET", path + "sse"), handshake(path + "websocket"), request("GET", path + "http-streaming"),
                   request("GET", path + "long-polling"))[number % 4]
            readers.append(Connection(server.address))
            readers[-1].send(raw)
        for number, reader in enumerate(readers):
            if number % 4 != 3:
                assert reader.head().status in (200, 101)
        expect(metrics(server)["pushoff_topics"], 1)
        # Whoever waits for a topic gets what is published to it, though the table was never asked before.
        expect(publish(server, "unknown-0").status, 201)
        readers[0].until(b"data: 1\n")
        for reader in readers:
            reader.socket.close()
        for number in range(8):
            expect((number, publish(server, f"late-{number}").status), (number, 201))


def a_topic_that_was_published_survives_those_that_were_not():
    """The table is full of what others published, and rests longer than it takes to be evicted."""
    with attacked("--max-topics", "50", "--publish-token", "secret") as server:
        token = "Authorization: Bearer secret"
        for number in range(50):
            expect(publish(server, f"log-{number}", b'"kept"', token).status, 201)
        expect(ask(server, request("DELETE", "/topics/log-0", token)).status, 204)
        # There is no event to wait for: what may be evicted from now on is still there.
        time.sleep(IDLE_S + 1)
        for found, wanted in asks_for_unknown_topics(server, 4_000):
            expect(found, wanted)
        expect(publish(server, "stranger").status, 401)
        for number in range(1, 50):
            expect((number, kept(server, f"log-{number}")), (number, ["kept"]))
        after = ask(server, request("GET", "/topics/log-0/short-polling?after=start"))
        expect((after.status, after.body.count(b"\n")), (200, 1))
        expect(ask(server, request("GET", "/topics/log-0/short-polling",
                                   f"Last-Event-ID: {after.fields['last-event-id']}")).status, 410)


def refusing_a_topic_costs_no_walk_of_the_table():
    """Processor time of a refusal over that of a publish to a known topic, both of one run."""
    topics, asks = 20_000, 4_000
    with attacked("--max-topics", str(topics)) as server:
        fill = [request("POST", f"/topics/t{n}", JSON, body=b"1") for n in range(topics)]
        expect(pipelined(server, fill), {201: topics})

        def cost(name, status):
            before = processor_s(server)
            found = pipelined(server, [request("POST", "/topics/" + name % n, JSON, body=b"1") for n in range(asks)])
            expect(found, {status: asks})
            return (processor_s(server) - before) / asks

        pairs = [(cost("t%d", 201), cost("new%d", 503)) for _ in range(5)]
        known, refused = (statistics.median(column) for column in zip(*pairs, strict=True))
        print(f"  a refusal costs {refused * 1e6:.0f} µs, a publish {known * 1e6:.0f} µs of processor time")
        assert refused < 4 * known, f"a refusal costs {refused * 1e6:.0f} µs, a publish {known * 1e6:.0f} µs"


def refusing_for_want_of_memory_costs_no_walk_of_the_table():
    """Logs that are full of topics with one message each, which none can let go of for a minute."""
    payload, some = b'"' + b"x" * 1_000 + b'"', 1_000
    with attacked("--memory", "64MiB", "--max-topics", "1000000") as server:
        costs, first = {201: [], 503: []}, 0
        while len(costs[503]) < 5 and first < 100 * some:
            raws = [request("POST", f"/topics/t{first + n}", JSON, body=payload) for n in range(some)]
            before = processor_s(server)
            found = pipelined(server, raws)
            if len(found) == 1:
                costs[next(iter(found))].append((processor_s(server) - before) / some)
            first += some
        assert costs[503], f"{first} topics of one message of 1 kB found room in 32 MiB"
        taken, refused = statistics.median(costs[201]), statistics.median(costs[503])
        print(f"  a refusal costs {refused * 1e6:.0f} µs, a publish {taken * 1e6:.0f} µs of processor time")
        assert refused < 4 * taken, f"a refusal costs {refused * 1e6:.0f} µs, a publish {taken * 1e6:.0f} µs"


def names_that_a_path_cannot_say_are_no_topics():
    with attacked() as server:
        for name in (".", "..", "%2e", "%2E%2e", ".%2e", "%2e%2e"):
            for method, path, body in (("POST", "", b"1"), ("DELETE", "", None), ("GET", "/short-polling", None)):
                found = ask(server, request(method, f"/topics/{name}{path}", JSON, body=body)).status
                expect((method, name, found), (method, name, 400))
        for name in ("...", ".a", "a.", "a..b", "-"):
            expect((name, publish(server, name).status), (name, 201))
        expect(metrics(server)["pushoff_topics"], 5)


run("topics", topics_that_nobody_published_to_cost_nothing, readers_of_unknown_topics_leave_nothing_behind,
    names_that_a_path_cannot_say_are_no_topics,
    *amount([refusing_a_topic_costs_no_walk_of_the_table, refusing_for_want_of_memory_costs_no_walk_of_the_table,
             a_topic_that_was_published_survives_those_that_were_not], []))
