"""How sluice's cost grows: CPU time of a request and memory of its processes, along one dimension at a time."""

import argparse
import os
import pathlib
import shutil
import statistics
import tempfile

import measure
import report
from scenarios import KIBI, MEBI, wrk
from servers import Server, sluice

HERE = pathlib.Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
FILES_MAX = 100_000
CONNECTIONS = 64


def served(module, *more, workers=1, plugins="@repository@/plugins.d", configuration=""):
    """Two workers share both CPUs with the client. Their CPU time is measured, not the time on the clock."""
    changed = {"1": str(workers), "@repository@/plugins.d": plugins}
    command = [changed.get(word, word) for word in sluice(module)]
    return Server(f"growth-{module}", None, [*command, *more], configuration, cpus="0" if workers == 1 else "0,1")


def mounts(module, count):
    words = []
    for i in range(1, count):
        words += ["--mount", f"/m{i}/={module}:root=."]
    return words


# One of each kind, as it would stand before a site; its files are asked for.
FILTERS = {
    "headers": "headers:security=on,cache=text/html: no-cache,cache=*: max-age=60,hashed=on",
    "rewrite": "rewrite:rules=^/old/(.*)$ /new/$1 301,rules=^/user/(\\\\d+)$ /users?id=$1",
    "access": "access:allow=127.0.0.0/8,deny=192.0.2.0/24,hide=.git,hide=*.bak",
    "limit": "limit:rate=1000000/s,in_flight=1000",
}


def filters(*what):
    words = []
    for one in what:
        words += ["--filter", f"/={one}"]
    for module in {one.partition(":")[0] for one in what}:
        words += ["--module", module]
    return words


def sites(module, count):
    """A configuration of sites that have so many names in all, a hundred each."""
    text = ""
    for first in range(0, count, 100):
        names = ", ".join(f'"host{i}.example"' for i in range(first, min(first + 100, count)))
        text += (f'[[site]]\nnames = [{names}]\nroot = "@root@"\n'
                 f'[[site.mount]]\nat = "/"\nmodule = "{module}"\nroot = "."\n')
    return text


def steps(module):
    """Yields each dimension and its steps, with a server and a load for each step."""
    for count in (1, 100, 1_000, 5_000, 15_000):
        yield "connections", count, served(module), {"connections": count}
    for count in (1, 100, 1_000, 10_000, FILES_MAX):
        yield "files", count, served(module), {"mode": "tree", "count": count}
    for count in (1, 10, 100, 1_000):
        last = {} if count == 1 else {"path": f"/m{count - 1}/1k.bin"}
        yield "mounts", count, served(module, *mounts(module, count)), last
    for count in (1, 100, 1_000, 10_000):
        yield "names", count, served(module, "--config", "@configuration@", configuration=sites(module, count)), {
            "host": f"host{count - 1}.example"}
    for count in (0, 1, 4, 16):
        yield "filters that set a field", count, served(module, *filters(*[f"headers:set=X-{i}: yes" for i in range(count)])), {}
    for name, what in FILTERS.items():
        yield f"filter {name}", 1, served(module, *filters(what)), {}
    for options in ("", ":variants_max=8M"):
        for accepted in ("identity", "gzip", "br", "zstd"):
            yield f"filter compress{options}, {accepted}, bytes", 8 * KIBI, served(module, *filters("compress" + options)), {
                "path": "/8k.txt", "accepted": accepted}
    for name in ("off", "combined", "json"):
        where = "off" if name == "off" else "@work@/access.log"
        form = "combined" if name == "off" else name
        yield f"access log {name}", 1, served(module, "--access-log", where, "--access-log-format", form), {}
    for size in (0, KIBI, 4 * KIBI, 8 * KIBI):
        yield "bytes of header", size, served(module), {"mode": "head", "count": size}
    # The work is a sleep of 0 ms: what remains is the way to a thread and back.
    for count in (1, 2, 4, 8):
        yield "offloaded calls", count, served(
            "offloader", "--mount", f"/o/=offloader:sleep=0ms,calls={count}", plugins="@work@/offloader"), {"path": "/o/"}
    for count in (1, 2):
        yield "workers", count, served(module, workers=count), {}


def make_folder_of_offloader(work):
    os.makedirs(f"{work}/offloader")
    shutil.copy(REPOSITORY / "build/release/tests/plugins.d/offloader.so", f"{work}/offloader")


def make_files(root):
    content = b"x" * KIBI
    os.makedirs(root)
    pathlib.Path(f"{root}/1k.bin").write_bytes(content)
    pathlib.Path(f"{root}/8k.txt").write_bytes((REPOSITORY / "README.md").read_bytes()[:8 * KIBI])
    for folder in range(100):
        os.makedirs(f"{root}/tree/{folder}")
    for i in range(FILES_MAX):
        pathlib.Path(f"{root}/tree/{i % 100}/{i}.bin").write_bytes(content)
    os.sync()


def play(server, load, seconds, work, root):
    """Returns CPU microseconds a request, private memory at the end of the load, and errors."""
    settings = dict(load)
    connections = settings.pop("connections", CONNECTIONS)
    server.start(work, root, REPOSITORY)
    try:
        warm = wrk(server, 2, connections, **settings)
        requests, _, errors, cpu, _, _ = wrk(server, seconds, connections, **settings)
        return cpu / requests * 1e6, measure.private_bytes(server.processes()), errors + warm[2]
    finally:
        server.stop()


def main():
    parser = argparse.ArgumentParser(prog="tests/bench/run growth", description=__doc__)
    parser.add_argument("--module", default="static_sendfile", help="static_sendfile, or another file module")
    parser.add_argument("--only", default="", help="only dimensions whose names begin so")
    parser.add_argument("--rounds", type=int, default=3, help="of which the median counts (3)")
    parser.add_argument("--seconds", type=int, default=3, help="of load in each (3)")
    parser.add_argument("--log", metavar="TITLE", help="append the table to LOG.md")
    given = parser.parse_args()
    work = tempfile.mkdtemp(prefix="sluice-bench-", dir="/var/tmp")
    os.chmod(work, 0o755)
    try:
        make_files(f"{work}/root")
        make_folder_of_offloader(work)
        plan = [step for step in steps(given.module) if step[0].startswith(given.only)]
        results = [[] for _ in plan]
        for _ in range(given.rounds):
            for place, (_, _, server, load) in enumerate(plan):
                results[place].append(play(server, load, given.seconds, work, f"{work}/root"))
        lines = [f"{given.module}; medians of {given.rounds} rounds of {given.seconds} s, {CONNECTIONS} kept connections "
                 "and 1 KiB where nothing else is said; memory is what the processes have for themselves.", "",
                 "| | | CPU µs / request | memory, MiB | errors |", "|---|---:|---:|---:|---:|"]
        for (dimension, step, _, _), rounds in zip(plan, results):
            cost, memory, errors = zip(*rounds)
            lines.append(f"| {dimension} | {step:,} | {statistics.median(cost):.2f} | "
                         f"{statistics.median(memory) / MEBI:.1f} | {sum(errors)} |")
        text = "\n".join(lines) + "\n"
        print(text)
        if given.log:
            report.log(HERE / "LOG.md", given.log, text)
    finally:
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
