"""An nginx of one's own: in the foreground, on sockets that are bound already, ended with its parent.

For scripts/peers/nchan and scripts/peers/nginx-proxy, which say on their first line of standard output where they listen, as
`pushoff serve` does; end on SIGTERM, SIGINT, or when their standard input ends (where that is a pipe or a socket); and leave
nothing behind.
"""

import contextlib
import ctypes
import http.client
import os
import pwd
import resource
import select
import shutil
import signal
import socket
import stat
import subprocess
import sys

READY_WITHIN_S = 10
# pushoff ends by force, a second after it asked, whoever has not ended; closing 10,000 connections takes nginx longer.
GRACE_S = 0.4
BACKLOG = 4096
# Descriptors beside connections: nginx's own, and connections that are just ending.
SPARE = 200

# One worker has a master: on its own (master_process off) nchan ends with a double free.
HEAD = """
{modules}
{user}
daemon off;
worker_processes 1;
worker_rlimit_nofile {descriptors};
pid {home}/pid;
error_log stderr warn;

events {{
  worker_connections {connections};
  multi_accept on;  # a crowd that comes at once is taken at once
}}

http {{
  client_body_temp_path {home}/body;
  proxy_temp_path {home}/proxy;
  fastcgi_temp_path {home}/fastcgi;
  uwsgi_temp_path {home}/uwsgi;
  scgi_temp_path {home}/scgi;

  access_log off;                  # a line a poll would be most of a poll's cost
"""


class Ended(Exception):
    """The server was asked to end."""


def fail(code, sentence):
    print(f"{os.path.basename(sys.argv[0])}: {sentence}", file=sys.stderr)
    sys.exit(code)


def program(install):
    """Where nginx is; exit code 2 where it is missing."""
    found = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")
    if found is None:
        fail(2, f"nginx is missing: {install}")
    return found


def head(home, connections, modules=""):
    """How a configuration begins, for that many connections."""
    needed = connections + SPARE
    allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if allowed != resource.RLIM_INFINITY and needed > allowed:
        fail(1, f"{needed} descriptors are needed and the system allows {allowed}: raise the hard limit (ulimit -Hn)")
    return HEAD.format(
        modules=modules, home=home, descriptors=needed,
        # Once a sixteenth is left, nginx closes those that are idle between two polls.
        connections=needed * 9 // 8,
        # Its worker would become somebody else, who may not use the folder.
        user=f"user {pwd.getpwuid(0).pw_name};" if os.getuid() == 0 else "")


def listener():
    """A socket on a free port, so that nobody can take the port before nginx has it."""
    bound = socket.create_server((os.environ.get("PUSHOFF_ADDRESS", "127.0.0.1"), 0), backlog=BACKLOG)
    bound.setblocking(False)  # nginx takes it as it is
    return bound, "%s:%s" % bound.getsockname()


def start(found, home, configuration, listeners):
    """Starts nginx on sockets that are bound, which it then has."""
    path = os.path.join(home, "nginx.conf")
    with open(path, "w") as file:
        file.write(configuration)
    numbers = [bound.fileno() for bound in listeners]
    environment = {**os.environ, "NGINX": "".join(f"{number};" for number in numbers)}  # how an nginx hands them on
    process = subprocess.Popen(
        [found, "-e", "stderr", "-p", home, "-c", path], env=environment, pass_fds=numbers,
        stdin=subprocess.DEVNULL, stdout=sys.stderr, preexec_fn=end_with_parent)
    for bound in listeners:
        bound.close()
    return process


def end_with_parent():
    """Has the kernel ask a child to end should this process be killed (prctl PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def answer(address, path):
    with contextlib.closing(http.client.HTTPConnection(address, timeout=READY_WITHIN_S)) as connection:
        connection.request("GET", path)
        return connection.getresponse().read().decode()


def until_asked(processes):
    """Waits for the end of standard input, where that is a pipe or a socket; fails where a process ends by itself."""
    ends = {os.pidfd_open(process.pid): process for process in processes}
    mode = os.fstat(0).st_mode
    watched = [*ends, *([0] if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) else [])]
    while True:
        ready, _, _ = select.select(watched, [], [])
        for ended in set(ready) & set(ends):
            process = ends[ended]
            fail(1, f"{os.path.basename(process.args[0])} ended by itself with exit code {process.wait()}")
        if not os.read(0, 4096):
            return


def end(process, worker):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    process.terminate()
    try:
        process.wait(GRACE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        if worker is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)
        process.wait()


def ask_to_end(_signal, _frame):
    raise Ended


def may_be_asked():
    signal.signal(signal.SIGTERM, ask_to_end)
    signal.signal(signal.SIGINT, ask_to_end)
