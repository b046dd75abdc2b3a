"""Leaves a process behind, and tells its number beside the file."""

import os
import signal


def open_pages(source, kind, most_pages, longest):
    where = os.readlink("/proc/self/fd/0")
    started = os.fork()
    if started == 0:
        signal.pause()
    with open(f"{where}.started", "w", encoding="ascii") as told:
        told.write(str(started))
    return 0, []
