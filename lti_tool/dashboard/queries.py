"""Reading across submissions, feedback, scores and people for the teacher of one activity.

Only reads. Row policies let a teacher see the course of the launch and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
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
from lti_tool.people.models import Course, Membership, Person
from lti_tool.people.roles import Role
from lti_tool.submissions.models import Submission
from lti_tool.submissions.shown import Origin, origin_of
from lti_tool.submissions.states import State

WAITING_STATES = (State.AWAITING_TEACHER, State.NEEDS_TEACHER)


@dataclass(frozen=True)
class Row:
    """One pupil and their newest attempt. Without a `submission_id` there is none yet.
    `older_waiting`: number and id of earlier attempts that still wait for the teacher."""

    person_id: UUID
    name: str | None
    alias: str
    submission_id: UUID | None = None
    attempt: int | None = None
    submitted_at: datetime | None = None
    state: State | None = None
    points: Decimal | None = None
    origin: Origin | None = None
    transfer: Transfer | None = None
    older_waiting: tuple[tuple[int, UUID], ...] = ()

    @property
    def waits(self) -> bool:
        """Whether it is the teacher's turn."""
        return self.state in WAITING_STATES

    @property
    def failed(self) -> bool:
        return self.transfer is not None and self.transfer.state is SyncState.FAILED


@dataclass(frozen=True)
class Activity:
    """An activity at a glance. `pupils`: how many there are; None where the LMS never told.
    `may_renew`: its grade column is gone, and a teacher can have a new one made."""

    rows: tuple[Row, ...]
    pupils: int | None
    may_renew: bool = False

    @property
    def handed_in(self) -> int:
        return sum(row.submission_id is not None for row in self.rows)

    @property
    def waiting(self) -> int:
        return sum(row.waits + len(row.older_waiting) for row in self.rows)

    @property
    def failed(self) -> tuple[Row, ...]:
        return tuple(row for row in self.rows if row.failed)

    @property
    def problems(self) -> tuple[tuple[str, tuple[Row, ...]], ...]:
        """Why scores failed, each reason once, with all whom it concerns."""
        return by_reason(
            (row.transfer.reason or "", row) for row in self.rows if row.transfer and row.failed
        )


def alias_of(person_id: UUID) -> str:
    """A name for somebody whose name the platform does not share: the same on every page."""
    return person_id.hex[-4:].upper()


def activity(db: Session, launch: LaunchSession, task: RegularTask) -> Activity:
    """The newest attempt of everybody, in the order of names, and who has handed in nothing."""
    transfers, waiting = transfers_of(db, launch, task), _waiting(db, launch, task)
    rows = [
        _row(task, submission, person, transfers.get(person.id), waiting)
        for submission, person in _newest(db, launch, task)
    ]
    members, known = _pupils(db, launch)
    present = {row.person_id for row in rows}
    rows += [Row(p.id, p.name, alias_of(p.id)) for p in members if p.id not in present]
    rows.sort(key=lambda row: (row.name is None, (row.name or row.alias).casefold()))
    pupils = len(members) if known else None
    return Activity(tuple(rows), pupils, columns.may_make_new(db, launch))


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
    """Who handed it in."""
    person = db.get(Person, submission.person_id)
    if person is None:
        raise NotFound("person")
    return Row(person.id, person.name, alias_of(person.id))


def next_for_teacher(
    db: Session, launch: LaunchSession, task: RegularTask, after: Submission | None = None
) -> UUID | None:
    """The next submission that waits for a teacher, in the order of handing in; from the beginning
    again behind the last one. None when nothing else waits."""
    others = [row for row in _waiting(db, launch, task) if after is None or row.id != after.id]
    later = [row for row in others if after and row.submitted_at >= after.submitted_at]
    return next((row.id for row in later or others), None)


def _newest(
    db: Session, launch: LaunchSession, task: RegularTask
) -> Iterable[tuple[Submission, Person]]:
    rows = db.execute(
        select(Submission, Person)
        .join(Person, Person.id == Submission.person_id)
        .where(
            Submission.resource_link_id == launch.resource_link_id, Submission.task_id == task.id
        )
        .ext(distinct_on(Submission.person_id))
        .order_by(Submission.person_id, Submission.attempt.desc())
    )
    return ((row.Submission, row.Person) for row in rows)


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


def _pupils(db: Session, launch: LaunchSession) -> tuple[Sequence[Person], bool]:
    """The pupils of the course, and whether that is all of them."""
    people = db.scalars(
        select(Person)
        .join(Membership, Membership.person_id == Person.id)
        .where(
            Membership.course_id == launch.course_id,
            Membership.role == Role.LEARNER,
            Membership.active,
        )
    ).all()
    return people, db.get_one(Course, launch.course_id).roster_at is not None


def _row(
    task: RegularTask,
    submission: Submission,
    person: Person,
    transfer: Transfer | None,
    waiting: Sequence[Submission],
) -> Row:
    feedback = submission.feedback
    return Row(
        person_id=person.id,
        name=person.name,
        alias=alias_of(person.id),
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
