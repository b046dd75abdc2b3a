"""What a person does at the practice LMS and in the tool, page by page, as the pages offer it."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lti_tool.cli.journey.browser import Browser
from lti_tool.cli.journey.pages import NotOnPage, Page
from lti_tool.cli.journey.words import TASK

LOOK_EVERY = 0.25  # seconds


@dataclass(frozen=True)
class Visitor:
    """Somebody with a browser of their own. `user_id` and `name` are those of the practice LMS."""

    browser: Browser
    lms_url: str
    user_id: str
    name: str
    patience: float

    def log_in(self) -> Page:
        start = self.browser.open(f"{self.lms_url}/")
        form = start.form_with("user")
        course = self.browser.submit(start, form, {"user": self.user_id})
        course.says("Bio 8b")
        return course

    @property
    def course(self) -> Page:
        return self.browser.open(f"{self.lms_url}/as/{self.user_id}/course").opened()

    def launch(self, title: str) -> Page:
        """Open an activity from the course, as far as the first page of the tool in its frame."""
        activity = self.browser.open(self.course.link(title)).opened()
        return self.browser.pass_on(self.browser.open(activity.frame())).opened()

    def wait_for(self, look: Callable[[], Page], *words: str) -> Page:
        """Reload until `words` are there. Raises NotOnPage when patience is at its end."""
        end = time.monotonic() + self.patience
        while True:
            page = look()
            try:
                page.says(*words)
            except NotOnPage:
                if time.monotonic() > end:
                    raise
            else:
                return page
            time.sleep(LOOK_EVERY)


class Teacher(Visitor):
    """Frau Curie."""

    def choose_tasks(self) -> Page:
        """“Add activity”: the tool's picker, in the frame."""
        frame = self.browser.open(self.course.link("/add")).opened()
        return self.browser.pass_on(self.browser.open(frame.frame())).opened()

    def write_task(self, picker: Page, title: str, mode: Mapping[str, str]) -> Page:
        """A new task; back in the picker, where it is ticked already."""
        editor = self.browser.submit(picker, picker.form_with("csrf"), button="new").opened()
        typed = {**TASK, "title": title, **mode}
        return self.browser.submit(editor, editor.form_with("prompt"), typed, "save").opened()

    def take_into_course(self, picker: Page) -> Page:
        """Hand the ticked task over to the LMS; the course, with the new activity."""
        returning = self.browser.submit(picker, picker.form_with("task"), button="link").opened()
        handed_over = self.browser.pass_on(returning).opened()
        return self.browser.open(handed_over.link("Zurück zum Kurs")).opened()

    def confirm(self, overview: Page, pupil: str, strengths: str) -> Page:
        """Change one sentence of the feedback and let it out."""
        desk = self.browser.open(overview.link(pupil)).opened()
        return self.browser.submit(
            desk, desk.form_with("strengths"), {"strengths": strengths}, "Freigeben"
        ).opened()


class Pupil(Visitor):
    """Ada."""

    def save_draft(self, task: Page, text: str) -> Page:
        """With the button that is there without scripts."""
        form = task.form_with("text")
        return self.browser.submit(task, form, {"text": text}, "Entwurf speichern").opened()

    def hand_in(self, task: Page, text: str) -> Page:
        form = task.form_with("text")
        return self.browser.submit(task, form, {"text": text}, "Abgeben").opened()

    def add_photo(self, task: Page, jpeg: bytes) -> Page:
        """With the button that is there without scripts; the task again, with the page on it."""
        form = next(form for form in task.forms if form.action.endswith("/pages/"))
        return self.browser.upload(task, form, "blatt.jpg", jpeg).opened()

    def check_reading(self, page: Page, text: str) -> Page:
        """Type what stands on the photo, or correct what was read; that is what is judged."""
        form = next(form for form in page.forms if form.action.endswith("/reading"))
        typed = {name: text for name, _ in form.fields if name.startswith("page-")}
        return self.browser.submit(page, form, typed).opened()

    def reload(self, task: Page) -> Page:
        return self.browser.open(task.url).opened()

    @property
    def grades(self) -> Page:
        return self.browser.open(f"{self.course.url}/gradebook").opened()

    def wait_for_grade(self, title: str) -> tuple[float, str]:
        """Points and comment, once they are there. Raises NotOnPage if they do not come."""
        end = time.monotonic() + self.patience
        while True:
            try:
                return grade_in(self.grades, title)
            except NotOnPage:
                if time.monotonic() > end:
                    raise
            time.sleep(LOOK_EVERY)


def grade_in(grades: Page, title: str) -> tuple[float, str]:
    """Points and comment of one column on a pupil's own page. Raises NotOnPage."""
    _, _, after = grades.text.partition(f" {title} ")
    found = re.match(r"([0-9]+(?:,[0-9]+)?) / 10 ?(.*)", after)
    if found is None:
        raise NotOnPage(f"zu „{title}“ steht noch nichts auf {grades.place}: {after[:80]}")
    return float(found[1].replace(",", ".")), found[2]


def scores_received(browser: Browser, lms_url: str, user_id: str) -> list[Mapping[str, object]]:
    """The practice LMS's own list of every score that arrived for a person."""
    rows = json.loads(browser.fetch(f"{lms_url}/practice/ledger"))
    return [row for row in rows if row["user"] == user_id]
