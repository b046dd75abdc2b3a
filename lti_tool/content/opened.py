"""The task of an activity as its pupils see it.

One function of the database (migration 0028) finds it, because each page of a pupil begins with it,
and a class opens it at the ring of a bell.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from sqlalchemy.orm import Session

from lti_tool.content.models import Mode
from lti_tool.core.errors import NotFound
from lti_tool.core.statements import ask


@dataclass(frozen=True)
class OpenedCriterion:
    """One thing that counts. Its levels are the teacher's and the model's."""

    title: str
    description: str


@dataclass(frozen=True)
class OpenedTask:
    """What is asked and what counts. The teacher's notes are not in here, so that no page of a
    pupil can show them."""

    id: UUID
    title: str
    prompt_html: str
    mode: Mode
    max_attempts: int
    takes_pages: bool
    checks_reading: bool
    formal: bool
    unit_title: str
    criteria: tuple[OpenedCriterion, ...]


class Where(Protocol):
    """An activity: that of a launch's session, or of a phone that was let in."""

    @property
    def course_id(self) -> UUID: ...
    @property
    def resource_link_id(self) -> UUID | None: ...


def opened_task(db: Session, here: Where) -> OpenedTask:
    """The task that the activity opens.

    Raises:
        NotFound: it opens none, or one that is not there (any more).
    """
    rows = ask(db, _OPENED, {"link": here.resource_link_id, "course": here.course_id})
    if not rows:
        raise NotFound("task")
    row = rows[0]
    criteria = tuple(OpenedCriterion(*said) for said in row.criteria)
    return OpenedTask(
        id=row.id,
        title=row.title,
        prompt_html=row.prompt_html,
        mode=Mode(row.mode),
        max_attempts=row.max_attempts,
        takes_pages=row.takes_pages,
        checks_reading=row.checks_reading,
        formal=row.formal,
        unit_title=row.unit_title,
        criteria=criteria,
    )


def says_sie(db: Session, here: Where) -> bool:
    """Whether the activity's task wants its pupils to be addressed so; False where it has none."""
    try:
        return opened_task(db, here).formal
    except NotFound:
        return False


_OPENED = "SELECT * FROM task_opened_by(%(link)s, %(course)s)"
