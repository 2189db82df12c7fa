"""Plays the scenarios to all servers in turn, round after round, and reports medians."""

import argparse
import hashlib
import os
import pathlib
import shutil
import ssl
import sys
import tempfile
import urllib.request

import measure
import report
from scenarios import SCENARIOS, build_client, make_files
from servers import PORT, all_servers

HERE = pathlib.Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
SAMPLES = [("/1k.bin", None), ("/tree/7/7.bin", None), ("/tree/42/9942.bin", None), ("/64m.bin", None),
           ("/1g.bin", "bytes=1073700000-"), ("/cold/3.bin", "bytes=65536-131071")]
UNVERIFIED = ssl.create_default_context()
UNVERIFIED.check_hostname = False
UNVERIFIED.verify_mode = ssl.CERT_NONE


def arguments():
    parser = argparse.ArgumentParser(prog="tests/bench/run", description=__doc__,
                                     epilog="tests/bench/run tls plays those of TLS, and tests/bench/run handlers those of handlers and "
                                            "filters; tests/bench/run growth, and tests/bench/run turns, "
                                            "measure sluice alone; each has its own --help")
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO",
                        help="of " + ", ".join(scenario.name for scenario in SCENARIOS) + "; all without one")
    parser.add_argument("--servers", help="just these, by commas: " + ",".join(all_servers()))
    parser.add_argument("--rounds", type=int, default=5, help="of which the median counts (5)")
    parser.add_argument("--seconds", type=int, default=4, help="of load in each (4)")
    parser.add_argument("--readahead", type=int, metavar="KIB",
                        help="of the disk, while this runs; the kernel's default is 128 (as it is)")
    parser.add_argument("--log", metavar="TITLE", help="append the table to LOG.md, and write the chart when it is of all scenarios")
    given = parser.parse_args()
    unknown = set(given.scenarios) - {scenario.name for scenario in SCENARIOS}
    if unknown:
        parser.error("there is no scenario " + ", ".join(sorted(unknown)))
    if given.servers and set(given.servers.split(",")) - set(all_servers()):
        parser.error("the servers are " + ", ".join(all_servers()))
    return given


def digests(server, samples):
    found = []
    for path, byte_range in samples:
        request = urllib.request.Request(f"{server.scheme}://127.0.0.1:{PORT}{path}")
        if byte_range:
            request.add_header("Range", byte_range)
        with urllib.request.urlopen(request, timeout=20, context=UNVERIFIED) as answer:
            found.append((answer.status, hashlib.sha256(answer.read()).hexdigest()))
    return found


def check_same_bytes(servers, work, root, samples=SAMPLES):
    expected = None
    for server in servers:
        if server.name == "floor":
            continue
        server.start(work, root, REPOSITORY)
        try:
            found = digests(server, samples)
        finally:
            server.stop()
        expected = expected or found
        if found != expected:
            sys.exit(f"bench: {server.name} does not send the same bytes as {servers[0].name}")


def play(scenario, servers, rounds, seconds, work, root):
    results = {server.name: [] for server in servers}
    for number in range(rounds):
        turn = number % len(servers)
        for server in servers[turn:] + servers[:turn]:
            server.start(work, root, REPOSITORY)
            try:
                results[server.name].append(scenario.play(server, work, seconds))
            finally:
                server.stop()
            last = results[server.name][-1]
            print(f"{scenario.name} {number + 1}/{rounds} {server.name}: {last.cost:.4g} {scenario.unit}",
                  file=sys.stderr)
    return results


def main():
    given = arguments()
    work = tempfile.mkdtemp(prefix="sluice-bench-", dir="/var/tmp")
    os.chmod(work, 0o755)
    root = f"{work}/root"
    readahead = measure.readahead_setting(work)
    before = readahead.read_text() if readahead else None
    try:
        if given.readahead is not None:
            if not readahead:
                sys.exit(f"bench: the disk beneath {work} has no readahead to set; leave out --readahead")
            readahead.write_text(str(given.readahead))
        for name in ("floor", "cold", "discard"):
            build_client(name, work)
        make_files(root)
        wanted = given.servers.split(",") if given.servers else list(all_servers())
        servers = {name: server for name, server in all_servers().items() if name in wanted}
        check_same_bytes(list(servers.values()), work, root)
        results = {}
        for scenario in SCENARIOS:
            taking_part = [servers[name] for name in scenario.servers if name in servers]
            if (given.scenarios and scenario.name not in given.scenarios) or not taking_part:
                continue
            results[scenario.name] = play(scenario, taking_part, given.rounds, given.seconds, work, root)
        text = report.table(results, given, readahead.read_text().strip() if readahead else "unknown")
        print(text)
        if given.log:
            report.log(HERE / "LOG.md", given.log, text)
            if len(results) == len(SCENARIOS):
                report.chart(HERE / "chart.svg", results)
    finally:
        for server in all_servers().values():
            server.stop()
        if given.readahead is not None and readahead:
            readahead.write_text(before)
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
