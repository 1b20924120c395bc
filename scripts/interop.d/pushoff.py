"""What the Python checks share: a server of one's own, publishing, and the lines that are printed.

Standard library only, so that what is checked beside it is the client alone.
"""

import contextlib
import json
import os
import subprocess
import traceback
import urllib.request

DEADLINE_S = 15


class Server:
    """A running `pushoff serve`."""

    def __init__(self, process, ready):
        self.process = process
        self.http = ready["http"]
        self.url = "http://" + ready["http"]
        # Where it speaks TLS, if it does.
        self.https = f"https://{ready['https']}" if "https" in ready else None
        self.host, port = ready["http"].rsplit(":", 1)
        self.port = int(port)
        self.address = (self.host, self.port)
        raw_host, raw_port = ready["raw_tcp"].rsplit(":", 1)
        self.raw_tcp = (raw_host, int(raw_port))

    def request(self, method, path, body=None, content_type="application/json"):
        headers = {"Content-Type": content_type} if body is not None else {}
        request = urllib.request.Request(self.url + path, body, headers, method=method)
        with urllib.request.urlopen(request, timeout=DEADLINE_S) as response:
            return response.status, response.headers, response.read()

    def publish(self, topic, *payloads):
        """Publishes each payload as JSON and returns the cursors."""
        return [json.loads(self.request("POST", f"/topics/{topic}", json.dumps(payload).encode())[2])["id"]
                for payload in payloads]

    def origin(self, topic):
        """The cursor before the topic's first message."""
        headers = self.request("GET", f"/topics/{topic}/short-polling")[1]
        return headers["Last-Event-ID"].split("-")[0] + "-0"

    def complete(self, topic):
        assert self.request("DELETE", f"/topics/{topic}")[0] == 204


@contextlib.contextmanager
def serve(*flags, listen="127.0.0.1:0", stderr=subprocess.DEVNULL):
    """Starts a server and ends it with the block."""
    command = [os.environ["PUSHOFF"], "serve", "--listen", listen, "--raw-tcp", "127.0.0.1:0", *flags]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, stdin=subprocess.DEVNULL)
    try:
        ready = process.stdout.readline()
        assert ready, f"a server with {' '.join(flags) or 'no flags'} ended with {process.wait()} before it was ready"
        yield Server(process, json.loads(ready))
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def expect(found, wanted):
    """Fails with both values where they differ."""
    assert found == wanted, f"{found!r} where {wanted!r} was due"


def cursors(origin, *sequences):
    """Cursors of the same epoch as `origin`."""
    return [f"{origin.split('-')[0]}-{sequence}" for sequence in sequences]


def run(client, *checks):
    """Runs each check, named as the fact that it shows, and prints one line for each."""
    for check in checks:
        name = f"{client}: {check.__name__.replace('_', ' ')}"
        try:
            check()
        except Exception as error:  # A failed check is a result, whatever failed.
            place = traceback.extract_tb(error.__traceback__)[-1]
            print(f"FAILED  {name}: {type(error).__name__}: {error} ({os.path.basename(place.filename)}:{place.lineno})",
                  flush=True)
        else:
            print(f"ok      {name}", flush=True)
