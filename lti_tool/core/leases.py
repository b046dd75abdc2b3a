"""Leases of what this process works on, renewed by a thread while a model thinks.

So a lease can be short and a long generation keeps it all the same: a worker that died is noticed
in a minute. On the way out, what is not finished is handed back at once. See docs/adr/0002.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import Update, func, tuple_, update
from sqlalchemy.exc import OperationalError

from lti_tool.core.db import WORKER, Begin
from lti_tool.core.jobs import Claim, Job, JobState

log = structlog.get_logger(__name__)

RENEWALS = 4  # within one lease, so that a database that stumbles twice costs nobody their work


@dataclass(frozen=True)
class _Held:
    claim: Claim
    until: float  # on the monotonic clock: what still holds it then hangs


class Leases:
    """What this process holds. Safe from any number of threads.

    `lease`: a holder silent for so long counts as dead; `longest`: no job takes so long, so one
    that does hangs, its lease is left to run out, and somebody else has a try.
    """

    def __init__(self, begin: Begin, *, lease: timedelta, longest: timedelta) -> None:
        self._begin = begin
        self.lease = lease
        self._longest = longest
        self._held: dict[tuple[object, int], _Held] = {}
        self._lock = threading.Lock()

    @contextmanager
    def holding(self, claim: Claim) -> Iterator[None]:
        """Meanwhile the job is worked on, and its lease kept."""
        key = (claim.job_id, claim.token)
        with self._lock:
            self._held[key] = _Held(claim, time.monotonic() + self._longest.total_seconds())
        try:
            yield
        finally:
            with self._lock:
                self._held.pop(key, None)

    def renew(self) -> None:
        """Once, for all that is held and does not hang."""
        now = time.monotonic()
        held = [one.claim for one in self._snapshot() if now < one.until]
        self._change(held, update(Job).values(lease_until=func.now() + self.lease))

    def hand_back(self) -> int:
        """Whatever is still held waits again, for anybody, as if it had not been begun: no try is
        counted. Returns how many that were."""
        held = [one.claim for one in self._snapshot()]
        return self._change(
            held,
            update(Job).values(
                state=JobState.WAITING,
                lease_until=None,
                ready_at=func.now(),
                attempts=Job.attempts - 1,
            ),
        )

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Meanwhile a thread renews."""
        over = threading.Event()
        keeper = threading.Thread(target=self._keep, args=(over,), daemon=True, name="leases")
        keeper.start()
        try:
            yield
        finally:
            over.set()
            keeper.join()

    def _keep(self, over: threading.Event) -> None:
        while not over.wait(self.lease.total_seconds() / RENEWALS):
            try:
                self.renew()
            except OperationalError:
                log.warning("leases not renewed: database does not answer")

    def _snapshot(self) -> list[_Held]:
        with self._lock:
            return list(self._held.values())

    def _change(self, held: Sequence[Claim], change: Update) -> int:
        """Change what is still ours by its token; what is not, its own holder will notice."""
        if not held:
            return 0
        ours: list[Any] = [(claim.job_id, claim.token) for claim in held]
        change = change.where(tuple_(Job.id, Job.token).in_(ours), Job.state == JobState.WORKING)
        with self._begin(WORKER) as db:
            return len(db.scalars(change.returning(Job.id)).all())
