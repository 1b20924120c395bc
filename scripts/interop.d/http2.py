"""curl and h2load over HTTP/2: by ALPN over TLS, and with prior knowledge in the clear."""

import json
import subprocess

from pushoff import DEADLINE_S, expect, run, serve

CURL = ["curl", "--silent", "--show-error", "--insecure", "--max-time", str(DEADLINE_S)]


def curl(*arguments):
    done = subprocess.run([*CURL, *arguments], capture_output=True, text=True, timeout=2 * DEADLINE_S, check=False)
    assert done.returncode == 0, f"curl ended with {done.returncode}: {done.stderr.strip()}"
    return done.stdout


def chooses_http2_over_tls_and_http_1_1_where_it_must():
    with serve("--tls", "self-signed") as server:
        version = ["--output", "/dev/null", "--write-out", "%{http_version}", f"{server.https}/healthz"]
        expect(curl(*version), "2")
        expect(curl("--http1.1", *version), "1.1")
        expect(curl("--http2-prior-knowledge", *version[:-1], f"{server.url}/healthz"), "2")


def gets_each_event_when_it_is_published(server_flags=(), curl_flags=()):
    with serve("--tls", "self-signed", *server_flags) as server:
        origin = server.origin("t")
        command = [*CURL, "--http2", "--no-buffer", *curl_flags, f"{server.https}/topics/t/sse?after={origin}"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as reader:
            expect([reader.stdout.readline() for _ in range(3)], ["retry: 1000\n", f"id: {origin}\n", "\n"])
            for number in range(1, 6):
                published = server.publish("t", number)[0]
                read = [reader.stdout.readline() for _ in range(3)]
                expect(read, [f"id: {published}\n", f"data: {number}\n", "\n"])
            server.complete("t")
            expect(reader.wait(DEADLINE_S), 0)


def gets_each_compressed_event_when_it_is_published():
    for coding in ("gzip", "br", "zstd"):
        gets_each_event_when_it_is_published(["--compress"], ["--compressed", "--header", f"Accept-Encoding: {coding}"])


def publishes_and_polls():
    with serve("--tls", "self-signed") as server:
        posted = json.loads(curl("--http2", "--json", '{"n":1}', f"{server.https}/topics/t"))
        polled = json.loads(curl("--http2", f"{server.https}/topics/t/long-polling?after=start"))
        expect(polled, {"id": posted["id"], "data": {"n": 1}})


def h2load_polls_ten_thousand_times_and_every_answer_is_right():
    with serve("--tls", "self-signed") as server:
        for place in (server.https, server.url):
            poll = ["h2load", "--requests=10000", "--clients=10", "--max-concurrent-streams=10",
                    f"{place}/topics/t/short-polling"]
            done = subprocess.run(poll, capture_output=True, text=True, timeout=4 * DEADLINE_S, check=True)
            counts = next(line for line in done.stdout.splitlines() if line.startswith("status codes: "))
            expect(counts.split(", ")[0], "status codes: 10000 2xx")


run("HTTP/2", chooses_http2_over_tls_and_http_1_1_where_it_must, gets_each_event_when_it_is_published,
    gets_each_compressed_event_when_it_is_published, publishes_and_polls, h2load_polls_ten_thousand_times_and_every_answer_is_right)
