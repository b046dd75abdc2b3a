"""The thread that hands jobs to the slots of model hosts, each in a thread of its own.

It looks when a bell rings, when a slot becomes free, and now and then by itself, so that no bell
is needed. Threads of slots are daemons: what does not end in time is handed back by its lease.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

import structlog
from sqlalchemy.exc import OperationalError

from lti_tool.core.hosts import Host
from lti_tool.core.jobs import Claim

log = structlog.get_logger(__name__)

Take = Callable[[Host], Claim | None]
Work = Callable[[Host, Claim], None]


class Dispatcher:
    """`take` claims the next job of a host, `work` does it; `pause` between two looks unasked."""

    def __init__(self, hosts: Sequence[Host], take: Take, work: Work, pause: timedelta) -> None:
        self._hosts = hosts
        self._take = take
        self._work = work
        self._pause = pause.total_seconds()
        self._bell = threading.Event()
        self._over = False
        self._slots: set[threading.Thread] = set()
        self._lock = threading.Lock()

    def ring(self) -> None:
        """There may be something to do. Returns at once."""
        self._bell.set()

    @contextmanager
    def running(self, grace: timedelta) -> Iterator[None]:
        """Meanwhile jobs are handed out. At the end no more are, and those begun may take `grace`
        until they are done."""
        thread = threading.Thread(target=self._run, daemon=True, name="dispatcher")
        thread.start()
        try:
            yield
        finally:
            deadline = time.monotonic() + grace.total_seconds()
            self._over = True
            self.ring()
            thread.join()
            self._join(deadline)

    def _run(self) -> None:
        while not self._over:
            self._bell.clear()
            for host in self._hosts:
                self._fill(host)
            self._bell.wait(self._pause)

    def _fill(self, host: Host) -> None:
        """Hand out as many jobs as the host takes now."""
        try:
            while not self._over and (claim := self._take(host)) is not None:
                self._start(host, claim)
        except OperationalError:
            log.warning("database does not answer")

    def _start(self, host: Host, claim: Claim) -> None:
        slot = threading.Thread(target=self._do, args=(host, claim), daemon=True, name="slot")
        with self._lock:
            self._slots.add(slot)
        slot.start()

    def _do(self, host: Host, claim: Claim) -> None:
        try:
            self._work(host, claim)
        except Exception:
            log.exception("job failed", job=claim.job_id, kind=claim.kind.value)
        finally:
            with self._lock:
                self._slots.discard(threading.current_thread())
            self.ring()

    def _join(self, deadline: float) -> None:
        with self._lock:
            slots = list(self._slots)
        for slot in slots:
            slot.join(max(0.0, deadline - time.monotonic()))
