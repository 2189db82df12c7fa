#!/usr/bin/env python3
"""Joins sources of tests into one, which compiles in half of the time: together.py OUTPUT SOURCE...

Each source lies in a namespace of its own, so that two may use one name. Its lines keep their numbers, and their file,
by which test cases are found.
"""
import pathlib
import re
import sys


def main():
    output, sources = pathlib.Path(sys.argv[1]), [pathlib.Path(name) for name in sys.argv[2:]]
    includes, bodies = {}, []
    for source in sources:
        lines = source.read_text().splitlines()
        for number, line in enumerate(lines):
            if line.startswith("#include "):
                includes[line] = None
                lines[number] = ""
        bodies += [f"namespace in_{source.stem} {{", f'#line 1 "{source}"', *lines, "}"]
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text("\n".join([*includes, *bodies]) + "\n")


if __name__ == "__main__":
    main()
