"""What the picker's form says: which tasks are chosen, and which are to be seen. Pure shapes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self, TypeVar
from uuid import UUID

from werkzeug.datastructures import MultiDict

from lti_tool.content.models import Mode
from lti_tool.core.errors import NotFound

WORDS_LIMIT = 100  # characters of a search
SHOWN = "shown-"  # before the names of the fields that say what the page was drawn with

Sent = MultiDict[str, str]
E = TypeVar("E", bound=StrEnum)


class Whose(StrEnum):
    """Tasks in units of this teacher's own making, or in those of the course."""

    MINE = "mine"
    COURSE = "course"


@dataclass(frozen=True)
class TaskFilter:
    """Which tasks are to be seen; as it comes, all of them. What makes no sense narrows nothing."""

    words: str = ""
    unit_id: UUID | None = None
    mode: Mode | None = None
    whose: Whose | None = None
    unlinked: bool = False  # only what no activity of the course points at

    @classmethod
    def read(cls, sent: Sent, prefix: str = "") -> Self:
        return cls(
            words=" ".join(sent.get(f"{prefix}q", "").replace("\x00", "").split())[:WORDS_LIMIT],
            unit_id=_uuid(sent.get(f"{prefix}in", "")),
            mode=_member(Mode, sent.get(f"{prefix}mode", "")),
            whose=_member(Whose, sent.get(f"{prefix}whose", "")),
            unlinked=bool(sent.get(f"{prefix}unlinked")),
        )

    @property
    def fields(self) -> dict[str, str]:
        """The fields that `read` makes this filter from."""
        return {
            "q": self.words,
            "in": str(self.unit_id or ""),
            "mode": self.mode or "",
            "whose": self.whose or "",
            "unlinked": "on" if self.unlinked else "",
        }

    @property
    def narrows(self) -> bool:
        return any(self.fields.values())

    @property
    def narrows_by_more_than_words(self) -> bool:
        return any(value for name, value in self.fields.items() if name != "q")


@dataclass(frozen=True)
class PickForm:
    """The page as sent. A ticked unit or section means all tasks of it that the page, drawn with
    `shown`, counted in; it is looked up on the server, whatever a script has ticked."""

    tasks: tuple[UUID, ...] = ()
    units: frozenset[UUID] = frozenset()
    sections: frozenset[UUID] = frozenset()
    opened: frozenset[UUID] = frozenset()  # units whose tasks were asked for
    wanted: TaskFilter = field(default_factory=TaskFilter)
    shown: TaskFilter = field(default_factory=TaskFilter)
    action: str = ""
    edit: UUID | None = None  # the task whose editor was asked for

    @classmethod
    def read(cls, sent: Sent) -> Self:
        """Raises NotFound: what is not an id names nothing."""
        return cls(
            tasks=ids(sent, "task"),
            units=frozenset(ids(sent, "unit")),
            sections=frozenset(ids(sent, "section")),
            opened=frozenset(ids(sent, "open")),
            wanted=TaskFilter.read(sent),
            shown=TaskFilter.read(sent, SHOWN),
            action=sent.get("action", ""),
            edit=next(iter(ids(sent, "edit")), None),
        )


def ids(sent: Sent, name: str) -> tuple[UUID, ...]:
    """The ids in all fields of this name, each once, in their order.

    Raises:
        NotFound: what is not an id names nothing.
    """
    return tuple(dict.fromkeys(_ids(sent.getlist(name))))


def _ids(values: list[str]) -> Iterator[UUID]:
    for value in values:
        found = _uuid(value)
        if found is None:
            raise NotFound("task")
        yield found


def _uuid(value: str) -> UUID | None:
    try:
        return UUID(value)
    except ValueError:
        return None


def _member(kind: type[E], value: str) -> E | None:
    return kind(value) if value in set(kind) else None
