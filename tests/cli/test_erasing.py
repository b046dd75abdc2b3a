"""`gustav course …` and `gustav person …`: nothing without --yes, everything with it."""

import pytest
from sqlalchemy import select

from lti_tool.core.db import Database, service_of
from lti_tool.people.models import Course
from lti_tool.submissions.models import Submission
from tests.classroom import Classroom, open_classroom
from tests.cli.console import Gustav
from tests.school_year import new_course, second_deployment

SCHOOL = "Schule am Park"


@pytest.fixture
def room(database: Database) -> Classroom:
    made = open_classroom(database)
    made.ada.hands_in()
    return made


def left(room: Classroom) -> tuple[int, int]:
    """Courses and submissions."""
    with room.database.begin(service_of(room.school.platform_id)) as db:
        return len(db.scalars(select(Course)).all()), len(db.scalars(select(Submission)).all())


def test_courses_are_listed_by_their_number_in_the_platform(house: Gustav, room: Classroom) -> None:
    said = house("course", "list", SCHOOL)

    assert "Bio 8b: „Bio 8b“, 3 Personen, 1 Abgaben" in said.out
    listed = house("course", "list", SCHOOL, "--json").json["courses"]
    assert {row["context_id"] for row in listed} == {"Bio 8b", "Physik 9a"}


def test_without_yes_a_course_stays_and_it_is_said_what_would_go(
    house: Gustav, room: Classroom
) -> None:
    said = house("course", "remove", SCHOOL, "Bio 8b")

    assert said.code == 1
    assert "3 Mitgliedschaften, 1 Abgaben und 1 Lerneinheiten" in said.err
    assert left(room) == (2, 1)


def test_with_yes_it_is_gone(house: Gustav, room: Classroom) -> None:
    said = house("course", "remove", SCHOOL, "Bio 8b", "--yes")

    assert said.code == 0
    assert "bleiben dort" in said.out
    assert left(room) == (1, 0)


def test_a_number_that_two_deployments_have_is_asked_about(house: Gustav, room: Classroom) -> None:
    elsewhere = second_deployment(room.database, room.school)
    new_course(room.database, room.school, "Bio 8b", deployment=elsewhere)

    said = house("course", "remove", SCHOOL, "Bio 8b", "--yes")

    assert said.code == 1
    assert str(room.school.bio) in said.err
    assert house("course", "remove", SCHOOL, str(room.school.bio), "--yes").code == 0
    assert left(room) == (2, 0)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("course", "remove", SCHOOL, "999", "--yes"), "gibt es hier nicht"),
        (("course", "list", "Nirgends"), "gustav platform list"),
        (("person", "remove", "--platform", SCHOOL, "--sub", "999", "--yes"), "nie gekommen"),
    ],
)
def test_what_is_not_there_is_said_in_a_sentence(
    house: Gustav, room: Classroom, arguments: tuple[str, ...], sentence: str
) -> None:
    said = house(*arguments)

    assert said.code == 1
    assert sentence in said.err
    assert left(room) == (2, 1)


def test_a_person_is_deleted_by_their_number(house: Gustav, room: Classroom) -> None:
    ada = ("person", "remove", "--platform", SCHOOL, "--sub", "4")

    assert "1 Abgaben in 1 Kursen" in house(*ada).err
    assert left(room) == (2, 1)
    assert house(*ada, "--yes", "--json").json == {"sub": "4", "courses": 1, "submissions": 1}
    assert left(room) == (2, 0)
