"""What the kernel accounts to a tree of processes: time on a CPU, and memory of its own. And one of its settings."""

import os
import pathlib

NANOSECONDS = 1e9


def cpu_seconds(processes):
    """Of every thread, by the scheduler's own clock (proc(5), schedstat). Threads that have ended do not count."""
    total = 0
    for process in processes:
        for thread in pathlib.Path(f"/proc/{process}/task").glob("*/schedstat"):
            try:
                total += int(thread.read_text().split()[0])
            except OSError:
                continue
    return total / NANOSECONDS


def private_bytes(processes):
    """What would be given back if they ended, without what they share with each other or with files."""
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
    """Runnable, but not running."""
    total = 0
    for process in processes:
        for thread in pathlib.Path(f"/proc/{process}/task").glob("*/schedstat"):
            try:
                total += int(thread.read_text().split()[1])
            except OSError:
                continue
    return total / NANOSECONDS


def readahead_setting(path):
    """The file with the KiB that are read ahead from the disk beneath `path`; None where there is no such disk."""
    device = os.stat(path).st_dev
    number = f"{os.major(device)}:{os.minor(device)}"
    # A partition has the setting of its disk.
    for place in (f"/sys/class/bdi/{number}", f"/sys/dev/block/{number}/../bdi"):
        setting = pathlib.Path(place, "read_ahead_kb")
        if setting.exists():
            return setting
    return None
