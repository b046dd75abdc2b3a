"""The tasks a teacher may choose from, as a tree of units, for the picker. Reads only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass, replace
from itertools import groupby
from operator import itemgetter
from uuid import UUID

from sqlalchemy import Row, Select, func, or_, select
from sqlalchemy.orm import Session

from lti_tool.content.access import linked, owned, visible
from lti_tool.content.models import Mode, RegularTask, Section, Unit
from lti_tool.core import markdown
from lti_tool.launch.session import LaunchSession

_EXCERPT = 160  # characters of Markdown; a whole prompt would cost milliseconds per task


@dataclass(frozen=True)
class TaskLeaf:
    """A task in a few words. `linked`: an activity of the course points at it already;
    `own`: this teacher may change it."""

    id: UUID
    title: str
    excerpt: str
    mode: Mode
    score_maximum: int
    linked: bool
    own: bool


@dataclass(frozen=True)
class SectionBranch:
    """`title` is empty where the unit has no sections of the teacher's making."""

    title: str
    tasks: tuple[TaskLeaf, ...]


@dataclass(frozen=True)
class UnitBranch:
    id: UUID
    title: str
    sections: tuple[SectionBranch, ...]


_TaskRow = Row[UUID, str, UUID, str, UUID, str, str, Mode, int, bool, bool]


def list_tasks(db: Session, launch: LaunchSession, search: str = "") -> tuple[UnitBranch, ...]:
    """All tasks this launch may see, the newest unit first. With `search` those that have each of
    its words in the title, the text or the name of the unit."""
    query = _tasks(launch)
    for word in search.split()[:10]:
        query = query.where(
            or_(
                RegularTask.title.icontains(word, autoescape=True),
                RegularTask.prompt.icontains(word, autoescape=True),
                Unit.title.icontains(word, autoescape=True),
            )
        )
    rows = db.execute(query).all()
    return tuple(
        UnitBranch(unit_id, title, _sections(list(group)))
        for (unit_id, title), group in groupby(rows, itemgetter(0, 1))
    )


def without(tree: tuple[UnitBranch, ...], task_ids: Set[UUID]) -> tuple[UnitBranch, ...]:
    """The tree without these tasks, and without branches that have become empty."""
    return tuple(
        replace(unit, sections=sections)
        for unit in tree
        if (sections := tuple(_thinned(unit.sections, task_ids)))
    )


def _thinned(sections: Iterable[SectionBranch], task_ids: Set[UUID]) -> Iterator[SectionBranch]:
    for section in sections:
        if left := tuple(task for task in section.tasks if task.id not in task_ids):
            yield replace(section, tasks=left)


def _tasks(
    launch: LaunchSession,
) -> Select[UUID, str, UUID, str, UUID, str, str, Mode, int, bool, bool]:
    return (
        select(
            Unit.id,
            Unit.title,
            Section.id,
            Section.title,
            RegularTask.id,
            RegularTask.title,
            func.left(RegularTask.prompt, _EXCERPT),
            RegularTask.mode,
            RegularTask.score_maximum,
            linked(launch),
            owned(launch),
        )
        .select_from(RegularTask)
        .join(Section, Section.id == RegularTask.section_id)
        .join(Unit, Unit.id == Section.unit_id)
        .where(Unit.platform_id == launch.platform_id, visible(launch))
        .order_by(
            Unit.created_at.desc(),
            Unit.id,
            Section.position,
            Section.id,
            RegularTask.position,
            RegularTask.id,
        )
    )


def _sections(rows: list[_TaskRow]) -> tuple[SectionBranch, ...]:
    return tuple(
        SectionBranch(title, tuple(_leaf(row) for row in group))
        for (_, title), group in groupby(rows, itemgetter(2, 3))
    )


def _leaf(row: _TaskRow) -> TaskLeaf:
    _, _, _, _, task_id, title, prompt, mode, score_maximum, is_linked, is_own = row
    excerpt = " ".join(markdown.plain(prompt).split())
    return TaskLeaf(task_id, title, excerpt, mode, score_maximum, is_linked, is_own)
