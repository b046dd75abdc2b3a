"""Units, sections and tasks with their criteria. Content knows no pupil."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Text, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship

import lti_tool.people.models  # noqa: F401  # joined tables need the target of their foreign keys
from lti_tool.core.tables import Base, OfPlatform, enum_column, same_platform, within_platform


class TaskKind(StrEnum):
    REGULAR = "regular"
    MASTERY = "mastery"


class Mode(StrEnum):
    """Who lets feedback out: the rule on the task (practice) or the teacher (reviewed)."""

    PRACTICE = "practice"
    REVIEWED = "reviewed"


class UseDecision(StrEnum):
    """What teachers decide about a unit that their course found in another one."""

    SHARED = "shared"
    COPIED = "copied"


class Unit(OfPlatform, Base):
    """A learning unit; belongs to the course it was written in and to its author. It is seen in
    one deployment only, that of its course."""

    __tablename__ = "units"

    deployment_id: Mapped[UUID] = mapped_column(server_default=text("app_deployment()"))
    course_id: Mapped[UUID]
    author_id: Mapped[UUID | None]
    title: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    __table_args__ = within_platform(
        same_platform("deployment_id", "deployments"),
        same_platform("course_id", "courses"),
        same_platform("author_id", "persons", ondelete="SET NULL (author_id)"),
        CheckConstraint("title <> ''", name="title"),
    )


class Section(OfPlatform, Base):
    __tablename__ = "sections"

    unit_id: Mapped[UUID] = mapped_column(index=True)
    title: Mapped[str]
    position: Mapped[int] = mapped_column(default=0)

    __table_args__ = within_platform(same_platform("unit_id", "units"))


class Task(OfPlatform, Base):
    """What is asked and what counts; the joined tables say how it is worked on."""

    __tablename__ = "tasks"

    section_id: Mapped[UUID] = mapped_column(index=True)
    kind: Mapped[TaskKind] = mapped_column(enum_column(TaskKind))
    title: Mapped[str]
    prompt: Mapped[str]  # Markdown
    prompt_html: Mapped[str]  # rendered and cleaned once, when it was written
    solution_notes: Mapped[str] = mapped_column(default="")  # never rendered to learners
    position: Mapped[int] = mapped_column(default=0)
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())

    criteria: Mapped[list[Criterion]] = relationship(
        primaryjoin="and_(Task.id == Criterion.task_id, Criterion.retired_at.is_(None))",
        foreign_keys="Criterion.task_id",
        order_by="Criterion.position",
        lazy="selectin",
        viewonly=True,
    )

    __mapper_args__ = {"polymorphic_on": "kind"}  # noqa: RUF012
    __table_args__ = within_platform(
        same_platform("section_id", "sections"),
        CheckConstraint("title <> '' AND length(title) <= 255", name="title"),
    )


class RegularTask(Task):
    """A task with a limited number of attempts and a column in the gradebook."""

    __tablename__ = "regular_tasks"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    platform_id: Mapped[UUID] = mapped_column()
    mode: Mapped[Mode] = mapped_column(enum_column(Mode))
    score_maximum: Mapped[int]  # whole, 1..100: Moodle drops anything else without a word
    max_attempts: Mapped[int]
    # Photos and PDF beside what is typed; and pupils see first what was read in them.
    takes_pages: Mapped[bool] = mapped_column(default=True, server_default=text("true"))
    checks_reading: Mapped[bool] = mapped_column(default=True, server_default=text("true"))
    formal: Mapped[bool] = mapped_column(default=False, server_default=text("false"))  # says Sie
    reports_score: Mapped[bool]  # in practice mode: the teacher's rule that scores may leave

    __mapper_args__ = {"polymorphic_identity": TaskKind.REGULAR}  # noqa: RUF012
    __table_args__ = (
        same_platform("id", "tasks"),
        CheckConstraint("score_maximum BETWEEN 1 AND 100", name="score_maximum"),
        CheckConstraint("max_attempts BETWEEN 1 AND 20", name="max_attempts"),
    )


class MasteryTask(Task):
    """A question that comes back on the day it is about to be forgotten. Not used yet."""

    __tablename__ = "mastery_tasks"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    platform_id: Mapped[UUID] = mapped_column()
    concept: Mapped[str] = mapped_column(default="")

    __mapper_args__ = {"polymorphic_identity": TaskKind.MASTERY}  # noqa: RUF012
    __table_args__ = (same_platform("id", "tasks"),)


class Criterion(OfPlatform, Base):
    """One thing that counts. `levels` are described from the lowest to the highest. A criterion
    that results point at is retired, never deleted."""

    __tablename__ = "criteria"

    task_id: Mapped[UUID]
    position: Mapped[int]
    title: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    weight: Mapped[int]
    levels: Mapped[list[str]] = mapped_column(ARRAY(Text))
    retired_at: Mapped[datetime | None]

    __table_args__ = within_platform(
        same_platform("task_id", "tasks"),
        CheckConstraint("title <> ''", name="title"),
        CheckConstraint("weight BETWEEN 1 AND 10", name="weight"),
        CheckConstraint("cardinality(levels) BETWEEN 2 AND 6", name="levels"),
        Index(
            "one_criterion_per_position",
            "task_id",
            "position",
            unique=True,
            postgresql_where=text("retired_at IS NULL"),
        ),
    )


class UnitUse(OfPlatform, Base):
    """What the teachers of a course decided about a unit of another course that an activity of
    theirs opens: one for both, or a copy of their own. Without a row nobody was asked yet."""

    __tablename__ = "unit_uses"

    course_id: Mapped[UUID]
    unit_id: Mapped[UUID]
    decision: Mapped[UseDecision] = mapped_column(enum_column(UseDecision))
    copy_id: Mapped[UUID | None]  # the course's own unit
    decided_by: Mapped[UUID | None]
    decided_at: Mapped[datetime] = mapped_column(server_default=func.now())

    __table_args__ = within_platform(
        UniqueConstraint("course_id", "unit_id"),
        same_platform("course_id", "courses"),
        same_platform("unit_id", "units"),
        same_platform("copy_id", "units"),
        same_platform("decided_by", "persons", ondelete="SET NULL (decided_by)"),
        CheckConstraint("(decision = 'copied') = (copy_id IS NOT NULL)", name="copied"),
    )


class TaskCopy(OfPlatform, Base):
    """In this course, activities that name `original_id` open `copy_id`. The LMS keeps the first
    name for ever, in copies of copies too; the original itself may be gone by then."""

    __tablename__ = "task_copies"

    course_id: Mapped[UUID]
    original_id: Mapped[UUID]
    copy_id: Mapped[UUID]

    __table_args__ = within_platform(
        UniqueConstraint("original_id", "course_id"),
        same_platform("course_id", "courses"),
        same_platform("copy_id", "tasks"),
    )
