"""The main job as a story of steps: from "add activity" to the grade in the gradebook.

Each step checks what the person would see; the first one that is not so ends the journey.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from lti_tool.cli.journey import words
from lti_tool.cli.journey.browser import Browser
from lti_tool.cli.journey.pages import NotOnPage
from lti_tool.cli.journey.people import Pupil, Teacher, grade_in, scores_received

FRAU_CURIE = ("11", "Marie Curie")
ADA = ("21", "Ada Abel")


@dataclass(frozen=True)
class Step:
    """What was done, and how many seconds it took. `problem` is empty if it went well."""

    says: str
    seconds: float
    problem: str = ""


@dataclass
class Journey:
    """One run. `stamp` makes its titles new, so that it can run again in the same course."""

    curie: Teacher
    ada: Pupil
    stamp: str
    tell: Callable[[Step], None]
    steps: list[Step] = field(default_factory=list)

    @property
    def practice(self) -> str:
        return f"Übung {self.stamp}"

    @property
    def reviewed(self) -> str:
        return f"Durchsicht {self.stamp}"

    def run(self) -> bool:
        """All steps in order. False as soon as one does not end as it should."""
        for says, act in (
            ("Frau Curie meldet sich in der Lernplattform an", self.curie.log_in),
            ("Sie fügt eine Aktivität hinzu und schreibt dafür eine Übung", self.add_practice),
            ("Und eine zweite Aufgabe, mit Freigabe durch sie", self.add_reviewed),
            ("Ada öffnet die Übung und sichert einen Entwurf", self.write_draft),
            ("Sie gibt ab und sieht es sofort", self.hand_in),
            ("Die Rückmeldung erscheint, mit Stufe und Textstelle", self.read_feedback),
            ("Die Punkte stehen mit Kommentar im Notenbuch", self.see_grade),
            ("Ada verbessert, gibt wieder ab; beide Versuche sind lesbar", self.improve),
            ("Im Notenbuch steht der bessere Versuch", self.see_better_grade),
            ("Die zweite Aufgabe wartet nach dem Abgeben auf die Lehrkraft", self.wait_for_teacher),
            ("Frau Curie sieht die Abgabe, ändert die Rückmeldung, gibt frei", self.release),
            ("Erst jetzt hat Ada sie, mit dem Satz der Lehrkraft", self.read_released),
            ("Und erst jetzt steht die Note im Notenbuch", self.see_released_grade),
        ):
            if not self._do(says, act):
                return False
        return True

    def _do(self, says: str, act: Callable[[], object]) -> bool:
        begun, problem = time.monotonic(), ""
        try:
            act()
        except NotOnPage as missing:
            problem = str(missing)
        step = Step(says, round(time.monotonic() - begun, 2), problem)
        self.steps.append(step)
        self.tell(step)
        return not problem

    def add_practice(self) -> None:
        self._add(self.practice, {"mode": "practice", "reports_score": "on"})

    def add_reviewed(self) -> None:
        self._add(self.reviewed, {"mode": "reviewed"})

    def _add(self, title: str, mode: dict[str, str]) -> None:
        picker = self.curie.write_task(self.curie.choose_tasks(), title, mode)
        picker.says(title)
        course = self.curie.take_into_course(picker)
        course.says(f"{title} höchstens 10 Punkte")

    def write_draft(self) -> None:
        task = self.ada.launch(self.practice)
        task.says(self.practice, "warum eine Pflanze", "Darauf kommt es an", "Versuch 1 von 2")
        self.ada.save_draft(task, words.DRAFT)
        # Another launch is another session: the draft belongs to the pupil, not to the window.
        self.ada.launch(self.practice).says(words.DRAFT)

    def hand_in(self) -> None:
        sent = self.ada.hand_in(self.ada.launch(self.practice), words.FIRST)
        sent.says("abgegeben", words.FIRST)
        sent.says_one_of("Du bist Nummer", "entsteht gerade", "Das gelingt dir schon")

    def read_feedback(self) -> None:
        task = self.ada.launch(self.practice)
        read = self.ada.wait_for(lambda: self.ada.reload(task), "Das gelingt dir schon")
        read.says("Rückmeldung", "Dein nächster Schritt", "Überarbeiten")
        read.says_one_of(*words.LEVELS)
        read.says_one_of("KI-Rückmeldung", "Rückmeldung ohne KI-Modell")

    def see_grade(self) -> None:
        self.ada.wait_for_grade(self.practice)

    def improve(self) -> None:
        ready = self.ada.launch(self.practice)
        task = self.ada.browser.open(ready.link("Überarbeiten")).opened()
        task.says("Versuch 2 von 2", words.FIRST)
        sent = self.ada.hand_in(task, words.SECOND)
        done = self.ada.wait_for(lambda: self.ada.reload(sent), "alle 2 Versuche genutzt")
        for number, text in ((1, words.FIRST), (2, words.SECOND)):
            attempt = self.ada.browser.open(done.link(f"Versuch {number}")).opened()
            attempt.says(text, "Rückmeldung")

    def see_better_grade(self) -> None:
        first, _ = self.ada.wait_for_grade(self.practice)
        best = self.ada.wait_for(lambda: self.ada.grades, f" {self.practice} 10 / 10")
        if grade_in(best, self.practice)[0] < first:
            raise NotOnPage("die Punkte sind weniger geworden")

    def wait_for_teacher(self) -> None:
        task = self.ada.launch(self.reviewed)
        sent = self.ada.hand_in(task, words.SECOND)
        waits = self.ada.wait_for(lambda: self.ada.reload(sent), "Deine Lehrkraft sieht sich")
        if "Das gelingt dir schon" in waits.text:
            raise NotOnPage("die Rückmeldung ist zu früh da")

    def release(self) -> None:
        overview = self.curie.launch(self.reviewed)
        overview.says("haben abgegeben", ADA[1], "wartet auf Ihre Freigabe")
        after = self.curie.confirm(overview, ADA[1], words.TEACHERS_WORDS)
        after.says("Freigegeben.", "bearbeitet")

    def read_released(self) -> None:
        read = self.ada.launch(self.reviewed)
        read.says(words.TEACHERS_WORDS, "von der Lehrkraft bearbeitet")

    def see_released_grade(self) -> None:
        _, comment = self.ada.wait_for_grade(self.reviewed)
        if not comment:
            raise NotOnPage("zur Note fehlt der Kommentar")
        self.curie.browser.open(f"{self.curie.course.url}/gradebook").says(self.reviewed, ADA[1])
        received = scores_received(self.curie.browser, self.curie.lms_url, ADA[0])
        if not all(row["stored"] and row["comment"] for row in received):
            raise NotOnPage("nicht jede Note kam mit Kommentar an")


@contextmanager
def visitors(lms_url: str, patience: float) -> Iterator[tuple[Teacher, Pupil]]:
    """Both at their own browsers. `patience` in seconds, for whatever the worker has to do."""
    curie = Teacher(Browser(), lms_url, *FRAU_CURIE, patience)
    ada = Pupil(Browser(), lms_url, *ADA, patience)
    try:
        ada.log_in()
        yield curie, ada
    finally:
        curie.browser.close()
        ada.browser.close()
