"""The tasks a teacher may choose from, as a tree of units, for the picker. Reads only.

Two queries whatever there is: one counts the tasks of each unit, one reads the tasks of the few
units that are open. See `picking` for what the page says.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Set
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from typing import Any, TypeVarTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, and_, case, func, or_, select, true
from sqlalchemy.orm import Session

from lti_tool.content.access import linked, owned, visible
from lti_tool.content.models import Mode, RegularTask, Section, Unit
from lti_tool.content.picking import PickForm, TaskFilter, Whose
from lti_tool.core import markdown
from lti_tool.core.errors import NotFound
from lti_tool.core.statements import set_against_set
from lti_tool.launch.session import LaunchSession

EXCERPT = 160  # characters of Markdown; a whole prompt would cost milliseconds per task
OPEN_TASKS = 40  # so many tasks are laid out unasked, in the first units
MOST_TASKS = 100  # of one unit; who has more must search
MOST_UNITS = 200

_TREE = (
    Unit.created_at.desc(),
    Unit.id,
    Section.title != "",  # what stands in no section comes first
    Section.position,
    Section.id,
    RegularTask.position,
    RegularTask.id,
)


@dataclass(frozen=True)
class TaskLeaf:
    """A task in a few words. `linked`: an activity of the course points at it already;
    `own`: this teacher may change it."""

    id: UUID
    unit_id: UUID
    unit_title: str
    title: str
    prompt: str = field(repr=False)  # its beginning, as Markdown
    mode: Mode
    score_maximum: int
    linked: bool
    own: bool

    @property
    def excerpt(self) -> str:
        return " ".join(markdown.plain(self.prompt).split())


@dataclass(frozen=True)
class SectionBranch:
    """`title` is empty for tasks that stand in no section of the teacher's making."""

    id: UUID
    title: str
    tasks: tuple[TaskLeaf, ...]

    @property
    def free(self) -> int:
        """How many tasks choosing the whole section means."""
        return sum(not task.linked for task in self.tasks)


@dataclass(frozen=True)
class UnitBranch:
    """A unit in which the filter found something. `sections` only if it is open."""

    id: UUID
    title: str
    found: int
    free: int  # of these, those that are not in the course yet: what "the whole unit" means
    sections: tuple[SectionBranch, ...] = ()
    unshown: int = 0

    @property
    def opened(self) -> bool:
        return bool(self.sections)


@dataclass(frozen=True)
class Shelf:
    """What the picker shows. `elsewhere`: chosen tasks that are in no open unit of the tree."""

    units: tuple[UnitBranch, ...]
    elsewhere: tuple[TaskLeaf, ...]
    names: tuple[tuple[UUID, str], ...]  # of all units, to narrow by
    total: int
    found: int
    units_left_out: int


Columns = TypeVarTuple("Columns")
_Counted = Row[UUID, str, int, int, int]
_Found = Row[UUID, str, UUID, str, UUID, str, str, Mode, int, bool, bool, bool]


def lay_out(
    db: Session,
    launch: LaunchSession,
    wanted: TaskFilter,
    chosen: Collection[UUID] = (),
    opened: Set[UUID] = frozenset(),
) -> Shelf:
    """All tasks this launch may see and `wanted` lets through, the newest unit first.

    Raises:
        NotFound: one of the chosen does not exist, or not for this launch.
    """
    set_against_set(db)
    counted = db.execute(_counts(launch, wanted)).all()
    hits = [row for row in counted if row.found]
    units = hits[:MOST_UNITS]
    asked = opened | ({wanted.unit_id} if wanted.unit_id else set())
    open_ids = set(_to_open(units, asked))
    rows = db.execute(_tasks(launch, wanted, open_ids, chosen)).all()
    if not {row.task_id for row in rows}.issuperset(chosen):
        raise NotFound("task")
    inside = [row for row in rows if row.matches and row.unit_id in open_ids]
    shown = {
        unit_id: list(group)[:MOST_TASKS]
        for unit_id, group in groupby(inside, attrgetter("unit_id"))
    }
    seen = {row.task_id for group in shown.values() for row in group}
    return Shelf(
        units=tuple(_branch(unit, shown.get(unit.unit_id, [])) for unit in units),
        elsewhere=tuple(_leaf(row) for row in rows if row.task_id in {*chosen} - seen),
        names=tuple((row.unit_id, row.unit_title) for row in counted),
        total=sum(row.total for row in counted),
        found=sum(row.found for row in hits),
        units_left_out=len(hits) - len(units),
    )


def choose(db: Session, launch: LaunchSession, form: PickForm) -> tuple[UUID, ...]:
    """The tasks that are chosen, singly or with their unit or section, in the order of the tree.
    What is in the course already comes along only if it is ticked itself.

    Raises:
        NotFound: something ticked does not exist, or not for this launch.
    """
    whole = and_(_lets_through(launch, form.shown), ~linked(launch))
    rows = db.execute(
        _joined(select(RegularTask.id, Unit.id, Section.id, whole), launch)
        .where(
            or_(
                RegularTask.id.in_(form.tasks),
                Unit.id.in_(form.units),
                Section.id.in_(form.sections),
            )
        )
        .order_by(*_TREE)
    ).all()
    for ticked, known in (
        (form.tasks, {row[0] for row in rows}),
        (form.units, {row[1] for row in rows}),
        (form.sections, {row[2] for row in rows}),
    ):
        if not known.issuperset(ticked):
            raise NotFound("task")
    return tuple(
        task_id
        for task_id, unit_id, section_id, in_whole in rows
        if task_id in form.tasks
        or (in_whole and (unit_id in form.units or section_id in form.sections))
    )


def _to_open(units: Iterable[_Counted], asked: Set[UUID]) -> Iterator[UUID]:
    """What was asked for, and the first units as far as their tasks are not too many."""
    room = OPEN_TASKS
    for unit in units:
        if unit.unit_id in asked:
            yield unit.unit_id
        elif room > 0:
            room -= unit.found
            if room >= 0:
                yield unit.unit_id


def _counts(launch: LaunchSession, wanted: TaskFilter) -> Select[UUID, str, int, int, int]:
    matches = _lets_through(launch, wanted)
    return (
        _joined(
            select(
                Unit.id.label("unit_id"),
                Unit.title.label("unit_title"),
                func.count().label("total"),
                func.count(case((matches, 1))).label("found"),
                func.count(case((and_(matches, ~linked(launch)), 1))).label("free"),
            ),
            launch,
        )
        .group_by(Unit.id, Unit.title, Unit.created_at)
        .order_by(Unit.created_at.desc(), Unit.id)
    )


def _tasks(
    launch: LaunchSession, wanted: TaskFilter, open_ids: Set[UUID], chosen: Collection[UUID]
) -> Select[Any]:
    matches = _lets_through(launch, wanted)
    return (
        _joined(
            select(
                Unit.id.label("unit_id"),
                Unit.title.label("unit_title"),
                Section.id.label("section_id"),
                Section.title.label("section_title"),
                RegularTask.id.label("task_id"),
                RegularTask.title.label("title"),
                func.left(RegularTask.prompt, EXCERPT).label("prompt"),
                RegularTask.mode.label("mode"),
                RegularTask.score_maximum.label("score_maximum"),
                linked(launch).label("linked"),
                owned(launch).label("own"),
                matches.label("matches"),
            ),
            launch,
        )
        .where(or_(and_(Unit.id.in_(open_ids), matches), RegularTask.id.in_(chosen)))
        .order_by(*_TREE)
    )


def _joined(query: Select[*Columns], launch: LaunchSession) -> Select[*Columns]:
    return (
        query.select_from(RegularTask)
        .join(Section, Section.id == RegularTask.section_id)
        .join(Unit, Unit.id == Section.unit_id)
        .where(Unit.platform_id == launch.platform_id, visible(launch))
    )


def _lets_through(launch: LaunchSession, wanted: TaskFilter) -> ColumnElement[bool]:
    """Each word must be in the title, the text, or the name of the section or the unit."""
    conditions: list[ColumnElement[bool]] = [true()]
    for word in wanted.words.split()[:10]:
        places = (RegularTask.title, RegularTask.prompt, Section.title, Unit.title)
        conditions.append(or_(*(place.icontains(word, autoescape=True) for place in places)))
    if wanted.unit_id is not None:
        conditions.append(Unit.id == wanted.unit_id)
    if wanted.mode is not None:
        conditions.append(RegularTask.mode == wanted.mode)
    if wanted.whose is Whose.MINE:
        conditions.append(Unit.author_id == launch.person_id)
    if wanted.whose is Whose.COURSE:
        conditions.append(Unit.course_id == launch.course_id)
    if wanted.unlinked:
        conditions.append(~linked(launch))
    return and_(*conditions)


def _branch(unit: _Counted, rows: list[_Found]) -> UnitBranch:
    sections = tuple(
        SectionBranch(section_id, title, tuple(_leaf(row) for row in group))
        for (section_id, title), group in groupby(rows, attrgetter("section_id", "section_title"))
    )
    unshown = unit.found - len(rows) if rows else 0
    return UnitBranch(unit.unit_id, unit.unit_title, unit.found, unit.free, sections, unshown)


def _leaf(row: _Found) -> TaskLeaf:
    return TaskLeaf(
        row.task_id,
        row.unit_id,
        row.unit_title,
        row.title,
        row.prompt,
        row.mode,
        row.score_maximum,
        row.linked,
        row.own,
    )
