"""ATK-18 to ATK-24: who somebody claims to be, in which role, and what else a launch carries."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape
from typing import Any

import pytest

from lti_tool.core.db import ADMIN
from lti_tool.launch.claims import (
    CONTEXT,
    CUSTOM,
    DEPLOYMENT_ID,
    FOR_USER,
    MESSAGE_TYPE,
    RESOURCE_LINK,
    ROLES,
)
from lti_tool.people.services import allow_deployment, find_platform
from lti_tool.web import create_app
from tests.entrance import INSTRUCTOR, LEARNER, Browser, House, activity, register, settings_of
from tests.fakes.platform import MEMBERSHIP, FakePlatform
from tests.launch.attacks.forging import brings, claiming
from tests.launch.lesson import ADA, BEN, CURIE, Visitor, open_lesson
from tests.launch.traces import Ask, Outcome, refused, watched

IN = Outcome(303, None, True, (1, 1, 1, 1), ())
VOCABULARY = "http://purl.imsglobal.org/vocab/lis/v2/"


@pytest.mark.parametrize(
    ("roles", "reason"),
    [
        ("Instructor", "roles_invalid"),
        ({"Instructor": 1}, "roles_invalid"),
        (None, "roles_missing"),
        (["Instructor"] * 10_000, "malformed"),  # such a token is larger than any we read
        ([INSTRUCTOR] * 101, "roles_invalid"),
        ([INSTRUCTOR, 1], "roles_invalid"),
    ],
    ids=["text", "object", "null", "ten thousand", "hundred and one", "a number among them"],
)
def test_atk_18_roles_are_a_list_of_words(
    house: House, ask: Ask, roles: object, reason: str
) -> None:
    outcome = watched(ask, brings(house, claiming(house, **{ROLES: roles})))

    assert outcome == refused(reason, 400 if reason == "malformed" else 403)


@pytest.mark.parametrize("roles", [[], [""], ["http://example.org/unknown"]])
def test_atk_18_unknown_or_no_roles_are_learners(house: House, ask: Ask, roles: list[str]) -> None:
    assert watched(ask, brings(house, claiming(house, **{ROLES: roles}))) == IN
    assert ask("SELECT role FROM memberships") == [("learner",)]


TEACHING = [[f"{MEMBERSHIP}{name}"] for name in ("Instructor", "ContentDeveloper", "Administrator")]
NOT_TEACHING = [
    [f"{VOCABULARY}system/person#Administrator"],
    [f"{VOCABULARY}institution/person#Instructor"],
    [f"{VOCABULARY}institution/person#Administrator", LEARNER],
    [f"{VOCABULARY}membership/Instructor#TeachingAssistant"],
    [f"{MEMBERSHIP}instructor"],
    [f"{MEMBERSHIP}Instructor-evil"],
    [f"{MEMBERSHIP}Mentor"],  # ATK-108
    [f" {MEMBERSHIP}Instructor"],
]


@pytest.mark.parametrize("roles", TEACHING + NOT_TEACHING, ids=lambda roles: roles[-1])
def test_atk_19_only_a_course_role_named_exactly_makes_a_teacher(
    house: House, ask: Ask, roles: list[str]
) -> None:
    assert watched(ask, brings(house, claiming(house, **{ROLES: roles}))) == IN

    expected = "instructor" if roles in TEACHING else "learner"
    assert ask("SELECT role FROM memberships") == [(expected,)]
    assert ask("SELECT role FROM launch_sessions") == [(expected,)]


@pytest.mark.parametrize("sub", ["x" * 256, "17\x00", "17\n", "\ud800", 17, ["17"]], ids=repr)
def test_atk_20_what_cannot_be_an_identifier_is_nobody(house: House, ask: Ask, sub: object) -> None:
    assert watched(ask, brings(house, claiming(house, sub=sub))) == refused("subject_invalid")


def test_atk_20_an_empty_one_least_of_all(house: House, ask: Ask) -> None:
    assert watched(ask, brings(house, claiming(house, sub=""))) == refused("subject_missing")


def test_atk_20_all_others_are_told_apart_to_the_byte(house: House, ask: Ask) -> None:
    subs = [
        "17",
        " 17",
        "17 ",
        "0",
        "\u202e17",
        "caf\u00e9",
        "cafe\u0301",
        "\uff11\uff17",
        "x" * 255,
    ]

    for sub in subs:
        house.browser().arrives(sub=sub)

    assert sorted(sub for (sub,) in ask("SELECT sub FROM persons")) == sorted(subs)


def elsewhere(house: House, lms: FakePlatform) -> Browser:
    """A browser at another platform of the same tool."""
    platform_id = register(house.database, lms)
    app = create_app(settings_of(house.database), house.database, fetch_keys=lms.fetch)
    return Browser(House(app, house.database, lms, platform_id))


@pytest.mark.parametrize(
    "issuer", ["https://andere.schule.example", "https://moodle.schule.example"]
)
def test_atk_21_one_sub_at_two_registrations_is_two_people(
    house: House, ask: Ask, issuer: str
) -> None:
    there = elsewhere(house, FakePlatform(issuer, "other-1", now=datetime.now(UTC)))
    house.browser().arrives(sub=ADA)

    there.arrives(sub=ADA)

    assert ask("SELECT count(*), count(DISTINCT platform_id) FROM persons") == [(2, 2)]


def test_atk_21_two_deployments_of_one_registration_are_two_spaces(house: House, ask: Ask) -> None:
    """ATK-105: the same person, as the platform says; but no course is shared."""
    with house.database.begin(ADMIN) as db:
        allow_deployment(db, find_platform(db, house.lms.client_id), "5")
    house.browser().arrives(sub=ADA)
    browser = house.browser()

    browser.presents(browser.logs_in(lti_deployment_id="5"), sub=ADA, **{DEPLOYMENT_ID: "5"})

    assert ask("SELECT count(*) FROM persons") == [(1,)]
    assert ask("SELECT count(*), count(DISTINCT context_id) FROM courses") == [(2, 1)]


def test_atk_22_a_teachers_name_and_address_grant_nothing(house: House, ask: Ask) -> None:
    lesson = open_lesson(house)
    lesson.comes(CURIE)
    browser = house.browser()
    claims = lesson.claims(ADA) | {"name": "Marie Curie", "email": "curie@schule.example"}

    pupil = Visitor(browser, browser.arrives(claims, ADA))

    assert pupil.sees("overview/").status_code == 403
    assert ask("SELECT count(*) FROM persons WHERE name = 'Marie Curie'") == [(2,)]


@pytest.mark.parametrize(
    "message", ["LtiStartProctoring", "DataPrivacyLaunchRequest", "Unknown", 1, ["x"]], ids=str
)
def test_atk_23_messages_we_do_not_serve_are_told_so(
    house: House, ask: Ask, message: object
) -> None:
    outcome = watched(ask, brings(house, claiming(house, **{MESSAGE_TYPE: message})))

    assert outcome == refused("message_type_unsupported", 400)


def test_atk_23_a_pupil_cannot_review_somebody_else(house: House, ask: Ask) -> None:
    review = {MESSAGE_TYPE: "LtiSubmissionReviewRequest", FOR_USER: {"user_id": BEN}}

    outcome = watched(ask, brings(house, claiming(house, **review)))

    assert outcome == refused("submission_review_forbidden", 403, "teachers_only")


def test_atk_23_a_teacher_cannot_review_somebody_of_another_course(house: House) -> None:
    lesson = open_lesson(house)
    lesson.comes(BEN, course="32", link="10").hands_in("In der Parallelklasse")
    browser = house.browser()
    review = {MESSAGE_TYPE: "LtiSubmissionReviewRequest", FOR_USER: {"user_id": BEN}}

    page = Visitor(browser, browser.arrives(lesson.claims(CURIE) | review, CURIE)).opens()

    assert page.status_code == 404
    assert "Parallelklasse" not in page.text


NASTY = "<script>alert(1)</script>\u202e{{7*7}}"


def test_atk_24_what_a_launch_carries_is_text(house: House, ask: Ask) -> None:
    lesson = open_lesson(house)
    browser = house.browser()
    claims = lesson.claims(CURIE) | {"name": NASTY}
    claims[CONTEXT] = {"id": "31", "title": NASTY}
    claims[RESOURCE_LINK] = {"id": "9", "title": NASTY}
    claims[CUSTOM] |= {"mail": "$Person.email.primary", "x": "${jndi}", "context_history": NASTY}

    page = Visitor(browser, browser.arrives(claims, CURIE)).opens()

    assert page.status_code == 200
    assert "<script>alert" not in page.text
    assert escape("<script>alert(1)</script>{{7*7}}", quote=False) in page.text
    assert "\u202e" not in page.text
    stored = [repr(ask(f"SELECT * FROM {table}")) for table in ("persons", "courses")]
    assert "jndi" not in "".join(stored)


def test_atk_24_too_much_of_it_is_left_out(house: House, ask: Ask) -> None:
    custom: dict[str, Any] = {"task": "x" * 5_000, "context_history": "1," * 3_000}

    browser = house.browser()
    browser.arrives(activity(house.lms) | {CUSTOM: custom})

    assert ask("SELECT content_id FROM resource_links") == [(None,)]
    assert ask("SELECT history FROM courses") == [([],)]


def test_atk_24_a_megabyte_is_no_token(house: House, ask: Ask) -> None:
    outcome = watched(ask, brings(house, claiming(house, **{CUSTOM: {"x": "x" * 300_000}})))

    assert outcome == refused("malformed", 400)
