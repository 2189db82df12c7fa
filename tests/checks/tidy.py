#!/usr/bin/env python3
"""Runs clang-tidy over the sources of core/, modules/ and cli/: tidy.py BUILD [--together].

BUILD is a folder that clang has built: its compile commands are used, and its precompiled headers, which save half of
the time. A source without a finding is not looked at again until it changes, one of the project's headers that it
includes, .clang-tidy, or its command. With --together, the sources that are compiled as one are looked at as one,
without the analyzer, which takes a tenth of the time. Prints what was found and, last, "N without a finding, M with
one"; exits with 1 if there is one.
"""
import argparse
import concurrent.futures
import functools
import hashlib
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
CLEAN = ROOT / "build/tidy/clean"
FOLDERS = [ROOT / "core", ROOT / "core/api", ROOT / "modules", ROOT]
PRECOMPILED = re.compile(r"-Xclang -include-pch -Xclang (\S+)")
JOINED = re.compile(r'^#include "(.+)"$', re.M)
# What joins sources includes them. Reserved names take a sixth of the time, and are looked for in each source alone.
NOT_TOGETHER = "--checks=-clang-analyzer-*,-bugprone-suspicious-include,-bugprone-reserved-identifier"


@functools.cache
def included(path):
    names = re.findall(r'^#include [<"]([^">]+)[">]', path.read_text(), re.M)
    found = [folder / name for name in names for folder in [path.parent, *FOLDERS] if (folder / name).is_file()]
    return {file.resolve() for file in found}


def closure(path):
    seen, left = set(), [path]
    while left:
        file = left.pop()
        if file not in seen:
            seen.add(file)
            left += included(file)
    return sorted(seen)


def stamp_of(path, command):
    """The name of a file that exists when this very source has been found clean."""
    digest = hashlib.sha256((ROOT / ".clang-tidy").read_bytes() + command.encode())
    for file in closure(path):
        digest.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes())
    return CLEAN / digest.hexdigest()


def is_ours(path, build):
    base = build if "Unity" in path.parts else ROOT
    return path.is_relative_to(base) and path.relative_to(base).parts[0] in ("core", "modules", "cli")


def read_commands(build, together):
    """Of each source of ours the command, as if it were compiled alone unless `together`, and without precompiled headers
    that were not built."""
    entries = []
    for entry in json.loads((build / "compile_commands.json").read_text()):
        whole = entry["file"]
        joins = "/Unity/" in whole and not together
        parts = JOINED.findall(pathlib.Path(whole).read_text()) if joins else [whole]
        entries += [{**entry, "file": part, "command": entry["command"].replace(whole, part)} for part in parts]
    commands = {}
    for entry in entries:
        path = pathlib.Path(entry["file"])
        if not is_ours(path, build):
            continue
        header = PRECOMPILED.search(entry["command"])
        if header and not pathlib.Path(header[1]).exists():
            entry["command"] = PRECOMPILED.sub("", entry["command"])
        commands.setdefault(path, entry)
    return commands


def findings_in(path, checks):
    command = ["clang-tidy", "--quiet", *checks, "-p", CLEAN.parent, path]
    run = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    return run.returncode, run.stdout if run.stdout.strip() else run.stderr


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=lambda name: (ROOT / name).resolve())
    parser.add_argument("--together", action="store_true")
    given = parser.parse_args()
    checks = [NOT_TOGETHER] if given.together else []
    commands = read_commands(given.build, given.together)
    CLEAN.mkdir(parents=True, exist_ok=True)
    (CLEAN.parent / "compile_commands.json").write_text(json.dumps(list(commands.values())))
    stamps = {path: stamp_of(path, " ".join([entry["command"], *checks])) for path, entry in commands.items()}
    # The largest first, so that none is left when the others have ended.
    open_ones = sorted((path for path in stamps if not stamps[path].exists()), key=lambda path: -len(closure(path)))
    bad = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for path, (code, findings) in zip(open_ones, pool.map(lambda path: findings_in(path, checks), open_ones)):
            if code == 0:
                stamps[path].touch()
            else:
                bad += 1
                print(findings)
    print(f"{len(commands) - bad} without a finding, {bad} with one")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
