"""What is measured with HTTP/2 over TLS 1.3, by nghttp2's h2load. See scenarios.py."""

import re
import subprocess
import time

import measure
from scenarios import CLIENT_CPU, Round, bound, client_cpu
from servers import PORT
from tls_scenarios import TlsScenario


def h2load(server, seconds, connections, streams, path):
    """Returns requests, bytes of content and of heads, errors, CPU seconds of server and client, and the round's seconds."""
    tree, client, start = server.processes(), client_cpu(), time.monotonic()
    before = measure.cpu_seconds(tree)
    command = ["taskset", "-c", CLIENT_CPU, "h2load", "-t1", f"-c{connections}", f"-m{streams}", f"-D{seconds}",
               f"https://127.0.0.1:{PORT}{path}"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    cpu, client, whole = measure.cpu_seconds(tree) - before, client_cpu() - client, time.monotonic() - start
    if "Application protocol: h2" not in text:
        raise RuntimeError(f"{server.name} does not speak HTTP/2: {text}")

    def figure(pattern):
        return int(re.search(pattern, text)[1])

    return (figure(r"(\d+) succeeded"), figure(r"\((\d+)\) data"), figure(r"\((\d+)\) headers"),
            figure(r"(\d+) failed"), cpu, client, whole)


def by_requests(connections, streams):
    """CPU seconds for 100,000 requests."""
    def play(server, work, seconds):
        h2load(server, 1, connections, streams, "/1k.bin")
        requests, _, heads, errors, cpu, client, whole = h2load(server, seconds, connections, streams, "/1k.bin")
        return Round(cpu / requests * 1e5, errors, bound(cpu, client, whole),
                     {"per second": requests / whole, "bytes of a head": heads / requests, "busy": cpu / whole,
                      "client busy": client / whole})
    return play


def by_bytes(connections, path):
    """CPU seconds for a GB."""
    def play(server, work, seconds):
        h2load(server, 1, connections, 1, path)
        _, size, _, errors, cpu, client, whole = h2load(server, seconds, connections, 1, path)
        return Round(cpu / size * 1e9, errors, bound(cpu, client, whole),
                     {"GB per second": size / whole / 1e9, "busy": cpu / whole, "client busy": client / whole})
    return play


SCENARIOS = [
    TlsScenario("h2-small", "1 KiB over HTTP/2, 10 connections with 100 streams each", "CPU s / 100k requests", 1.5,
                by_requests(10, 100)),
    TlsScenario("h2-one", "1 KiB over HTTP/2, 10 connections with one stream at a time", "CPU s / 100k requests", 0.95,
                by_requests(10, 1)),
    TlsScenario("h2-large", "64 MiB over HTTP/2, 8 connections", "CPU s / GB", 0.9, by_bytes(8, "/64m.bin")),
]
