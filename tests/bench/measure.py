"""The CPU time and private memory that the kernel counts for a tree of processes; and a setting of the kernel."""

import os
import pathlib

NANOSECONDS = 1e9


def cpu_seconds(processes):
    """The CPU time of all threads, by the scheduler's own clock (proc(5), schedstat), without threads that have ended."""
    total = 0
    for process in processes:
        for thread in pathlib.Path(f"/proc/{process}/task").glob("*/schedstat"):
            try:
                total += int(thread.read_text().split()[0])
            except OSError:
                continue
    return total / NANOSECONDS


def private_bytes(processes):
    """The memory that their end would free, without memory shared among them or with files."""
    total = 0
    for process in processes:
        try:
            text = pathlib.Path(f"/proc/{process}/smaps_rollup").read_text()
        except OSError:
            continue
        for line in text.splitlines():
            if line.startswith(("Private_Dirty:", "Private_Clean:", "SwapPss:")):
                total += int(line.split()[1]) * 1024
    return total


def waited_for_cpu_seconds(processes):
    """Time in which threads could run, but waited for a CPU."""
    total = 0
    for process in processes:
        for thread in pathlib.Path(f"/proc/{process}/task").glob("*/schedstat"):
            try:
                total += int(thread.read_text().split()[1])
            except OSError:
                continue
    return total / NANOSECONDS


def readahead_setting(path):
    """The file with the KiB that are read ahead from the disk of `path`; None if it is on no disk."""
    device = os.stat(path).st_dev
    number = f"{os.major(device)}:{os.minor(device)}"
    # A partition has the setting of its disk.
    for place in (f"/sys/class/bdi/{number}", f"/sys/dev/block/{number}/../bdi"):
        setting = pathlib.Path(place, "read_ahead_kb")
        if setting.exists():
            return setting
    return None
