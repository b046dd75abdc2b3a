"""The row is the job: claims, leases, fencing and the sweep, all counted in PostgreSQL.

A job row is written in the transaction of what it is about and names it by id only. The message
that a broker carries is just a bell; losing every message loses nothing. See docs/adr/0002.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    Index,
    Interval,
    func,
    or_,
    select,
    text,
    type_coerce,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column
from uuid_utils.compat import uuid7

from lti_tool.core.errors import ToolError
from lti_tool.core.lanes import Urgency
from lti_tool.core.tables import Base, OfPlatform, enum_column, within_platform


class JobKind(StrEnum):
    """What a worker can be asked to do; each has exactly one actor in `worker.py`."""

    READ_PAGES = "read_pages"
    GIVE_FEEDBACK = "give_feedback"
    POST_SCORE = "post_score"
    REFRESH_ROSTER = "refresh_roster"


FOR_MODELS = frozenset({JobKind.READ_PAGES, JobKind.GIVE_FEEDBACK})  # the others are errands


class JobState(StrEnum):
    WAITING = "waiting"
    WORKING = "working"
    DONE = "done"
    GIVEN_UP = "given_up"


MOVES: frozenset[tuple[JobState, JobState]] = frozenset(
    {
        (JobState.WAITING, JobState.WORKING),
        (JobState.WORKING, JobState.WAITING),  # another try, or not its fault
        (JobState.WORKING, JobState.DONE),
        (JobState.WORKING, JobState.GIVEN_UP),
    }
)


class LeaseLost(ToolError):
    """Somebody else holds the job by now: whatever was worked out must not be written."""


class Job(OfPlatform, Base):
    """One thing to do for one subject. `token` grows with each claim and fences off old holders."""

    __tablename__ = "jobs"

    kind: Mapped[JobKind] = mapped_column(enum_column(JobKind))
    subject_id: Mapped[UUID]
    state: Mapped[JobState] = mapped_column(enum_column(JobState), default=JobState.WAITING)
    ready_at: Mapped[datetime] = mapped_column(server_default=func.now())
    since: Mapped[datetime] = mapped_column(server_default=func.now())  # a person waits for it
    lease_until: Mapped[datetime | None]
    token: Mapped[int] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    urgency: Mapped[int] = mapped_column(default=Urgency.HOMEWORK, server_default=text("1"))
    course_id: Mapped[UUID | None]
    size: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    host: Mapped[str | None]  # of models: who does it now, or tried it last

    __table_args__ = within_platform(
        CheckConstraint("(state = 'working') = (lease_until IS NOT NULL)", name="lease"),
        CheckConstraint("attempts >= 0 AND token >= 0", name="counters"),
        CheckConstraint("urgency BETWEEN 0 AND 2 AND size >= 0", name="line"),
        Index(
            "jobs_of_course", "course_id", "started_at", postgresql_where=text("host IS NOT NULL")
        ),
        Index("jobs_at_work", "host", postgresql_where=text("state = 'working'")),
        Index(
            "one_open_job_per_subject",
            "kind",
            "subject_id",
            unique=True,
            postgresql_where=text("state IN ('waiting', 'working')"),
        ),
        Index(
            "jobs_in_line",
            "kind",
            "ready_at",
            "id",
            postgresql_where=text("state IN ('waiting', 'working')"),
        ),
    )


@dataclass(frozen=True)
class Line:
    """Where a job for a model stands: how urgent, in which course, and its size in characters.
    `since`: its person waits longer than for this job, so it goes where that one stood."""

    urgency: Urgency
    course_id: UUID
    size: int
    since: datetime | None = None


@dataclass(frozen=True)
class Claim:
    """The right to do one job until the lease runs out. `attempt` counts from 1, `waited` since
    the job was written, `since` its person waits, `size` in characters."""

    job_id: UUID
    kind: JobKind
    platform_id: UUID
    subject_id: UUID
    token: int
    attempt: int
    waited: timedelta
    size: int
    since: datetime
    urgency: Urgency


def enqueue(
    db: Session,
    kind: JobKind,
    *,
    platform_id: UUID,
    subject_id: UUID,
    after: timedelta = timedelta(0),
    line: Line | None = None,
) -> None:
    """Write the job in this transaction and ring once it has committed; an open one is enough.
    `line`: where it stands among those who wait for a model."""
    values = {"id": uuid7(), "kind": kind, "platform_id": platform_id, "subject_id": subject_id}
    ready_at = func.now() + after
    values |= {"ready_at": ready_at, "since": ready_at}
    if line is not None:
        values |= {"urgency": line.urgency, "course_id": line.course_id, "size": line.size}
        values["since"] = line.since or ready_at
    statement = insert(Job).values(**values)
    written = db.execute(statement.on_conflict_do_nothing().returning(Job.id)).scalar()
    if written is not None and not after:
        db.info["rung"].append((kind.value, written))


def bring_forward(db: Session, kind: JobKind, subject_id: UUID) -> None:
    """An open job that was meant for later is ready now. The transaction acts for the service."""
    waiting = update(Job).where(
        Job.kind == kind, Job.subject_id == subject_id, Job.state == JobState.WAITING
    )
    found = db.execute(
        waiting.values(ready_at=func.now(), since=func.now()).returning(Job.id)
    ).scalar()
    if found is not None:
        db.info["rung"].append((kind.value, found))


def hurry(db: Session, course_id: UUID) -> None:
    """What waits as homework in this course turns out to belong to a lesson. The transaction acts
    for the service. Rows that are being worked on at this moment are left alone, so that pupils
    who hand in together never wait for one another."""
    waiting = select(Job.id).where(
        Job.course_id == course_id,
        Job.urgency == Urgency.HOMEWORK,
        Job.state == JobState.WAITING,
    )
    free = waiting.with_for_update(skip_locked=True)
    db.execute(update(Job).where(Job.id.in_(free)).values(urgency=Urgency.LIVE))


def claim(db: Session, job_id: UUID, *, lease: timedelta, host: str | None = None) -> Claim | None:
    """Take this job, for `host`, if it is ready, or if its holder's lease has run out."""
    row = db.execute(
        select(Job).where(Job.id == job_id, _claimable()).with_for_update(skip_locked=True)
    ).scalar_one_or_none()
    if row is None:
        return None
    row.state, row.lease_until = JobState.WORKING, func.now() + lease
    row.started_at, row.host = func.now(), host
    row.token, row.attempts = row.token + 1, row.attempts + 1
    db.flush()
    waited = db.execute(
        select(type_coerce(func.now() - Job.created_at, Interval())).where(Job.id == job_id)
    ).scalar_one()
    return Claim(
        row.id,
        row.kind,
        row.platform_id,
        row.subject_id,
        row.token,
        row.attempts,
        waited,
        row.size,
        row.since,
        Urgency(row.urgency),
    )


def ready(
    db: Session, limit: int = 100, kinds: Collection[JobKind] = tuple(JobKind)
) -> list[tuple[JobKind, UUID]]:
    """What waits, or was left by a holder that died: the sweep rings for these again."""
    found = db.execute(
        select(Job.kind, Job.id)
        .where(Job.kind.in_(kinds), _claimable())
        .order_by(Job.ready_at, Job.id)
        .limit(limit)
    )
    return [(kind, job_id) for kind, job_id in found]


def is_open(db: Session, kind: JobKind, subject_id: UUID) -> bool:
    """Whether a job for this subject waits or is being done."""
    job = select(Job.id).where(
        Job.kind == kind,
        Job.subject_id == subject_id,
        Job.state.in_([JobState.WAITING, JobState.WORKING]),
    )
    return db.scalar(job) is not None


def renew(db: Session, held: Claim, *, lease: timedelta) -> None:
    """Keep the job for another lease. Raises LeaseLost."""
    _hold(db, held, lease_until=func.now() + lease)


def finish(db: Session, held: Claim) -> None:
    """The job is done, in the transaction of its result. Raises LeaseLost."""
    _hold(db, held, state=JobState.DONE, lease_until=None, finished_at=func.now())


def give_up(db: Session, held: Claim, error: str) -> None:
    """No further try will help; `error` is a code, never a text of a person. Raises LeaseLost."""
    _hold(
        db,
        held,
        state=JobState.GIVEN_UP,
        lease_until=None,
        finished_at=func.now(),
        last_error=error,
    )


def wait_again(
    db: Session, held: Claim, error: str, *, after: timedelta, counts: bool = True
) -> None:
    """Put the job back. `counts=False`: it was not the job's fault. Raises LeaseLost."""
    _hold(
        db,
        held,
        state=JobState.WAITING,
        lease_until=None,
        ready_at=func.now() + after,
        attempts=Job.attempts if counts else Job.attempts - 1,
        last_error=error,
    )


def _claimable() -> ColumnElement[bool]:
    return or_(
        (Job.state == JobState.WAITING) & (Job.ready_at <= func.now()),
        (Job.state == JobState.WORKING) & (Job.lease_until < func.now()),
    )


def _hold(db: Session, held: Claim, **values: object) -> None:
    still = update(Job).where(
        Job.id == held.job_id, Job.token == held.token, Job.state == JobState.WORKING
    )
    if db.execute(still.values(**values).returning(Job.id)).scalar() is None:
        raise LeaseLost(held.kind.value)
