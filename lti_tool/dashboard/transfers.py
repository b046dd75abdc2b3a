"""What became of the scores on their way to the gradebook, as a teacher sees it. Only reads."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TypeVar
from uuid import UUID

from sqlalchemy import Row, Select, func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from lti_tool.content.models import RegularTask
from lti_tool.core.jobs import Job, JobKind, JobState
from lti_tool.grades.models import OPEN, GradeSync, SyncState
from lti_tool.launch.session import LaunchSession
from lti_tool.submissions.models import Submission

Shown = TypeVar("Shown")


@dataclass(frozen=True)
class Transfer:
    """The newest score of a pupil on its way to the gradebook, and the attempt it is for.

    `reason`: why it failed, a FailureReason's value. `at`: when it arrived, or else was planned.
    `next_try`: after a try that brought nothing, when the next one is due.
    """

    id: UUID
    attempt: int
    state: SyncState
    reason: str | None
    score: Decimal
    at: datetime
    next_try: datetime | None


def transfers_of(db: Session, launch: LaunchSession, task: RegularTask) -> dict[UUID, Transfer]:
    """By person, the newest score on its way."""
    rows = db.execute(
        _with_next_try()
        .where(GradeSync.resource_link_id == launch.resource_link_id, Submission.task_id == task.id)
        .ext(distinct_on(GradeSync.person_id))
        .order_by(GradeSync.person_id, GradeSync.id.desc())
    )
    return {row.GradeSync.person_id: _of_row(row) for row in rows}


def transfer_of(db: Session, submission: Submission) -> Transfer | None:
    """The newest score of this submission on its way to the gradebook."""
    row = db.execute(
        _with_next_try()
        .where(GradeSync.submission_id == submission.id)
        .order_by(GradeSync.id.desc())
        .limit(1)
    ).first()
    return _of_row(row) if row else None


def by_reason(failed: Iterable[tuple[str, Shown]]) -> tuple[tuple[str, tuple[Shown, ...]], ...]:
    """Those of one reason together, so that it is said once; the most frequent first."""
    groups: dict[str, list[Shown]] = {}
    for reason, shown in failed:
        groups.setdefault(reason, []).append(shown)
    ordered = sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))
    return tuple((reason, tuple(those)) for reason, those in ordered)


def _with_next_try() -> Select[GradeSync, int, datetime]:
    waits = (
        select(Job.ready_at)
        .where(
            Job.subject_id == GradeSync.id,
            Job.kind == JobKind.POST_SCORE,
            Job.state == JobState.WAITING,
            Job.last_error.is_not(None),
            Job.ready_at > func.now(),
        )
        .scalar_subquery()
        .label("next_try")
    )
    return select(GradeSync, Submission.attempt, waits).join(
        Submission, Submission.id == GradeSync.submission_id
    )


def _of_row(row: Row[GradeSync, int, datetime]) -> Transfer:
    sync: GradeSync = row.GradeSync
    return Transfer(
        id=sync.id,
        attempt=row.attempt,
        state=sync.state,
        reason=sync.reason,
        score=sync.score,
        at=sync.posted_at or sync.created_at,
        next_try=row.next_try if sync.state in OPEN else None,
    )
