"""Requests that two parsers could read in two ways: one answer, the connection's last, and nothing behind it is run.

Behind each stands a second request for /metrics. It may be answered where the first is plainly over, and must
not be where its end is in doubt (RFC 9112 §6.3, §11.2).
"""

import functools
import re

from wire import JSON, Connection, ask, attacked, expect, handshake, kept, publish, request, run, status

BEHIND = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
ONE = b"1\r\n1\r\n0\r\n\r\n"


def post(*fields, body=b"", target="/topics/doubt", version="1.1"):
    return request("POST", target, JSON, *fields, version=version) + body


TE = "Transfer-Encoding: chunked"
# What may be answered, and the request: where it ends is in doubt.
IN_DOUBT = {
    # A server may go by the chunks, where it closes the connection behind them (RFC 9112 §6.3).
    "a length and chunks": ({201, 400}, post("Content-Length: 1", TE, body=ONE)),
    "chunks and a length": ({201, 400}, post(TE, "Content-Length: 11", body=ONE)),
    "two lengths that differ": ({400}, post("Content-Length: 1", "Content-Length: 40", body=b"1")),
    "a list of lengths": ({400}, post("Content-Length: 1, 2", body=b"1")),
    "a signed length": ({400}, post("Content-Length: +1", body=b"1")),
    "a negative length": ({400}, post("Content-Length: -1", body=b"1")),
    "a hexadecimal length": ({400}, post("Content-Length: 0x1", body=b"1")),
    "an empty length": ({400}, post("Content-Length: ", body=b"1")),
    "a length with a space in it": ({400}, post("Content-Length: 1 2", body=b"1")),
    "a length beyond 64 bits": ({400, 413}, post("Content-Length: 18446744073709551617", body=b"1")),
    "a coding that is not chunked": ({400, 501}, post("Transfer-Encoding: identity", body=ONE)),
    "compressed chunks": ({501}, post("Transfer-Encoding: gzip, chunked", body=ONE)),
    "chunks, compressed": ({400, 501}, post("Transfer-Encoding: chunked, gzip", body=ONE)),
    "chunked twice": ({400, 501}, post("Transfer-Encoding: chunked, chunked", body=ONE)),
    "two codings": ({400, 501}, post(TE, "Transfer-Encoding: identity", body=ONE)),
    "an empty coding": ({400, 501}, post("Transfer-Encoding: ", body=ONE)),
    "an unknown coding": ({400, 501}, post("Transfer-Encoding: xchunked", body=ONE)),
    "a quoted coding": ({400, 501}, post('Transfer-Encoding: "chunked"', body=ONE)),
    "chunks in HTTP/1.0": ({400, 501}, post(TE, version="1.0", body=ONE)),
    "a space before the colon": ({400}, post("Transfer-Encoding : chunked", body=ONE)),
    "a folded field": ({400}, post("X: y\r\n folded", "Content-Length: 1", body=b"1")),
    "a bare CR in a field": ({400}, post("X: y\rTransfer-Encoding: chunked", "Content-Length: 1", body=b"1")),
    "a NUL in a field": ({400}, post("X: y\0", "Content-Length: 1", body=b"1")),
    "a signed chunk": ({400}, post(TE, body=b"+1\r\n1\r\n0\r\n\r\n")),
    "a chunk beyond 64 bits": ({400, 413}, post(TE, body=b"10000000000000001\r\n1\r\n0\r\n\r\n")),
    "a chunk without a size": ({400}, post(TE, body=b"\r\n1\r\n0\r\n\r\n")),
    "a chunk that is longer than its size": ({400}, post(TE, body=b"1\r\n12\r\n0\r\n\r\n")),
    "a chunk with 0x": ({400}, post(TE, body=b"0x1\r\n1\r\n0\r\n\r\n")),
    "a line feed in an extension": ({400}, post(TE, body=b"1;a\nb\r\n1\r\n0\r\n\r\n")),
    "a space in the target": ({400}, request("GET", "/heal thz")),
    "a tab in the request line": ({400}, b"GET\t/healthz\tHTTP/1.1\r\nHost: localhost\r\n\r\n"),
    "CONNECT": ({400, 405, 501}, request("CONNECT", "localhost:80")),
    "HTTP/2.0": ({400, 505}, request("GET", "/healthz", version="2.0")),
    "HTTP/0.9": ({400}, b"GET /healthz\r\n"),
    "a head beyond the limit": ({431}, request("GET", "/healthz", "X: " + "y" * 20_000)),
    "a head of very many fields": ({431}, request("GET", "/healthz", *["X: y"] * 1_000)),
}
# These are wrong, and over where they end.
OVER = {
    "two hosts": ({400}, request("GET", "/healthz", "Host: localhost")),
    "authority-form": ({400}, request("GET", "localhost:80")),
    "asterisk-form of a GET": ({400}, request("GET", "*")),
    "a target without a slash": ({400}, request("GET", "healthz")),
    "a fragment": ({400}, request("GET", "/healthz#x")),
    "a fragment in absolute-form": ({400}, request("GET", "http://localhost/healthz#x")),
    "another scheme": ({400, 421}, request("GET", "ftp://localhost/healthz")),
    "no host": ({400, 421}, request("GET", "/healthz", host=None)),
    "a body that is compressed": ({415}, post("Content-Encoding: gzip", "Content-Length: 1", body=b"1")),
}


def what_leaves_a_doubt_is_answered_once_and_nothing_behind_it():
    wrong, published = [], 0
    with attacked() as server:
        for name, (allowed, raw) in (IN_DOUBT | OVER).items():
            with Connection(server.address) as connection:
                connection.send(raw, BEHIND)
                came = connection.to_the_end()
            first, *others = (int(status) for status in re.findall(rb"HTTP/1\.[01] ([0-9]{3}) ", came))
            published += first == 201
            if first not in allowed or name in IN_DOUBT and (others or b"pushoff_topics" in came):
                wrong.append(f"{name}: {[first, *others]}")
            # Nobody else is touched by it.
            expect((name, publish(server, "bystander").status), (name, 201))
        expect(wrong, [])
        expect(kept(server, "doubt"), [1] * published)


def what_is_right_and_rare_is_taken():
    with attacked() as server:
        for name, raw in {
            "chunked": post(TE, body=b"1\r\n1\r\n0\r\n\r\n"),
            "chunks of any case": post("transfer-encoding: CHUNKED", body=ONE),
            "an extension": post(TE, body=b"1;a=b\r\n1\r\n0\r\n\r\n"),
            "a trailer": post(TE, body=b"1\r\n1\r\n0\r\nX: y\r\n\r\n"),
            "many chunks": post(TE, body=b"1\r\n1\r\n" * 30 + b"0\r\n\r\n"),
            "absolute-form": post("Content-Length: 1", target="http://localhost/topics/doubt", body=b"1"),
            "HTTP/1.0": post("Content-Length: 1", version="1.0", body=b"1"),
            "Expect": post("Expect: 100-continue", "Content-Length: 1", body=b"1"),
            "70 fields": post("Content-Length: 1", *[f"X-{number}: y" for number in range(66)], body=b"1"),
        }.items():
            expect((name, ask(server, raw).status), (name, 201))
        expect(len(kept(server, "doubt")), 9)


def a_query_parameter_that_a_transport_does_not_know_is_refused():
    with attacked() as server:
        publish(server, "t")
        for path in ("short-polling?afer=start", "websocket?wait=3", "http-streaming?interval=3",
                     "short-polling?wait=3", "long-polling?mode=streaming", "sse?subscribe=false", "sse?after=start&after=x",
                     "long-polling?wait=-1", "long-polling?wait=121", "long-polling?wait=1e9", "short-polling?limit=0"):
            for version in ("1.1", "1.0"):
                raw = (handshake if path.startswith("websocket") else functools.partial(request, "GET"))
                found = status(server, raw(f"/topics/t/{path}", version=version))
                expect((path, version, found), (path, version, 400))


run("doubt", what_leaves_a_doubt_is_answered_once_and_nothing_behind_it, what_is_right_and_rare_is_taken,
    a_query_parameter_that_a_transport_does_not_know_is_refused)
