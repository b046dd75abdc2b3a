"""Which tasks a launch may see and which of them it may change. The row policies say the same."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, false, not_, or_, select
from sqlalchemy.orm import Session

from lti_tool.content.models import RegularTask, Section, Task, Unit, UnitUse, UseDecision
from lti_tool.core.errors import NotFound
from lti_tool.launch.models import ResourceLink
from lti_tool.launch.session import LaunchSession
from lti_tool.people.models import Course
from lti_tool.people.roles import Role


def task_here(db: Session, launch: LaunchSession) -> RegularTask:
    """The task of the launch's activity.

    Raises:
        NotFound: the activity names none, or one that is not there (any more).
    """
    if launch.content_id is None:
        raise NotFound("task")
    return find_task(db, launch, launch.content_id)


def find_task(db: Session, launch: LaunchSession, task_id: UUID) -> RegularTask:
    """A task that somebody may see: linked in the course, or a teacher's own, or the course's.

    Raises:
        NotFound: there is none, or not for this launch.
    """
    return find_tasks(db, launch, [task_id])[0]


def find_tasks(db: Session, launch: LaunchSession, task_ids: Iterable[UUID]) -> list[RegularTask]:
    """All of these tasks, each once, in the order asked for.

    Raises:
        NotFound: one of them does not exist, or not for this launch.
    """
    wanted = list(dict.fromkeys(task_ids))
    rows = db.scalars(
        select(RegularTask)
        .join(Section, Section.id == RegularTask.section_id)
        .join(Unit, Unit.id == Section.unit_id)
        .where(RegularTask.id.in_(wanted), Unit.platform_id == launch.platform_id, visible(launch))
    )
    found = {task.id: task for task in rows}
    if len(found) != len(wanted):
        raise NotFound("task")
    return [found[task_id] for task_id in wanted]


def may_edit(db: Session, launch: LaunchSession, task: Task) -> bool:
    """Whether this launch may change the task: a teacher's, of the course or their own."""
    own = select(Unit.id).join(Section, Section.unit_id == Unit.id).where(owned(launch))
    return db.scalar(own.where(Section.id == task.section_id)) is not None


def visible(launch: LaunchSession) -> ColumnElement[bool]:
    """Condition on `Task` and `Unit`: the launch may see the task."""
    return or_(and_(linked(launch), _in_this_space(launch)), owned(launch))


def linked(launch: LaunchSession) -> ColumnElement[bool]:
    """Condition on `Task`: an activity of the course points at it."""
    return exists().where(
        ResourceLink.content_id == Task.id, ResourceLink.course_id == launch.course_id
    )


def owned(launch: LaunchSession) -> ColumnElement[bool]:
    """Condition on `Unit`: it is the course's or the author's own; never for pupils. Where the
    course has a copy of its own, the copy stands for the author's original."""
    if launch.role is not Role.INSTRUCTOR:
        return false()
    brought_along = and_(
        Unit.author_id == launch.person_id, _in_this_space(launch), not_(_copied_for(launch))
    )
    return or_(Unit.course_id == launch.course_id, brought_along)


def _in_this_space(launch: LaunchSession) -> ColumnElement[bool]:
    """Condition on `Unit`: it lives in the deployment of the launch."""
    here = select(Course.deployment_id).where(Course.id == launch.course_id)
    return Unit.deployment_id == here.scalar_subquery()


def _copied_for(launch: LaunchSession) -> ColumnElement[bool]:
    return exists().where(
        UnitUse.unit_id == Unit.id,
        UnitUse.course_id == launch.course_id,
        UnitUse.decision == UseDecision.COPIED,
    )
