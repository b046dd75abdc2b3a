"""Whole transactions, begun anew where PostgreSQL ended one so that another could go on.

A context manager cannot run its body twice, so the body is a function here.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TypeVar

from sqlalchemy.exc import OperationalError

Opened = TypeVar("Opened")
Result = TypeVar("Result")

TRIES = 5
LONGEST_PAUSE = 0.05  # seconds; the other one holds what we want for about as long as a page takes

# serialization_failure and deadlock_detected (PostgreSQL, appendix A): nothing of it was kept.
GAVE_WAY = frozenset({"40001", "40P01"})


def in_one(
    begin: Callable[[], AbstractContextManager[Opened]], work: Callable[[Opened], Result]
) -> Result:
    """`work` in one transaction of `begin`; up to `TRIES` times, if it has to give way to others.

    What `work` does outside of its transaction it does at each try: it must not tell an LMS
    anything, ask a model or keep a file.

    Raises:
        OperationalError: it had to give way each time; nothing is written.
    """
    for _ in range(TRIES - 1):
        try:
            with begin() as opened:
                return work(opened)
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) not in GAVE_WAY:
                raise
        # Not to the same moment, so that those who crossed once do not cross again.
        time.sleep(random.uniform(0, LONGEST_PAUSE))  # noqa: S311  # guards nothing
    with begin() as opened:
        return work(opened)
