"""Foreign pages and foreign names: DNS rebinding (Host), other origins (Origin), and pages that send none
(Sec-Fetch-Site). What is refused has no effect. browser.mjs does the same with a real browser.
"""

from wire import JSON, ask, attacked, chunked, expect, handshake, kept, metrics, publish, request, run, status

FOREIGN_HOSTS = ["evil.example", "evil.example:80", "localhost.evil.example", "127.0.0.1.evil.example",
                 "192.0.2.1", "0.0.0.0", "[::2]", "2130706433", "evil.example:PORT", "localhost:PORT.evil.example"]
OWN_HOSTS = ["localhost", "LOCALHOST", "localhost:PORT", "127.0.0.1", "127.0.0.1:PORT", "[::1]", "[::1]:PORT"]
FOREIGN_ORIGINS = ["http://evil.example", "null", "http://localhost.evil.example", "http://localhost:1", "file://",
                   "https://evil.example:443", "http://127.0.0.1", "localhost:PORT", "", "http://evil.example/localhost"]


def everything(fields=(), **options):
    """One request of each kind that a page can make: what it is for, and its bytes."""
    reading = "/topics/t/short-polling?after=start"
    yield "page", request("GET", "/", *fields, **options)
    yield "poll", request("GET", reading, *fields, **options)
    yield "head", request("HEAD", reading, *fields, **options)
    yield "stream", request("GET", "/topics/t/http-streaming", *fields, **options)
    yield "sse", request("GET", "/topics/t/sse", *fields, **options)
    yield "handshake", handshake("/topics/t/websocket", *fields, **options)
    yield "echo", handshake("/echo", *fields, **options)
    yield "metrics", request("GET", "/metrics", *fields, **options)
    yield "outage", request("POST", "/outage/cut", *fields, body=b"", **options)
    yield "complete", request("DELETE", "/topics/t", *fields, **options)
    yield "preflight", request("OPTIONS", "/topics/t", "Access-Control-Request-Method: POST", *fields, **options)
    yield "publish", request("POST", "/topics/t", JSON, *fields, body=b'"stranger"', **options)
    yield "chunked", chunked("POST", "/topics/t", JSON, *fields, body=b'"stranger"', **options)
    yield "http-1.0", request("GET", reading, *fields, **options, version="1.0")
    yield "publish-1.0", request("POST", "/topics/t", JSON, *fields, body=b'"stranger"', **options, version="1.0")


def refused(server, cases, allowed):
    """What was answered otherwise than it should be; and the topic is as it was."""
    answers = [(name, status(server, raw)) for name, raw in cases]
    expect(kept(server, "t"), ["own"])
    expect(metrics(server)["pushoff_topics"], 1)
    return [(name, found) for name, found in answers if found not in allowed(name)]


def only_own_names_are_answered():
    with attacked("--demo", "--echo", "--allow-host", "push.example") as server:
        publish(server, "t", b'"own"')
        for host in FOREIGN_HOSTS:
            host = host.replace("PORT", str(server.port))
            # What is no host at all may be a bad request.
            expect((host, refused(server, everything(host=host), lambda _: (421, 400))), (host, []))
        # HTTP/1.0 has no need of a host, and no browser speaks it.
        without = [(name, raw) for name, raw in everything(host=None) if "1.0" not in name]
        expect(refused(server, without, lambda _: (400, 421)), [])
        for host in [*OWN_HOSTS, "push.example", f"PUSH.example:{server.port}", "push.example:443"]:
            host = host.replace("PORT", str(server.port))
            expect((host, ask(server, request("GET", "/healthz", host=host)).status), (host, 200))
            expect((host, ask(server, request("GET", "/healthz", host=host, version="1.0")).status), (host, 200))


def the_name_in_the_target_counts_where_there_is_one():
    with attacked() as server:
        publish(server, "t", b'"own"')
        target = "http://evil.example/topics/t"
        cases = [("poll", request("GET", f"{target}/short-polling?after=start")),
                 ("publish", request("POST", target, JSON, body=b'"stranger"')),
                 ("complete", request("DELETE", target))]
        expect(refused(server, cases, lambda _: (421, 400)), [])
        expect(ask(server, request("GET", "http://localhost/healthz")).status, 200)


def a_refusal_says_what_to_do():
    with attacked() as server:
        answer = ask(server, request("GET", "/healthz", host="push.example"))
        expect((answer.status, answer.fields["content-type"]), (421, "application/problem+json"))
        assert b"--allow-host" in answer.body and b"push.example" in answer.body, answer.body


def foreign_origins_are_refused():
    with attacked("--demo", "--echo", "--allow-origin", "https://ok.example") as server:
        publish(server, "t", b'"own"')
        for origin in FOREIGN_ORIGINS:
            origin = origin.replace("PORT", str(server.port))
            found = refused(server, everything([f"Origin: {origin}"]), lambda _: (403, 400))
            expect((origin, found), (origin, []))
        own = f"localhost:{server.port}"
        for origin, host in ((f"http://{own}", own), ("https://ok.example", own)):
            answer = ask(server, request("GET", "/topics/t/short-polling", f"Origin: {origin}", host=host))
            expect((answer.status, answer.fields.get("access-control-allow-origin")), (204, origin))


def a_page_of_another_site_that_sends_no_origin_is_refused():
    """A no-cors GET carries no Origin; a browser says so in Sec-Fetch-Site."""
    with attacked("--allow-origin", "https://ok.example") as server:
        publish(server, "t", b'"own"')
        fetch = ["Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: empty"]
        # What is not there is 404, and a browser's preflight always has an Origin.
        left_out = ("page", "metrics", "echo", "outage", "preflight")
        cases = [(name, raw) for name, raw in everything(fetch) if name not in left_out]
        expect(refused(server, cases, lambda _: (403,)), [])
        poll = "/topics/t/short-polling?after=start"
        for fields in ([*fetch, "Origin: https://ok.example"], ["Sec-Fetch-Site: same-origin"], ["Sec-Fetch-Site: none"]):
            expect((fields, ask(server, request("GET", poll, *fields)).status), (fields, 200))


def what_is_for_demonstrations_is_off_unless_asked_for():
    with attacked() as server:
        publish(server, "t", b'"own"')
        for name in ("outage", "echo"):
            raw = dict(everything())[name]
            expect((name, status(server, raw)), (name, 404))
        expect(ask(server, request("POST", "/outage/hold?seconds=1", body=b"")).status, 404)
    with attacked("--demo", "--echo") as server:
        expect(status(server, handshake("/echo")), 101)
        expect(ask(server, request("POST", "/outage/cut", body=b"")).status, 204)


run("strangers", only_own_names_are_answered, the_name_in_the_target_counts_where_there_is_one,
    a_refusal_says_what_to_do, foreign_origins_are_refused, a_page_of_another_site_that_sends_no_origin_is_refused,
    what_is_for_demonstrations_is_off_unless_asked_for)
