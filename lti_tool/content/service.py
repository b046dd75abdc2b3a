"""Writing tasks. Who may see which is asked by fetching, in `access`."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from lti_tool.content.access import find_task, may_edit, owned
from lti_tool.content.models import Criterion, RegularTask, Section, Task, Unit
from lti_tool.content.spec import CriterionSpec, TaskSpec
from lti_tool.core import markdown
from lti_tool.core.errors import Conflict, Forbidden, NotFound
from lti_tool.launch.session import LaunchSession
from lti_tool.people.roles import Role


def create_task(
    db: Session, launch: LaunchSession, spec: TaskSpec, task_id: UUID | None = None
) -> RegularTask:
    """A new task in a unit of the course or of this teacher, or in a new unit.

    `task_id` is made with the empty editor, so that the same form sent twice makes one task.

    Raises:
        Forbidden: only teachers write tasks.
        NotFound: the unit is not theirs.
    """
    if launch.role is not Role.INSTRUCTOR:
        raise Forbidden(launch.role.value)
    if task_id is not None and (sent := db.get(RegularTask, task_id)) is not None:
        return sent
    section_id = _section_for(db, launch, spec)
    task = RegularTask(
        id=task_id or uuid7(),
        platform_id=launch.platform_id,
        section_id=section_id,
        position=_next_position(db, section_id),
    )
    _write(task, spec)
    db.add(task)
    db.flush()
    _write_criteria(db, task, [], spec.criteria)
    return task


def change_task(
    db: Session, launch: LaunchSession, task_id: UUID, version: int, spec: TaskSpec
) -> RegularTask:
    """Write `spec` over a task that still is as the teacher saw it, at `version`.

    Raises:
        NotFound: there is no such task, or it is not theirs to change, or the unit is not.
        Conflict: `task_changed`, somebody else has written it meanwhile.
    """
    task = find_own_task(db, launch, task_id)
    db.refresh(task, with_for_update=True)
    if task.version != version:
        raise Conflict("task_changed")
    _write(task, spec)
    task.version, task.updated_at = version + 1, func.now()
    section_id = _section_for(db, launch, spec)
    if section_id != task.section_id:
        task.position = _next_position(db, section_id)
        task.section_id = section_id
    _write_criteria(db, task, task.criteria, spec.criteria)
    return task


def find_own_task(db: Session, launch: LaunchSession, task_id: UUID) -> RegularTask:
    """A task that this launch may change.

    Raises:
        NotFound: there is none, or it is not theirs to change.
    """
    task = find_task(db, launch, task_id)
    if not may_edit(db, launch, task):
        raise NotFound("task")
    return task


def unit_of(db: Session, task: Task) -> Unit:
    """The unit of a task that was fetched through a launch."""
    found = select(Unit).join(Section, Section.unit_id == Unit.id)
    return db.scalars(found.where(Section.id == task.section_id)).one()


def section_of(db: Session, task: Task) -> Section:
    """The section of a task that was fetched through a launch."""
    return db.scalars(select(Section).where(Section.id == task.section_id)).one()


def own_units(db: Session, launch: LaunchSession) -> list[Unit]:
    """The units this teacher may put tasks into, the newest first."""
    mine = select(Unit).where(Unit.platform_id == launch.platform_id, owned(launch))
    return list(db.scalars(mine.order_by(Unit.created_at.desc(), Unit.id)))


def own_section_titles(db: Session, launch: LaunchSession) -> list[str]:
    """The names of sections in these units, for the editor to offer."""
    mine = select(Section.title).distinct().join(Unit, Unit.id == Section.unit_id)
    named = mine.where(Unit.platform_id == launch.platform_id, owned(launch), Section.title != "")
    return list(db.scalars(named.order_by(Section.title)))


def _unit_for(db: Session, launch: LaunchSession, spec: TaskSpec) -> UUID:
    if spec.unit_id is None:
        unit = Unit(
            id=uuid7(),
            platform_id=launch.platform_id,
            course_id=launch.course_id,
            author_id=launch.person_id,
            title=spec.unit_title,
        )
        db.add(unit)
        db.flush()
        return unit.id
    mine = select(Unit.id).where(Unit.platform_id == launch.platform_id, owned(launch))
    # One after the other, so that two hands never make the same section twice.
    unit_id = db.scalar(mine.where(Unit.id == spec.unit_id).with_for_update())
    if unit_id is None:
        raise NotFound("unit")
    return unit_id


def _section_for(db: Session, launch: LaunchSession, spec: TaskSpec) -> UUID:
    """The section of this name in the unit, made at its end if there is none."""
    unit_id = _unit_for(db, launch, spec)
    there = select(Section.id).where(Section.unit_id == unit_id)
    known = db.scalar(
        there.where(Section.title == spec.section_title).order_by(Section.position).limit(1)
    )
    if known is not None:
        return known
    section = Section(
        id=uuid7(),
        platform_id=launch.platform_id,
        unit_id=unit_id,
        title=spec.section_title,
        position=db.scalar(select(func.count()).select_from(there.subquery())) or 0,
    )
    db.add(section)
    db.flush()
    return section.id


def _next_position(db: Session, section_id: UUID) -> int:
    last = db.scalar(select(func.max(Task.position)).where(Task.section_id == section_id))
    return 0 if last is None else last + 1


def _write(task: RegularTask, spec: TaskSpec) -> None:
    task.title = spec.title
    task.prompt, task.prompt_html = spec.prompt, markdown.render(spec.prompt)
    task.solution_notes = spec.solution_notes
    task.mode, task.reports_score = spec.mode, spec.reports_score
    task.takes_pages, task.checks_reading = spec.takes_pages, spec.checks_reading
    task.formal = spec.formal
    task.score_maximum, task.max_attempts = spec.score_maximum, spec.max_attempts


def _write_criteria(
    db: Session, task: RegularTask, present: list[Criterion], wanted: tuple[CriterionSpec, ...]
) -> None:
    """Criteria named by their id are changed in place; those that are gone retire, because
    results may point at them."""
    left: dict[UUID | None, Criterion] = {criterion.id: criterion for criterion in present}
    for criterion in present:
        # Out of each other's way first: the index on positions is checked row by row.
        criterion.position = -1 - criterion.position
    db.flush()
    for position, spec in enumerate(wanted):
        row = left.pop(spec.id, None)
        if row is None:
            row = Criterion(id=uuid7(), platform_id=task.platform_id, task_id=task.id)
            db.add(row)
        row.position, row.weight, row.levels = position, spec.weight, list(spec.levels)
        row.title, row.description = spec.title, spec.description
    for criterion in left.values():
        criterion.retired_at = func.now()
    db.flush()
    db.refresh(task, ["criteria"])
