"""A task in an activity, and people who come to it through the entrance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from werkzeug.test import TestResponse

from lti_tool.content.service import create_task
from lti_tool.content.spec import TaskSpec
from tests.classroom import ANSWER
from tests.entrance import INSTRUCTOR, LEARNER, Browser, House, activity
from tests.specs import FOTOSYNTHESE

CURIE, ADA, BEN = "2", "17", "18"
NAMES = {CURIE: "Marie Curie", ADA: "Ada Abel", BEN: "Ben Blau"}


@dataclass(frozen=True)
class Lesson:
    """Frau Curie's task, as every activity of hers carries it."""

    house: House
    task_id: UUID

    def claims(self, sub: str, role: str | None = None, **place: str) -> dict[str, Any]:
        """Of somebody who opens the activity. `place`: link, course."""
        theirs = role or (INSTRUCTOR if sub == CURIE else LEARNER)
        name = NAMES.get(sub, f"Person {sub}")
        return activity(self.house.lms, theirs, task=self.task_id, name=name, **place)

    def comes(
        self, sub: str, browser: Browser | None = None, role: str | None = None, **place: str
    ) -> Visitor:
        """Somebody opens the activity, in this browser or in one of their own."""
        browser = browser or self.house.browser()
        return Visitor(browser, browser.arrives(self.claims(sub, role, **place), sub))


@dataclass(frozen=True)
class Visitor:
    """One launch in one browser. Paths are below the session's own."""

    browser: Browser
    path: str

    def sees(self, path: str = "", **more: Any) -> TestResponse:
        return self.browser.get(f"{self.path}{path}", **more)

    def opens(self, path: str = "") -> TestResponse:
        """As a browser does: along the redirects."""
        return self.sees(path, follow_redirects=True)

    def sends(self, path: str, **fields: str) -> TestResponse:
        return self.browser.sends(f"{self.path}{path}", fields, self.path)

    def hands_in(self, text: str = ANSWER, attempt: int = 1) -> TestResponse:
        form = {"text": text, "client_key": str(uuid4()), "attempt": str(attempt)}
        return self.sends("work/", **form)


def open_lesson(house: House, task: TaskSpec = FOTOSYNTHESE) -> Lesson:
    browser = house.browser()
    curie = browser.session(browser.arrives(activity(house.lms, INSTRUCTOR), CURIE))
    with house.database.begin(curie.actor) as db:
        return Lesson(house, create_task(db, curie, task).id)
