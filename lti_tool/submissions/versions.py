"""Versions of feedback: made, never overwritten, let out by a teacher's act. Shared by what the
engine proposes (`assessment.py`) and what teachers do with it (`review.py`)."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from feedback_engine.contract import VerdictStatus
from lti_tool.content.models import Criterion
from lti_tool.core.db import publish
from lti_tool.submissions.models import Author, CriterionResult, Feedback, ReleasedBy, Submission
from lti_tool.submissions.states import State, move


@dataclass(frozen=True)
class FeedbackReleased:
    """A version of feedback was let out. Published in the transaction that let it out."""

    submission_id: UUID
    feedback_id: UUID


def new_version(db: Session, submission: Submission, author: Author) -> Feedback:
    """The next version, current from now on; the one before is superseded."""
    newest = db.scalar(
        select(Feedback)
        .where(Feedback.submission_id == submission.id)
        .order_by(Feedback.version.desc())
        .limit(1)
    )
    if newest is not None and newest.superseded_at is None:
        newest.superseded_at = func.now()
        db.flush()
    feedback = Feedback(
        id=uuid7(),
        platform_id=submission.platform_id,
        course_id=submission.course_id,
        person_id=submission.person_id,
        submission_id=submission.id,
        version=newest.version + 1 if newest else 1,
        author=author,
    )
    db.add(feedback)
    return feedback


def let_out(
    db: Session,
    submission: Submission,
    feedback: Feedback,
    rule: ReleasedBy,
    teacher_id: UUID | None,
) -> None:
    """Let this version out by `rule`, and tell those who act on it."""
    feedback.released_at, feedback.release, feedback.released_by = func.now(), rule, teacher_id
    if submission.state is not State.RELEASED:
        submission.state = move(submission.state, to=State.RELEASED)
        submission.needs_teacher_reason = None
    db.flush()
    publish(db, FeedbackReleased(submission.id, feedback.id))


def ask_teacher(db: Session, submission: Submission, reason: str) -> None:
    """A teacher has to take over; `reason` is a code that their page explains."""
    submission.state = move(submission.state, to=State.NEEDS_TEACHER)
    submission.needs_teacher_reason = reason
    db.flush()


def result_of(
    criterion: Criterion,
    status: VerdictStatus,
    level: int | None,
    quote: str,
    reason: str,
    *,
    taken_up: bool | None,
) -> CriterionResult:
    """A result with the criterion's words as they are today."""
    return CriterionResult(
        platform_id=criterion.platform_id,
        criterion_id=criterion.id,
        position=criterion.position,
        title=criterion.title,
        weight=criterion.weight,
        levels=len(criterion.levels),
        level=level,
        level_text="" if level is None else criterion.levels[level],
        status=status,
        quote=quote,
        reason=reason,
        taken_up=taken_up,
    )
