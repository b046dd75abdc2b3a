"""Deletion: a course with all that is in it, a person with all that is theirs (GDPR Art. 17).

The LMS never says that a course or a person is gone, so somebody has to. Most of it goes by foreign
keys; what they cannot know is here: jobs, and units that other courses use. Each function runs in a
transaction of the platform's service.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select, union, update
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from lti_tool.content.models import Section, Task, TaskCopy, Unit, UnitUse
from lti_tool.core.jobs import Job
from lti_tool.grades.models import GradeSync
from lti_tool.launch.models import ResourceLink
from lti_tool.people.models import Course, Membership, Person
from lti_tool.submissions.models import Submission
from lti_tool.uploads.models import Attachment, Upload, parts_folder


@dataclass(frozen=True)
class CourseLoss:
    """What goes with a course. `passed_on`: units that go to another course which uses them."""

    members: int
    submissions: int
    units: int
    passed_on: int


@dataclass(frozen=True)
class FilesLost:
    """Keys of `pages`, and the folders of files that never arrived as a whole."""

    pages: list[str]
    arriving: list[str]


@dataclass(frozen=True)
class PersonLoss:
    """What goes with a person. Units they wrote stay with their courses, without an author."""

    courses: int
    submissions: int


def course_loss(db: Session, course: Course) -> CourseLoss:
    units, heirs = _count(db, Unit.id, Unit.course_id == course.id), _heirs(db, course.id)
    return CourseLoss(
        members=_count(db, Membership.id, Membership.course_id == course.id),
        submissions=_count(db, Submission.id, Submission.course_id == course.id),
        units=units - len(heirs),
        passed_on=len(heirs),
    )


def person_loss(db: Session, person: Person) -> PersonLoss:
    return PersonLoss(
        courses=_count(db, Membership.id, Membership.person_id == person.id),
        submissions=_count(db, Submission.id, Submission.person_id == person.id),
    )


def files_of(db: Session, whose: Course | Person) -> FilesLost:
    """The files that go along. To be deleted once the transaction has committed."""
    column = "course_id" if isinstance(whose, Course) else "person_id"
    pages = select(Attachment).filter_by(**{column: whose.id})
    uploads = select(Upload).filter_by(**{column: whose.id})
    return FilesLost(
        pages=[page.key for page in db.scalars(pages)],
        arriving=[parts_folder(one.platform_id, one.id) for one in db.scalars(uploads)],
    )


def erase_course(db: Session, course: Course) -> None:
    """The course with its activities, work, feedback and scores. Other courses keep theirs, also
    where it is work on a unit of this one."""
    for unit_id, heir in _heirs(db, course.id).items():
        _pass_on(db, course.id, unit_id, heir)
    _forget_jobs(db, Submission.course_id == course.id, GradeSync.course_id == course.id)
    db.execute(delete(Job).where(Job.subject_id == course.id))
    db.delete(course)
    db.flush()


def erase_person(db: Session, person: Person) -> None:
    """The person with their drafts, work, feedback, scores and sessions, in all courses."""
    _forget_jobs(db, Submission.person_id == person.id, GradeSync.person_id == person.id)
    db.delete(person)
    db.flush()


def _forget_jobs(db: Session, work: ColumnElement[bool], scores: ColumnElement[bool]) -> None:
    """Jobs name their subject by id only; without it no worker could ever end them."""
    subjects = union(
        select(Submission.id).where(work), select(GradeSync.id).where(scores)
    ).subquery()
    db.execute(delete(Job).where(Job.subject_id.in_(select(subjects.c.id))))


def _heirs(db: Session, course_id: UUID) -> dict[UUID, UUID]:
    """The units of a course that others of its deployment use, each with the oldest of these."""
    linked = select(ResourceLink.content_id.label("task"), ResourceLink.course_id.label("course"))
    worked = select(Submission.task_id, Submission.course_id)
    use, other = union(linked, worked).subquery(), aliased(Course)
    rows = db.execute(
        select(Unit.id, func.min(func.cast(other.id, Unit.title.type)))
        .join(Section, Section.unit_id == Unit.id)
        .join(Task, Task.section_id == Section.id)
        .join(use, use.c.task == Task.id)
        .join(other, other.id == use.c.course)
        .where(
            Unit.course_id == course_id,
            other.id != course_id,
            other.deployment_id == Unit.deployment_id,
        )
        .group_by(Unit.id)
    )
    return {unit_id: UUID(heir) for unit_id, heir in rows}


def _pass_on(db: Session, course_id: UUID, unit_id: UUID, heir: UUID) -> None:
    """The unit belongs to its heir from now on, and so do the names it goes by."""
    db.execute(update(Unit).where(Unit.id == unit_id).values(course_id=heir))
    db.execute(delete(UnitUse).where(UnitUse.course_id == heir, UnitUse.unit_id == unit_id))
    inside = select(Task.id).join(Section, Section.id == Task.section_id)
    known = aliased(TaskCopy)
    db.execute(
        update(TaskCopy)
        .where(
            TaskCopy.course_id == course_id,
            TaskCopy.copy_id.in_(inside.where(Section.unit_id == unit_id)),
            ~select(known.id)
            .where(known.course_id == heir, known.original_id == TaskCopy.original_id)
            .exists(),
        )
        .values(course_id=heir)
    )


def _count(db: Session, key: InstrumentedAttribute[UUID], which: ColumnElement[bool]) -> int:
    return db.scalar(select(func.count(key)).where(which)) or 0
