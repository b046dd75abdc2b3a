"""The worker's side of a score: taken up before it is sent, what became of it kept afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from lti_tool.core.jobs import Job, JobKind, JobState
from lti_tool.core.moves import moved
from lti_tool.grades.ags import RESULT_SCOPE, Wanted
from lti_tool.grades.columns import known_column, wanted_column
from lti_tool.grades.messages import FailureReason, PostOutcome, Score
from lti_tool.grades.models import MOVES, OPEN, GradeSync, LineItem, SyncState
from lti_tool.grades.policy import Decision, Final, Posted, Retry, may_have_arrived, stamp
from lti_tool.launch.models import ResourceLink
from lti_tool.people.models import Person
from lti_tool.submissions.models import Submission


@dataclass(frozen=True)
class Posting:
    """All that posting one score needs, read in one short transaction. `line_item_url` is None
    where the column has to be looked up or made first (`wanted`, `label`). `earlier`: all other
    scores of ours for this pupil that ever left, `last_posted` the one that arrived last."""

    sync_id: UUID
    link_id: UUID
    line_item_url: str | None
    wanted: Wanted | None
    label: str
    may_read: bool
    score: Score
    last_posted: Score | None
    earlier: tuple[Score, ...]
    planned_at: datetime
    restamped: bool
    unsure: bool
    insisted: bool


class Busy(Exception):
    """Another version for the same pupil is being sent at this moment. Come back soon."""


def begin_posting(db: Session, sync_id: UUID, now: datetime) -> Posting | None:
    """Take up a planned score; None if it was superseded or is finished already.

    Raises:
        Busy: nothing overtakes a score under way, whatever the clocks say.
    """
    sync = db.get(GradeSync, sync_id, with_for_update=True)
    if sync is None or sync.state not in OPEN:
        return None
    if _another_under_way(db, sync):
        raise Busy
    earlier = _that_left(db, sync)
    _take_up(sync, earlier, now)
    db.flush()
    return _posting(db, sync, earlier)


def keep_decision(
    db: Session, sync_id: UUID, outcome: PostOutcome, decision: Decision, now: datetime
) -> None:
    """Write down what became of a try. A row superseded in the meantime stays superseded, but that
    it did arrive is remembered: it is what the gradebook holds now."""
    sync = db.get_one(GradeSync, sync_id, with_for_update=True)
    if isinstance(decision, Posted):
        sync.posted_at = func.now()
    if sync.state not in OPEN:
        return
    sync.unsure = sync.unsure or may_have_arrived(outcome)
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


def last_left(db: Session, sync: GradeSync) -> datetime | None:
    """The latest timestamp that any score for this pupil carried, this one's included."""
    return db.scalar(select(func.max(GradeSync.sent_at)).where(*of_same_pupil(sync)))


def of_same_pupil(sync: GradeSync) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return (
        GradeSync.resource_link_id == sync.resource_link_id,
        GradeSync.person_id == sync.person_id,
    )


def _another_under_way(db: Session, sync: GradeSync) -> bool:
    """Whether a worker whose lease still runs is sending another version for this pupil."""
    held = (
        select(Job.id)
        .join(GradeSync, GradeSync.id == Job.subject_id)
        .where(
            *of_same_pupil(sync),
            GradeSync.id != sync.id,
            Job.kind == JobKind.POST_SCORE,
            Job.state == JobState.WORKING,
            Job.lease_until > func.now(),
        )
    )
    return db.scalar(held.limit(1)) is not None


def _that_left(db: Session, sync: GradeSync) -> list[GradeSync]:
    """The other scores for this pupil that were ever sent, in the order of their timestamps."""
    others = select(GradeSync).where(
        *of_same_pupil(sync), GradeSync.id != sync.id, GradeSync.sent_at.is_not(None)
    )
    return list(db.scalars(others.order_by(GradeSync.sent_at)))


def _take_up(sync: GradeSync, earlier: list[GradeSync], now: datetime) -> None:
    if sync.state is SyncState.PLANNED:
        sync.state = moved(sync.state, SyncState.POSTING, MOVES)
    else:
        sync.unsure = True  # a worker that died left it posting; nobody knows how far it came
    if sync.sent_at is None:  # a retry carries its first timestamp, so that a score which did
        # arrive is recognised as such
        sync.sent_at = stamp(now, earlier[-1].sent_at if earlier else None)


def _posting(db: Session, sync: GradeSync, earlier: list[GradeSync]) -> Posting:
    link = db.get_one(ResourceLink, sync.resource_link_id)
    sub = db.get_one(Person, sync.person_id).sub
    item = db.scalar(select(LineItem).where(LineItem.resource_link_id == link.id))
    task_id = db.scalars(
        select(Submission.task_id).where(Submission.id == sync.submission_id)
    ).one()
    posted = max((s for s in earlier if s.posted_at), key=_posted_at, default=None)
    return Posting(
        sync_id=sync.id,
        link_id=link.id,
        line_item_url=known_column(link, item),
        wanted=wanted_column(link, task_id),
        label=link.title or "GUSTAV",
        may_read=RESULT_SCOPE in link.ags_scopes,
        score=_score(sync, sub),
        last_posted=_score(posted, sub) if posted else None,
        earlier=tuple(_score(one, sub) for one in earlier),
        planned_at=sync.planned_at,
        restamped=sync.restamped,
        unsure=sync.unsure,
        insisted=sync.insisted,
    )


def _posted_at(sync: GradeSync) -> datetime:
    assert sync.posted_at is not None  # noqa: S101  # only asked of those that arrived
    return sync.posted_at


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
