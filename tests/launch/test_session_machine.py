"""Several people, courses and browsers in any order, held against a model of plain values.

Whatever happens: nothing is stored under a wrong name, what has ended never works again, and a
login is used once.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.entrance import INSTRUCTOR, LEARNER, Browser, House, activity, session_path
from tests.launch.traces import Ask, message_of

EXPIRED, OTHER_PERSON = (401, "expired"), (409, "other_person")
BLOCKED, PAUSED = (403, "blocked"), (403, "paused")

BROWSERS = st.integers(0, 2)
PEOPLE = st.integers(0, 2)
COURSES = st.integers(0, 1)
ROLES = st.sampled_from([LEARNER, LEARNER, INSTRUCTOR])
TEXTS = st.text("abcäß", max_size=8).map(lambda text: f"Ein Anfang {text}")


@dataclass
class Login:
    """Begun in this browser; `token` once it was answered."""

    browser: int
    asked: dict[str, str]
    used: bool = False
    token: str = ""


@dataclass
class Sitting:
    """A session as it should be. `over`: what its pages say once it has ended; `idle`: its time has
    passed, which another person's launch may still overrule."""

    path: str
    browser: int
    person: int
    course: int
    role: str
    csrf: str
    over: tuple[int, str] | None = None
    idle: bool = False


class Classroom(RuleBasedStateMachine):
    """`house` and `ask` stay; each run has people and courses of its own."""

    house: House
    ask: Ask
    runs = count()

    logins: Bundle[Login] = Bundle("logins")
    sittings: Bundle[Sitting] = Bundle("sittings")

    def __init__(self) -> None:
        super().__init__()
        self.run = next(self.runs)
        self.browsers = [Browser(self.house) for _ in range(3)]
        self.all: list[Sitting] = []
        self.drafts: dict[tuple[int, int], str] = {}
        self.versions: dict[tuple[int, int], int] = {}
        self.blocked: set[int] = set()
        self.paused = False

    def sub(self, person: int) -> str:
        return f"{self.run}-{person}"

    def claims(self, person: int, course: int, role: str) -> dict[str, Any]:
        place = f"{self.run}-{course}"
        return activity(self.house.lms, role, course=place, link=place)

    # --- what people do

    @rule(target=logins, browser=BROWSERS)
    def knock(self, browser: int) -> Any:
        """While paused it is refused, or, for a moment, leads to a launch that is refused."""
        if self.paused and self.browsers[browser].knocks().status_code == 400:
            return multiple()
        return Login(browser, self.browsers[browser].logs_in())

    @rule(target=sittings, browser=BROWSERS, person=PEOPLE, course=COURSES, role=ROLES)
    def come(self, browser: int, person: int, course: int, role: str) -> Any:
        if self.paused:
            return multiple()
        login = Login(browser, self.browsers[browser].logs_in())
        return self.answered(login, person, course, role)

    @rule(target=sittings, login=logins, person=PEOPLE, course=COURSES, role=ROLES)
    def launch(self, login: Login, person: int, course: int, role: str) -> Any:
        """A login that was begun some time ago."""
        return multiple() if login.used else self.answered(login, person, course, role)

    def answered(self, login: Login, person: int, course: int, role: str) -> Any:
        browser = self.browsers[login.browser]
        message = self.claims(person, course, role) | {"nonce": login.asked["nonce"]}
        login.token = self.house.lms.sign(message | {"sub": self.sub(person)})
        answer = browser.brings(login.asked, login.token)
        login.used = not (self.paused or person in self.blocked)  # who is turned away uses none
        if not login.used:
            assert answer.status_code == 403
            return multiple()
        path = session_path(answer)
        csrf = browser.session(path).csrf_token
        sitting = Sitting(path, login.browser, person, course, role, csrf)
        self.end_others(sitting)
        self.all.append(sitting)
        return sitting

    def end_others(self, new: Sitting) -> None:
        for old in self.all:
            if old.over is not None:
                continue
            if old.browser == new.browser and old.person != new.person:
                old.over = OTHER_PERSON
            elif (old.person, old.course) == (new.person, new.course) and old.role != new.role:
                old.over = EXPIRED

    @rule(login=logins, browser=BROWSERS)
    def replay(self, login: Login, browser: int) -> None:
        """A token once more, in its own browser or in another."""
        if not login.token or not (login.used or browser != login.browser):
            return
        assert self.browsers[browser].brings(login.asked, login.token).status_code == 403

    @rule(login=logins, browser=BROWSERS, person=PEOPLE)
    def launch_in_a_browser_that_did_not_knock(
        self, login: Login, browser: int, person: int
    ) -> None:
        if browser != login.browser:
            claims = self.claims(person, 0, LEARNER)
            answer = self.browsers[browser].presents(login.asked, claims, sub=self.sub(person))
            assert answer.status_code == 403

    @rule(sitting=sittings)
    def open_page(self, sitting: Sitting) -> None:
        answer = self.browsers[sitting.browser].get(sitting.path)

        refusal = self.refusal_of(sitting)
        if refusal is None:
            assert answer.status_code == 303
        else:
            assert (answer.status_code, message_of(answer)) == refusal

    @rule(sitting=sittings, browser=BROWSERS)
    def open_page_of_another_browser(self, sitting: Sitting, browser: int) -> None:
        if browser != sitting.browser:
            assert self.browsers[browser].get(sitting.path).status_code == 401

    @rule(sitting=sittings, text=TEXTS)
    def type(self, sitting: Sitting, text: str) -> None:
        place = (sitting.person, sitting.course)
        form = {"text": text, "version": str(self.versions.get(place, 0)), "csrf": sitting.csrf}

        answer = self.browsers[sitting.browser].post(f"{sitting.path}work/draft", form)

        refusal = self.refusal_of(sitting)
        if refusal is not None:
            assert (answer.status_code, message_of(answer)) == refusal
            assert text.strip() in answer.text
        elif sitting.role == INSTRUCTOR:
            assert answer.status_code == 403
        else:
            assert answer.status_code == 303
            self.drafts[place] = text
            self.versions[place] = self.versions.get(place, 0) + 1

    @rule(sitting=sittings, other=sittings, text=TEXTS)
    def type_with_the_form_of_another(self, sitting: Sitting, other: Sitting, text: str) -> None:
        if sitting is not other:
            form = {"text": text, "version": "0", "csrf": other.csrf}
            answer = self.browsers[sitting.browser].post(f"{sitting.path}work/draft", form)
            assert answer.status_code in (401, 403, 409)

    def refusal_of(self, sitting: Sitting) -> tuple[int, str] | None:
        if self.paused:
            return PAUSED
        if sitting.over is not None or sitting.idle:
            return sitting.over or EXPIRED
        return BLOCKED if sitting.person in self.blocked else None

    # --- what happens to them

    @rule(person=PEOPLE)
    def block_or_not(self, person: int) -> None:
        moment = "NULL" if person in self.blocked else "now()"
        change = f"UPDATE persons SET blocked_at = {moment} WHERE sub = %s RETURNING sub"
        if self.ask(change, self.sub(person)):
            self.blocked ^= {person}

    @rule()
    def pause_or_not(self) -> None:
        self.paused = not self.paused
        self.ask("UPDATE platforms SET state = %s", "paused" if self.paused else "active")

    @precondition(lambda self: self.all)
    @rule(sitting=sittings, how=st.sampled_from(["seen_at", "created_at"]))
    def let_time_pass(self, sitting: Sitting, how: str) -> None:
        session_id = sitting.path.strip("/").removeprefix("s/")
        sql = f"UPDATE launch_sessions SET {how} = {how} - interval '11 hours' WHERE id = %s"
        self.ask(sql, session_id)
        sitting.idle = True

    # --- what holds

    @invariant()
    def nothing_is_stored_under_a_wrong_name(self) -> None:
        rows = self.ask(
            "SELECT p.sub, c.context_id, d.text FROM drafts d JOIN persons p ON p.id = d.person_id"
            " JOIN courses c ON c.id = d.course_id WHERE p.sub LIKE %s",
            f"{self.run}-%",
        )
        expected = {(self.sub(p), f"{self.run}-{c}"): t for (p, c), t in self.drafts.items()}
        assert {(sub, course): text for sub, course, text in rows} == expected

    def teardown(self) -> None:
        if self.paused:
            self.pause_or_not()
        for sitting in self.all:
            if sitting.over is not None or sitting.idle:
                answer = self.browsers[sitting.browser].get(f"{sitting.path}work/")
                assert answer.status_code in (401, 409)


def test_people_courses_and_browsers_in_any_order(house: House, ask: Ask) -> None:
    machine = type("ThisClassroom", (Classroom,), {"house": house, "ask": staticmethod(ask)})

    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=25,
            stateful_step_count=25,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.generate],  # finding the shortest story would take minutes
            suppress_health_check=list(HealthCheck),
        ),
    )
