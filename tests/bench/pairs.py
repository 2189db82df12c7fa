"""What an option costs: the CPU time of requests with it beside that without it, in turns."""

import argparse
import pathlib
import statistics
import tempfile

from scenarios import KIBI, wrk, write_file
from servers import Server, sluice

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent.parent
PER = 100_000
CONNECTIONS = 64
SIZES = {"small": KIBI, "sent as a file": 64 * KIBI}
LOGGED = ["--access-log", "@work@/access.log", "--access-log-format"]
# Each option, and what is used in its place.
OPTIONS = {
    "confine": (["--confine", "auto"], ["--confine", "off"]),
    "combined": ([*LOGGED, "combined"], ["--access-log", "off"]),
    "json": ([*LOGGED, "json"], ["--access-log", "off"]),
}


def cost(options, module, path, seconds, work, root):
    """CPU seconds of the server for so many requests."""
    server = Server("paired", None, [*sluice(module), *options])
    server.start(work, root, REPOSITORY)
    try:
        wrk(server, 1, CONNECTIONS, path=path)
        requests, _, errors, cpu, _, _ = wrk(server, seconds, CONNECTIONS, path=path)
    finally:
        server.stop()
        pathlib.Path(f"{work}/access.log").unlink(missing_ok=True)
    if errors or not requests:
        raise RuntimeError(f"{' '.join(options)}: {errors} errors in {requests} requests")
    return cpu / requests * PER


def row(option, module, answer, given, work, root):
    pairs = []
    for i in range(given.rounds):
        order = (0, 1) if i % 2 == 0 else (1, 0)
        costs = {with_or_without: cost(OPTIONS[option][with_or_without], module, f"/{SIZES[answer]}", given.seconds, work, root)
                 for with_or_without in order}
        pairs.append((costs[0], costs[1]))
    ratios = [with_it / without for with_it, without in pairs]
    print(f"| {option} | {module} | {answer} | {statistics.median(pair[1] for pair in pairs):.4g} "
          f"| {statistics.median(pair[0] for pair in pairs):.4g} | {statistics.median(ratios):.3f} "
          f"| {min(ratios):.3f} to {max(ratios):.3f} |", flush=True)


def main():
    parser = argparse.ArgumentParser(prog="tests/bench/run pairs", description=__doc__)
    parser.add_argument("options", nargs="*", metavar="OPTION", help="of " + ", ".join(OPTIONS) + "; all without one")
    parser.add_argument("--modules", default="static_sendfile,dynamic_aio", help="by commas; of these (both)")
    parser.add_argument("--rounds", type=int, default=9, help="of which the median counts (9)")
    parser.add_argument("--seconds", type=int, default=2, help="of load in each (2)")
    given = parser.parse_args()
    if unknown := set(given.options) - set(OPTIONS):
        parser.error("there is no option " + ", ".join(sorted(unknown)))
    with tempfile.TemporaryDirectory() as work:
        root = f"{work}/root"
        pathlib.Path(root).mkdir()
        for size in SIZES.values():
            write_file(f"{root}/{size}", size)
        print("| option | module | answer | without | with | with / without, in pairs | least to most |\n"
              "|---|---|---|---:|---:|---:|---:|")
        for option in given.options or OPTIONS:
            for module in given.modules.split(","):
                for answer in SIZES:
                    row(option, module, answer, given, work, root)


main()
