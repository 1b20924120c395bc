"""Batches of very many lines: whoever sends them waits for his own, and others are answered in between.

How much was published between two answers is read off the cursors in them: the server's own count, which no
slow machine changes. Only the long form looks at a clock, and then at ratios within one run.
"""

import contextlib
import multiprocessing
import os
import re
import statistics
import threading
import time

from wire import MIB, NDJSON, Connection, amount, attacked, expect, request, run

LINES = {"shortest lines": b"1\n", **amount({"objects of 100 bytes": b'{"a":"' + b"x" * 90 + b'"}\n'}, {})}
# More than a server has processors to be kept busy.
PUMPS = 2 * len(os.sched_getaffinity(0))
BATCHES = amount(24, 6)
# What each of them may get done while a bystander waits for one answer.
TURNS = 3


def batch(line):
    lines = MIB // len(line)
    return lines, request("POST", "/topics/batches", NDJSON, body=line * lines)


def all_at_once(address, raw, batches, statuses):
    """Sends batch behind batch and reads the answers beside."""
    with Connection(address, 300) as connection:
        sender = threading.Thread(target=lambda: connection.send(raw * batches), daemon=True)
        sender.start()
        statuses.extend(connection.answer().status for _ in range(batches))
        sender.join()


def in_turn(address, raw, batches, statuses):
    """Sends the next batch when the last was answered."""
    with Connection(address, 300) as connection:
        for _ in range(batches):
            connection.send(raw)
            statuses.append(connection.answer().status)


def head_of_the_log(bystander):
    """How many messages were published when this was answered."""
    bystander.send(request("GET", "/topics/batches/short-polling"))
    cursor = bystander.answer().fields["last-event-id"]
    return int(re.fullmatch("[0-9a-f]{8}-([0-9]+)", cursor)[1])


def bystanders_are_answered_between_batches():
    for name, line in LINES.items():
        lines, raw = batch(line)
        for pump in (all_at_once, in_turn):
            with attacked() as server, Connection(server.address, 300) as bystander:
                pumped, before = [[] for _ in range(PUMPS)], 0
                threads = [threading.Thread(target=pump, args=(server.address, raw, BATCHES, statuses), daemon=True)
                           for statuses in pumped]
                for thread in threads:
                    thread.start()
                longest, answers = 0, 0
                while before < PUMPS * BATCHES * lines and any(thread.is_alive() for thread in threads):
                    now = head_of_the_log(bystander)
                    longest, before, answers = max(longest, now - before), now, answers + 1
                for thread in threads:
                    thread.join()
                expect(pumped, [[201] * BATCHES] * PUMPS)
                assert longest <= TURNS * PUMPS * lines, (
                    f"{name}, {pump.__name__}: {longest / lines:.0f} batches of {PUMPS} connections were published "
                    f"between two answers to a bystander, who got {answers} in all")


def pump_until(address, raw, ended):
    """In a process of its own, that gives way to whoever measures: what is looked at is the server's patience, not the machine's."""
    os.nice(19)
    with contextlib.suppress(EOFError, OSError), Connection(address, 300) as connection:
        reader = threading.Thread(target=connection.to_the_end, daemon=True)
        reader.start()
        while not ended.is_set():
            connection.send(raw)


def latencies(server, seconds):
    """Milliseconds of `GET /healthz` on a kept connection, sorted."""
    taken, end = [], time.perf_counter() + seconds
    with Connection(server.address, 300) as bystander:
        while time.perf_counter() < end:
            begun = time.perf_counter()
            bystander.send(request("GET", "/healthz"))
            expect(bystander.answer().status, 200)
            taken.append((time.perf_counter() - begun) * 1e3)
            time.sleep(0.005)
    return sorted(taken)


def beside(server, raw, seconds):
    """Latencies of a server while batches are sent to it."""
    ended = multiprocessing.Event()
    pumps = [multiprocessing.Process(target=pump_until, args=(server.address, raw, ended), daemon=True) for _ in range(4)]
    for pump in pumps:
        pump.start()
    try:
        latencies(server, 1)
        return latencies(server, seconds)
    finally:
        ended.set()
        for pump in pumps:
            pump.kill()
            pump.join()


def a_bystander_waits_at_most_five_times_as_long_as_when_idle():
    """The server on one processor, whoever measures and whoever sends on the others; medians of three pairs in turn."""
    processors = sorted(os.sched_getaffinity(0))
    if len(processors) < 2:
        raise AssertionError("a processor for the server and one for whoever measures are needed")
    os.sched_setaffinity(0, processors[1:])
    _, raw = batch(LINES["shortest lines"])
    pairs = []
    for _ in range(3):
        with attacked("--cpus", str(processors[0])) as server:
            pairs.append((latencies(server, 2), beside(server, raw, 4)))
    for name, share in (("p50", 0.5), ("p99", 0.99)):
        idle, busy = (statistics.median(taken[int(len(taken) * share)] for taken in column)
                      for column in zip(*pairs, strict=True))
        print(f"  {name} of a bystander: idle {idle:.2f} ms, beside batches of 4 connections {busy:.2f} ms: {busy / idle:.1f}×")
        assert busy < 5 * idle, f"{name}: {busy:.2f} ms beside batches, {idle:.2f} ms idle"


run("batches", bystanders_are_answered_between_batches,
    *amount([a_bystander_waits_at_most_five_times_as_long_as_when_idle], []))
