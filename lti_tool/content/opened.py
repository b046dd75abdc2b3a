"""The task of an activity as its pupils see it.

One statement by hand: each pupil's page begins with it, and a class opens it at the ring of a bell.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from lti_tool.content.models import Mode
from lti_tool.core.db import ask
from lti_tool.core.errors import NotFound
from lti_tool.launch.session import LaunchSession


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
    unit_title: str
    criteria: tuple[OpenedCriterion, ...]


def opened_task(db: Session, launch: LaunchSession) -> OpenedTask:
    """The task that the launch's activity opens.

    Raises:
        NotFound: it opens none, or one that is not there (any more).
    """
    here = {"link": launch.resource_link_id, "course": launch.course_id}
    rows = ask(db, _OPENED, {**here, "platform": launch.platform_id})
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
        unit_title=row.unit_title,
        criteria=criteria,
    )


# The conditions are those of `access.task_here`.
_OPENED = """
SELECT t.id, t.title, t.prompt_html, r.mode, r.max_attempts, u.title AS unit_title, (
    SELECT coalesce(jsonb_agg(jsonb_build_array(c.title, c.description) ORDER BY c.position), '[]')
    FROM criteria c WHERE c.task_id = t.id AND c.retired_at IS NULL
  ) AS criteria
FROM resource_links l
JOIN tasks t ON t.id = l.content_id
JOIN regular_tasks r ON r.id = t.id
JOIN sections s ON s.id = t.section_id
JOIN units u ON u.id = s.unit_id
JOIN courses here ON here.id = l.course_id AND here.deployment_id = u.deployment_id
WHERE l.id = cast(%(link)s AS uuid) AND l.course_id = %(course)s AND u.platform_id = %(platform)s
"""
