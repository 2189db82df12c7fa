"""What confinement costs: the CPU time of requests with `--confine auto` beside that with `--confine off`, in turns."""

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


def cost(confine, module, path, seconds, work, root):
    """CPU seconds of the server for so many requests."""
    server = Server(f"{module}-{confine}", None, [*sluice(module), "--confine", confine])
    server.start(work, root, REPOSITORY)
    try:
        wrk(server, 1, CONNECTIONS, path=path)
        requests, _, errors, cpu, _, _ = wrk(server, seconds, CONNECTIONS, path=path)
    finally:
        server.stop()
    if errors or not requests:
        raise RuntimeError(f"{server.name}: {errors} errors in {requests} requests")
    return cpu / requests * PER


def main():
    parser = argparse.ArgumentParser(prog="tests/bench/run confined", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="of which the median counts (9)")
    parser.add_argument("--seconds", type=int, default=2, help="of load in each (2)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        root = f"{work}/root"
        pathlib.Path(root).mkdir()
        for size in SIZES.values():
            write_file(f"{root}/{size}", size)
        print("| module | answer | off | auto | auto / off, in pairs | least to most |\n|---|---|---:|---:|---:|---:|")
        for module in ("static_sendfile", "dynamic_aio"):
            for name, size in SIZES.items():
                pairs = []
                for i in range(options.rounds):
                    order = ("off", "auto") if i % 2 == 0 else ("auto", "off")
                    costs = {confine: cost(confine, module, f"/{size}", options.seconds, work, root)
                             for confine in order}
                    pairs.append((costs["off"], costs["auto"]))
                ratios = [auto / off for off, auto in pairs]
                print(f"| {module} | {name} | {statistics.median(pair[0] for pair in pairs):.4g} "
                      f"| {statistics.median(pair[1] for pair in pairs):.4g} | {statistics.median(ratios):.3f} "
                      f"| {min(ratios):.3f} to {max(ratios):.3f} |", flush=True)


main()
