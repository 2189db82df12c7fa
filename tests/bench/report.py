"""Tables and the chart of what was measured."""

import datetime
import math
import pathlib
import platform
import statistics
import subprocess

from scenarios import SCENARIOS

PEERS = ("nginx", "nginx-aio", "lighttpd", "h2o")
OURS = ("static", "dynamic")
COLOURS = {"static": "#0b6e4f", "dynamic": "#4fb286", "nginx": "#9aa5b1", "nginx-aio": "#cbd2d9", "lighttpd": "#b8a1c9",
           "h2o": "#d9b08c", "floor": "#e4e7eb"}


def median(rounds, figure=None):
    return statistics.median(one.cost if figure is None else one.more[figure] for one in rounds)


def best_peer(results):
    """The median of the rounds without errors."""
    costs = [median(rounds) for name, rounds in results.items() if name in PEERS and not errors(rounds)]
    return min(costs, default=None)


def errors(rounds):
    return sum(one.errors for one in rounds)


def spread(rounds):
    costs = [one.cost for one in rounds]
    return f"{min(costs):.3g} to {max(costs):.3g}"


def wanted(scenario, name, rounds, best):
    if name != "static" or not (scenario.limit or (scenario.target and best)):
        return ""
    reached = median(rounds) <= (scenario.limit or scenario.target * best)
    return f"{scenario.limit or scenario.target:g} {'reached' if reached else '**missed**'}"


def number(value):
    return "none" if math.isnan(value) else f"{value:.4g}"


def rows(scenario, results):
    best = best_peer(results)
    figures = list(next(iter(results.values()))[0].more)
    yield "| server | " + scenario.unit + " | of the best peer | wanted | least to most | " + " | ".join(figures) + " | bound by | errors |"
    yield "|---|" + "---:|" * (6 + len(figures))
    for name, rounds in results.items():
        ratio = f"{median(rounds) / best:.2f}" if best else ""
        cost = number(median(rounds))
        bounds = ", ".join(sorted({one.bound for one in rounds}))
        more = " | ".join(number(median(rounds, figure)) for figure in figures)
        yield f"| {name} | {cost} | {ratio} | {wanted(scenario, name, rounds, best)} | {spread(rounds)} | {more} | {bounds} | {errors(rounds)} |"


def table(all_results, given, readahead):
    lines = [f"Medians of {given.rounds} rounds of {given.seconds} s, the servers in turn; one worker on one CPU, the client on another.",
             f"The kernel reads ahead {readahead} KiB of the disk."]
    for scenario in SCENARIOS:
        if scenario.name in all_results:
            lines += ["", f"### {scenario.name}: {scenario.title}", "", *rows(scenario, all_results[scenario.name])]
    return "\n".join(lines) + "\n"


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return "unknown processor"


def log(path, title, text):
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True).stdout.strip()
    head = f"## {datetime.date.today()}: {title}\n\nCommit {commit}, Linux {platform.release()}, {processor()}.\n\n"
    before = path.read_text() if path.exists() else "# What was measured, newest last\n"
    path.write_text(before + "\n" + head + text)


def chart(path, all_results):
    """Draws bars: each server's cost divided by the best peer's. Shorter is better; losses are shown as well."""
    scenarios = [one for one in SCENARIOS if one.name in all_results and best_peer(all_results[one.name])]
    names = [name for name in (*OURS, *PEERS, "floor") if any(name in all_results[one.name] for one in scenarios)]
    bar, gap, left, width, longest = 13, 22, 250, 930, 3.0
    parts, y = [], 64
    scale = (width - left - 140) / longest  # with room for a label behind the longest bar
    for scenario in scenarios:
        results = all_results[scenario.name]
        best = best_peer(results)
        parts.append(f'<text x="{left - 12}" y="{y + 11}" text-anchor="end" font-weight="600">{scenario.title}</text>'
                     f'<text x="{left - 12}" y="{y + 27}" text-anchor="end" fill="#616e7c">{scenario.unit}</text>')
        for name in names:
            if name not in results:
                continue
            ratio = median(results[name]) / best
            length = min(ratio, longest) * scale
            parts.append(f'<rect x="{left}" y="{y}" width="{length:.1f}" height="{bar - 2}" rx="2" fill="{COLOURS[name]}"/>'
                         f'<text x="{left + length + 6:.1f}" y="{y + 10}" font-size="11">{ratio:.2f} {name}'
                         f'{" (" + str(errors(results[name])) + " errors)" if errors(results[name]) else ""}</text>')
            y += bar
        y += gap
    one = left + scale
    parts.append(f'<line x1="{one:.1f}" y1="52" x2="{one:.1f}" y2="{y - gap + 6}" stroke="#323f4b" stroke-dasharray="3 3"/>')
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {y}" font-family="system-ui, sans-serif" font-size="12" '
        f'fill="#1f2933"><rect width="{width}" height="{y}" fill="#ffffff"/>'
        '<text x="16" y="26" font-size="16" font-weight="700">Cost over that of the best peer; shorter is better</text>'
        '<text x="16" y="44" fill="#616e7c">static and dynamic are sluice\'s two file modules; bars end at 3</text>'
        + "".join(parts) + "</svg>\n")
