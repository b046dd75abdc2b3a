"""Scores on their way to the gradebook: planned when feedback is let out, posted by the worker.

A score exists only by a teacher's act, and each version of a result is posted at most once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import InstrumentedAttribute, Session
from uuid_utils.compat import uuid7

from lti_tool.content.models import Mode, RegularTask
from lti_tool.core import jobs
from lti_tool.core.errors import Conflict, NotFound
from lti_tool.core.moves import moved
from lti_tool.grades.ags import LINE_ITEM_SCOPE, SCORE_SCOPE
from lti_tool.grades.comment import comment_of
from lti_tool.grades.messages import FailureReason, Score
from lti_tool.grades.models import MOVES, GradeSync, LineItem, SyncState
from lti_tool.grades.policy import Decision, Final, Posted, Retry, stamp
from lti_tool.grades.scoring import CriterionLevel, score_of
from lti_tool.launch.models import ResourceLink
from lti_tool.launch.session import LaunchSession
from lti_tool.people.models import Person
from lti_tool.people.services import teachers_of
from lti_tool.submissions.models import Feedback, ReleasedBy, Submission

OPEN = (SyncState.PLANNED, SyncState.POSTING)


@dataclass(frozen=True)
class Posting:
    """All that posting one score needs, read in one short transaction. `line_item_url` is None
    where the column has to be looked up or made first (`lineitems_url`, `label`)."""

    sync_id: UUID
    link_id: UUID
    lms_link_id: str
    line_item_url: str | None
    lineitems_url: str | None
    may_create: bool
    label: str
    task_id: UUID
    score: Score
    last_posted: Score | None
    planned_at: datetime
    restamped: bool


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
    if points is None or not _may_report(task, feedback) or not has_column(link):
        return None
    if submission.person_id in teachers_of(db, submission.course_id):
        return None
    if _later_attempt_reported(db, submission):
        return None
    _supersede_open(db, submission)
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
        comment=comment_of(submission, feedback),
    )
    db.add(sync)
    db.flush()
    _enqueue(db, sync)
    return sync


def has_column(link: ResourceLink) -> bool:
    """Whether the LMS takes scores for this activity, as far as its launches said."""
    if SCORE_SCOPE not in link.ags_scopes:
        return False
    return link.lineitem_url is not None or link.lineitems_url is not None


def begin_posting(db: Session, sync_id: UUID, now: datetime) -> Posting | None:
    """Take up a planned score; None if it was superseded or is finished already."""
    sync = db.get(GradeSync, sync_id, with_for_update=True)
    if sync is None or sync.state not in OPEN:
        return None
    link = db.get_one(ResourceLink, sync.resource_link_id)
    person = db.get_one(Person, sync.person_id)
    last_sent = _last(db, sync, GradeSync.sent_at)
    last_posted = _last(db, sync, GradeSync.posted_at)
    if sync.state is SyncState.PLANNED:  # a worker that died leaves it posting
        sync.state = moved(sync.state, SyncState.POSTING, MOVES)
    if sync.sent_at is None:  # a retry carries its first timestamp, so that a score which did
        # arrive is recognised as such
        sync.sent_at = stamp(now, last_sent.sent_at if last_sent else None)
    db.flush()
    item = db.scalar(select(LineItem.url).where(LineItem.resource_link_id == link.id))
    return Posting(
        sync_id=sync.id,
        link_id=link.id,
        lms_link_id=link.link_id,
        line_item_url=link.lineitem_url or item,
        lineitems_url=link.lineitems_url,
        may_create=LINE_ITEM_SCOPE in link.ags_scopes,
        label=link.title,
        task_id=db.get_one(Submission, sync.submission_id).task_id,
        score=_score(sync, person.sub),
        last_posted=_score(last_posted, person.sub) if last_posted else None,
        planned_at=sync.planned_at,
        restamped=sync.restamped,
    )


def remember_line_item(db: Session, posting: Posting, platform_id: UUID, url: str) -> None:
    """The column that was looked up or made, for the next time."""
    new = insert(LineItem).values(
        id=uuid7(), platform_id=platform_id, resource_link_id=posting.link_id, url=url
    )
    db.execute(
        new.on_conflict_do_update(
            index_elements=["resource_link_id"],
            set_={"url": url, "found_at": func.now()},
        )
    )


def keep_decision(db: Session, sync_id: UUID, decision: Decision, now: datetime) -> None:
    """Write down what became of a try. A row superseded in the meantime stays superseded, but that
    it did arrive is remembered: it is what the gradebook holds now."""
    sync = db.get_one(GradeSync, sync_id, with_for_update=True)
    if isinstance(decision, Posted):
        sync.posted_at = func.now()
    if sync.state not in OPEN:
        return
    if isinstance(decision, Posted):
        sync.state = moved(sync.state, SyncState.POSTED, MOVES)
    elif isinstance(decision, Retry):
        sync.state = moved(sync.state, SyncState.PLANNED, MOVES)
        if decision.restamp:
            sync.restamped = True
            sync.sent_at = stamp(now + decision.after, sync.sent_at, decision.newer_than)
    else:
        _fail(sync, decision)
    db.flush()


def send_again(db: Session, launch: LaunchSession, sync_id: UUID) -> None:
    """A teacher asks for another try of a score that failed.

    Raises:
        NotFound: not of this activity. Conflict: "not_failed", or "newer_score".
    """
    sync = db.scalar(
        select(GradeSync)
        .where(
            GradeSync.id == sync_id,
            GradeSync.resource_link_id == launch.resource_link_id,
        )
        .with_for_update()
    )
    if sync is None:
        raise NotFound("grade sync")
    if sync.state is not SyncState.FAILED:
        raise Conflict("not_failed")
    if _newest(db, sync).id != sync.id:
        raise Conflict("newer_score")
    sync.state, sync.reason = moved(sync.state, SyncState.PLANNED, MOVES), None
    sync.sent_at, sync.restamped, sync.planned_at = None, False, func.now()
    db.flush()
    _enqueue(db, sync)


def _may_report(task: RegularTask, feedback: Feedback) -> bool:
    """No score leaves without a teacher's act: the rule on the task, or the confirmation."""
    if feedback.release is ReleasedBy.TEACHER:
        return task.mode is Mode.REVIEWED or task.reports_score
    return feedback.release is ReleasedBy.TASK_RULE and task.reports_score


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


def _of_same_pupil(sync: GradeSync) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return (
        GradeSync.resource_link_id == sync.resource_link_id,
        GradeSync.person_id == sync.person_id,
    )


def _last(
    db: Session, sync: GradeSync, moment: InstrumentedAttribute[datetime | None]
) -> GradeSync | None:
    """The other score of this pupil that was the last to leave, or to arrive."""
    return db.scalar(
        select(GradeSync)
        .where(*_of_same_pupil(sync), GradeSync.id != sync.id, moment.is_not(None))
        .order_by(moment.desc())
        .limit(1)
    )


def _newest(db: Session, sync: GradeSync) -> GradeSync:
    return db.scalars(
        select(GradeSync).where(*_of_same_pupil(sync)).order_by(GradeSync.id.desc()).limit(1)
    ).one()


def _score(sync: GradeSync, sub: str) -> Score:
    assert sync.sent_at is not None  # noqa: S101  # every caller has just stamped or filtered it
    return Score(
        user_id=sub,
        given=sync.score,
        maximum=Decimal(sync.score_maximum),
        comment=sync.comment,
        timestamp=sync.sent_at,
    )


def _fail(sync: GradeSync, decision: Final) -> None:
    if decision.reason is FailureReason.OVERRIDDEN:
        sync.state = moved(sync.state, SyncState.OVERRIDDEN, MOVES)
    else:
        sync.state = moved(sync.state, SyncState.FAILED, MOVES)
        sync.reason = decision.reason.value


def _enqueue(db: Session, sync: GradeSync) -> None:
    jobs.enqueue(db, jobs.JobKind.POST_SCORE, platform_id=sync.platform_id, subject_id=sync.id)
