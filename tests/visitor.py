"""Ada, Ben and Frau Curie in browsers of their own, at the activity of the classroom."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape
from uuid import UUID

from flask import Flask

from feedback_engine.contract import Flag
from lti_tool.people.roles import Role
from lti_tool.submissions import assessment
from tests.classroom import Classroom, FakeEngine
from tests.content.browser import TOOL, Page, Visit, build, launch_in


class Visitor(Visit):
    """Paths are below the session's own: "/work/", "/overview/"."""

    def url(self, path: str) -> str:
        return f"{TOOL}/s/{self.session_id}{path}"

    def poll(self, path: str) -> Page:
        """As htmx asks for a fragment."""
        return self._page(self.client.get(self.url(path), headers={"HX-Request": "true"}))


@dataclass(frozen=True)
class Browsers:
    room: Classroom
    app: Flask

    def ada(self, locale: str = "de") -> Visitor:
        return self._launch(self.room.ada.launch.person_id, Role.LEARNER, locale)

    def ben(self) -> Visitor:
        return self._launch(self.room.ben.launch.person_id, Role.LEARNER)

    def curie(self) -> Visitor:
        return self._launch(self.room.school.curie, Role.INSTRUCTOR)

    def _launch(self, person_id: UUID, role: Role, locale: str = "de") -> Visitor:
        visit = launch_in(
            self.app,
            self.room.database,
            self.room.school,
            person_id,
            role,
            resource_link_id=self.room.link_id,
            locale=locale,
        )
        return Visitor(visit.client, visit.session_id)


def open_browsers(room: Classroom) -> Browsers:
    return Browsers(room, build(room.database))


def judged(
    room: Classroom, submission_id: UUID, *levels: int | None, flags: tuple[Flag, ...] = ()
) -> None:
    """The engine has judged; the task's mode decides what becomes of it."""
    engine = FakeEngine(*levels)
    engine.flags = flags
    with room.database.begin(room.service) as db:
        request = assessment.request_for(db, submission_id)
    with room.database.begin(room.service) as db:
        assessment.keep_feedback(db, submission_id, engine.give_feedback(request))


def value(page: Page, name: str) -> str:
    """What a field of the page holds."""
    found = re.search(rf'<input[^>]* name="{name}" value="([^"]*)"', page.html)
    assert found, f"no field {name}"
    return unescape(found[1])
