"""Teachers' rights come from a course role named exactly; everything else is a learner."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pylti1p3.roles import DesignerRole, TeacherRole

from lti_tool.launch.claims import ROLES
from lti_tool.launch.roles import role_of
from lti_tool.people.roles import Role
from tests.fakes.platform import INSTRUCTOR, LEARNER, MEMBERSHIP

VOCABULARY = "http://purl.imsglobal.org/vocab/lis/v2/"


@pytest.mark.parametrize(
    "roles",
    [
        [INSTRUCTOR],
        [f"{MEMBERSHIP}ContentDeveloper"],
        [f"{MEMBERSHIP}Administrator"],
        ["Instructor"],
        [LEARNER, INSTRUCTOR],
        [f"{VOCABULARY}system/person#Administrator", INSTRUCTOR],
        ["http://example.org/unknown", INSTRUCTOR],
    ],
)
def test_a_teaching_role_in_the_course_makes_a_teacher(roles: list[str]) -> None:
    assert role_of(roles) is Role.INSTRUCTOR


@pytest.mark.parametrize(
    "roles",
    [
        [],
        [""],
        [LEARNER],
        ["Learner"],
        ["http://example.org/unknown"],
        [f"{VOCABULARY}system/person#Administrator"],
        [f"{VOCABULARY}institution/person#Administrator"],
        [f"{VOCABULARY}institution/person#Instructor"],
        [f"{VOCABULARY}institution/person#Faculty"],
        [f"{VOCABULARY}membership/Instructor#TeachingAssistant"],
        [f"{VOCABULARY}membership/Instructor#PrimaryInstructor"],
        [f"{MEMBERSHIP}Mentor"],
        [f"{MEMBERSHIP}Manager"],
        [f"{MEMBERSHIP}instructor"],
        [f"{MEMBERSHIP}INSTRUCTOR"],
        [f"{MEMBERSHIP}Instructor-evil"],
        [f" {INSTRUCTOR}"],
        [f"{INSTRUCTOR} "],
        [INSTRUCTOR.replace("http://", "https://")],
        [f"{LEARNER},{INSTRUCTOR}"],
        ["instructor"],
        ["Administrator"],
        ["ContentDeveloper"],
        ["urn:lti:role:ims/lis/Instructor"],
    ],
)
def test_anything_else_is_a_learner(roles: list[str]) -> None:
    assert role_of(roles) is Role.LEARNER


NAMES = ("Instructor", "Administrator", "ContentDeveloper", "Learner", "Mentor", "Evil")
PLACES = ("membership", "membership/Instructor", "institution/person", "system/person")


@settings(max_examples=300, deadline=None, database=None, derandomize=True)
@given(
    st.lists(
        st.one_of(
            st.builds(
                "{}{}#{}".format, st.just(VOCABULARY), *map(st.sampled_from, (PLACES, NAMES))
            ),
            st.sampled_from(NAMES),
            st.text(max_size=20),
        )
    )
)
def test_whom_we_take_for_a_teacher_the_second_opinion_does_too(roles: list[str]) -> None:
    teacher: Any = TeacherRole
    designer: Any = DesignerRole
    claims = {ROLES: roles}

    second_opinion = teacher(claims).check() or designer(claims).check()

    assert role_of(roles) is Role.LEARNER or second_opinion
