"""Who is in a course, as the LMS says (NRPS): asked for, kept, and doubted where that is wiser.

The roster lets nobody in: a role read here counts only for the list of those who never launched,
because Moodle calls a non-editing teacher a learner in its roster. It does shut out who has left.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from lti_tool.core import jobs
from lti_tool.core.errors import Conflict
from lti_tool.core.jobs import JobKind
from lti_tool.people import members
from lti_tool.people.models import (
    Course,
    Membership,
    Platform,
    PlatformState,
    Roster,
    RosterFailure,
)
from lti_tool.people.roles import Role
from lti_tool.people.roster_client import NO_VALIDATORS, MemberList, Validators
from lti_tool.people.roster_rules import BELIEVED_AFTER, is_doubtful, next_try, next_turn

FRESH_FOR = timedelta(minutes=10)
IN_USE_FOR = timedelta(days=60)  # nobody has launched for so long: the nights pass without asking
AT_ONCE = 5  # courses that one look of the sweep starts


@dataclass(frozen=True)
class Question:
    """What to ask the platform, and since when the answer may be true."""

    url: str | None
    known: Validators
    asked_at: datetime


@dataclass(frozen=True)
class RosterStatus:
    """What the teacher's page says of the list. `offered`: the platform has such a list for us;
    `asking`: the worker is about to ask, or asking."""

    offered: bool
    asking: bool
    kept_at: datetime | None
    failure: RosterFailure | None


def refresh_at_launch(db: Session, course_id: UUID, role: Role) -> None:
    """Have the worker ask: at the first launch in a course, whoever it is (also the first for
    long), and at a teacher's when the last answer is old."""
    wanted: ColumnElement[bool] = Roster.due_at.is_(None)
    if role is Role.INSTRUCTOR:
        wanted |= func.coalesce(Roster.asked_at < func.now() - FRESH_FOR, True)
    row = db.execute(
        select(Course.platform_id, func.now())
        .outerjoin(Roster, Roster.course_id == Course.id)
        .where(Course.id == course_id, Course.memberships_url.is_not(None), wanted)
    ).one_or_none()
    if row is not None:
        platform_id, now = row
        due_at = next_turn(now, course_id)
        new = insert(Roster).values(
            id=uuid7(), platform_id=platform_id, course_id=course_id, failures=0, due_at=due_at
        )
        db.execute(new.on_conflict_do_update(index_elements=["course_id"], set_={"due_at": due_at}))
        _ask(db, platform_id, course_id)


def refresh_now(db: Session, course_id: UUID) -> None:
    """Have the worker ask because a teacher wants it.

    Raises:
        Conflict: "no_roster": the platform offers none for this course.
    """
    course = db.get_one(Course, course_id)
    if course.memberships_url is None:
        raise Conflict("no_roster")
    _ask(db, course.platform_id, course_id)


def due(db: Session) -> list[tuple[UUID, UUID]]:
    """Platform and id of courses whose turn it is, those first that wait longest."""
    rows = db.execute(
        select(Roster.platform_id, Roster.course_id)
        .join(Platform, Platform.id == Roster.platform_id)
        .where(Roster.due_at <= func.now(), Platform.state == PlatformState.ACTIVE)
        .order_by(Roster.due_at)
        .limit(AT_ONCE)
    )
    return [(platform_id, course_id) for platform_id, course_id in rows]


def take_turn(db: Session, platform_id: UUID, course_id: UUID) -> None:
    """Have the worker ask, unless another sweep was faster: the turn is taken by moving it on."""
    now = _now(db)
    taken = db.execute(
        update(Roster)
        .where(Roster.course_id == course_id, Roster.due_at <= now)
        .values(due_at=next_turn(now, course_id))
        .returning(Roster.id)
    )
    if taken.scalar() is not None:
        _ask(db, platform_id, course_id)


def question(db: Session, course_id: UUID) -> Question:
    """What to ask now. Conditional only while exactly those are in the course whom the last list
    left there: after somebody else's launch "nothing has changed" would no longer say who is."""
    url = db.get_one(Course, course_id).memberships_url
    roster = db.scalars(select(Roster).where(Roster.course_id == course_id)).one_or_none()
    known = NO_VALIDATORS
    if roster is not None and roster.digest and roster.digest == members.digest(db, course_id):
        known = Validators(roster.etag, roster.last_modified)
    return Question(url, known, _now(db))


def keep(
    db: Session, platform_id: UUID, course_id: UUID, asked_at: datetime, answer: MemberList | None
) -> None:
    """Write the list down; None: it is as it was. Who has left stays, inactive: their work is
    still there. A doubtful list brings people but shuts nobody out, until the platform has kept to
    it for some hours."""
    roster = _row(db, platform_id, course_id)
    if answer is not None:
        pupils, leaving = members.leaving(db, course_id, answer.members, asked_at)
        listed = members.welcome(db, platform_id, course_id, answer.members)
        missing = sum(role is Role.LEARNER for role in leaving.values())
        if is_doubtful(listed, pupils, missing) and not _stands_by_it(db, roster):
            keep_failure(db, platform_id, course_id, RosterFailure.DOUBTFUL)
            return
        members.dismiss(db, leaving)
        known = answer.validators
        roster.etag, roster.last_modified = known.etag, known.last_modified
        roster.digest = None if known == NO_VALIDATORS else members.digest(db, course_id)
    roster.asked_at = roster.kept_at = _now(db)
    roster.failure, roster.failures, roster.doubted_since = None, 0, None
    roster.due_at = _turn(db, roster)
    db.flush()


def keep_failure(
    db: Session,
    platform_id: UUID,
    course_id: UUID,
    failure: RosterFailure,
    asked_to_wait: timedelta | None = None,
) -> None:
    """No new list, and why; what was known stays as it is, and nothing is asked conditionally."""
    roster = _row(db, platform_id, course_id)
    roster.asked_at = _now(db)
    roster.failure, roster.failures = failure, roster.failures + 1
    roster.digest = None
    if failure is not RosterFailure.DOUBTFUL:
        roster.doubted_since = None
    elif roster.doubted_since is None:
        roster.doubted_since = roster.asked_at
    if _turn(db, roster) is None:
        roster.due_at = None
    else:
        roster.due_at = next_try(
            failure, roster.failures, roster.asked_at, course_id, asked_to_wait
        )
    db.flush()


def status(db: Session, course_id: UUID) -> RosterStatus:
    """What there is to say of the list of this course."""
    offered, roster = db.execute(
        select(Course.memberships_url.is_not(None), Roster)
        .outerjoin(Roster, Roster.course_id == Course.id)
        .where(Course.id == course_id)
    ).one()
    return RosterStatus(
        offered=offered,
        asking=jobs.is_open(db, JobKind.REFRESH_ROSTER, course_id),
        kept_at=roster.kept_at if roster else None,
        failure=roster.failure if roster else None,
    )


def _ask(db: Session, platform_id: UUID, course_id: UUID) -> None:
    jobs.enqueue(db, JobKind.REFRESH_ROSTER, platform_id=platform_id, subject_id=course_id)


def _row(db: Session, platform_id: UUID, course_id: UUID) -> Roster:
    """What is known of the course's list, made if there is nothing yet, and held on to."""
    new = insert(Roster).values(
        id=uuid7(), platform_id=platform_id, course_id=course_id, failures=0
    )
    db.execute(new.on_conflict_do_nothing(index_elements=["course_id"]))
    return db.scalars(select(Roster).where(Roster.course_id == course_id).with_for_update()).one()


def _turn(db: Session, roster: Roster) -> datetime | None:
    """The next night's turn; None where nobody has launched for long."""
    now = _now(db)
    last = db.scalar(
        select(func.max(Membership.launched_at)).where(Membership.course_id == roster.course_id)
    )
    in_use = last is not None and last > now - IN_USE_FOR
    return next_turn(now, roster.course_id) if in_use else None


def _stands_by_it(db: Session, roster: Roster) -> bool:
    """Whether the platform has been sending such lists for so long that it means them."""
    since = roster.doubted_since
    return since is not None and since <= _now(db) - BELIEVED_AFTER


def _now(db: Session) -> datetime:
    """The database's moment, the same for the whole transaction."""
    now: datetime = db.execute(select(func.now())).scalar_one()
    return now
