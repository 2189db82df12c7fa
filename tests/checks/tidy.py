#!/usr/bin/env python3
"""Runs clang-tidy over the sources of core/, modules/ and cli/: tidy.py BUILD [SECONDS].

BUILD is a folder that clang has built: its compile commands are used, and its precompiled headers, which save half of
the time. A source without a finding is not looked at again until it changes, one of the project's headers that it
includes, .clang-tidy, or its command. With SECONDS, begins no other source after that time; those that changed last
come first. Prints what was found and, last, "N without a finding, M with one, L left"; exits with 1 if there is one.
"""
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
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
CLEAN = ROOT / "build/tidy/clean"
FOLDERS = [ROOT / "core", ROOT / "core/api", ROOT / "modules", ROOT]
PRECOMPILED = re.compile(r"-Xclang -include-pch -Xclang (\S+)")
JOINED = re.compile(r'^#include "(.+)"$', re.M)


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


def read_commands(build):
    """Of each source of ours the command, as if it were compiled alone, and without precompiled headers that were not
    built."""
    entries = []
    for entry in json.loads((build / "compile_commands.json").read_text()):
        whole = entry["file"]
        parts = JOINED.findall(pathlib.Path(whole).read_text()) if "/Unity/" in whole else [whole]
        entries += [{**entry, "file": part, "command": entry["command"].replace(whole, part)} for part in parts]
    commands = {}
    for entry in entries:
        path = pathlib.Path(entry["file"])
        if not path.is_relative_to(ROOT) or path.relative_to(ROOT).parts[0] not in ("core", "modules", "cli"):
            continue
        header = PRECOMPILED.search(entry["command"])
        if header and not pathlib.Path(header[1]).exists():
            entry["command"] = PRECOMPILED.sub("", entry["command"])
        commands.setdefault(path, entry)
    return commands


def findings_in(path):
    run = subprocess.run(["clang-tidy", "--quiet", "-p", CLEAN.parent, path], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    return run.returncode, run.stdout if run.stdout.strip() else run.stderr


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    until = time.monotonic() + (float(sys.argv[2]) if len(sys.argv) == 3 else float("inf"))
    commands = read_commands(ROOT / sys.argv[1])
    CLEAN.mkdir(parents=True, exist_ok=True)
    (CLEAN.parent / "compile_commands.json").write_text(json.dumps(list(commands.values())))
    stamps = {path: stamp_of(path, entry["command"]) for path, entry in commands.items()}
    open_ones = sorted((path for path in stamps if not stamps[path].exists()), key=lambda path: -path.stat().st_mtime)
    left = bad = 0

    def look(path):
        return findings_in(path) if time.monotonic() < until else None

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for path, result in zip(open_ones, pool.map(look, open_ones)):
            if result is None:
                left += 1
            elif result[0] == 0:
                stamps[path].touch()
            else:
                bad += 1
                print(result[1])
    print(f"{len(commands) - left - bad} without a finding, {bad} with one, {left} left")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
