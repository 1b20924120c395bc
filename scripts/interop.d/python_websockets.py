"""Python's `websockets`."""

import json
import signal

from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory, PerMessageDeflate
from websockets.sync.client import connect

from pushoff import DEADLINE_S, cursors, expect, run, serve


def subscribe(server, query="", **options):
    return connect(f"ws://{server.http}/topics/t/websocket{query}", open_timeout=DEADLINE_S, **options)


def receive(socket):
    return json.loads(socket.recv(DEADLINE_S))


def close_code(socket):
    try:
        while True:
            socket.recv(DEADLINE_S)
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else None


def speaks_and_hears_in_order():
    with serve() as server:
        origin = server.origin("t")
        with subscribe(server) as speaker, subscribe(server) as listener:
            expect([receive(speaker), receive(listener)], [{"open": origin}] * 2)
            for number in range(1, 21):
                speaker.send(json.dumps(number))
            wanted = [{"id": cursor, "data": number}
                      for number, cursor in enumerate(cursors(origin, *range(1, 21)), 1)]
            expect([receive(speaker) for _ in range(20)], wanted)
            expect([receive(listener) for _ in range(20)], wanted)


def resumes_by_header_and_by_query():
    with serve("--replay", "3") as server:
        published = server.publish("t", *range(1, 7))
        with subscribe(server, f"?after={published[3]}") as socket:
            expect([receive(socket).get("id") for _ in range(3)], [None, *published[4:]])
        with subscribe(server, additional_headers={"Last-Event-ID": published[0]}) as socket:
            expect(receive(socket).keys(), {"open"})
            expect(receive(socket), {"missed": 2, "id": published[2]})
            expect([receive(socket)["id"] for _ in range(3)], published[3:])


def is_closed_with_1000_by_completion():
    with serve() as server, subscribe(server) as socket:
        receive(socket)
        server.publish("t", 1)
        server.complete("t")
        expect(close_code(socket), 1000)


def is_closed_with_1001_by_shutdown():
    with serve() as server, subscribe(server) as socket:
        receive(socket)
        server.process.send_signal(signal.SIGTERM)
        expect(close_code(socket), 1001)
        expect(server.process.wait(DEADLINE_S), 0)


def is_refused_a_binary_message_and_what_is_no_json():
    with serve() as server:
        for message, code in [(b"1", 1003), ("{", 1007)]:
            with subscribe(server) as socket:
                socket.send(message)
                expect(close_code(socket), code)
        expect(server.origin("t"), server.request("GET", "/topics/t/short-polling")[1]["Last-Event-ID"])


def keeps_an_idle_connection_by_its_pongs():
    with serve("--heartbeat", "100ms") as server, subscribe(server, ping_interval=0.1, ping_timeout=5) as socket:
        receive(socket)
        try:
            socket.recv(1)
        except TimeoutError:
            pass
        published, = server.publish("t", 1)
        expect(receive(socket), {"id": published, "data": 1})


def is_refused_with_a_status_where_the_topic_is_bad():
    with serve() as server:
        try:
            connect(f"ws://{server.http}/topics/bad!topic/websocket")
        except InvalidStatus as refused:
            expect(refused.response.status_code, 400)
        else:
            raise AssertionError("it was let in")


def deflated(server, topic, **parameters):
    """A socket that agreed on permessage-deflate, and what was agreed on."""
    offer = ClientPerMessageDeflateFactory(**parameters)
    socket = connect(f"ws://{server.http}/topics/{topic}/websocket", open_timeout=DEADLINE_S, compression=None,
                     extensions=[offer])
    extension, = socket.protocol.extensions
    assert isinstance(extension, PerMessageDeflate), extension
    return socket, extension


def agrees_on_permessage_deflate_by_itself():
    with serve("--compress") as server, subscribe(server) as socket:
        origin = receive(socket)["open"]
        extension, = socket.protocol.extensions
        assert isinstance(extension, PerMessageDeflate), extension
        for number in range(1, 21):
            socket.send(json.dumps(["a message as the others", number]))
        wanted = [{"id": cursor, "data": ["a message as the others", number]}
                  for number, cursor in enumerate(cursors(origin, *range(1, 21)), 1)]
        expect([receive(socket) for _ in range(20)], wanted)


def agrees_on_every_parameter_of_permessage_deflate():
    offers = [
        {"server_no_context_takeover": True},
        {"client_no_context_takeover": True},
        {"server_no_context_takeover": True, "client_no_context_takeover": True, "server_max_window_bits": 9,
         "client_max_window_bits": 9},
        *[{"server_max_window_bits": bits, "client_max_window_bits": bits} for bits in range(9, 16)],
    ]
    with serve("--compress") as server:
        for index, offer in enumerate(offers):
            topic = f"t{index}"
            socket, extension = deflated(server, topic, **offer)
            with socket:
                receive(socket)
                expect(extension.remote_no_context_takeover, offer.get("server_no_context_takeover", False))
                expect(extension.local_no_context_takeover, offer.get("client_no_context_takeover", False))
                expect(extension.remote_max_window_bits, offer.get("server_max_window_bits", 12))
                expect(extension.local_max_window_bits, offer.get("client_max_window_bits", 15))
                # More than the largest window, with repetitions near and far.
                text = " ".join(f"{number * 7919 % 1000} and {number % 10}" for number in range(5000))
                for number in range(3):
                    socket.send(json.dumps([number, text]))
                expect([receive(socket)["data"] for _ in range(3)], [[number, text] for number in range(3)])


def is_declined_a_window_that_the_server_does_not_have():
    with serve("--compress") as server:
        offer = ClientPerMessageDeflateFactory(server_max_window_bits=8)
        with connect(f"ws://{server.http}/topics/t/websocket", open_timeout=DEADLINE_S, compression=None,
                     extensions=[offer]) as socket:
            expect(socket.protocol.extensions, [])
            expect(receive(socket).keys(), {"open"})


def is_given_no_compression_unless_the_server_has_it():
    with serve() as server, subscribe(server) as socket:
        expect(socket.protocol.extensions, [])


run("Python websockets", speaks_and_hears_in_order, resumes_by_header_and_by_query,
    is_closed_with_1000_by_completion, is_closed_with_1001_by_shutdown,
    is_refused_a_binary_message_and_what_is_no_json, keeps_an_idle_connection_by_its_pongs,
    is_refused_with_a_status_where_the_topic_is_bad, agrees_on_permessage_deflate_by_itself,
    agrees_on_every_parameter_of_permessage_deflate, is_declined_a_window_that_the_server_does_not_have,
    is_given_no_compression_unless_the_server_has_it)
