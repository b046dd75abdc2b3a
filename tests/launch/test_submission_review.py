"""From a grade in the LMS's gradebook to the work behind it (LtiSubmissionReviewRequest).

Moodle sends it without having registered it: from a pupil's grade with `for_user`, from the title
of a column without, and from a pupil's own grades for the pupil.
"""

from __future__ import annotations

from uuid import UUID

import pytest

from lti_tool.launch.claims import CUSTOM, FOR_USER, MESSAGE_TYPE
from tests.classroom import ANSWER
from tests.entrance import INSTRUCTOR, House
from tests.launch.lesson import ADA, BEN, CURIE, Lesson, Visitor, open_lesson
from tests.launch.traces import Ask, message_of, people_in, reasons


@pytest.fixture
def lesson(house: House) -> Lesson:
    return open_lesson(house)


def asks_for(lesson: Lesson, for_user: object, sub: str = CURIE, **place: str) -> Visitor:
    """Somebody follows a grade in the gradebook."""
    browser = lesson.house.browser()
    claims = lesson.claims(sub, **place) | {MESSAGE_TYPE: "LtiSubmissionReviewRequest"}
    if for_user is not None:
        claims[FOR_USER] = {"user_id": for_user}
    return Visitor(browser, browser.arrives(claims, sub))


def test_a_grade_leads_to_exactly_that_pupils_newest_work(lesson: Lesson) -> None:
    lesson.comes(BEN).hands_in("Bens Antwort")
    ada = lesson.comes(ADA)
    ada.hands_in("Adas erster Versuch")
    ada.hands_in("Adas zweiter Versuch", attempt=2)

    page = asks_for(lesson, ADA).opens()

    assert page.status_code == 200
    assert "Adas zweiter Versuch" in page.text
    assert "Bens Antwort" not in page.text


def test_a_pupil_who_has_handed_in_nothing_is_named_above_the_overview(lesson: Lesson) -> None:
    lesson.comes(ADA).hands_in()
    lesson.comes(BEN)

    page = asks_for(lesson, BEN).opens()

    assert page.status_code == 200
    assert message_of(page) == "nothing_yet"
    assert "Ben Blau hat hier noch nichts abgegeben." in page.text
    assert "haben abgegeben" in page.text


def test_what_was_handed_in_at_another_activity_is_another_work(lesson: Lesson) -> None:
    lesson.comes(ADA, link="10").hands_in("An der anderen Aktivität")
    lesson.comes(ADA)

    page = asks_for(lesson, ADA).opens()

    assert message_of(page) == "nothing_yet"


@pytest.mark.parametrize("for_user", ["99", BEN])
def test_nobody_of_this_course_looks_the_same_whoever_it_is(lesson: Lesson, for_user: str) -> None:
    """ATK-23: Ben is in another course; 99 is nowhere."""
    lesson.comes(BEN, course="32", link="10").hands_in("In der Parallelklasse")

    page = asks_for(lesson, for_user).opens()

    assert page.status_code == 404
    assert message_of(page) == "nobody_here"
    assert "Parallelklasse" not in page.text


def test_a_review_writes_nobody_down_but_who_launched(lesson: Lesson, ask: Ask) -> None:
    before = people_in(ask)

    asks_for(lesson, "99")

    assert people_in(ask) == (*before[:3], before[3] + 1)
    assert ask("SELECT count(*) FROM persons WHERE sub = '99'") == [(0,)]


def test_the_title_of_a_column_leads_to_the_overview(lesson: Lesson) -> None:
    lesson.comes(ADA).hands_in()

    page = asks_for(lesson, None).opens()

    assert page.status_code == 200
    assert "haben abgegeben" in page.text


def test_a_pupil_comes_from_their_own_grades_to_their_own_work(lesson: Lesson) -> None:
    lesson.comes(ADA).hands_in("Was ich schrieb")

    page = asks_for(lesson, ADA, sub=ADA).opens()

    assert page.status_code == 200
    assert "Was ich schrieb" in page.text


def test_a_pupil_cannot_ask_for_somebody_else(lesson: Lesson, ask: Ask) -> None:
    """ATK-23."""
    lesson.comes(BEN).hands_in("Bens Antwort")
    before = people_in(ask)
    browser = lesson.house.browser()
    claims = lesson.claims(ADA) | {MESSAGE_TYPE: "LtiSubmissionReviewRequest"}

    answer = browser.launches(claims | {FOR_USER: {"user_id": BEN}}, sub=ADA)

    assert answer.status_code == 403
    assert message_of(answer) == "teachers_only"
    assert reasons(ask) == ["submission_review_forbidden"]
    assert people_in(ask) == before


@pytest.mark.parametrize("claim", [{}, {"user_id": None}, {"user_id": ""}, {"user_id": 18}, "18"])
def test_for_user_without_a_person_is_refused(lesson: Lesson, ask: Ask, claim: object) -> None:
    browser = lesson.house.browser()
    claims = lesson.claims(CURIE) | {MESSAGE_TYPE: "LtiSubmissionReviewRequest"}

    answer = browser.launches(claims | {FOR_USER: claim}, sub=CURIE)

    assert answer.status_code == 403
    assert reasons(ask) == ["for_user_invalid"]


def test_an_ordinary_launch_does_not_read_for_user(lesson: Lesson) -> None:
    lesson.comes(ADA).hands_in()
    browser = lesson.house.browser()

    path = browser.arrives(lesson.claims(CURIE) | {FOR_USER: {"user_id": ADA}}, CURIE)

    assert browser.get(path).location.endswith("/overview/")


def test_the_way_to_a_pupil_is_good_for_the_course_of_the_launch_only(lesson: Lesson) -> None:
    """ATK-23: the goal stands in the address, so somebody will try another one there."""
    ada = lesson.comes(ADA)
    ada.hands_in("Adas Arbeit")
    adas_id = ada.browser.session(ada.path).person_id
    elsewhere = lesson.comes("3", role=INSTRUCTOR, course="32", link="10")

    page = elsewhere.opens(f"?for={adas_id}")

    assert page.status_code == 404
    assert "Adas Arbeit" not in page.text


def test_a_goal_that_is_none_leads_where_every_launch_leads(lesson: Lesson) -> None:
    curie, ada = lesson.comes(CURIE), lesson.comes(ADA)

    assert curie.sees("?for=%27").location.endswith("/overview/")
    assert ada.sees(f"?for={UUID(int=1)}").location.endswith("/work/")


def test_a_review_never_takes_the_task_out_of_the_activity(lesson: Lesson) -> None:
    lesson.comes(ADA).hands_in(ANSWER)
    claims = lesson.claims(CURIE) | {MESSAGE_TYPE: "LtiSubmissionReviewRequest", CUSTOM: {}}
    browser = lesson.house.browser()

    path = browser.arrives(claims | {FOR_USER: {"user_id": ADA}}, CURIE)

    assert ANSWER in browser.get(path, follow_redirects=True).text
