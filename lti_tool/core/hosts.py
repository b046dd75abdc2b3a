"""Model hosts: what they are, how fast each was, and whether it is left alone for a while.

A lane is one host doing one kind of work with one model. What is known of it is kept in
PostgreSQL, so that all workers know it and a restart forgets nothing. See docs/adr/0012.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import CheckConstraint, UniqueConstraint, case, func, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column
from uuid_utils.compat import uuid7

from lti_tool.core.db import WORKER, Begin
from lti_tool.core.jobs import JobKind
from lti_tool.core.retries import in_one
from lti_tool.core.tables import Base, Keyed, enum_column

OPENS_AFTER = 5  # failures in a row
REST = timedelta(seconds=30)
NEWEST_COUNTS = 0.2  # of a moving average: about the last ten jobs decide

Models = Mapping[JobKind, str]  # what each kind of work wants; "" wants none


@dataclass(frozen=True)
class Host:
    """One model host: its address, and how many streams it writes at once."""

    address: str
    slots: int


class LaneRow(Keyed, Base):
    """What is known of one lane. `rate`: characters per second of one stream, as a moving average,
    None before the first job. `used_at`: when its model was last asked for; on one host the newest
    is the one that is loaded. `seen_at`: when a worker last said that it serves it."""

    __tablename__ = "lanes"

    host: Mapped[str]
    kind: Mapped[JobKind] = mapped_column(enum_column(JobKind))
    model: Mapped[str]
    slots: Mapped[int]
    failures: Mapped[int] = mapped_column(default=0, server_default="0")
    resting_until: Mapped[datetime | None]
    rate: Mapped[float | None]
    used_at: Mapped[datetime | None]
    seen_at: Mapped[datetime] = mapped_column(server_default=func.now())

    __table_args__ = (
        UniqueConstraint("host", "kind", "model"),
        CheckConstraint("slots > 0 AND failures >= 0 AND rate > 0", name="counters"),
    )


def may_try(failures: int, *, resting: bool, busy: int) -> bool:
    """The circuit breaker: closed below `OPENS_AFTER` failures in a row; then the lane rests;
    then one job at a time tries it, until one gets an answer."""
    if failures < OPENS_AFTER:
        return True
    return not resting and busy == 0


def announce(db: Session, host: Host, models: Models) -> None:
    """This worker serves these lanes, as the settings say now."""
    rows = [
        {"id": uuid7(), "host": host.address, "kind": kind, "model": model, "slots": host.slots}
        for kind, model in models.items()
    ]
    new = insert(LaneRow).values(rows)
    known = {"slots": new.excluded.slots, "seen_at": func.now()}
    db.execute(new.on_conflict_do_update(index_elements=["host", "kind", "model"], set_=known))


class LaneBook:
    """Notes how work on one host goes. Safe from any number of threads."""

    def __init__(self, begin: Begin, host: Host, models: Models) -> None:
        self._begin = begin
        self._host = host
        self._models = models

    def answered(self, kind: JobKind, size: int, seconds: float) -> None:
        """The model has done its part of a job of `size` characters in so many seconds."""
        rate = max(size, 1) / max(seconds, 1e-3)
        # Of the times, not of the speeds: those would believe a card that has become slow too late.
        moved = 1 / ((1 - NEWEST_COUNTS) / LaneRow.rate + NEWEST_COUNTS / rate)
        self._note(kind, failures=0, resting_until=None, rate=func.coalesce(moved, rate))

    def silent(self, kind: JobKind) -> None:
        """The host did not answer, or said that it cannot."""
        failures = LaneRow.failures + 1
        rests = case((failures >= OPENS_AFTER, func.now() + REST), else_=None)
        self._note(kind, failures=failures, resting_until=rests)

    def _note(self, kind: JobKind, **values: object) -> None:
        lane = update(LaneRow).where(
            LaneRow.host == self._host.address,
            LaneRow.kind == kind,
            LaneRow.model == self._models.get(kind),
        )
        in_one(partial(self._begin, WORKER), lambda db: db.execute(lane.values(**values)))
