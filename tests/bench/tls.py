"""Plays the scenarios of TLS 1.3, and of HTTP/2 over it, to all servers in turn, round after round, and reports medians."""

import argparse
import os
import pathlib
import shutil
import sys
import tempfile

import report
from bench import check_same_bytes, play
from h2_scenarios import SCENARIOS as OVER_HTTP2
from scenarios import KIBI, MEBI, build_client, write_file
from tls_scenarios import SCENARIOS as OVER_TLS
from tls_servers import make_certificates, tls_servers

SCENARIOS = [*OVER_TLS, *OVER_HTTP2]
HERE = pathlib.Path(__file__).resolve().parent
SAMPLES = [("/1k.bin", None), ("/64m.bin", None), ("/64m.bin", "bytes=67100000-")]


def arguments():
    names = [scenario.name for scenario in SCENARIOS]
    parser = argparse.ArgumentParser(prog="tests/bench/run tls", description=__doc__)
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help="of " + ", ".join(names) + "; all without one")
    parser.add_argument("--servers", default="nginx,lighttpd,h2o,static,dynamic", help="by commas; of these (all)")
    parser.add_argument("--rounds", type=int, default=5, help="of which the median counts (5)")
    parser.add_argument("--seconds", type=int, default=4, help="of load in each (4)")
    parser.add_argument("--log", metavar="TITLE", help="append the table to LOG.md")
    given = parser.parse_args()
    if set(given.scenarios) - set(names):
        parser.error("the scenarios are " + ", ".join(names))
    if set(given.servers.split(",")) - set(tls_servers()):
        parser.error("the servers are " + ", ".join(tls_servers()))
    return given


def chosen(given, **serving):
    return [server for name, server in tls_servers(**serving).items() if name in given.servers.split(",")]


def main():
    given = arguments()
    work = tempfile.mkdtemp(prefix="sluice-bench-", dir="/var/tmp")
    os.chmod(work, 0o755)
    root = f"{work}/root"
    try:
        build_client("tls", work, "-lssl", "-lcrypto")
        make_certificates(work)
        write_file(f"{root}/1k.bin", KIBI)
        write_file(f"{root}/64m.bin", 64 * MEBI)
        check_same_bytes(chosen(given), work, root, SAMPLES)
        lines = [f"TLS 1.3. Medians of {given.rounds} rounds of {given.seconds} s, the servers in turn; one worker on one CPU, "
                 "the client on another, where nothing else is said."]
        for scenario in SCENARIOS:
            if given.scenarios and scenario.name not in given.scenarios:
                continue
            results = play(scenario, chosen(given, **scenario.serving), given.rounds, given.seconds, work, root)
            lines += ["", f"### {scenario.name}: {scenario.title}", "", *report.rows(scenario, results)]
            print("\n".join(lines[-len(results) - 3:]), file=sys.stderr)
        text = "\n".join(lines) + "\n"
        print(text)
        if given.log:
            report.log(HERE / "LOG.md", given.log, text)
    finally:
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
