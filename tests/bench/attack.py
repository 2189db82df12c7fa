"""How long a client waits for a hot 1 KiB, at rest and while others attack the server: with heads and bodies that come
byte by byte, answers that are read byte by byte, pipelines, connections, ranges, and floods of HTTP/2 in clear text. The
attackers are on loopback, where sluice's limits for a client do not count."""

import argparse
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import tempfile
import time

import report
from scenarios import CLIENT_CPU, KIBI, MEBI, build_client, run_client, write_file
from servers import H2O, LIGHTTPD, NGINX, PORT, Server, sluice

HERE = pathlib.Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
# Of nginx, which does not speak HTTP/2 where it speaks HTTP/1.1 in clear text.
HTTP2_PORT = PORT + 1
SETTLE_SECONDS = 1
ATTACKS = {"headers": 2000, "bodies": 2000, "readers": 500, "pipelines": 50, "connects": 50, "ranges": 20,
           "h2-resets": 20, "h2-pings": 20, "h2-settings": 20, "h2-unknown": 20, "h2-priorities": 20, "h2-updates": 20,
           "h2-continuations": 20, "h2-bombs": 20, "h2-windows": 500}


def servers():
    def files(module):
        return [*sluice(module), "--protocols", "h2,http/1.1,h2c"]

    clear = 'server.feature-flags += ( "server.h2proto" => "enable", "server.h2c" => "enable" )\n'
    return {server.name: server for server in [
        Server("nginx", None, ["nginx", "-c", "@configuration@"], NGINX % f"listen 127.0.0.1:{HTTP2_PORT} http2;"),
        Server("lighttpd", None, ["lighttpd", "-D", "-f", "@configuration@"], LIGHTTPD + clear),
        Server("h2o", None, ["h2o", "-m", "worker", "-c", "@configuration@"], H2O),
        Server("static", None, files("static_sendfile")),
        Server("dynamic", None, files("dynamic_aio")),
    ]}


def probe(work, seconds):
    """p50, p99, p99.9 and the longest, in microseconds, and errors. It runs before the attackers on their CPU, as if it had
    a machine of its own."""
    figures = run_client(["chrt", "--fifo", "1", f"{work}/cold", str(PORT), "0", "0", str(seconds)])
    return figures[:4], int(figures[6])


def play(server, attack, work, seconds):
    """Returns what a probe gives, how many connections were made, and how many of them the server has ended."""
    server.start(work, f"{work}/root", REPOSITORY)
    try:
        if attack is None:
            return *probe(work, seconds), 0, 0
        port = HTTP2_PORT if server.name == "nginx" and attack.startswith("h2-") else PORT
        attacker = subprocess.Popen(["taskset", "-c", CLIENT_CPU, f"{work}/attack", str(port), attack, str(ATTACKS[attack])],
                                    stdout=subprocess.PIPE, text=True)
        try:
            time.sleep(SETTLE_SECONDS)
            try:
                figures, errors = probe(work, seconds)
            except (RuntimeError, subprocess.CalledProcessError):
                figures, errors = [float("nan")] * 4, 1
        finally:
            attacker.send_signal(signal.SIGTERM)
            made, ended = attacker.communicate(timeout=20)[0].split()[1:3]
        return figures, errors, int(made), int(ended)
    finally:
        server.stop()


def rows(results):
    yield "| attack | server | p50 | p99 | of at rest | p99.9 | longest | connections | of these ended | errors |"
    yield "|---|---|" + "---:|" * 8
    for attack, by_server in results.items():
        for name, rounds in by_server.items():
            p50, p99, p999, longest = (statistics.median(one[0][i] for one in rounds) for i in range(4))
            rest = statistics.median(one[0][1] for one in results[None][name])
            made, ended = (statistics.median(one[i] for one in rounds) for i in (2, 3))
            yield (f"| {attack or 'none'} | {name} | {p50:,.0f} | {p99:,.0f} | {p99 / rest:.2f} | {p999:,.0f} | {longest:,.0f} | "
                   f"{made:,.0f} | {ended:,.0f} | {sum(one[1] for one in rounds)} |")


def main():
    parser = argparse.ArgumentParser(prog="tests/bench/run attack", description=__doc__)
    parser.add_argument("attacks", nargs="*", metavar="ATTACK", help="of " + ", ".join(ATTACKS) + "; all without one")
    parser.add_argument("--servers", default=",".join(servers()), help="just these, by commas")
    parser.add_argument("--rounds", type=int, default=3, help="of which the median counts (3)")
    parser.add_argument("--seconds", type=int, default=3, help="of each attack (3)")
    parser.add_argument("--log", metavar="TITLE", help="append the table to LOG.md")
    given = parser.parse_args()
    os.sched_setaffinity(0, {int(CLIENT_CPU)})
    work = tempfile.mkdtemp(prefix="sluice-bench-", dir="/var/tmp")
    os.chmod(work, 0o755)
    try:
        for client in ("cold", "attack"):
            build_client(client, work)
        write_file(f"{work}/root/1k.bin", KIBI)
        write_file(f"{work}/root/slow.bin", 64 * MEBI)
        measured = {name: servers()[name] for name in given.servers.split(",")}
        attacks = [None, *(given.attacks or ATTACKS)]
        results = {attack: {name: [] for name in measured} for attack in attacks}
        for _ in range(given.rounds):
            for attack in attacks:
                for name, server in measured.items():
                    results[attack][name].append(play(server, attack, work, given.seconds))
        lines = [f"Medians of {given.rounds} rounds of {given.seconds} s, the servers in turn; one worker on one CPU, the "
                 "attackers on another, where the probe goes before them; times in µs, of a hot 1 KiB that is asked for every 2 ms on a kept connection.", "",
                 *rows(results)]
        text = "\n".join(lines) + "\n"
        print(text)
        if given.log:
            report.log(HERE / "LOG.md", given.log, text)
    finally:
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
