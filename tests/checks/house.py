#!/usr/bin/env python3
"""Checks that the house is as the tour says: house.py [FOLDER]. One line a violation; exits 1 when there is any.

core/: a file includes only files that stand above it in the table of core/README.md, and every file stands there.
core/api: only itself and the standard library. modules/: only the interface, modules/common and their own folder.
A source includes its own header first, so that each header is seen to compile on its own.
state_ is written in one place.
Nobody asks the C library for a date: it holds a lock that all threads share, and reads the file of the local zone.
"""
import pathlib
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)


def includes(path):
    return INCLUDE.findall(path.read_text())


def reading_order(root):
    rows = re.findall(r"^\| `([^`]+)` \|", (root / "core/README.md").read_text(), re.M)
    return [row for row in rows if not row.startswith("api/")]


def check_core(root):
    order = reading_order(root)
    place = {name: index for index, name in enumerate(order)}
    for path in sorted((root / "core").glob("*/*.[hc]*")):
        unit = str(path.relative_to(root / "core").with_suffix(""))
        if unit not in place:
            yield f"{path.relative_to(root)} is missing from the table of core/README.md"
            continue
        for quote, name in includes(path):
            included = str(pathlib.PurePath(name).with_suffix(""))
            if quote == '"' and not (root / "core" / name).exists():
                yield f"{path.relative_to(root)} includes {name}, which is not in core/"
            elif quote == '"' and included in place and place[included] > place[unit]:
                yield f"{path.relative_to(root)} includes {name}, which stands below it in core/README.md"
    for name in order:
        if not any((root / "core" / f"{name}{suffix}").exists() for suffix in (".h", ".cpp")):
            yield f"core/README.md names {name}, which does not exist"


def check_api(root):
    for path in sorted((root / "core/api/sluice").glob("*.h")):
        for quote, name in includes(path):
            standard = quote == "<" and "/" not in name and not name.endswith(".h")
            if not standard and not name.startswith("sluice/"):
                yield f"{path.relative_to(root)} includes {name}: the interface includes itself and the standard library"


def check_modules(root):
    core = {str(path.relative_to(root / "core")) for path in (root / "core").glob("*/*.h")}
    for path in sorted((root / "modules").rglob("*.[hc]*")):
        own = path.relative_to(root / "modules").parts[0]
        for quote, name in includes(path):
            open_to_it = name.split("/")[0] in (own, "common") and (root / "modules" / name).exists()
            if quote == '"' and not open_to_it:
                yield f"{path.relative_to(root)} includes {name}: only its own folder and modules/common are open to it"
            if quote == "<" and name in core:
                yield f"{path.relative_to(root)} includes {name} of core/: modules see core/api only"


def check_own_headers(root):
    for room in ("core", "cli", "modules"):
        for path in sorted((root / room).rglob("*.cpp")):
            own = path.with_suffix(".h").name
            first = next((name for _, name in includes(path)), "")
            if path.with_suffix(".h").exists() and pathlib.PurePath(first).name != own:
                yield f"{path.relative_to(root)} has to include {own} first, so that it is seen to compile on its own"


def check_state_writer(root):
    writes = []
    for path in sorted((root / "core/connection").glob("*.[hc]*")):
        for line in path.read_text().splitlines():
            if re.search(r"\bstate_ = ", line) and "State state_ =" not in line:
                writes.append(f"{path.name}: {line.strip()}")
    if len(writes) != 1:
        yield f"state_ must be written by Connection::transition only, and is written {len(writes)} times: {writes}"


def check_dates(root):
    asks = re.compile(r"\b(gmtime|gmtime_r|localtime|localtime_r|mktime|strftime|tzset)\(")
    for room in ("core", "modules"):
        for path in sorted((root / room).rglob("*.[hc]*")):
            for number, line in enumerate(path.read_text().splitlines(), 1):
                if asks.search(line):
                    yield f"{path.relative_to(root)}:{number} asks the C library for a date: use std::chrono"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[2])
    checks = (check_core, check_api, check_modules, check_own_headers, check_state_writer, check_dates)
    violations = [violation for check in checks for violation in check(root)]
    for violation in violations:
        print(violation)
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
