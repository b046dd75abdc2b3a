"""T1-T9 and S1-S9, valid launches of teachers and pupils (conformance guide, §6.1.2 and §6.1.3).

Both lists are the same nine. What is unknown or missing lands on least privilege: a teacher whose
role nobody knows is a pupil here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lti_tool.launch.claims import CONTEXT, LTI, ROLES
from lti_tool.people.roles import Role
from tests.entrance import INSTRUCTOR, LEARNER, House
from tests.launch.lesson import Lesson, open_lesson
from tests.launch.traces import Ask

Claims = dict[str, Any]
Change = Callable[[Claims], Claims]

NAMES = ("name", "given_name", "family_name")
INSTITUTION = "http://purl.imsglobal.org/vocab/lis/v2/institution/person#"
WHO = {"T": (INSTRUCTOR, "Instructor", Role.INSTRUCTOR), "S": (LEARNER, "Learner", Role.LEARNER)}


def without(claims: Claims, *names: str) -> Claims:
    return {name: value for name, value in claims.items() if name not in names}


def nameless(claims: Claims) -> Claims:
    """What a platform sends that shares nothing: the keys are simply not there."""
    return without(claims, *NAMES, "email", LTI + "ext")


def nine(letter: str) -> dict[str, tuple[Change, Role]]:
    """The nine launches, each with the role it has to end in."""
    full, short, role = WHO[letter]
    many = [full, INSTITUTION + "Faculty", INSTITUTION + "Student"]
    cases: dict[str, tuple[Change, Role]] = {
        "as usual": (lambda c: c, role),
        "several roles": (lambda c: c | {ROLES: many}, role),
        "short role": (lambda c: c | {ROLES: [short]}, role),
        "unknown role": (lambda c: c | {ROLES: ["http://example.org/made#Up"]}, Role.LEARNER),
        "no role": (lambda c: c | {ROLES: []}, Role.LEARNER),
        "only an e-mail address": (lambda c: without(c, *NAMES), role),
        "only names": (lambda c: without(c, "email"), role),
        "nothing personal": (nameless, role),
        "an e-mail address and no course": (lambda c: without(c, *NAMES, CONTEXT), role),
    }
    return {f"{letter}{n} {name}": case for n, (name, case) in enumerate(cases.items(), 1)}


VALID = nine("T") | nine("S")


@pytest.fixture
def lesson(house: House) -> Lesson:
    return open_lesson(house)


@pytest.mark.parametrize("name", VALID)
def test_a_valid_launch_comes_in_with_the_role_it_proves(
    lesson: Lesson, ask: Ask, name: str
) -> None:
    change, role = VALID[name]
    browser = lesson.house.browser()
    claims = change(lesson.claims("71", WHO[name[0]][0]))

    page = browser.get(browser.arrives(claims, "71"), follow_redirects=True)

    assert page.status_code == 200
    assert ask(
        "SELECT m.role FROM memberships m JOIN persons p ON p.id = m.person_id WHERE p.sub = '71'"
    ) == [(role.value,)]
    assert ("haben abgegeben" in page.text) == (role is Role.INSTRUCTOR)
    assert ("Deine Antwort" in page.text) == (role is Role.LEARNER)


@pytest.mark.parametrize("letter", WHO)
def test_without_a_course_the_activity_is_a_space_of_its_own(
    lesson: Lesson, ask: Ask, letter: str
) -> None:
    """T9, S9: never "all courses"."""
    change, _ = next(case for name, case in VALID.items() if name.startswith(f"{letter}9"))
    browser = lesson.house.browser()

    browser.arrives(change(lesson.claims("71", WHO[letter][0])), "71")

    assert ask(
        "SELECT c.context_id FROM courses c JOIN memberships m ON m.course_id = c.id"
        " JOIN persons p ON p.id = m.person_id WHERE p.sub = '71'"
    ) == [("link:9",)]


def test_the_list_has_eighteen() -> None:
    assert len(VALID) == 18
