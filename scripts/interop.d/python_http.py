"""Python's standard library: urllib, http.client and a bare socket."""

import http.client
import json
import socket
import struct
import threading
import urllib.error

from pushoff import DEADLINE_S, cursors, expect, run, serve


def open_stream(server, path, **headers):
    connection = http.client.HTTPConnection(server.host, server.port, timeout=DEADLINE_S)
    connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    response = connection.getresponse()
    expect(response.status, 200)
    return response


def poll(server, transport, cursor):
    """One poll on a connection of its own: status, lines, cursor for the next."""
    connection = http.client.HTTPConnection(server.host, server.port, timeout=DEADLINE_S)
    connection.request("GET", f"/topics/t/{transport}", headers={"Last-Event-ID": cursor})
    response = connection.getresponse()
    lines = [json.loads(line) for line in response.read().splitlines()]
    connection.close()
    return response.status, lines, response.headers["Last-Event-ID"]


def events(response):
    """Dispatches an event stream: (event, data, last event id)."""
    event, data, last_id = "message", [], ""
    for raw in response:
        field, _, value = raw.decode().rstrip("\n").partition(":")
        value = value.removeprefix(" ")
        if field == "data":
            data.append(value)
        elif field == "event":
            event = value
        elif field == "id":
            last_id = value
        elif not raw.strip():
            if data:
                yield event, "\n".join(data), last_id
            event, data = "message", []


def polls_until_the_topic_is_complete(transport):
    with serve() as server:
        origin = cursor = server.origin("t")

        def publish():
            for number in range(1, 31):
                server.publish("t", number)
            server.complete("t")

        publisher = threading.Thread(target=publish)
        publisher.start()
        received = []
        while True:
            status, lines, following = poll(server, transport, cursor)
            if status == 410:
                break
            assert status in (200, 204), status
            received += [(line["id"], line["data"]) for line in lines]
            cursor = following
        publisher.join()
        expect(received, list(zip(cursors(origin, *range(1, 31)), range(1, 31))))


def short_polls_until_the_topic_is_complete():
    polls_until_the_topic_is_complete("short-polling")


def long_polls_until_the_topic_is_complete():
    polls_until_the_topic_is_complete("long-polling")


def iterates_over_the_lines_of_a_stream():
    with serve() as server:
        origin = server.origin("t")
        response = open_stream(server, f"/topics/t/http-streaming?after={origin}")
        expect(json.loads(response.readline()), {"open": origin})
        published = server.publish("t", *range(1, 11))
        expect(json.loads(response.readline()), {"id": published[0], "data": 1})
        server.complete("t")
        expect([json.loads(line)["id"] for line in response], published[1:])


def resumes_a_stream_and_is_told_what_it_missed():
    with serve("--replay", "3") as server:
        published = server.publish("t", *range(1, 11))
        response = open_stream(server, "/topics/t/http-streaming", Last_Event_ID=published[1])
        lines = [json.loads(response.readline()) for _ in range(5)]
        expect(lines[1], {"missed": 5, "id": published[6]})
        expect([line["id"] for line in lines[2:]], published[7:])


def reads_an_event_stream_and_resumes_it():
    with serve("--replay", "4") as server:
        published = server.publish("t", *range(1, 4), {"two": "lines"})
        stream = events(open_stream(server, "/topics/t/sse", Last_Event_ID=published[1]))
        expect(next(stream), ("message", "3", published[2]))
        expect(next(stream), ("message", '{"two": "lines"}', published[3]))
        published += server.publish("t", *range(5, 11))
        resumed = events(open_stream(server, "/topics/t/sse", Last_Event_ID=published[1]))
        expect(next(resumed), ("missed", "4", published[5]))
        expect([next(resumed)[2] for _ in range(4)], published[6:])
        server.complete("t")
        expect(list(resumed), [])


def reads_raw_tcp_by_length():
    with serve() as server:
        origin = server.origin("t")
        published = server.publish("t", 1, 2)
        with socket.create_connection(server.raw_tcp, DEADLINE_S) as connection, connection.makefile("rwb") as wire:
            wire.write(f"SUBSCRIBE t {origin}\n".encode())
            wire.flush()
            published += server.publish("t", 3)
            for number, cursor in enumerate(published, 1):
                length, = struct.unpack(">I", wire.read(4))
                expect(json.loads(wire.read(length)), {"id": cursor, "data": number})


def reads_a_problem_document():
    with serve() as server:
        try:
            server.request("POST", "/topics/t", b"{")
        except urllib.error.HTTPError as error:
            with error:
                expect((error.status, error.headers["Content-Type"]), (400, "application/problem+json"))
                expect(json.load(error)["status"], 400)
        else:
            raise AssertionError("it was published")


run("Python http.client", short_polls_until_the_topic_is_complete, long_polls_until_the_topic_is_complete,
    iterates_over_the_lines_of_a_stream, resumes_a_stream_and_is_told_what_it_missed,
    reads_an_event_stream_and_resumes_it, reads_a_problem_document)
run("Python socket", reads_raw_tcp_by_length)
