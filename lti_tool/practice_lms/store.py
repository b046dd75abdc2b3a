"""What has to survive a restart: the key, the activities, the columns and the grades.

All of it is small, so every change writes one JSON file anew and renames it into place: after
kill -9 there is either the old file or the new one. Records are frozen; whoever holds one holds a
snapshot.
"""

import json
import os
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from .settings import Course, Role


@dataclass(frozen=True)
class Activity:
    """A resource link. As in Moodle, the course module has another number than the link."""

    link_id: str
    cmid: int
    course_id: str
    title: str
    description: str
    url: str
    custom: tuple[tuple[str, str], ...] = ()
    icon: str = ""


@dataclass(frozen=True)
class LineItem:
    """A grade column. `column_of` is the activity that owns it; None: manual, made through AGS.

    `link_id` is the link the tool sees; a PUT may remove it without touching `column_of`.
    """

    item_id: str
    course_id: str
    label: str
    maximum: float
    resource_id: str = ""
    tag: str = ""
    column_of: str | None = None
    link_id: str | None = None
    locked: bool = False


@dataclass(frozen=True)
class Grade:
    """One cell. `points` are on the column's maximum; `stored_at` is in whole seconds."""

    points: float | None = None
    feedback: str | None = None
    stored_at: int | None = None
    overridden: bool = False
    locked: bool = False


@dataclass(frozen=True)
class ToolType:
    """The one tool as its administrator left it; `tool` are the fields of its registration, None
    once it was deleted."""

    tool: dict[str, Any] | None
    active: bool
    in_chooser: bool


@dataclass
class State:
    """To be touched only inside `Store.reading` or `changing`. Grades: (item_id, user_id).

    `courses` are those made here, by copying; `deleted` names any that are gone.
    """

    secret: str = field(default_factory=lambda: secrets.token_hex(16))
    key_pem: str | None = None
    last_id: int = 100
    tool_type: ToolType | None = None  # None: as the settings have it
    activities: dict[str, Activity] = field(default_factory=dict)
    line_items: dict[str, LineItem] = field(default_factory=dict)
    grades: dict[tuple[str, str], Grade] = field(default_factory=dict)
    courses: dict[str, Course] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    away: set[tuple[str, str]] = field(default_factory=set)
    suspended: set[tuple[str, str]] = field(default_factory=set)
    names_hidden: bool = False

    def new_id(self) -> int:
        """Ids come from one counter: no two things of any kind share one."""
        self.last_id += 1
        return self.last_id

    def items_of(self, course_id: str) -> list[LineItem]:
        return [item for item in self.line_items.values() if item.course_id == course_id]

    def activities_of(self, course_id: str) -> list[Activity]:
        return [a for a in self.activities.values() if a.course_id == course_id]

    def remove_item(self, item_id: str) -> None:
        del self.line_items[item_id]
        self.grades = {key: grade for key, grade in self.grades.items() if key[0] != item_id}


class Store:
    """One lock around one state; `folder=None` never writes."""

    def __init__(self, folder: Path | None) -> None:
        self._lock = threading.RLock()
        self._file = folder / "practice-lms.json" if folder else None
        self._state = State()
        if self._file and self._file.exists():
            self._state = _from_json(json.loads(self._file.read_text("utf-8")))

    @contextmanager
    def reading(self) -> Iterator[State]:
        with self._lock:
            yield self._state

    @contextmanager
    def changing(self) -> Iterator[State]:
        """Hold the lock, then keep the state. An exception inside leaves the file as it was."""
        with self._lock:
            yield self._state
            if self._file:
                write_whole(self._file, json.dumps(_to_json(self._state), ensure_ascii=False))


def write_whole(path: Path, text: str) -> None:
    """Replace a file so that a reader, or a crash, never sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    with open(
        os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
    ) as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(path)


def _to_json(state: State) -> dict[str, object]:
    return {
        "secret": state.secret,
        "key_pem": state.key_pem,
        "last_id": state.last_id,
        "tool_type": asdict(state.tool_type) if state.tool_type else None,
        "activities": [asdict(activity) for activity in state.activities.values()],
        "line_items": [asdict(item) for item in state.line_items.values()],
        "grades": [[*key, asdict(grade)] for key, grade in state.grades.items()],
        "courses": [asdict(course) for course in state.courses.values()],
        "deleted": sorted(state.deleted),
        "away": sorted(state.away),
        "suspended": sorted(state.suspended),
        "names_hidden": state.names_hidden,
    }


def _from_json(kept: dict[str, Any]) -> State:
    activities = [
        Activity(**{**row, "custom": tuple((key, value) for key, value in row["custom"])})
        for row in kept["activities"]
    ]
    items = [LineItem(**row) for row in kept["line_items"]]
    return State(
        secret=kept["secret"],
        key_pem=kept["key_pem"],
        last_id=kept["last_id"],
        tool_type=ToolType(**kept["tool_type"]) if kept.get("tool_type") else None,
        activities={activity.link_id: activity for activity in activities},
        line_items={item.item_id: item for item in items},
        grades={(item, user): Grade(**grade) for item, user, grade in kept["grades"]},
        courses={row["course_id"]: _course(row) for row in kept.get("courses", [])},
        deleted=set(kept.get("deleted", [])),
        away={(course, user) for course, user in kept.get("away", [])},
        suspended={(course, user) for course, user in kept.get("suspended", [])},
        names_hidden=kept.get("names_hidden", False),
    )


def _course(row: dict[str, Any]) -> Course:
    members = tuple((user, Role(role)) for user, role in row["members"])
    return Course(**{**row, "members": members, "history": tuple(row["history"])})
