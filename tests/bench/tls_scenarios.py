"""What is measured with TLS 1.3. See scenarios.py."""

import dataclasses
import math
import os
import signal
import socket
import ssl
import time

import measure
from scenarios import BUSY, MEBI, Round, Scenario, bound, by_requests, client_cpu, run_client
from servers import PORT, SERVER_CPU, eventually

IDLE_CONNECTIONS = 2_000
TICKETS = 50
FLOOD = 32  # connections whose handshakes are under way at any time
BOTH_CPUS = "0,1"  # the client shares one of them


@dataclasses.dataclass
class TlsScenario(Scenario):
    serving: dict = dataclasses.field(default_factory=dict)  # of tls_servers


def tls(server, work, seconds, mode, connections, path):
    """Returns the client's figures (clients/tls.c), the CPU seconds of server and client, and the seconds of the round."""
    tree, client, start = server.processes(), client_cpu(), time.monotonic()
    before = measure.cpu_seconds(tree)
    figures = run_client([f"{work}/tls", str(PORT), mode, str(connections), str(seconds), path])
    return figures, measure.cpu_seconds(tree) - before, client_cpu() - client, time.monotonic() - start


def by_handshakes(connections):
    """CPU seconds for 1,000 connections, each with a full handshake and one request."""
    def play(server, work, seconds):
        tls(server, work, 1, "full", connections, "/1k.bin")
        (requests, _, _, errors, *_), cpu, client, whole = tls(server, work, seconds, "full", connections, "/1k.bin")
        return Round(cpu / requests * 1e3, int(errors), bound(cpu, client, whole),
                     {"per second": requests / whole, "busy": cpu / whole, "client busy": client / whole})
    return play


def by_bytes(connections, path):
    """CPU seconds for a GB; a handshake for each answer is less than a hundredth of that."""
    def play(server, work, seconds):
        tls(server, work, 1, "discard", connections, path)
        (_, size, _, errors, *_), cpu, client, whole = tls(server, work, seconds, "discard", connections, path)
        return Round(cpu / size * 1e9, int(errors), bound(cpu, client, whole),
                     {"GB per second": size / whole / 1e9, "busy": cpu / whole, "client busy": client / whole})
    return play


class Visitor:
    """Connects, asks for a small file, and has the session that came with the answer."""

    def __init__(self):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.context.check_hostname = False
        self.context.verify_mode = ssl.CERT_NONE

    def visit(self, session=None):
        """The connection stays open until its owner closes it."""
        client = self.context.wrap_socket(socket.create_connection(("127.0.0.1", PORT), 5), server_hostname="localhost",
                                          session=session)
        client.sendall(b"GET /1k.bin HTTP/1.1\r\nHost: localhost\r\n\r\n")
        if not client.recv(4096).startswith(b"HTTP/1.1 200"):
            raise OSError("the server has not answered")
        return client

    def sessions(self, count):
        found = []
        for _ in range(count):
            with self.visit() as client:
                found.append(client.session)
        return found

    def share_resumed(self, sessions):
        resumed = 0
        for session in sessions:
            try:
                with self.visit(session) as client:
                    resumed += client.session_reused
            except OSError:
                continue
        return resumed / len(sessions)


def answers():
    try:
        Visitor().visit().close()
        return True
    except OSError:
        return False


def share_after_reload(server, visitor):
    """nan: a server that has no signal for it."""
    reload = {"nginx": signal.SIGHUP, "lighttpd": signal.SIGUSR1, "static": signal.SIGHUP, "dynamic": signal.SIGHUP}
    if server.name not in reload:
        return math.nan
    sessions = visitor.sessions(TICKETS)
    os.kill(server.process.pid, reload[server.name])
    time.sleep(1)
    if not eventually(answers):
        return 0
    return visitor.share_resumed(sessions)


def share_after_death(server, visitor):
    """nan: a server that has no worker processes, but threads."""
    if server.name == "h2o":
        return math.nan
    workers = server.processes()[1:]
    sessions = visitor.sessions(TICKETS)
    os.kill(workers[0], signal.SIGKILL)
    eventually(lambda: len(server.processes()) > len(workers) and workers[0] not in server.processes())
    if not eventually(answers):
        return 0
    return visitor.share_resumed(sessions)


def by_resumptions(connections):
    """CPU seconds for 1,000 connections with a resumed handshake and one request."""
    def play(server, work, seconds):
        tls(server, work, 1, "resumed", connections, "/1k.bin")
        (requests, _, _, errors, resumed, *_), cpu, client, whole = tls(server, work, seconds, "resumed", connections,
                                                                       "/1k.bin")
        visitor = Visitor()
        busy = "machine" if cpu + client > BUSY * 2 * whole else "neither"
        return Round(cpu / requests * 1e3, int(errors), busy,
                     {"resumed": resumed / requests, "after a reload": share_after_reload(server, visitor),
                      "after a worker died": share_after_death(server, visitor), "per second": requests / whole})
    return play


def beside_handshakes(server, work, seconds):
    """Microseconds that 1 in 100 requests on a kept connection exceeds, beside a flood of full handshakes."""
    at_rest, *_ = tls(server, work, 1, "probe", 0, "/1k.bin")
    (requests, _, _, errors, _, p50, p99, longest, probes), cpu, client, whole = tls(server, work, seconds, "probe", FLOOD,
                                                                                    "/1k.bin")
    return Round(p99, int(errors), bound(cpu, client, whole),
                 {"p50": p50, "max": longest, "p99 at rest": at_rest[6], "probes": probes,
                  "handshakes per second": requests / whole, "busy": cpu / whole})


def idle(server, work, seconds):
    """Bytes of user space for an idle connection that was used once."""
    tls(server, work, 1, "full", 4, "/1k.bin")
    visitor, clients, refused = Visitor(), [], 0
    before = measure.private_bytes(server.processes())
    for _ in range(IDLE_CONNECTIONS):
        try:
            clients.append(visitor.visit())
        except OSError:
            refused += 1
    time.sleep(1)
    grown = measure.private_bytes(server.processes()) - before
    for client in clients:
        client.close()
    return Round(grown / max(len(clients), 1), refused, "", {"MiB without them": before / MEBI})


SCENARIOS = [
    TlsScenario("tls-kept", "1 KiB, 64 kept connections", "CPU s / 100k requests", 0.95, by_requests(64)),
    TlsScenario("tls-pipelined", "1 KiB, 16 pipelined requests", "CPU s / 100k requests", 0.4,
                by_requests(64, mode="pipeline", count=16)),
    TlsScenario("tls-full", "full handshakes, a key of P-256", "CPU s / 1k connections", 0.95, by_handshakes(16)),
    TlsScenario("tls-full-rsa", "full handshakes, a key of RSA-2048", "CPU s / 1k connections", 0.95, by_handshakes(16),
                serving={"key": "rsa2048"}),
    TlsScenario("tls-resumed", "resumed handshakes, 2 workers beside the client", "CPU s / 1k connections", 0.95,
                by_resumptions(16), serving={"workers": 2, "cpus": BOTH_CPUS}),
    TlsScenario("tls-large", "64 MiB hot, 8 connections", "CPU s / GB", 0.75, by_bytes(8, "/64m.bin")),
    TlsScenario("tls-p99", "a hot 1 KiB beside full handshakes of RSA-4096, all on one CPU", "µs, p99", 0,
                beside_handshakes, limit=5_000, serving={"key": "rsa4096", "cpus": SERVER_CPU}),
    TlsScenario("tls-p99-threads", "the same, and a second CPU for the threads beside the client", "µs, p99", 0,
                beside_handshakes, limit=1_000, serving={"key": "rsa4096", "cpus": BOTH_CPUS}),
    TlsScenario("tls-idle", "2,000 idle connections", "bytes of user space each", 0, idle, limit=12_000),
]
