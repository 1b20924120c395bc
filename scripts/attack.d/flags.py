"""Flags at their ends: refused with exit code 2 and a sentence that names the flag, or served; never a panic."""

import json
import os
import select
import subprocess

from wire import DEADLINE_S, JSON, Connection, ask, attacked, expect, healthy, publish, request, run

TOO_LONG = "500000000000years"
REFUSED = {
    "--heartbeat": ["0s", "1ns", "1ms", TOO_LONG, "-1s", "15", "soon", ""],
    "--head-timeout": ["0s", "1ns", TOO_LONG, "-1s", "10", ""],
    "--write-timeout": ["0s", "1ns", TOO_LONG, "-1s", "30", ""],
    "--grace": [TOO_LONG, "-1s", "5", ""],
    "--max-payload": ["0", "100000000000", "18446744073709551615", "18446744073709551616", "-1", "1.5.2", "64KiBs", ""],
    "--memory": ["0", "1", "18446744073709551615", "18446744073709551616", "-1", "much", "64 MiB of it", ""],
    "--replay": ["0", "-1", "18446744073709551616", "1.5", ""],
    "--max-topics": ["0", "-1", "18446744073709551616", ""],
    "--max-connections": ["0", "-1", "18446744073709551616", ""],
    "--allow-origin": ["ok.example", "https://ok.example/path", "https://ok.example?x", "https://user@ok.example",
                       "https://", "https://ok .example", "https://ok.example:99999", ""],
    "--allow-host": ["https://ok.example", "ok.example/path", "ok .example", "user@ok.example", "ok.example:port", ""],
    "--listen": ["127.0.0.1", "localhost", "127.0.0.1:65536", ":0", ""],
    "--raw-tcp": ["127.0.0.1", "127.0.0.1:65536", ""],
    "--slow": ["0%", "-1%", "1001%", "NaN%", "1", ""],
}
# Not at their ends, but close to it.
SERVED = {
    "--heartbeat": ["1s", "1h"], "--head-timeout": ["1s", "1h"], "--write-timeout": ["1s", "1h"], "--grace": ["1s", "1m"],
    "--max-payload": ["1", "1024", "64KiB", "1MiB"], "--memory": ["64MiB", "1GiB"], "--replay": ["1", "1000000"],
    "--max-topics": ["1", "1000000"], "--max-connections": ["10"],
    "--allow-origin": ["https://ok.example", "http://localhost:3000", "https://ok.example:8443"],
    "--allow-host": ["ok.example", "push.ok.example"],
}


def started(flag, value):
    """What came of a server with that flag: its exit code and what it said, or None where it serves."""
    command = [os.environ["PUSHOFF"], "serve", "--listen", "127.0.0.1:0", f"{flag}={value}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL) as process:
        try:
            # Its end closes standard output too.
            if not select.select([process.stdout], [], [], DEADLINE_S)[0]:
                return -1, "neither an end nor a readiness line"
            if process.stdout.readline():
                return None
            said = process.stderr.read().decode()
            return process.wait(DEADLINE_S), said
        finally:
            process.kill()


def what_no_server_can_do_is_refused_by_name():
    wrong = []
    for flag, values in REFUSED.items():
        for value in values:
            ended = started(flag, value)
            if ended is None:
                wrong.append(f"{flag} {value!r} is served")
                continue
            code, said = ended
            sentence = said.strip().splitlines()[0] if said.strip() else ""
            if code != 2 or "panicked" in said or not sentence.startswith("error: ") or flag not in said:
                wrong.append(f"{flag} {value!r}: exit code {code}: {said.strip()[:200]!r}")
    expect(wrong, [])


def what_a_server_can_do_is_served():
    expect([(flag, value, ended) for flag, values in SERVED.items() for value in values
            if (ended := started(flag, value))], [])


def a_length_that_is_announced_is_not_room_that_is_taken():
    """The longest payload that may be set, and bodies that claim to be as long or longer."""
    with attacked("--max-payload", "16MiB", "--memory", "1GiB") as server:
        held = []
        for length in (16 << 20, (16 << 20) + 1, 90_000_000_000, 999_999_999_999_999, 1 << 63, 1 << 64):
            for _ in range(20):
                held.append(Connection(server.address))
                held[-1].send(request("POST", "/topics/t", JSON, f"Content-Length: {length}"))
            healthy(server)
        expect(publish(server, "t").status, 201)
        for connection in held[20:]:
            status = connection.answer().status
            assert status in (400, 413), status


def the_smallest_bounds_still_serve():
    with attacked("--max-payload", "1", "--max-topics", "1", "--replay", "1") as server:
        expect(json.loads(publish(server, "t", b"7").body)["id"].split("-")[1], "1")
        expect(publish(server, "t", b"77").status, 413)
        expect(publish(server, "other", b"7").status, 503)
        expect(ask(server, request("GET", "/topics/t/short-polling?after=start")).body.count(b"\n"), 1)


run("flags", what_no_server_can_do_is_refused_by_name, what_a_server_can_do_is_served,
    a_length_that_is_announced_is_not_room_that_is_taken, the_smallest_bounds_still_serve)
