"""Measures handlers, filters, compression and WebSockets beside other servers and libraries of Debian, and reports medians."""

import argparse
import gzip
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import report
from bench import play
from scenarios import Round, Scenario, bound, build_client, by_requests, load, write_file
from servers import H2O, NGINX, PORT, Server

HERE = pathlib.Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
HELLO = "Hello from a module of sluice.\\n"
JSON = '{"name":"attic","seats":4,"open":true}'
FILTERS = {
    "headers": "headers:set=X-A: 1",
    "rewrite": "rewrite:rules=^/old/(.*)$ /new/\\\\1 301",
    "access": "access:allow=127.0.0.0/8",
    "limit, a rate": "limit:rate=1000000/s",
    "limit, in flight": "limit:in_flight=1000",
    "compress, nothing to do": "compress",
}


def sluice(name, *more):
    return Server(name, None, ["@repository@/build/release/bin/sluice", "serve", "--root", "@root@", "--plugins",
                               "@work@/modules", "--listen", "127.0.0.1:@port@", "--workers", "1", "--user", "root",
                               "--keepalive-timeout", "600s", "--log-level", "error", *more])


def nginx(name, locations):
    return Server(name, "nginx-light", ["nginx", "-c", "@configuration@"], NGINX % locations)


def h2o(answers):
    paths = "".join(f"""
      {path}:
        mruby.handler: |
          lambda {{ |env| [200, {{"content-type" => "{kind}"}}, ['{text}']] }}""" for path, kind, text in answers)
    return Server("h2o", "h2o", ["h2o", "-m", "worker", "-c", "@configuration@"],
                  H2O[:H2O.index("      /:")].rstrip() + paths + "\n")


def peer(name):
    return Server(name, None, [f"@work@/{name}", "@port@"])


def answers(path, kind, text, ours):
    return [nginx("nginx", f'location {path} {{ default_type {kind}; return 200 \'{text}\'; }}'), h2o([(path, kind, text)]),
            peer("microhttpd"), peer("httplib"), peer("beast"), ours]


def with_filters():
    hello = ("--mount", "/hello/=hello")
    every = [word for name in FILTERS for word in ("--filter", f"/hello/={FILTERS[name]}")]
    return [sluice("none", *hello),
            *(sluice(name, *hello, "--filter", f"/hello/={filter}") for name, filter in FILTERS.items()),
            sluice("all of them", *hello, *every)]


def compressed():
    files = ("--mount", "/=static_sendfile")
    return [sluice("sidecar", "--mount", "/=static_sendfile:precompressed=on"),
            sluice("compress, warm", *files, "--filter", "/=compress:variants_max=64M,codings=gzip"),
            sluice("compress, each time", *files, "--filter", "/=compress:codings=gzip,level_gzip=1"),
            nginx("nginx, gzip_static", "gzip_static on;"),
            nginx("nginx, gzip each time", "gzip on; gzip_types text/html; gzip_comp_level 1;")]


def by_messages(connections):
    """CPU seconds for 100,000 messages."""
    def once(server, work, seconds):
        return load(server, [f"{work}/echo", str(PORT), str(connections), str(seconds)])

    def measured(server, work, seconds):
        once(server, work, 1)
        messages, _, errors, cpu, client, whole = once(server, work, seconds)
        return Round(cpu / messages * 1e5, errors, bound(cpu, client, whole),
                     {"per second": messages / seconds, "busy": cpu / whole, "client busy": client / whole})
    return measured


UNIT = "CPU s / 100k requests"
SCENARIOS = [
    (Scenario("hello", "a trivial handler, 64 kept connections", UNIT, 0, by_requests(64, path="/hello/")),
     lambda: answers("/hello/", "text/plain", HELLO, sluice("sluice", "--mount", "/hello/=hello"))),
    (Scenario("json", "a small JSON object, 64 kept connections", UNIT, 0, by_requests(64, path="/json/")),
     lambda: answers("/json/", "application/json", JSON, sluice("sluice", "--mount", "/json/=json"))),
    (Scenario("filters", "the same trivial handler behind a filter", UNIT, 0, by_requests(64, path="/hello/")), with_filters),
    (Scenario("compressed", "64 KiB of HTML in gzip", UNIT, 0, by_requests(64, path="/page.html", accepted="gzip")), compressed),
    (Scenario("echo", "WebSocket messages of 64 bytes, 64 connections", "CPU s / 100k messages", 0, by_messages(64)),
     lambda: [peer("beast"), sluice("sluice", "--mount", "/echo/=echo")]),
]


def build(work):
    """The programs of the peers, and our modules."""
    compiled = [["gcc", "-O2", "-o", f"{work}/microhttpd", "microhttpd.c", "-lmicrohttpd"],
                ["sh", "-c", f"g++ -O2 -std=c++20 -pthread -o {work}/httplib httplib.cpp $(pkg-config --cflags --libs cpp-httplib)"],
                ["g++", "-O2", "-std=c++17", "-pthread", "-o", f"{work}/beast", "beast.cpp"]]
    shutil.copytree(REPOSITORY / "plugins.d", f"{work}/modules", ignore=lambda _, names: [n for n in names if not n.endswith(".so")])
    for name in ("json", "echo"):
        compiled.append(["g++", "-O2", "-std=c++20", "-fPIC", "-shared", "-fvisibility=hidden", "-fno-gnu-unique",
                         f"-Wl,--version-script={REPOSITORY}/modules/exports.map", f"-I{REPOSITORY}/core/api", "-o",
                         f"{work}/modules/{name}.so", f"{name}.cpp"])
    for command in compiled:
        subprocess.run(command, check=True, cwd=HERE / "peers")
    build_client("echo", work)


def make_page(root):
    """HTML of which a fifth is left by gzip, as of usual pages."""
    lines, number = [], 12345
    while sum(map(len, lines)) < 64 * 1024:
        number = number * 1103515245 + 12345 & 0x7FFFFFFF
        lines.append(f'<li class="item"><a href="/items/{number}">Item {number % 977} of {number % 13}</a></li>\n')
    write_file(f"{root}/page.html", 0)
    page = "".join(lines).encode()
    pathlib.Path(root, "page.html").write_bytes(page)
    pathlib.Path(root, "page.html.gz").write_bytes(gzip.compress(page, 9))


def arguments():
    names = [scenario.name for scenario, _ in SCENARIOS]
    parser = argparse.ArgumentParser(prog="tests/bench/run handlers", description=__doc__)
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help="of " + ", ".join(names) + "; all without one")
    parser.add_argument("--rounds", type=int, default=5, help="of which the median counts (5)")
    parser.add_argument("--seconds", type=int, default=3, help="of load in each (3)")
    parser.add_argument("--log", metavar="TITLE", help="append the table to LOG.md")
    given = parser.parse_args()
    if set(given.scenarios) - set(names):
        parser.error("the scenarios are " + ", ".join(names))
    return given


def main():
    given = arguments()
    work = tempfile.mkdtemp(prefix="sluice-bench-", dir="/var/tmp")
    os.chmod(work, 0o755)
    try:
        build(work)
        make_page(f"{work}/root")
        lines = [f"Medians of {given.rounds} rounds of {given.seconds} s, the servers in turn; one worker on one CPU, the client on another. "
                 "httplib has a thread for each connection."]
        for scenario, servers in SCENARIOS:
            if given.scenarios and scenario.name not in given.scenarios:
                continue
            results = play(scenario, servers(), given.rounds, given.seconds, work, f"{work}/root")
            lines += ["", f"### {scenario.name}: {scenario.title}", "", *report.rows(scenario, results)]
        text = "\n".join(lines) + "\n"
        print(text)
        if given.log:
            report.log(HERE / "LOG.md", given.log, text)
    finally:
        shutil.rmtree(work)


if __name__ == "__main__":
    sys.exit(main())
