#!/usr/bin/env python3
"""Checks that the source tree follows core/README.md: house.py [FOLDER]. Prints a line a violation; exits 1 if any.

core/: a file includes files of the rooms that its own is open to, and files above it in its own room. core/README.md
draws both, and lists every file once. http/ uses no socket, loop or thread; only transport/ moves a client's bytes.
No file over 400 lines, no function over 70.
Each unit of core/ has a test of its name, or core/README.md says which other one covers it.
core/api includes only itself and the standard library; modules/ only the interface, modules/common and own folders.
A source includes its own header first, which proves that the header compiles on its own.
Connection::state_ is written in one place.
No file asks the C library for a date: that takes a lock that all threads share, and reads the local zone's file. Only
the access log has local times, and asks rarely.
"""
import pathlib
import re
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)


def includes(path):
    return INCLUDE.findall(path.read_text())


class House:
    """The rooms of core/ as core/README.md draws them: what each is open to, and its files in reading order."""

    def __init__(self, root):
        page = (root / "core/README.md").read_text()
        block = re.search(r"^```rooms\n(.*?)^```", page, re.M | re.S)
        lines = [line.split(":") for line in (block[1] if block else "").splitlines()]
        self.open_to = {room.strip(): rooms.split() for room, rooms in lines}
        self.order = {}
        for section in re.split(r"^### ", page, flags=re.M)[1:]:
            room = re.match(r"`(\w+)/`", section)[1]
            self.order[room] = re.findall(r"^\| `([\w.]+)` \|", section, re.M)


def check_core(root):
    house = House(root)
    for room in house.open_to:
        for unit in house.order.get(room, []):
            if not any((root / "core" / room / f"{unit}{suffix}").exists() for suffix in (".h", ".cpp")):
                yield f"core/README.md names {room}/{unit}, which does not exist"
    seen = {}
    for path in sorted((root / "core").rglob("*.[hc]*")):
        room = path.relative_to(root / "core").parts[0]
        if room == "api":
            continue
        order = house.order.get(room, [])
        if room not in house.open_to or order.count(path.stem) != 1 or path.parent.parent != root / "core":
            yield f"{path.relative_to(root)} has to stand once in the table of its room in core/README.md"
            continue
        if seen.setdefault(path.stem, room) != room:
            yield f"{path.relative_to(root)} has the name of a unit of {seen[path.stem]}/: rename one of them"
        for quote, name in includes(path):
            other, _, file = name.rpartition("/")
            unit = pathlib.PurePath(file).stem
            if quote != '"':
                continue
            if not (root / "core" / name).exists():
                yield f"{path.relative_to(root)} includes {name}, which is not in core/"
            elif other == room and unit in order and order.index(unit) > order.index(path.stem):
                yield f"{path.relative_to(root)} includes {name}, which stands below it in core/README.md"
            elif other != room and other not in house.open_to[room]:
                yield f"{path.relative_to(root)} includes {name}: {room}/ is not open to {other}/ (core/README.md)"


# System headers that rooms may not include.
FOREIGN_HEADERS = re.compile(r"sys/(socket|epoll|eventfd|timerfd|sendfile)\.h|netinet/.*|thread|mutex|atomic|pthread\.h")
SENDS = re.compile(r"(?<!\w)::(recv|recvmsg|send|sendmsg|sendfile)\(")


def check_http(root):
    for path in sorted((root / "core/http").glob("*.[hc]*")):
        for _, name in includes(path):
            if FOREIGN_HEADERS.fullmatch(name):
                yield f"{path.relative_to(root)} includes {name}: http/ knows no socket, loop or thread"


def check_sends(root):
    for room in ("http", "loop", "exchange", "connection"):
        for path in sorted((root / "core" / room).glob("*.[hc]*")):
            for number, line in enumerate(path.read_text().splitlines(), 1):
                if SENDS.search(line):
                    yield f"{path.relative_to(root)}:{number} moves bytes of a socket: only transport/ does"


def check_tests(root):
    """A check of the names; ./test --coverage shows what the tests execute."""
    page = (root / "core/README.md").read_text()
    block = re.search(r"^```covered\n(.*?)^```", page, re.M | re.S)
    covered = dict(line.split() for line in (block[1] if block else "").splitlines())
    for room, units in House(root).order.items():
        for unit in units if room != "api" else []:
            own = (root / f"tests/core/{room}/{unit}_test.cpp").exists()
            other = covered.pop(f"{room}/{unit}:", None)
            if own == (other is not None):
                yield f"core/{room}/{unit} needs a test of its name, or one line in core/README.md that says what covers it, not both"
            elif other is not None and not (root / f"tests/{other}_test.cpp").exists():
                yield f"core/README.md says that tests/{other}_test.cpp covers core/{room}/{unit}: there is no such test"
    for unit in covered:
        yield f"core/README.md says what covers {unit[:-1]}, which is no unit"


FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70


def check_lengths(root):
    """A function ends at the first line that closes it in the column in which it begins."""
    for room in ("core", "cli", "modules", "tests"):
        for path in sorted((root / room).rglob("*.[hc]*")):
            if path.suffix not in (".h", ".cpp"):
                continue
            lines = path.read_text().splitlines()
            if len(lines) > FILE_LINES_MAX:
                yield f"{path.relative_to(root)} has {len(lines)} lines: {FILE_LINES_MAX} are the most"
            begin = None
            for number, line in enumerate(lines, 1):
                if re.match(r"[A-Za-z].*\)[^;]*\{$|  +[A-Za-z].*\) (const |override |noexcept )*\{$", line) and begin is None:
                    begin = (number, line[: len(line) - len(line.lstrip())] + "}")
                elif begin and line.rstrip(";") == begin[1]:
                    if number - begin[0] > FUNCTION_LINES_MAX and room != "tests":
                        yield f"{path.relative_to(root)}:{begin[0]} is a function of {number - begin[0]} lines: {FUNCTION_LINES_MAX} are the most"
                    begin = None


# What sluice/kit.h leaves out, because it needs a library, or more of the system.
BESIDE_KIT = {
    "websocket_deflate.h": {"zlib.h"},
    "fetch.h": {"curl/curl.h"},
    "fetch_client.h": {"curl/curl.h"},
    "fetch_request.h": {"arpa/inet.h", "curl/curl.h", "netdb.h", "netinet/in.h", "sys/socket.h"},
    "uploads.h": {"fcntl.h", "unistd.h"},
    "rig_host.h": {"sys/epoll.h", "unistd.h"},
}


def check_api(root):
    for path in sorted((root / "core/api/sluice").rglob("*.h")):
        for quote, name in includes(path):
            standard = quote == "<" and "/" not in name and not name.endswith(".h")
            standard = standard or name in BESIDE_KIT.get(path.name, ())
            if not standard and not name.startswith("sluice/"):
                yield f"{path.relative_to(root)} includes {name}: the interface includes itself and the standard library"


def check_modules(root):
    core = {str(path.relative_to(root / "core")) for path in (root / "core").glob("*/*.h")}
    for path in sorted((root / "modules").rglob("*.[hc]*")):
        own = path.relative_to(root / "modules").parts[0]
        for quote, name in includes(path):
            open_to_it = name.split("/")[0] in (own, "common") and (root / "modules" / name).exists()
            # Authors get the folder c/ alone.
            open_to_it = open_to_it or (own == "c" and (path.parent / name).exists())
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


def check_state_writers(root):
    for unit in ("connection/connection", "exchange/stream"):
        writes = []
        for path in sorted((root / "core").glob(f"{unit}*.[hc]*")):
            for line in path.read_text().splitlines():
                if re.search(r"\bstate_ = ", line) and "State state_ =" not in line:
                    writes.append(f"{path.name}: {line.strip()}")
        if len(writes) != 1:
            yield f"the state_ of {unit} must be written by its transition only, and is written so: {writes}"


def check_dates(root):
    asks = re.compile(r"\b(gmtime|gmtime_r|localtime|localtime_r|mktime|strftime|tzset)\(")
    for room in ("core", "modules"):
        for path in sorted((root / room).rglob("*.[hc]*")):
            for number, line in enumerate(path.read_text().splitlines(), 1):
                if asks.search(line) and path.name != "access_line.cpp":
                    yield f"{path.relative_to(root)}:{number} asks the C library for a date: use std::chrono"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[2])
    checks = (check_core, check_http, check_sends, check_tests, check_lengths, check_api, check_modules, check_own_headers, check_state_writers, check_dates)
    violations = [violation for check in checks for violation in check(root)]
    for violation in violations:
        print(violation)
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
