"""What is measured: each scenario loads one server once and returns the figures of that round."""

import dataclasses
import os
import random
import resource
import socket
import subprocess
import time

import measure
from servers import PORT

CLIENT_CPU = "1"
KIBI, MEBI, GIBI = 1024, 1024**2, 1024**3
TREE_FILES = 10_000
IDLE_CONNECTIONS = 15_000
IDLE_PER_ADDRESS = 5_000
REFUSED_MAX = 5
SERVERS = ("nginx", "lighttpd", "h2o", "static", "dynamic")
WITH_FLOOR = (*SERVERS, "floor")
BUSY = 0.95  # of a CPU; from here on it counts as fully used
COLD_FILES, COLD_SIZE, COLD_STREAMS = 64, 16 * MEBI, 16


@dataclasses.dataclass
class Round:
    """One server's figures of one round. `cost` is what the servers are compared by."""
    cost: float
    errors: int = 0
    bound: str = ""
    more: dict = dataclasses.field(default_factory=dict)


def bound(server_cpu, client_cpu_used, whole):
    """What limited the round: the side whose CPU was fully used."""
    for name, used in (("server", server_cpu), ("client", client_cpu_used)):
        if used > BUSY * whole:
            return name
    return "neither"


@dataclasses.dataclass
class Scenario:
    name: str
    title: str
    unit: str
    target: float  # as a part of the best peer's cost; 0 if the report states the target
    play: object   # a function of server, work folder and seconds
    servers: tuple = SERVERS
    limit: float = 0  # the largest cost that is wanted, where peers are no measure


def client_cpu():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def build_client(name, work, *libraries):
    source = os.path.join(os.path.dirname(__file__), "clients", f"{name}.c")
    subprocess.run(["gcc", "-O2", "-pthread", "-o", f"{work}/{name}", source, *libraries], check=True)


def run_client(command, environment=None):
    result = subprocess.run(["taskset", "-c", CLIENT_CPU, *command], capture_output=True, text=True, check=True,
                            env={**os.environ, **(environment or {})})
    for line in result.stdout.splitlines():
        if line.startswith("FIGURES "):
            return [float(figure) for figure in line.split()[1:]]
    raise RuntimeError(f"{command[0]} gave no figures: {result.stdout}{result.stderr}")


def wrk(server, seconds, connections, **settings):
    """See `load`."""
    environment = {f"BENCH_{name.upper()}": str(value) for name, value in settings.items()}
    script = os.path.join(os.path.dirname(__file__), "clients", "load.lua")
    return load(server, ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "20s", "-s", script,
                         f"{server.scheme}://127.0.0.1:{PORT}"], environment)


def discard(server, work, seconds, connections, path, ranges=0):
    """As `load`, but the client lets the kernel discard the content, which wrk would copy."""
    return load(server, [f"{work}/discard", str(PORT), str(connections), str(seconds), path, str(ranges)])


def load(server, command, environment=None):
    """Returns requests, bytes, errors, the CPU seconds of server and client, and the seconds of the round."""
    tree, client, start = server.processes(), client_cpu(), time.monotonic()
    before = measure.cpu_seconds(tree)
    requests, size, _, errors = run_client(command, environment)
    cpu = measure.cpu_seconds(tree) - before
    return requests, size, int(errors), cpu, client_cpu() - client, time.monotonic() - start


def by_requests(connections, pipelined=1, **settings):
    """CPU seconds for 100,000 requests."""
    def play(server, work, seconds):
        wrk(server, 1, connections, **settings)
        requests, _, errors, cpu, client, whole = wrk(server, seconds, connections, **settings)
        return Round(cpu / requests * 1e5, errors, bound(cpu, client, whole),
                     {"per second": requests / seconds, "busy": cpu / whole, "client busy": client / whole})
    return play


def by_bytes(connections, path):
    """CPU seconds for a GB."""
    def play(server, work, seconds):
        discard(server, work, 1, connections, path)
        _, size, errors, cpu, client, whole = discard(server, work, seconds, connections, path)
        return Round(cpu / size * 1e9, errors, bound(cpu, client, whole),
                     {"GB per second": size / seconds / 1e9, "busy": cpu / whole, "client busy": client / whole})
    return play


def by_ranges(connections, path, ranges):
    """CPU seconds for 100,000 requests for ranges."""
    def play(server, work, seconds):
        discard(server, work, 1, connections, path, ranges)
        requests, _, errors, cpu, client, whole = discard(server, work, seconds, connections, path, ranges)
        return Round(cpu / requests * 1e5, errors, bound(cpu, client, whole),
                     {"per second": requests / seconds, "busy": cpu / whole, "client busy": client / whole})
    return play


def idle(server, work, seconds):
    """Bytes of user space for an idle connection that was used once."""
    wrk(server, 1, 64)
    alone = wrk(server, seconds, 64)
    before = measure.private_bytes(server.processes())
    sockets, refused = [], 0
    for i in range(IDLE_CONNECTIONS):
        if refused == REFUSED_MAX:  # the server takes no more; each further one would wait for its time-out
            refused += IDLE_CONNECTIONS - i
            break
        client = socket.socket()
        client.settimeout(2)
        client.bind((f"127.0.1.{1 + i // IDLE_PER_ADDRESS}", 0))
        try:
            client.connect(("127.0.0.1", PORT))
            client.sendall(b"GET /1k.bin HTTP/1.1\r\nHost: a\r\n\r\n")
            if not client.recv(4096):
                refused += 1
        except OSError:
            refused += 1
        sockets.append(client)
    time.sleep(1)
    grown = measure.private_bytes(server.processes()) - before
    beside = wrk(server, seconds, 64)
    for client in sockets:
        client.close()
    # A server that is full answers no one.
    beside_cost = beside[3] / beside[0] if beside[0] else float("inf")
    return Round(grown / len(sockets), refused + alone[2] + beside[2], "",
                 {"CPU beside them": beside_cost / (alone[3] / alone[0])})


def cold(server, work, seconds):
    """Microseconds that 1 in 100 requests for a hot file exceeds, beside 16 streams of cold files."""
    client = [f"{work}/cold", str(PORT)]
    control = run_client([*client, "0", "0", "1"])
    for i in range(COLD_FILES):
        fd = os.open(f"{work}/root/cold/{i}.bin", os.O_RDONLY)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(fd)
    tree = server.processes()
    before, waited = measure.cpu_seconds(tree), measure.waited_for_cpu_seconds(tree)
    p50, p99, p999, longest, size, whole, errors, probes = run_client(
        [*client, str(COLD_STREAMS), str(COLD_FILES), "0"])
    cpu = measure.cpu_seconds(tree) - before
    complete = size >= COLD_FILES * COLD_SIZE
    return Round(p99, int(errors) + (0 if complete else 1), "", {
        "p50": p50, "p99.9": p999, "max": longest, "GB per second": size / whole / 1e9,
        "CPU s per GB": cpu / size * 1e9, "p99 at rest": control[1], "max at rest": control[3], "probes": probes,
        "waited for CPU, s": measure.waited_for_cpu_seconds(tree) - waited})


SCENARIOS = [
    Scenario("keepalive", "1 KiB, 64 kept connections", "CPU s / 100k requests", 0.95, by_requests(64), WITH_FLOOR),
    Scenario("connections", "1 KiB, a new connection each", "CPU s / 100k requests", 0.95,
             by_requests(64, mode="close")),
    Scenario("pipeline", "1 KiB, 16 pipelined requests", "CPU s / 100k requests", 0.5,
             by_requests(64, mode="pipeline", count=16)),
    Scenario("tree", "10,000 files of 0.5 to 64 KiB", "CPU s / 100k requests", 0.8,
             by_requests(64, mode="tree", count=TREE_FILES), WITH_FLOOR),
    Scenario("large", "64 MiB hot, 8 connections", "CPU s / GB", 0.95, by_bytes(8, path="/64m.bin"), WITH_FLOOR),
    Scenario("ranges", "64 KiB ranges of a hot file of 1 GiB", "CPU s / 100k requests", 0.85,
             by_ranges(64, "/1g.bin", 4096), WITH_FLOOR),
    Scenario("idle", "15,000 idle connections", "bytes of user space each", 0, idle),
    Scenario("cold", "a hot 1 KiB beside 16 cold streams", "µs, p99", 0, cold,
             ("nginx", "nginx-aio", "lighttpd", "h2o", "static", "dynamic")),
]


def write_file(path, size):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as out:
        while size > 0:
            part = min(size, MEBI)
            out.write(random.randbytes(part))
            size -= part


def make_tree(root, count):
    for i in range(count):
        write_file(f"{root}/tree/{i % 100}/{i}.bin", int(2 ** random.uniform(9, 16)))


def make_cold_files(root):
    for i in range(COLD_FILES):
        write_file(f"{root}/cold/{i}.bin", COLD_SIZE)


def make_files(root):
    """Equal for every server and every run."""
    random.seed(20240229)
    write_file(f"{root}/1k.bin", KIBI)
    write_file(f"{root}/64m.bin", 64 * MEBI)
    write_file(f"{root}/1g.bin", GIBI)
    make_tree(root, TREE_FILES)
    make_cold_files(root)
    os.sync()
    old = time.time() - 3600
    for folder, _, names in os.walk(root):
        for name in names:
            os.utime(os.path.join(folder, name), (old, old))
