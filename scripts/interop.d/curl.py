"""curl, as one types it in a shell."""

import json
import subprocess

from pushoff import DEADLINE_S, cursors, expect, run, serve

CURL = ["curl", "--silent", "--show-error", "--max-time", str(DEADLINE_S)]


def curl(*arguments):
    done = subprocess.run([*CURL, *arguments], capture_output=True, text=True, timeout=2 * DEADLINE_S, check=False)
    assert done.returncode == 0, f"curl ended with {done.returncode}: {done.stderr.strip()}"
    return done.stdout


def stream(*arguments):
    """A curl that is still reading; a broken-off body would be exit code 18."""
    return subprocess.Popen([*CURL, "--no-buffer", *arguments], stdout=subprocess.PIPE, text=True)


def ids(lines):
    return [json.loads(line)["id"] for line in lines]


def publishes_and_polls_in_order():
    with serve() as server:
        posted = json.loads(curl("--json", '{"n":1}', f"{server.url}/topics/t"))
        batch = json.loads(curl("--header", "Content-Type: application/x-ndjson", "--data-binary", "2\n3\n",
                                f"{server.url}/topics/t"))
        expect((batch["count"], batch["id"]), (2, cursors(posted["id"], 3)[0]))
        lines = curl(f"{server.url}/topics/t/short-polling?after=start").splitlines()
        expect([json.loads(line)["data"] for line in lines], [{"n": 1}, 2, 3])
        expect(ids(lines), cursors(posted["id"], 1, 2, 3))


def resumes_a_long_poll_by_header():
    with serve() as server:
        published = server.publish("t", 1, 2, 3)
        answer = curl("--include", "--header", f"Last-Event-ID: {published[0]}", f"{server.url}/topics/t/long-polling")
        head, body = answer.split("\r\n\r\n" if "\r\n\r\n" in answer else "\n\n", 1)
        expect(ids(body.splitlines()), published[1:])
        assert f"last-event-id: {published[2]}" in head.lower(), head


def gets_each_line_of_a_stream_when_it_is_published(*flags, server_flags=()):
    with serve(*server_flags) as server:
        origin = server.origin("t")
        reader = stream(*flags, f"{server.url}/topics/t/http-streaming?after={origin}")
        with reader:
            expect(json.loads(reader.stdout.readline()), {"open": origin})
            for number in range(1, 6):
                published = server.publish("t", number)[0]
                expect(json.loads(reader.stdout.readline()), {"id": published, "data": number})
            server.complete("t")
            expect(reader.stdout.read(), "")
            expect(reader.wait(DEADLINE_S), 0)


def gets_a_stream_by_http_1_0_too():
    gets_each_line_of_a_stream_when_it_is_published("--http1.0")


def gets_a_stream_uncompressed_though_it_would_take_it_compressed():
    gets_each_line_of_a_stream_when_it_is_published("--compressed")


def gets_each_line_of_a_compressed_stream_when_it_is_published():
    gets_each_line_of_a_stream_when_it_is_published("--compressed", server_flags=["--compress"])


def gets_polls_and_streams_in_each_coding():
    with serve("--compress") as server:
        published = server.publish("t", *[f"message {number} of a hundred" for number in range(100)])
        for coding in ["gzip", "br", "zstd"]:
            accept = ["--compressed", "--header", f"Accept-Encoding: {coding}"]
            answer = curl(*accept, "--dump-header", "-", f"{server.url}/topics/t/short-polling?after=start")
            head, body = answer.split("\r\n\r\n" if "\r\n\r\n" in answer else "\n\n", 1)
            fields = head.lower().splitlines()
            assert f"content-encoding: {coding}" in fields and "vary: accept-encoding" in fields, head
            expect(ids(body.splitlines()), published)
            with stream(*accept, f"{server.url}/topics/t/http-streaming?after={published[-3]}") as reader:
                expect(json.loads(reader.stdout.readline()), {"open": published[-3]})
                expect(ids([reader.stdout.readline() for _ in range(2)]), published[-2:])
                reader.kill()


def reads_an_event_stream():
    with serve() as server:
        origin = server.origin("t")
        with stream(f"{server.url}/topics/t/sse?after={origin}") as reader:
            read = [reader.stdout.readline() for _ in range(3)]
            expect(read, ["retry: 1000\n", f"id: {origin}\n", "\n"])
            for number in range(1, 4):
                published = server.publish("t", number)[0]
                read = [reader.stdout.readline() for _ in range(3)]
                expect(read, [f"id: {published}\n", f"data: {number}\n", "\n"])
            server.complete("t")
            expect(reader.wait(DEADLINE_S), 0)


run("curl", publishes_and_polls_in_order, resumes_a_long_poll_by_header,
    gets_each_line_of_a_stream_when_it_is_published, gets_a_stream_by_http_1_0_too,
    gets_a_stream_uncompressed_though_it_would_take_it_compressed,
    gets_each_line_of_a_compressed_stream_when_it_is_published, gets_polls_and_streams_in_each_coding,
    reads_an_event_stream)
