"""How much may be sent: per file, per piece of work, and per hour. Pure.

One pupil's phone must not fill the school's disk, and a class must still get through.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

MEGABYTE = 1_000_000
MOST_PAGES = 30  # of one piece of work
MOST_BYTES = 50 * MEGABYTE  # of one file, of one piece of work, and within an hour
MOST_UPLOADS = 10  # within an hour
HOUR = timedelta(hours=1)
PART = 256 * 1024  # bytes; small enough for bad Wi-Fi to bring it in one go
NAME_LIMIT = 120  # characters


class TooMuch(StrEnum):
    """Which limit a file would break."""

    FILE = "file_too_large"
    PAGES = "too_many_pages"
    WORK = "work_too_large"
    HOUR = "hour_used_up"


@dataclass(frozen=True)
class Sent:
    """A file of the last hour: when, and how many bytes."""

    at: datetime
    size: int


@dataclass(frozen=True)
class Refusal:
    """What stands in the way, and when it will not any more; None if waiting does not help."""

    why: TooMuch
    until: datetime | None = None


def refusal(
    size: int, *, pages: int, stored: int, hour: Sequence[Sent], lifted: bool, now: datetime
) -> Refusal | None:
    """Why a file of so many bytes cannot come; None if it can.

    `pages` and `stored` (bytes) are there already, `hour` lists what this pupil sent in the last
    hour. `lifted`: a teacher has let the course send more for now.
    """
    if size > MOST_BYTES:
        return Refusal(TooMuch.FILE)
    if pages >= MOST_PAGES:
        return Refusal(TooMuch.PAGES)
    if stored + size > MOST_BYTES:
        return Refusal(TooMuch.WORK)
    free = None if lifted else free_again(size, hour)
    return Refusal(TooMuch.HOUR, free) if free is not None and free > now else None


def free_again(size: int, hour: Sequence[Sent]) -> datetime | None:
    """When a file of so many bytes fits into the hour; None: at once."""
    kept = sorted(hour, key=lambda sent: sent.at)
    free = None
    while kept and (len(kept) >= MOST_UPLOADS or sum(s.size for s in kept) + size > MOST_BYTES):
        free = kept.pop(0).at + HOUR
    return free
