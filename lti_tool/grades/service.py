"""Scores on their way to the gradebook: planned when feedback is let out, sent again by teachers.

A score exists only by a teacher's act, and each version of a result is posted at most once. What
the worker does with it is in `posting`.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from lti_tool.content.models import Mode, RegularTask
from lti_tool.core import jobs
from lti_tool.core.errors import Conflict, NotFound
from lti_tool.core.moves import moved
from lti_tool.grades import columns
from lti_tool.grades.comment import comment_of
from lti_tool.grades.models import MOVES, OPEN, GradeSync, SyncState
from lti_tool.grades.policy import stamp
from lti_tool.grades.posting import last_left, of_same_pupil
from lti_tool.grades.scoring import CriterionLevel, score_of
from lti_tool.launch.models import ResourceLink
from lti_tool.launch.session import LaunchSession
from lti_tool.people.services import teachers_of
from lti_tool.submissions.models import Feedback, ReleasedBy, Submission

_STOPPED = (SyncState.FAILED, SyncState.OVERRIDDEN)


def points_of(task: RegularTask, feedback: Feedback) -> Decimal | None:
    """Points by code from levels and weights; None where a criterion was not assessed."""
    levels = [
        CriterionLevel(weight=r.weight, level=r.level, top_level=r.levels - 1)
        for r in feedback.results
    ]
    return score_of(levels, task.score_maximum)


def plan(db: Session, submission_id: UUID, feedback_id: UUID) -> GradeSync | None:
    """Plan the score of a released feedback; None where there is nothing to report.

    There is none without a gradebook column, without points, where the task's rule keeps scores
    here, for a teacher's trial run, or where a later attempt has been reported already.
    """
    submission = db.get_one(Submission, submission_id)
    feedback = db.get_one(Feedback, feedback_id)
    task = db.get_one(RegularTask, submission.task_id)
    link = db.get_one(ResourceLink, submission.resource_link_id)
    points = points_of(task, feedback)
    if not _may_report(task, feedback) or not columns.has_column(link):
        return None
    if submission.person_id in teachers_of(db, submission.course_id):
        return None
    _one_at_a_time(db, submission.resource_link_id, submission.person_id)
    if _later_attempt_reported(db, submission):
        return None
    _supersede_open(db, submission)  # without points, too: the older ones do not hold any more
    if points is None:
        return None
    sync = GradeSync(
        id=uuid7(),
        platform_id=submission.platform_id,
        course_id=submission.course_id,
        person_id=submission.person_id,
        resource_link_id=submission.resource_link_id,
        submission_id=submission.id,
        feedback_id=feedback.id,
        authority=feedback.release,
        decided_by=feedback.released_by,
        score=points,
        score_maximum=task.score_maximum,
        comment=comment_of(submission, feedback, formal=task.formal),
    )
    db.add(sync)
    db.flush()
    _enqueue(db, sync)
    return sync


def send_again(db: Session, launch: LaunchSession, sync_id: UUID, now: datetime) -> None:
    """A teacher asks for another try of a score that failed, or that their own grade in the LMS
    kept out: never by itself, because only they know whether they have taken that grade back.

    Raises:
        NotFound: not of this activity. Conflict: "not_failed", or "newer_score".
    """
    here = (GradeSync.id == sync_id, GradeSync.resource_link_id == launch.resource_link_id)
    sync = db.scalar(select(GradeSync).where(*here))
    if sync is None:
        raise NotFound("grade sync")
    _one_at_a_time(db, sync.resource_link_id, sync.person_id)
    db.refresh(sync, with_for_update=True)
    if sync.state not in _STOPPED:
        raise Conflict("not_failed")
    if _newest(db, sync).id != sync.id:
        raise Conflict("newer_score")
    _plan_again(db, sync, now)


def send_all_again(db: Session, launch: LaunchSession, now: datetime) -> int:
    """Another try for every pupil of this activity whose newest score failed; returns how many.
    Nothing happens to those that are on their way already, however often the button is pressed."""
    return _all_again(db, launch, now, {SyncState.FAILED})


def make_new_column(db: Session, launch: LaunchSession, now: datetime) -> int:
    """A teacher wants a new column in the place of one that is gone, and everything sent there,
    what had arrived in the old one, too. Returns how many are on their way.

    Raises:
        Conflict: "column_not_gone".
    """
    columns.ask_for_new(db, launch)
    return _all_again(db, launch, now, {SyncState.POSTED, *_STOPPED})


def _all_again(
    db: Session, launch: LaunchSession, now: datetime, which: Collection[SyncState]
) -> int:
    newest = (
        select(GradeSync.id, GradeSync.state)
        .where(GradeSync.resource_link_id == launch.resource_link_id)
        .ext(distinct_on(GradeSync.person_id))
        .order_by(GradeSync.person_id, GradeSync.id.desc())
        .subquery()
    )
    found = select(GradeSync).join(newest, newest.c.id == GradeSync.id)
    sent = 0
    for sync in db.scalars(found.where(newest.c.state.in_(which)).order_by(GradeSync.id)).all():
        _one_at_a_time(db, sync.resource_link_id, sync.person_id)
        db.refresh(sync, with_for_update=True)
        if sync.state in which and _newest(db, sync).id == sync.id:  # nobody else was faster
            _plan_again(db, sync, now)
            sent += 1
    return sent


def _plan_again(db: Session, sync: GradeSync, now: datetime) -> None:
    # A new timestamp, once and here: what a teacher changes in the LMS after this act is newer.
    sync.sent_at = stamp(now, last_left(db, sync))
    sync.state, sync.reason = moved(sync.state, SyncState.PLANNED, MOVES), None
    sync.restamped, sync.insisted, sync.planned_at = False, True, func.now()
    db.flush()
    _enqueue(db, sync)


def _may_report(task: RegularTask, feedback: Feedback) -> bool:
    """No score leaves without a teacher's act: the rule on the task, or the confirmation."""
    if feedback.release is ReleasedBy.TEACHER:
        return task.mode is Mode.REVIEWED or task.reports_score
    return feedback.release is ReleasedBy.TASK_RULE and task.reports_score


def _one_at_a_time(db: Session, link_id: UUID, person_id: UUID) -> None:
    """Until the end of the transaction nobody else plans or sends again for this pupil."""
    key = func.hashtextextended(f"{link_id} {person_id}", 0)
    db.execute(select(func.pg_advisory_xact_lock(key)))


def _later_attempt_reported(db: Session, submission: Submission) -> bool:
    later = (
        select(GradeSync.id)
        .join(Submission, Submission.id == GradeSync.submission_id)
        .where(
            GradeSync.resource_link_id == submission.resource_link_id,
            GradeSync.person_id == submission.person_id,
            Submission.task_id == submission.task_id,
            Submission.attempt > submission.attempt,
        )
    )
    return db.scalar(later.limit(1)) is not None


def _supersede_open(db: Session, submission: Submission) -> None:
    db.execute(
        update(GradeSync)
        .where(
            GradeSync.resource_link_id == submission.resource_link_id,
            GradeSync.person_id == submission.person_id,
            GradeSync.state.in_(OPEN),
        )
        .values(state=SyncState.SUPERSEDED)
    )


def _newest(db: Session, sync: GradeSync) -> GradeSync:
    return db.scalars(
        select(GradeSync).where(*of_same_pupil(sync)).order_by(GradeSync.id.desc()).limit(1)
    ).one()


def _enqueue(db: Session, sync: GradeSync) -> None:
    jobs.enqueue(db, jobs.JobKind.POST_SCORE, platform_id=sync.platform_id, subject_id=sync.id)
