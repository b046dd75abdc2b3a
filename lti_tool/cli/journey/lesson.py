"""A class that hands in all at once: every second one with a photo, each with words of their own.

What a lesson must not do to anybody is looked for at each pupil's own page: an answer that is lost,
doubled or somebody else's, feedback that does not come, a grade that is not there.
"""

from __future__ import annotations

import io
import re
import statistics
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from PIL import Image, ImageDraw

from lti_tool.cli.answers import Answer, CommandFailed
from lti_tool.cli.journey import words
from lti_tool.cli.journey.browser import Browser
from lti_tool.cli.journey.pages import NotOnPage, Page
from lti_tool.cli.journey.people import Pupil, Teacher
from lti_tool.cli.journey.steps import FRAU_CURIE

OWN = "Das schreibt Platz {seat}."
READY = "Das gelingt dir schon"
TO_CHECK = "Nach einer Stunde geht es von selbst weiter."  # whether a model has read or nobody


@dataclass(frozen=True)
class Took:
    """Seconds of one pupil: until "abgegeben" stood there, and until the feedback did. `problem`
    is empty if all went well."""

    seat: int
    photo: bool
    handed_in: float = 0.0
    feedback: float = 0.0
    problem: str = ""


@dataclass
class Lesson:
    """At the practice LMS, whose class has at least so many pupils. `patience` in seconds."""

    lms_url: str
    pupils: int
    patience: float

    def held(self) -> Sequence[Took]:
        """Everybody is at their seat first; then all begin at once.

        Raises:
            NotOnPage: the teacher could not set the task.
            CommandFailed: the class is too small.
        """
        title = f"Stunde {time.time():.0f}"
        self._set_task(title)
        bell = threading.Barrier(self.pupils)
        with ThreadPoolExecutor(self.pupils) as seats:
            tasks = [
                seats.submit(self._sit, seat, user, title, bell)
                for seat, user in enumerate(self._class_list(), start=1)
            ]
            return [task.result() for task in tasks]

    def _class_list(self) -> Sequence[str]:
        """Whom the page offers on which one says who one is, by id."""
        browser = Browser()
        try:
            forms = browser.open(f"{self.lms_url}/").opened().forms
        finally:
            browser.close()
        ids = [value for form in forms for name, value in form.fields if name == "user"]
        pupils = [user for user in ids if user != FRAU_CURIE[0]]
        if len(pupils) < self.pupils:
            raise CommandFailed(
                f"In der Klasse sind nur {len(pupils)}."
                f" Abhilfe: die Demo mit --pupils {self.pupils} starten."
            )
        return pupils[: self.pupils]

    def _set_task(self, title: str) -> None:
        curie = Teacher(Browser(), self.lms_url, *FRAU_CURIE, self.patience)
        try:
            curie.log_in()
            mode = {"mode": "practice", "reports_score": "on", "takes_pages": "on"}
            picker = curie.write_task(curie.choose_tasks(), title, mode)
            curie.take_into_course(picker)
        finally:
            curie.browser.close()

    def _sit(self, seat: int, user: str, title: str, bell: threading.Barrier) -> Took:
        pupil = Pupil(Browser(), self.lms_url, user, "", self.patience)
        photo = seat % 2 == 0
        try:
            pupil.log_in()
            task = pupil.launch(title)
            bell.wait(self.patience)
            return self._work(pupil, task, seat, title, photo=photo)
        except Exception as error:  # noqa: BLE001  # one pupil's trouble must not end the lesson
            bell.abort()
            return Took(seat, photo, problem=f"{type(error).__name__}: {error}"[:200])
        finally:
            pupil.browser.close()

    def _work(self, pupil: Pupil, task: Page, seat: int, title: str, *, photo: bool) -> Took:
        own = OWN.format(seat=seat)
        task = pupil.save_draft(task, words.DRAFT)
        if photo:
            task = pupil.add_photo(task, a_photo(own))
        begun = time.monotonic()
        sent = pupil.hand_in(task, f"{words.FIRST} {own}")
        sent.says("abgegeben", own)
        handed_in = time.monotonic() - begun
        if photo:
            read = pupil.wait_for(lambda: pupil.reload(sent), TO_CHECK)
            pupil.check_reading(read, own)
        ready = pupil.wait_for(lambda: pupil.reload(sent), READY)
        feedback = time.monotonic() - begun
        _only(ready, own)
        pupil.wait_for_grade(title)
        return Took(seat, photo, handed_in, feedback)


def a_photo(says: str) -> bytes:
    """A sheet of squared paper with a line of text on it, as a phone would send it."""
    sheet = Image.new("RGB", (1200, 1600), "#fbfaf4")
    draw = ImageDraw.Draw(sheet)
    for at in range(0, 1600, 40):
        draw.line((0, at, 1200, at), fill="#c9d6e8")
        draw.line((at, 0, at, 1600), fill="#c9d6e8")
    draw.text((120, 200), says, fill="#1b2a5c", font_size=40)
    out = io.BytesIO()
    sheet.save(out, "JPEG", quality=85)
    return out.getvalue()


def report(took: Sequence[Took]) -> Answer:
    """What the class went through, in seconds, and whether everything was there in the end."""
    well = [one for one in took if not one.problem]
    lines = [f"{len(took)} zugleich, davon {sum(one.photo for one in took)} mit Foto:"]
    figures: dict[str, object] = {"pupils": len(took)}
    for name, says, seconds in (
        ("handed_in", "abgegeben", [one.handed_in for one in well]),
        ("feedback", "Rückmeldung", [one.feedback for one in well]),
    ):
        if len(seconds) > 1:
            middle, late = statistics.median(seconds), statistics.quantiles(seconds, n=20)[-1]
            lines.append(f"  {says:<12} nach {middle:.1f} s im Median, {late:.1f} s für 95 %")
            figures[name] = {"median": round(middle, 2), "p95": round(late, 2)}
    lines += [f"  Platz {one.seat}: {one.problem}" for one in took if one.problem]
    lines.append(f"{len(well)} von {len(took)} haben Abgabe, Rückmeldung und Note.")
    figures["problems"] = [one.problem for one in took if one.problem]
    return Answer(lines, figures, len(well) == len(took))


def _only(page: Page, own: str) -> None:
    """Raises NotOnPage unless this pupil's own words are here, and nobody else's."""
    page.says(own)
    found = set(re.findall(r"Das schreibt Platz \d+\.", page.text))
    if found != {own}:
        raise NotOnPage(f"fremde Worte auf {page.place}")
