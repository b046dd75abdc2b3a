"""Whom Moodle sends, in the roles it really sends, and a teacher who looks at it as a pupil."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from lti_tool.content.models import Mode
from lti_tool.core.db import service_of
from lti_tool.launch.claims import ROLES
from lti_tool.submissions import assessment
from lti_tool.submissions.models import Submission
from tests.classroom import FakeEngine
from tests.entrance import INSTRUCTOR, LEARNER, House
from tests.launch.lesson import ADA, CURIE, Lesson, Visitor, open_lesson
from tests.launch.traces import Ask
from tests.specs import spec

PERSON = "http://purl.imsglobal.org/vocab/lis/v2/institution/person#Administrator"
SYSTEM = "http://purl.imsglobal.org/vocab/lis/v2/system/person#Administrator"
# In Moodle teachers with and without editing rights and managers are all the same.
MOODLES = {
    "guest": ([LEARNER], "learner"),
    "pupil": ([LEARNER], "learner"),
    "non-editing teacher": ([INSTRUCTOR], "instructor"),
    "teacher": ([INSTRUCTOR], "instructor"),
    "manager": ([INSTRUCTOR], "instructor"),
    "admin": ([PERSON, INSTRUCTOR, SYSTEM], "instructor"),
    "teacher in the role of a pupil": ([LEARNER], "learner"),
}


@pytest.fixture
def lesson(house: House) -> Lesson:
    return open_lesson(house)


@pytest.mark.parametrize("who", MOODLES)
def test_everybody_moodle_sends_finds_their_page(lesson: Lesson, ask: Ask, who: str) -> None:
    roles, role = MOODLES[who]
    browser = lesson.house.browser()

    page = Visitor(browser, browser.arrives(lesson.claims("71") | {ROLES: roles}, "71")).opens()

    assert page.status_code == 200
    assert ask("SELECT role FROM launch_sessions ORDER BY id DESC LIMIT 1") == [(role,)]
    assert ("haben abgegeben" in page.text) == (role == "instructor")


def judged(lesson: Lesson) -> None:
    """The engine has judged whatever waits; the task's rule lets it out at once."""
    with lesson.house.database.begin(service_of(lesson.house.platform_id)) as db:
        for submission_id in db.scalars(select(Submission.id)).all():
            request = assessment.request_for(db, submission_id)
            assessment.keep_feedback(db, submission_id, FakeEngine().give_feedback(request))


@pytest.fixture
def tried(lesson: Lesson) -> Lesson:
    """ATK-107: Ada has handed in, and so has Frau Curie, with "switch role to student"."""
    lesson.comes(CURIE)
    lesson.comes(ADA).hands_in()
    lesson.comes(CURIE, role=LEARNER).hands_in("Ob das wohl geht?")
    judged(lesson)
    return lesson


def text_of(page) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", page.text).split())


def test_atk_107_a_teacher_in_the_role_of_a_pupil_sees_what_pupils_see(tried: Lesson) -> None:
    page = tried.comes(CURIE, role=LEARNER).opens()

    assert "Ob das wohl geht?" in page.text
    assert tried.comes(CURIE, role=LEARNER).sees("overview/").status_code == 403


def test_atk_107_a_trial_run_is_marked_and_counts_nowhere(tried: Lesson) -> None:
    text = text_of(tried.comes(CURIE).opens())

    assert "haben abgegeben 1" in text
    assert "Marie Curie Probelauf" in text
    assert "Ada Abel Probelauf" not in text


def test_atk_107_a_trial_run_never_reaches_the_gradebook(tried: Lesson, ask: Ask) -> None:
    graded = ask("SELECT p.sub FROM grade_syncs g JOIN persons p ON p.id = g.person_id")

    assert graded == [(ADA,)]


def test_atk_107_a_teacher_is_no_pupil_who_has_handed_in_nothing(lesson: Lesson, ask: Ask) -> None:
    lesson.comes(CURIE)
    lesson.comes(CURIE, role=LEARNER)

    assert ask("SELECT role, taught_at IS NOT NULL FROM memberships") == [("learner", True)]
    other = lesson.comes("3", role=INSTRUCTOR)
    assert "Marie Curie" not in other.opens().text


def test_a_teacher_elsewhere_is_a_pupil_here(lesson: Lesson) -> None:
    """ATK-106: roles are per person and course."""
    lesson.comes("71", role=INSTRUCTOR, course="32", link="10")
    lesson.comes("71", role=LEARNER).hands_in()

    text = text_of(lesson.comes(CURIE).opens())

    assert "haben abgegeben 1" in text
    assert "Probelauf" not in text


def test_a_trial_run_says_so_on_its_own_page(tried: Lesson) -> None:
    curie = tried.comes(CURIE)
    rows = re.findall(r'href="([^"]*/overview/work/[^"]*)">([^<]*)<', curie.opens().text)
    of_curie = next(href for href, name in rows if name == "Marie Curie")

    page = curie.browser.get(of_curie)

    assert 'data-message="trial"' in page.text


def test_whoever_tries_a_task_is_told_that_it_does_not_count(lesson: Lesson) -> None:
    lesson.comes(CURIE)

    assert 'data-message="trial"' in lesson.comes(CURIE, role=LEARNER).opens().text
    assert 'data-message="trial"' not in lesson.comes(ADA).opens().text


def test_atk_107_a_trial_run_keeps_no_teacher_waiting(house: House) -> None:
    lesson = open_lesson(house, spec(mode=Mode.REVIEWED, reports_score=False))
    lesson.comes(CURIE)
    lesson.comes(CURIE, role=LEARNER).hands_in("Ob das wohl geht?")
    judged(lesson)

    page = lesson.comes(CURIE).opens()

    assert "warten auf Sie 0" in text_of(page)
    assert "Wartende Abgaben ansehen" not in page.text
