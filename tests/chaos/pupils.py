"""Two hundred pupils who do what pupils do when nothing happens: press the button again.

What each was told is kept: a receipt is an answer that led on to the page, nothing else is.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

import httpx

from lti_tool.cli.journey.browser import Browser
from lti_tool.cli.journey.pages import Form, NotOnPage, Page
from lti_tool.cli.journey.people import Pupil as Visitor
from tests.chaos.stage import FIRST_PUPIL, Stage

AT_ONCE = 16
PATIENCE = 90  # seconds until somebody raises their hand
AGAIN_AFTER = (0.3, 1.5)  # seconds
WITH_PHOTO, TWICE = 0.1, 0.2  # so many of all pupils


class Troubled(Exception):
    """No answer, or one that asks to try again."""


class NoticingBrowser(Browser):
    """Remembers how each request was answered."""

    def __init__(self) -> None:
        super().__init__()
        self.answered: list[tuple[str, str, int]] = []

    def _send(
        self, method: str, url: str, fields: tuple[tuple[str, str], ...] | None, origin: str | None
    ) -> httpx.Response:
        answer = super()._send(method, url, fields, origin)
        self.answered.append((method, url, answer.status_code))
        return answer

    def rests(self) -> None:
        """Nobody keeps a connection to a page that they only look at."""
        self._http.close()
        self._http = httpx.Client(
            trust_env=False, timeout=20, headers={"Accept": "text/html", "Accept-Language": "de"}
        )

    def adds_photo(self, page: Page, form: Form, photo: bytes) -> int:
        """A form with a file, as a browser without scripts sends it."""
        cookies = "; ".join(f"{name}={value}" for name, value in self._cookies_for(form.action))
        answer = self._http.post(
            form.action,
            headers={"Cookie": cookies, "Origin": page.url.split("/s/")[0]},
            data=dict(form.fields),
            files={"file": ("seite.jpg", photo, "image/jpeg")},
        )
        return answer.status_code


@dataclass
class Told:
    """What one pupil sent and was told. `receipts`: keys whose sending was acknowledged."""

    user_id: str
    browser: NoticingBrowser
    sent: dict[UUID, str] = field(default_factory=dict)
    receipts: set[UUID] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)
    page: str = ""

    def newest(self) -> str:
        return next(reversed(self.sent.values()), "")


@dataclass(frozen=True)
class Crowd:
    """All pupils of a run. `photo`: what those with a phone add."""

    stage: Stage
    activity: str
    pupils: int
    seed: int
    photo: bytes
    over: threading.Event

    def works(self, seconds: float) -> list[Told]:
        """Everybody once, spread over the time; returns what each was told."""
        dice = random.Random(self.seed)
        starts = sorted(dice.uniform(0, seconds) for _ in range(self.pupils))
        begun = time.monotonic()

        def story(number: int) -> Told:
            time.sleep(max(0.0, starts[number] - (time.monotonic() - begun)))
            return self._story(number, random.Random(f"{self.seed} {number}"))

        with ThreadPoolExecutor(AT_ONCE) as together:
            return list(together.map(story, range(self.pupils)))

    def _story(self, number: int, dice: random.Random) -> Told:
        told = Told(str(FIRST_PUPIL + number), NoticingBrowser())
        try:
            page = self._again_until(dice, lambda: self._launched(told))
            told.page = page.url
            if dice.random() < WITH_PHOTO:
                self._again_until(dice, lambda: self._adds_photo(told))
            self._hands_in(told, dice, f"Kind {number}: Die Pflanze braucht Licht als Energie.")
            if dice.random() < TWICE:
                self._hands_in(told, dice, f"Kind {number}: Licht ist Energie. Es entsteht Zucker.")
        except (NotOnPage, Troubled) as problem:
            told.wrong.append(f"{type(problem).__name__}: {problem}")
        told.browser.rests()
        return told

    def _again_until(self, dice: random.Random, what: Callable[[], Page]) -> Page:
        end = time.monotonic() + PATIENCE
        while True:
            try:
                return what()
            except Troubled:
                if time.monotonic() > end:
                    raise
            time.sleep(dice.uniform(*AGAIN_AFTER))

    def _launched(self, told: Told) -> Page:
        """Out of the course, as at the first time."""
        browser = told.browser
        visitor = Visitor(browser, self.stage.lms_url, told.user_id, "", PATIENCE)
        with _troubles():
            visitor.log_in()
            frame = browser.open(
                f"{self.stage.lms_url}/as/{told.user_id}/activity/{self.activity}/launch"
            )
            return _fine(browser.pass_on(frame))

    def _opened(self, told: Told) -> Page:
        with _troubles():
            return _fine(told.browser.open(f"{told.page.partition('?')[0]}?revise=1"))

    def _adds_photo(self, told: Told) -> Page:
        page = self._opened(told)
        with _troubles():
            (form,) = (form for form in page.forms if form.action.endswith("/pages/"))
            status = told.browser.adds_photo(page, form, self.photo)
        if status >= 500:
            raise Troubled(str(status))
        return page

    def _hands_in(self, told: Told, dice: random.Random, text: str) -> None:
        """The same form again and again, until an answer leads on."""
        browser = told.browser
        page = self._again_until(dice, lambda: self._opened(told))
        form = page.form_with("client_key")
        key = UUID(dict(form.fields)["client_key"])
        told.sent[key] = text

        def sends() -> Page:
            browser.answered.clear()
            try:
                with _troubles():
                    after = browser.submit(page, form, {"text": text}, "Abgeben")
            finally:
                if ("POST", form.action, 303) in browser.answered:
                    told.receipts.add(key)
            return _fine(after)

        after = self._again_until(dice, sends)
        if key not in told.receipts:
            told.wrong.append(f"nicht angenommen: {after.text[:300]}")
        elif not shows(after.text, text):
            told.wrong.append("abgegeben, aber es steht nicht da")


def shows(page: str, text: str) -> bool:
    """Marked passages are elements of their own, with room around them."""
    return "".join(text.split()) in "".join(page.split())


def looks(told: Told) -> str:
    """What the pupil's page says in the end. Raises Troubled."""
    with _troubles():
        return _fine(told.browser.open(told.page)).text


def _fine(page: Page) -> Page:
    """Raises Troubled: try again. Other refusals are shown as they are."""
    if page.status >= 500:
        raise Troubled(f"{page.place}: {page.status}")
    if page.status >= 400:
        raise NotOnPage(f"{page.place}: {page.status} {page.text[:200]}")
    return page


@contextmanager
def _troubles() -> Iterator[None]:
    try:
        yield
    except httpx.HTTPError as error:
        raise Troubled(type(error).__name__) from None
