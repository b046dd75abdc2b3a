"""Reading across submissions, feedback, scores and people for the teacher of one activity.

Only reads. Row policies let a teacher see the course of the launch and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from lti_tool.content.models import RegularTask
from lti_tool.core.errors import NotFound
from lti_tool.dashboard.transfers import Transfer, by_reason, transfers_of
from lti_tool.grades import columns
from lti_tool.grades.models import SyncState
from lti_tool.grades.service import points_of
from lti_tool.launch.session import LaunchSession
from lti_tool.people import roster
from lti_tool.people.models import Membership, Person
from lti_tool.people.roles import Role
from lti_tool.people.roster import RosterStatus
from lti_tool.people.services import teachers_of
from lti_tool.submissions.models import Submission
from lti_tool.submissions.shown import Origin, origin_of
from lti_tool.submissions.states import State

WAITING_STATES = (State.AWAITING_TEACHER, State.NEEDS_TEACHER)


@dataclass(frozen=True)
class Row:
    """One pupil and their newest attempt. Without a `submission_id` there is none yet.
    `number` stands for them where the platform keeps the name back; `left`: no longer in the
    course. `older_waiting`: number and id of earlier attempts that still wait for the teacher.
    `trial`: a teacher's trial run, which counts nowhere."""

    person_id: UUID
    name: str | None
    number: int
    left: bool = False
    submission_id: UUID | None = None
    attempt: int | None = None
    submitted_at: datetime | None = None
    state: State | None = None
    points: Decimal | None = None
    origin: Origin | None = None
    transfer: Transfer | None = None
    older_waiting: tuple[tuple[int, UUID], ...] = ()
    trial: bool = False

    @property
    def waits(self) -> bool:
        """Whether it is the teacher's turn."""
        return self.state in WAITING_STATES

    @property
    def failed(self) -> bool:
        return self.transfer is not None and self.transfer.state is SyncState.FAILED


@dataclass(frozen=True)
class Activity:
    """An activity at a glance: everybody in the course, and the work of those who have left it.
    `pupils`: how many there are; None where the LMS never told. `may_renew`: its grade column is
    gone, and a teacher can have a new one made."""

    rows: tuple[Row, ...]
    left: tuple[Row, ...]
    pupils: int | None
    roster: RosterStatus
    may_renew: bool = False

    @property
    def handed_in(self) -> int:
        return sum(row.submission_id is not None for row in self.rows if not row.trial)

    @property
    def waiting(self) -> int:
        counted = (row for row in self.rows + self.left if not row.trial)
        return sum(row.waits + len(row.older_waiting) for row in counted)

    @property
    def failed(self) -> tuple[Row, ...]:
        return tuple(row for row in self.rows + self.left if row.failed)

    @property
    def problems(self) -> tuple[tuple[str, tuple[Row, ...]], ...]:
        """Why scores failed, each reason once, with all whom it concerns."""
        return by_reason(
            (row.transfer.reason or "", row) for row in self.failed if row.transfer is not None
        )


def activity(db: Session, launch: LaunchSession, task: RegularTask) -> Activity:
    """The newest attempt of everybody, in the order of names, and who has handed in nothing;
    trial runs of teachers at the end."""
    transfers, waiting = transfers_of(db, launch, task), _waiting(db, launch, task)
    worked = [
        _row(task, newest, transfers.get(newest.person.id), waiting)
        for newest in _newest(db, launch, task)
    ]
    present = {row.person_id for row in worked}
    pupils = [Row(p.id, p.name, number) for p, number in _pupils(db, launch)]
    here = [row for row in worked if not row.left]
    here += [row for row in pupils if row.person_id not in present]
    told = roster.status(db, launch.course_id)
    return Activity(
        rows=_in_order(here),
        left=_in_order(row for row in worked if row.left),
        pupils=len(pupils) if told.kept_at else None,
        roster=told,
        may_renew=columns.may_make_new(db, launch),
    )


def _in_order(rows: Iterable[Row]) -> tuple[Row, ...]:
    """By name; behind them, by number, those whose name nobody told us; then trial runs."""

    def place(row: Row) -> tuple[bool, bool, str, int]:
        return row.trial, row.name is None, (row.name or "").casefold(), row.number

    return tuple(sorted(rows, key=place))


def attempts(db: Session, submission: Submission) -> Sequence[Submission]:
    """All attempts of the same pupil on the same task here, newest first."""
    return db.scalars(
        select(Submission)
        .where(
            Submission.resource_link_id == submission.resource_link_id,
            Submission.task_id == submission.task_id,
            Submission.person_id == submission.person_id,
        )
        .order_by(Submission.attempt.desc())
    ).all()


def pupil_of(db: Session, submission: Submission) -> Row:
    """Who handed it in. Raises NotFound."""
    return _person_in(db, submission.person_id, submission.course_id)


def newest_of(
    db: Session, launch: LaunchSession, task: RegularTask, person_id: UUID
) -> Submission | None:
    """What somebody handed in last on this task here."""
    return db.scalar(
        select(Submission)
        .where(
            Submission.resource_link_id == launch.resource_link_id,
            Submission.task_id == task.id,
            Submission.person_id == person_id,
        )
        .order_by(Submission.attempt.desc())
        .limit(1)
    )


def person_here(db: Session, launch: LaunchSession, person_id: UUID) -> Row:
    """Somebody of the launch's course. Raises NotFound."""
    return _person_in(db, person_id, launch.course_id)


def _person_in(db: Session, person_id: UUID, course_id: UUID) -> Row:
    found = db.execute(
        select(Person, Membership)
        .join(Membership, Membership.person_id == Person.id)
        .where(Person.id == person_id, Membership.course_id == course_id)
    ).one_or_none()
    if found is None:
        raise NotFound("person")
    person, membership = found
    return Row(
        person.id,
        person.name,
        membership.number,
        left=not membership.active,
        trial=membership.taught_at is not None,
    )


def next_for_teacher(
    db: Session, launch: LaunchSession, task: RegularTask, after: Submission | None = None
) -> UUID | None:
    """The next submission that waits for a teacher, in the order of handing in; from the beginning
    again behind the last one. None when nothing else waits."""
    teachers = teachers_of(db, launch.course_id)
    others = [
        row
        for row in _waiting(db, launch, task)
        if row.person_id not in teachers and (after is None or row.id != after.id)
    ]
    later = [row for row in others if after and row.submitted_at >= after.submitted_at]
    return next((row.id for row in later or others), None)


class _Newest(NamedTuple):
    submission: Submission
    person: Person
    membership: Membership


def _newest(db: Session, launch: LaunchSession, task: RegularTask) -> Iterable[_Newest]:
    rows = db.execute(
        select(Submission, Person, Membership)
        .join(Person, Person.id == Submission.person_id)
        .join(
            Membership,
            (Membership.person_id == Submission.person_id)
            & (Membership.course_id == Submission.course_id),
        )
        .where(
            Submission.resource_link_id == launch.resource_link_id, Submission.task_id == task.id
        )
        .ext(distinct_on(Submission.person_id))
        .order_by(Submission.person_id, Submission.attempt.desc())
    )
    return (_Newest(*row) for row in rows)


def _waiting(db: Session, launch: LaunchSession, task: RegularTask) -> Sequence[Submission]:
    """Everything that waits for a teacher, in the order of handing in."""
    return db.scalars(
        select(Submission)
        .where(
            Submission.resource_link_id == launch.resource_link_id,
            Submission.task_id == task.id,
            Submission.state.in_(WAITING_STATES),
        )
        .order_by(Submission.submitted_at, Submission.id)
    ).all()


def _pupils(db: Session, launch: LaunchSession) -> Iterable[tuple[Person, int]]:
    """The pupils of the course with their numbers, whether they ever came here or not."""
    rows = db.execute(
        select(Person, Membership.number)
        .join(Membership, Membership.person_id == Person.id)
        .where(
            Membership.course_id == launch.course_id,
            Membership.role == Role.LEARNER,
            Membership.taught_at.is_(None),
            Membership.active,
        )
    )
    return ((person, number) for person, number in rows)


def _row(
    task: RegularTask, newest: _Newest, transfer: Transfer | None, waiting: Sequence[Submission]
) -> Row:
    submission, person, membership = newest
    feedback = submission.feedback
    return Row(
        person_id=person.id,
        name=person.name,
        number=membership.number,
        left=not membership.active,
        trial=membership.taught_at is not None,
        submission_id=submission.id,
        attempt=submission.attempt,
        submitted_at=submission.submitted_at,
        state=submission.state,
        points=points_of(task, feedback) if feedback else None,
        origin=origin_of(feedback) if feedback else None,
        transfer=transfer,
        older_waiting=tuple(
            (s.attempt, s.id) for s in waiting if s.person_id == person.id and s.id != submission.id
        ),
    )
