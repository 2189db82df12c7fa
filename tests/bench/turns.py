"""How long the turns of sluice's loop get, and whether it sleeps, under everything that could hold it up at once: 16
streams of cold files, a cold tree of 4,096 files, 500 clients that read slowly, and a listing of 100,000 entries."""

import argparse
import http.client
import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import tempfile
import threading
import time

import report
from scenarios import (CLIENT_CPU, COLD_FILES, COLD_STREAMS, KIBI, MEBI, build_client, make_cold_files, make_tree,
                       run_client, write_file)
from servers import PORT, Server, sluice

HERE = pathlib.Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
MODULES = ("static_sendfile", "dynamic_aio")
TREE_FILES, TREE_CLIENTS = 4_096, 16
SLOW_CLIENTS = 500
ENTRIES = 100_000


def audited(module, work):
    command = [f"{word}:listing=on" if word == f"/={module}" else word for word in sluice(module)]
    return Server(f"turns-{module}", None, [*command, "--loop-audit", "on", "--control", f"{work}/control.sock"])


def make_files(root):
    write_file(f"{root}/1k.bin", KIBI)
    write_file(f"{root}/slow.bin", MEBI)
    make_tree(root, TREE_FILES)
    make_cold_files(root)
    os.makedirs(f"{root}/many")
    for i in range(ENTRIES):
        pathlib.Path(f"{root}/many/{i}").touch()
    os.sync()


class Crowd:
    """All clients except those of the cold files."""

    def __init__(self):
        self.errors = 0
        self.reading_slowly = True
        shares = [[f"/tree/{i % 100}/{i}.bin" for i in range(first, TREE_FILES, TREE_CLIENTS)]
                  for first in range(TREE_CLIENTS)]
        self.fetching = [threading.Thread(target=self.fetch, args=(paths,)) for paths in [["/many/"], *shares]]
        self.slow = threading.Thread(target=self.read_slowly)

    def fetch(self, paths):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=20)
            for path in paths:
                connection.request("GET", path)
                answer = connection.getresponse()
                answer.read()
                self.errors += answer.status != 200
        except (OSError, http.client.HTTPException):
            self.errors += 1

    def read_slowly(self):
        clients = []
        try:
            for _ in range(SLOW_CLIENTS):
                client = socket.socket()
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * KIBI)
                client.connect(("127.0.0.1", PORT))
                client.sendall(b"GET /slow.bin HTTP/1.1\r\nHost: a\r\n\r\n")
                client.setblocking(False)
                clients.append(client)
            while self.reading_slowly:
                for client in clients:
                    try:
                        if not client.recv(KIBI):
                            raise ConnectionError("the server has closed")
                    except BlockingIOError:
                        pass
                time.sleep(0.01)
        except OSError:
            self.errors += 1
        for client in clients:
            client.close()

    def start(self):
        for thread in (*self.fetching, self.slow):
            thread.start()

    def join(self):
        for thread in self.fetching:
            thread.join()
        self.reading_slowly = False
        self.slow.join()


def series(text, name, labels=""):
    for line in text.splitlines():
        if line.startswith(f'sluice_{name}{{worker="1"{labels}}} '):
            return float(line.split()[-1])
    raise RuntimeError(f"there is no sluice_{name} in the metrics")


def play(module, work):
    """Returns the figures of a round, in the order of the table's columns, and errors."""
    server = audited(module, work)
    server.start(work, f"{work}/root", REPOSITORY)
    try:
        client = [f"{work}/cold", str(PORT)]
        rest = run_client([*client, "0", "0", "1"])
        os.sync()
        pathlib.Path("/proc/sys/vm/drop_caches").write_text("3")  # drops names and inodes as well
        crowd = Crowd()
        crowd.start()
        try:
            busy = run_client([*client, str(COLD_STREAMS), str(COLD_FILES), "0"])
        finally:
            crowd.join()
        text = subprocess.run([REPOSITORY / "build/release/bin/sluice", "metrics", "--control", f"{work}/control.sock"],
                              capture_output=True, text=True, check=True).stdout
        turns = series(text, "loop_net_turn_seconds_count")
        short = series(text, "loop_net_turn_seconds_bucket", ',le="0.002048"')
        figures = [turns, series(text, "loop_longest_net_turn_seconds") * 1e6, turns - short,
                   series(text, "loop_sleeps_total"), *busy[1:4], *rest[1:4]]
        return figures, crowd.errors + int(busy[6]) + int(rest[6])
    finally:
        server.stop()


def main():
    parser = argparse.ArgumentParser(prog="tests/bench/run turns", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="of which the median counts (5)")
    parser.add_argument("--log", metavar="TITLE", help="append the table to LOG.md")
    given = parser.parse_args()
    os.sched_setaffinity(0, {int(CLIENT_CPU)})
    work = tempfile.mkdtemp(prefix="sluice-bench-", dir="/var/tmp")
    os.chmod(work, 0o755)
    try:
        build_client("cold", work)
        make_files(f"{work}/root")
        results = {module: [] for module in MODULES}
        for _ in range(given.rounds):
            for module in MODULES:
                results[module].append(play(module, work))
        lines = [f"Medians of {given.rounds} rounds, the modules in turn; times in µs, and those of turns without what they "
                 "waited for a processor; how long a hot 1 KiB takes every 2 ms, and at rest.", "",
                 "| module | turns | longest turn | least to most | turns over 2 ms, all rounds | sleeps, all rounds | "
                 "p99 | p99.9 | max | p99 at rest | p99.9 at rest | max at rest | errors |",
                 "|---|" + "---:|" * 12]
        for module, rounds in results.items():
            turns, longest, over, sleeps, *latencies = zip(*(figures for figures, _ in rounds))
            lines.append(f"| {module} | {statistics.median(turns):,.0f} | {statistics.median(longest):,.0f} | "
                         f"{min(longest):,.0f} to {max(longest):,.0f} | {sum(over):.0f} | {sum(sleeps):.0f} | " +
                         " | ".join(f"{statistics.median(each):,.0f}" for each in latencies) +
                         f" | {sum(errors for _, errors in rounds)} |")
        text = "\n".join(lines) + "\n"
        print(text)
        if given.log:
            report.log(HERE / "LOG.md", given.log, text)
    finally:
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
