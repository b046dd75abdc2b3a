"""ATK-42 to ATK-47 through the entrance: status, class of the page, rows before and after."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import unescape
from typing import Any
from uuid import UUID, uuid4

import jwt
import psycopg
import pytest
from werkzeug.test import TestResponse

from lti_tool.content.models import RegularTask
from lti_tool.content.service import create_task, unit_of
from lti_tool.content.spec import TaskSpec
from lti_tool.launch.claims import DEEP_LINKING
from tests.entrance import INSTRUCTOR, LEARNER, Browser, House, activity, open_house
from tests.fakes.platform import DROP, Claims, changed
from tests.specs import spec

DL = "https://purl.imsglobal.org/spec/lti-dl/claim/"
CURIE, PLANCK, ADA = "2", "3", "17"

Count = Callable[[], dict[str, int]]


@pytest.fixture
def house(database) -> House:
    return open_house(database)


@pytest.fixture
def rows(postgres) -> Iterator[Count]:
    """How many rows each table has. How a platform is, is noted at every knock."""
    superuser = postgres.superuser_url.replace("+psycopg", "")
    with psycopg.connect(superuser, autocommit=True) as connection:
        tables = connection.execute(
            "SELECT table_name FROM information_schema.tables"
            " WHERE table_schema = 'public' AND table_name <> 'platform_health'"
        ).fetchall()

        def count() -> dict[str, int]:
            counts = (connection.execute(f"SELECT count(*) FROM {name}") for (name,) in tables)
            return {name: c.fetchone()[0] for (name,), c in zip(tables, counts, strict=True)}

        yield count


@dataclass(frozen=True)
class Outcome:
    """What came of a request: the status, the class of the page, whether something was signed,
    and which tables have more rows or fewer."""

    status: int
    message: str | None
    signed: bool
    rows: dict[str, int]


def watched(rows: Count, act: Callable[[], TestResponse]) -> Outcome:
    before = rows()
    answer = act()
    after = rows()
    found = re.search(r'data-message="([a-z_]+)"', answer.text)
    return Outcome(
        answer.status_code,
        found[1] if found else None,
        "JWT" in answer.text or "gustav_session" in str(answer.headers.getlist("Set-Cookie")),
        {name: after[name] - before[name] for name in after if after[name] != before[name]},
    )


def refused(status: int, message: str = "launch_refused") -> Outcome:
    """One page, one note of why, and nothing else."""
    return Outcome(status, message, False, {"security_events": 1})


HIDDEN = Outcome(404, "not_found", False, {})


@dataclass(frozen=True)
class Choosing:
    """A teacher in the picker."""

    browser: Browser
    path: str

    def sends(self, **form: Any) -> TestResponse:
        return self.browser.sends(f"{self.path}content/pick", form, self.path)


def choosing(house: House, sub: str = CURIE, **settings: Any) -> Choosing:
    browser = house.browser()
    claims = house.lms.deep_linking()
    claims[DEEP_LINKING] |= settings
    return Choosing(browser, browser.arrives(claims, sub))


def selects(house: House, rows: Count, claims: Claims, sub: str = CURIE) -> Outcome:
    """A selection with these claims; the login before it is not counted."""
    browser = house.browser()
    asked = browser.logs_in()
    return watched(rows, lambda: browser.presents(asked, claims, sub=sub))


def has_written(house: House, teacher: Choosing, wanted: TaskSpec | None = None) -> RegularTask:
    launch = teacher.browser.session(teacher.path)
    with house.database.begin(launch.actor) as db:
        return create_task(db, launch, wanted or spec())


def claims_in(answer: TestResponse) -> dict[str, Any]:
    field = re.search(r'<input type="hidden" name="JWT" value="([^"]*)">', answer.text)
    assert field, answer.text
    return jwt.decode(field[1], options={"verify_signature": False})


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/mod/lti/contentitem_return.php",
        "https://moodle.schule.example.evil.example/return",
        "https://moodle.schule.example@evil.example/return",
        "https://moodle.schule.example:8443/return",
        "http://moodle.schule.example/return",
        "//moodle.schule.example/return",
        "javascript:alert(1)//https://moodle.schule.example",
        "data:text/html,x",
        "",
        None,
        7,
    ],
)
def test_atk_42_a_selection_leads_back_to_its_own_platform_and_nowhere_else(
    house: House, rows: Count, url: object
) -> None:
    path = (DEEP_LINKING, "deep_link_return_url")
    claims = changed(house.lms.deep_linking(), path, DROP if url is None else url)

    assert selects(house, rows, claims) == refused(403)


def test_atk_43_a_pupil_cannot_select_even_with_a_valid_request(house: House, rows: Count) -> None:
    claims = house.lms.deep_linking(LEARNER)

    assert selects(house, rows, claims, ADA) == refused(403, "teachers_only")


@pytest.mark.parametrize(
    "data", ["", 'ä {"x": 1}\r\n </script>"\u2028', "x" * 65_536, "ü" * 12_000]
)
def test_atk_44_data_goes_back_byte_by_byte_up_to_64_kb(house: House, data: str) -> None:
    teacher = choosing(house, data=data)
    task = has_written(house, teacher)

    answer = teacher.sends(task=str(task.id), action="link", data="another")

    assert claims_in(answer)[DL + "data"] == data


@pytest.mark.parametrize("data", ["x" * 65_537, "x" * 1_000_000, {"a": 1}])
def test_atk_44_more_data_than_that_is_refused(house: House, rows: Count, data: object) -> None:
    claims = changed(house.lms.deep_linking(), (DEEP_LINKING, "data"), data)

    outcome = selects(house, rows, claims)

    assert outcome in (refused(403), Outcome(413, "too_large", False, {}))


def test_atk_44_a_platform_that_takes_no_activities_is_told_so(house: House, rows: Count) -> None:
    claims = changed(house.lms.deep_linking(), (DEEP_LINKING, "accept_types"), ["link", "file"])

    assert selects(house, rows, claims) == refused(400)


def test_atk_44_a_platform_that_takes_one_never_gets_two(house: House, rows: Count) -> None:
    teacher = choosing(house, accept_multiple=False)
    first, second = has_written(house, teacher), has_written(house, teacher)
    both = [str(first.id), str(second.id)]

    outcome = watched(rows, lambda: teacher.sends(task=both, action="link"))

    assert outcome == Outcome(422, None, False, {})
    [item] = claims_in(teacher.sends(task=both[:1], action="link"))[DL + "content_items"]
    assert item["custom"]["task"] == both[0]


@pytest.mark.parametrize("whose", ["another course", "another school", "nobody"])
@pytest.mark.parametrize("way", ["task", "unit", "section", "edit", "beside an own one"])
@pytest.mark.parametrize("action", ["link", "search", "new", "cancel"])
def test_atk_45_a_task_that_is_not_theirs_does_not_exist(  # noqa: PLR0917  # all ways of all kinds
    house: House, rows: Count, foreign: Foreign, whose: str, way: str, action: str
) -> None:
    teacher = choosing(house)
    own = has_written(house, teacher)
    task, unit, section = foreign(whose)
    form: dict[str, Any] = {
        "task": {"task": str(task)},
        "unit": {"unit": str(unit)},
        "section": {"section": str(section)},
        "edit": {"edit": str(task)},
        "beside an own one": {"task": [str(own.id), str(task)]},
    }[way]

    assert watched(rows, lambda: teacher.sends(**form, action=action)) == HIDDEN


Foreign = Callable[[str], tuple[UUID, UUID, UUID]]


@pytest.fixture
def foreign(house: House) -> Foreign:
    """Task, unit and section that somebody else has written."""

    def written(whose: str) -> tuple[UUID, UUID, UUID]:
        if whose == "nobody":
            return uuid4(), uuid4(), uuid4()
        there = house if whose == "another course" else another_school(house)
        browser = there.browser()
        path = browser.arrives(activity(there.lms, INSTRUCTOR, course="77", link="70"), PLANCK)
        launch = browser.session(path)
        with there.database.begin(launch.actor) as db:
            task = create_task(db, launch, spec())
            return task.id, unit_of(db, task).id, task.section_id

    return written


def another_school(house: House) -> House:
    lms = type(house.lms)(
        issuer="https://andere.schule.example", client_id="other-1", now=house.lms.now
    )
    return open_house(house.database, lms)


def test_atk_46_each_click_makes_a_message_of_its_own_and_both_lead_to_the_one_task(
    house: House, rows: Count
) -> None:
    teacher = choosing(house)
    task = has_written(house, teacher)
    before = rows()

    first, second = (claims_in(teacher.sends(task=str(task.id), action="link")) for _ in range(2))

    assert first["nonce"] != second["nonce"]
    assert first["jti"] != second["jti"]
    for claims in (first, second):
        assert 0 < claims["exp"] - claims["iat"] <= 300
        assert claims[DL + "content_items"][0]["custom"]["task"] == str(task.id)
    assert rows() == before
    for link in ("101", "102"):  # Moodle has made two activities of them
        opened = activity(house.lms, LEARNER, task=task.id, link=link)
        pupil = house.browser()
        path = pupil.arrives(opened, ADA)
        assert pupil.get(f"{path}work/").status_code == 200


@pytest.mark.parametrize(
    "title",
    [
        "</script><script>alert(1)</script>",
        "\" onload='alert(1)' data-x=\"",
        "{{ 7 * 7 }} {% raw %} ${7*7}",
        "Licht ☀️ 👩🏽‍🔬 “Zitat” „Zitat“",
        "<!--",
        "]]><x>",
    ],
)
def test_atk_47_a_title_stays_words_in_the_form_that_posts_itself(house: House, title: str) -> None:
    teacher = choosing(house)
    task = has_written(house, teacher, spec(title=title))

    answer = teacher.sends(task=str(task.id), action="link")

    assert title in unescape(answer.text)
    assert title not in answer.text or not re.search(r"[<\"'&]", title)
    scripts = re.findall(r"<script([^>]*)>(.*?)</script>", answer.text, re.DOTALL)
    assert all("src=" in attributes and not body for attributes, body in scripts)
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    item = claims_in(answer)[DL + "content_items"][0]
    assert item["title"] == re.sub(r"<(?!\s)", "‹", title)
    # The token is in one hidden field, and nowhere else.
    assert len(re.findall(r"eyJ[\w-]+\.eyJ[\w-]+\.", answer.text)) == 1
