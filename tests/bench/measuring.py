"""What a slice of load cost: processor time of processes, and what PostgreSQL counted."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Counted:
    """Counters at one moment, or the difference of two, or the sum of such."""

    tool_cpu: float
    store_cpu: float
    written: int  # transactions that wrote

    def __sub__(self, earlier: Counted) -> Counted:
        return Counted(
            self.tool_cpu - earlier.tool_cpu,
            self.store_cpu - earlier.store_cpu,
            self.written - earlier.written,
        )

    def __add__(self, other: Counted) -> Counted:
        return Counted(
            self.tool_cpu + other.tool_cpu,
            self.store_cpu + other.store_cpu,
            self.written + other.written,
        )


class Meter:
    """Reads the counters of a tool's processes and of the PostgreSQL beside it."""

    def __init__(self, superuser_url: str, postmaster: int) -> None:
        self._url = superuser_url
        self._postmaster = postmaster

    def read(self, pid: int) -> Counted:
        seconds = _cpu_of_trees((pid, self._postmaster))
        with psycopg.connect(self._url, autocommit=True) as db:
            # Only a transaction that writes gets a number.
            row = db.execute(
                "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
            ).fetchone()
        assert row is not None
        return Counted(seconds[pid], seconds[self._postmaster], int(row[0]))


def _cpu_of_trees(roots: Sequence[int]) -> dict[int, float]:
    """Seconds of user and system time per root, with its descendants, living and reaped."""
    parents: dict[int, int] = {}
    seconds: dict[int, float] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        parents[int(entry.name)] = int(fields[1])
        seconds[int(entry.name)] = sum(map(int, fields[11:15])) / TICKS
    totals = dict.fromkeys(roots, 0.0)
    for pid, spent in seconds.items():
        above: int | None = pid
        while above is not None and above not in totals:
            above = parents.get(above)
        if above is not None:
            totals[above] += spent
    return totals


def percentile(values: Sequence[float], percent: float) -> float:
    """Nearest rank; NaN of nothing."""
    if not values:
        return math.nan
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]
