"""Units that an activity here opens but that belong to another course, as after a course was
copied in the LMS: shared, or copied for this course. See docs/adr/0008.

Only what teachers wrote travels: units, sections, tasks, criteria. Content knows no pupil.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, Text, any_, cast, exists, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased, object_mapper
from uuid_utils.compat import uuid7

from lti_tool.content.models import (
    Criterion,
    MasteryTask,
    RegularTask,
    Section,
    Task,
    TaskCopy,
    Unit,
    UnitUse,
    UseDecision,
)
from lti_tool.core.db import acting_as, publish, service_of
from lti_tool.core.errors import Forbidden
from lti_tool.launch.models import ResourceLink
from lti_tool.launch.session import LaunchSession
from lti_tool.people.models import Course, Membership
from lti_tool.people.roles import Role

_NOT_COPIED = frozenset({"id", "version", "created_at", "updated_at"})


@dataclass(frozen=True)
class Borrowed:
    """A unit of another course that this one uses. `decision` None: nobody has decided yet.
    `may_copy`: see `_may_copy`."""

    unit_title: str
    course_title: str
    decision: UseDecision | None
    may_copy: bool


@dataclass(frozen=True)
class UnitCopied:
    """A course has got its own copy of a unit. Published in the transaction that made it, with
    the new ids by the old ones."""

    course_id: UUID
    tasks: Mapping[UUID, UUID]
    criteria: Mapping[UUID, UUID]


@dataclass(frozen=True)
class _Original:
    """Everything a unit is made of, and which of its tasks go by which other names."""

    sections: Sequence[Section]
    tasks: Sequence[Task]
    criteria: Sequence[Criterion]
    names: Sequence[tuple[UUID, UUID]]


def borrowed(db: Session, launch: LaunchSession, unit: Unit) -> Borrowed | None:
    """How this course uses the unit of a task of one of its activities; None: it is its own."""
    if unit.course_id == launch.course_id:
        return None
    use = _use(db, launch, unit)
    with acting_as(db, service_of(launch.platform_id)):
        title, may_copy = db.execute(
            select(Course.title, _may_copy(launch))
            .select_from(Unit)
            .join(Course, Course.id == Unit.course_id)
            .where(Unit.id == unit.id)
        ).one()
    return Borrowed(unit.title, title, use.decision if use else None, may_copy)


def share(db: Session, launch: LaunchSession, unit: Unit) -> UseDecision:
    """Both courses use the one unit. Changes nothing where something was decided already; returns
    what holds now."""
    _lock(db, launch)
    settled = _settled(db, launch, unit)
    if settled is not None:
        return settled
    db.add(
        UnitUse(
            platform_id=launch.platform_id,
            course_id=launch.course_id,
            unit_id=unit.id,
            decision=UseDecision.SHARED,
            decided_by=launch.person_id,
        )
    )
    db.flush()
    return UseDecision.SHARED


def copy(db: Session, launch: LaunchSession, unit: Unit) -> UseDecision:
    """Give this course a copy of the unit; its activities open the copies from now on. Safe to
    call twice: there is one copy.

    Raises:
        Forbidden: this teacher has nothing to do with the unit but its name, see `_may_copy`.
        Conflict: what was handed in here cannot go along at this moment.
    """
    _lock(db, launch)
    if _settled(db, launch, unit) is UseDecision.COPIED:
        return UseDecision.COPIED
    with acting_as(db, service_of(launch.platform_id)):
        if not db.scalar(select(_may_copy(launch)).select_from(Unit).where(Unit.id == unit.id)):
            raise Forbidden("copy")
        original = _read(db, unit)
    made = Unit(
        id=uuid7(),
        platform_id=unit.platform_id,
        course_id=launch.course_id,
        author_id=launch.person_id,
        title=unit.title,
    )
    db.add(made)
    db.flush()
    tasks, criteria = _write(db, original, made)
    _open_copies(db, launch, original, tasks)
    _keep_decision(db, launch, unit, made)
    publish(db, UnitCopied(launch.course_id, tasks, criteria))
    return UseDecision.COPIED


def _settled(db: Session, launch: LaunchSession, unit: Unit) -> UseDecision | None:
    """What holds already. The course's own unit needs no copy any more."""
    if unit.course_id == launch.course_id:
        return UseDecision.COPIED
    use = _use(db, launch, unit)
    return use.decision if use else None


def _use(db: Session, launch: LaunchSession, unit: Unit) -> UnitUse | None:
    return db.scalar(
        select(UnitUse).where(UnitUse.course_id == launch.course_id, UnitUse.unit_id == unit.id)
    )


def _lock(db: Session, launch: LaunchSession) -> None:
    """One decision at a time in a course; nobody hands in meanwhile (trigger `at_the_copy`)."""
    db.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:course, 0))"),
        {"course": f"copies:{launch.course_id}"},
    )


def _may_copy(launch: LaunchSession) -> ColumnElement[bool]:
    """Condition on `Unit`: this teacher wrote it, or teaches in its course, or the LMS says that
    the launch's course was copied from there. To name one of its tasks in an activity is enough to
    use that task, not to be given the whole unit with its solution notes."""
    here, source = aliased(Course), aliased(Course)
    taught = exists().where(
        Membership.course_id == Unit.course_id,
        Membership.person_id == launch.person_id,
        Membership.role == Role.INSTRUCTOR,
        Membership.active,
    )
    descended = exists().where(
        here.id == launch.course_id,
        source.id == Unit.course_id,
        source.deployment_id == here.deployment_id,
        cast(source.context_id, Text) == any_(here.history),
    )
    return or_(Unit.author_id == launch.person_id, taught, descended)


def _read(db: Session, unit: Unit) -> _Original:
    """The whole unit: wider than this teacher's sight, which is only what activities name."""
    sections = db.scalars(select(Section).where(Section.unit_id == unit.id)).all()
    inside = [section.id for section in sections]
    tasks: list[Task] = []
    for kind in (RegularTask, MasteryTask):
        tasks += db.scalars(select(kind).where(kind.section_id.in_(inside)))
    ids = [task.id for task in tasks]
    criteria = db.scalars(select(Criterion).where(Criterion.task_id.in_(ids))).all()
    names = db.execute(
        select(TaskCopy.original_id, TaskCopy.copy_id).where(TaskCopy.copy_id.in_(ids))
    ).all()
    found = _Original(sections, tasks, criteria, [(row[0], row[1]) for row in names])
    for row in (*sections, *tasks, *criteria):
        db.expunge(row)  # nothing that was read with wider sight stays in the session
    return found


def _write(
    db: Session, original: _Original, made: Unit
) -> tuple[dict[UUID, UUID], dict[UUID, UUID]]:
    """The copies, with fresh ids; returns those of tasks and of criteria by the old ones. Retired
    criteria come along, because results may point at them."""
    sections = _twins(
        db, original.sections, unit_id={s.unit_id: made.id for s in original.sections}
    )
    tasks = _twins(db, original.tasks, section_id=sections)
    criteria = _twins(db, original.criteria, task_id=tasks)
    return tasks, criteria


def _twins(
    db: Session, rows: Iterable[Section | Task | Criterion], **parents: Mapping[UUID, UUID]
) -> dict[UUID, UUID]:
    """Copies of rows below other parents; returns the new ids by the old ones."""
    ids = {}
    for row in rows:
        values = {
            column.key: getattr(row, column.key)
            for column in object_mapper(row).column_attrs
            if column.key not in _NOT_COPIED
        }
        for column, new in parents.items():
            values[column] = new[values[column]]
        ids[row.id] = values["id"] = uuid7()
        db.add(type(row)(**values))
    db.flush()
    return ids


def _open_copies(
    db: Session, launch: LaunchSession, original: _Original, tasks: Mapping[UUID, UUID]
) -> None:
    """From now on each name of an old task opens the new one here, in activities that are still to
    come too: the LMS keeps the first name for ever."""
    names = [*tasks.items(), *((name, tasks[old]) for name, old in original.names)]
    if not names:
        return
    here = {"platform_id": launch.platform_id, "course_id": launch.course_id}
    rows = [{"id": uuid7(), **here, "original_id": n, "copy_id": new} for n, new in names]
    db.execute(insert(TaskCopy).values(rows).on_conflict_do_nothing())
    with acting_as(db, service_of(launch.platform_id)):
        for old, new in tasks.items():
            db.execute(
                update(ResourceLink)
                .where(ResourceLink.course_id == launch.course_id, ResourceLink.content_id == old)
                .values(content_id=new)
            )


def _keep_decision(db: Session, launch: LaunchSession, unit: Unit, made: Unit) -> None:
    """Whoever shared the unit first may still have a copy; never the other way round."""
    decided = {
        "decision": UseDecision.COPIED,
        "copy_id": made.id,
        "decided_by": launch.person_id,
    }
    new = insert(UnitUse).values(
        id=uuid7(),
        platform_id=launch.platform_id,
        course_id=launch.course_id,
        unit_id=unit.id,
        **decided,
    )
    db.execute(
        new.on_conflict_do_update(
            index_elements=["course_id", "unit_id"],
            set_={**decided, "decided_at": text("now()")},
        )
    )
