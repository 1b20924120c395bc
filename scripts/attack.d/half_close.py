"""A whole request and then a half-close (`nc -N`, `shutdown(SHUT_WR)`): answered every time, published once.

The client only said that it will send no more (RFC 9112 §9.6): it still reads.
"""

from wire import JSON, NDJSON, Connection, attacked, chunked, expect, kept, publish, request, run

TIMES = 50


def answered(server, raw, status):
    """How many of so many were answered with that status."""
    count = 0
    for _ in range(TIMES):
        with Connection(server.address) as connection:
            connection.send(raw)
            connection.half_close()
            # Where the client asked whether to go on, that is answered first.
            answer = connection.to_the_end().removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n")
            count += answer.startswith(b"HTTP/1.1 %d " % status)
    return count


def reads():
    yield "plain", request("GET", "/healthz"), 200
    yield "HTTP/1.0", request("GET", "/healthz", version="1.0"), 200
    yield "absolute-form", request("GET", "http://localhost/healthz"), 200
    yield "70 fields", request("GET", "/healthz", *(f"X-{number}: y" for number in range(70))), 200
    yield "Connection: close", request("GET", "/healthz", "Connection: close"), 200
    yield "HEAD", request("HEAD", "/healthz"), 200
    yield "a poll", request("GET", "/topics/kept/short-polling?after=start"), 200
    yield "a long poll with an answer", request("GET", "/topics/kept/long-polling?after=start"), 200
    yield "a long poll that waits", request("GET", "/topics/kept/long-polling?wait=0.05"), 204
    yield "a long poll that waits, HTTP/1.0", request("GET", "/topics/kept/long-polling?wait=0.05", version="1.0"), 204
    yield "a refusal", request("GET", "/nothing"), 404
    yield "a refusal, HTTP/1.0", request("GET", "/nothing", version="1.0"), 404


def publishes():
    yield "length", lambda target: request("POST", target, JSON, body=b"1")
    yield "chunked", lambda target: chunked("POST", target, JSON, body=b"1")
    yield "http-1.0", lambda target: request("POST", target, JSON, body=b"1", version="1.0")
    yield "absolute-form", lambda target: request("POST", f"http://localhost{target}", JSON, body=b"1")
    yield "expect", lambda target: request("POST", target, JSON, "Expect: 100-continue", body=b"1")
    yield "batch", lambda target: request("POST", target, NDJSON, body=b"1\n")
    yield "batch-chunked", lambda target: chunked("POST", target, NDJSON, body=b"1\n")


def a_whole_request_is_answered_though_its_client_sends_no_more():
    with attacked() as server:
        publish(server, "kept")
        for name, raw, status in reads():
            expect((name, answered(server, raw, status)), (name, TIMES))


def what_is_published_so_is_answered_and_there_exactly_once():
    with attacked() as server:
        for name, post in publishes():
            expect((name, answered(server, post(f"/topics/{name}"), 201)), (name, TIMES))
            expect((name, len(kept(server, name))), (name, TIMES))


def half_a_request_publishes_nothing():
    with attacked() as server:
        for name, post in publishes():
            with Connection(server.address) as connection:
                connection.send(post("/topics/half")[:-1])
                connection.half_close()
                answer = connection.to_the_end()
                assert b" 201 " not in answer, (name, answer)
        expect(kept(server, "half"), [])


run("half-close", a_whole_request_is_answered_though_its_client_sends_no_more,
    what_is_published_so_is_answered_and_there_exactly_once, half_a_request_publishes_nothing)
