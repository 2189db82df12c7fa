#!/usr/bin/env python3
"""Prints which part of the lines was executed, for each room of core/ and each folder of modules/ and cli/.

report.py BUILD [FILE...]: BUILD is a folder of the preset `coverage` whose tests have run. Files with less than 90 %
follow, worst first. With files, prints their lines that were not executed.
A line is one that gcov(1) has code for. One that several objects share (a header's) counts once.
"""
import collections
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys

ENOUGH = 0.9
ROOT = pathlib.Path(__file__).resolve().parents[2]


def counts_of(notes):
    """Pairs of a file and its lines' counts, from one object."""
    run = subprocess.run(["gcov", "--json-format", "--stdout", notes.name], cwd=notes.parent, capture_output=True, check=True)
    found = []
    for document in run.stdout.splitlines():
        for file in json.loads(document)["files"]:
            path = pathlib.Path(os.path.normpath(ROOT / file["file"]))
            if path.is_relative_to(ROOT) and path.relative_to(ROOT).parts[0] in ("core", "modules", "cli"):
                found.append((path.relative_to(ROOT), {line["line_number"]: line["count"] for line in file["lines"]}))
    return found


def read_counts(build):
    counts = collections.defaultdict(collections.Counter)
    notes = [path for folder in ("core", "modules", "cli") for path in sorted((build / folder).rglob("*.gcno"))]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for found in pool.map(counts_of, notes):
            for path, lines in found:
                counts[path].update(lines)  # adds up
    return counts


def share(files):
    """Executed lines, all lines, and their quotient."""
    executed = sum(1 for lines in files for count in lines.values() if count > 0)
    total = sum(map(len, files))
    return executed, total, executed / max(total, 1)


def row(name, files):
    executed, total, part = share(files)
    return f"{name:44} {executed:6} of {total:6} lines  {100 * part:5.1f} %"


def folder_of(path):
    parts = path.parts[:-1]
    return "/".join(parts[:3] if parts[:2] == ("modules", "common") else parts[:2])


def print_summary(counts):
    folders = collections.defaultdict(list)
    for path, lines in counts.items():
        folders[folder_of(path)].append(lines)
        folders[path.parts[0] + ", all"].append(lines)
    for name in sorted(folders, key=lambda name: (name.split("/")[0].split(",")[0], "," in name, name)):
        print(row(name, folders[name]))
    poor = sorted((path for path in counts if counts[path] and share([counts[path]])[2] < ENOUGH), key=lambda path: share([counts[path]])[2])
    if poor:
        print("\nBelow 90 %:")
    for path in poor:
        print(row(str(path), [counts[path]]))


def print_gaps(path, lines):
    text = (ROOT / path).read_text().splitlines()
    for number in sorted(number for number, count in lines.items() if count == 0):
        print(f"{path}:{number}: {text[number - 1].strip()}")


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    counts = read_counts(pathlib.Path(sys.argv[1]))
    if len(sys.argv) == 2:
        print_summary(counts)
    for name in sys.argv[2:]:
        print_gaps(pathlib.Path(name), counts[pathlib.Path(name)])


if __name__ == "__main__":
    main()
