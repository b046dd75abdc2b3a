"""Where a launch leads. Part of the roof `web.py`, which alone knows pages of several contexts."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from lti_tool.content.access import task_here
from lti_tool.core.errors import NotFound
from lti_tool.launch.arrival import Arrived, Goal
from lti_tool.launch.session import LaunchSession
from lti_tool.people.roles import Role

MOST_REMEMBERED = 100_000  # activities


class Goals:
    """Remembers which activities have shown their task, so that all launches but the first go there
    without asking: tasks stay, and every page looks for itself."""

    def __init__(self) -> None:
        self._shown: set[tuple[UUID | None, UUID | None]] = set()

    def after_launch(self, arrived: Arrived) -> Goal:
        """As far as it is certain without looking; else the start page, which looks."""
        activity = arrived.activity
        if activity is None:
            return Goal("content.pick")
        if activity.content_id is None:
            return Goal("content.missing")
        if arrived.for_person is not None:
            return Goal("start.start", {"for": arrived.for_person})
        if (activity.id, activity.content_id) not in self._shown:
            return Goal("start.start")
        return _page_of(arrived.role)

    def of(self, db: Session, launch: LaunchSession, for_person: UUID | None) -> Goal:
        """Found out; `for_person`: whose work a teacher asked the LMS for."""
        if launch.deep_linking is not None:
            return Goal("content.pick")
        try:
            task_here(db, launch)
        except NotFound:
            return Goal("content.missing")
        if len(self._shown) < MOST_REMEMBERED:
            self._shown.add((launch.resource_link_id, launch.content_id))
        if launch.role is Role.INSTRUCTOR and for_person is not None:
            return Goal("overview.pupil", {"person_id": for_person})
        return _page_of(launch.role)


def _page_of(role: Role) -> Goal:
    return Goal("overview.activity" if role is Role.INSTRUCTOR else "work.task")
