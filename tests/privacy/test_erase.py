"""A course or a person is deleted with everything, and with nothing of anybody else's."""

from __future__ import annotations

from uuid import UUID

import psycopg
import pytest
from sqlalchemy import select

from lti_tool.content.models import Unit
from lti_tool.core import jobs
from lti_tool.core.db import WORKER, Database, service_of
from lti_tool.core.jobs import Job
from lti_tool.people.arrivals import Coming, Known, active_registrations, know
from lti_tool.people.models import Course, Person
from lti_tool.people.roles import Role
from lti_tool.privacy import erase
from tests.classroom import Classroom, FakeEngine, Pupil, judged, open_classroom
from tests.content.writing import changed
from tests.everything import fill_every_table
from tests.school_year import (
    activity_in,
    asked,
    at,
    copies_it,
    enrol,
    new_course,
    opened,
    second_deployment,
    shares,
)
from tests.specs import spec


@pytest.fixture
def room(database: Database) -> Classroom:
    """Ada has feedback and a score on its way; Ben waits for his."""
    made = open_classroom(database)
    judged(made, FakeEngine(), made.ada.hands_in())
    made.ben.hands_in()
    made.ben.writes("Noch ein Entwurf", attempt=9)
    return made


def next_year(room: Classroom) -> UUID:
    """The copied course's activity, in which Ada has handed in."""
    course = new_course(room.database, room.school, history=["Bio 8b"])
    enrol(room.database, room.school, course, room.school.curie, Role.INSTRUCTOR)
    return activity_in(room.database, room.school, course, room.task_id)


def erase_course(room: Classroom, title: str) -> None:
    with room.database.begin(room.service) as db:
        erase.erase_course(db, db.scalars(select(Course).where(Course.title == title)).one())


def rows(postgres) -> dict[str, int]:
    """How many rows each table has, for whoever may see everything."""
    with psycopg.connect(postgres.superuser_url.replace("+psycopg", "")) as db:
        names = db.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
        ).fetchall()
        return {n: db.execute(f"SELECT count(*) FROM {n}").fetchone()[0] for (n,) in names}


OF_A_COURSE = {
    "units", "sections", "tasks", "regular_tasks", "criteria", "resource_links", "memberships",
    "submissions", "submission_events", "drafts", "feedbacks", "criterion_results", "grade_syncs",
    "line_items", "unit_uses", "task_copies", "jobs", "launch_sessions",
}  # fmt: skip


def test_a_course_goes_with_everything_in_it(room: Classroom, postgres):
    erase_course(room, "Bio 8b")

    left = rows(postgres)
    assert {table: left[table] for table in OF_A_COURSE if left[table]} == {}
    assert (left["courses"], left["persons"]) == (1, 4)


def whose(postgres, column: str, value: UUID) -> dict[str, int]:
    """How many rows of each table name this course or person in that column."""
    with psycopg.connect(postgres.superuser_url.replace("+psycopg", "")) as db:
        names = db.execute(
            "SELECT table_name FROM information_schema.columns"
            " WHERE table_schema = 'public' AND column_name = %s",
            [column],
        ).fetchall()
        count = "SELECT count(*) FROM {} WHERE {} = %s"
        return {n: db.execute(count.format(n, column), [value]).fetchone()[0] for (n,) in names}


@pytest.mark.parametrize("what", ["course_id", "person_id"])
def test_no_table_names_a_course_or_a_person_that_is_gone(
    database: Database, postgres, what: str
) -> None:
    """Of each table there is a row: older texts, own deadlines, files on their way included."""
    school, _ = fill_every_table(database, postgres)
    with database.begin(service_of(school)) as db:
        course = db.scalars(select(Course).where(Course.title == "Bio 8b")).one()
        person = db.scalars(select(Person).where(Person.sub == "4")).one()
        gone = course.id if what == "course_id" else person.id
    before = whose(postgres, what, gone)

    with database.begin(service_of(school)) as db:
        if what == "course_id":
            erase.erase_course(db, db.get_one(Course, gone))
        else:
            erase.erase_person(db, db.get_one(Person, gone))

    known = {table for table, count in before.items() if count}
    assert known >= {"draft_versions", "deadlines", "uploads", "attachments", "phone_links"}
    assert {table: n for table, n in whose(postgres, what, gone).items() if n} == {}


def test_what_would_go_is_told_before(room: Classroom):
    with room.database.begin(room.service) as db:
        course = db.scalars(select(Course).where(Course.title == "Bio 8b")).one()
        assert erase.course_loss(db, course) == erase.CourseLoss(
            members=3, submissions=2, units=1, passed_on=0
        )


def test_another_school_loses_nothing(room: Classroom):
    other = open_classroom(room.database, issuer="https://andere.schule.example")
    other.ada.hands_in()

    erase_course(room, "Bio 8b")

    assert len(other.ada.sees().submissions) == 1
    with room.database.begin(WORKER) as db:
        assert [kind for kind, _ in jobs.ready(db)] == ["give_feedback"]


def test_a_shared_unit_outlives_its_course_and_so_does_the_work_on_it(room: Classroom):
    link_id = next_year(room)
    curie = at(room.database, room.school, room.school.curie, link_id)
    ada = Pupil(
        room.database,
        at(room.database, room.school, room.school.ada, link_id, Role.LEARNER),
    )
    shares(room.database, curie)
    ada.hands_in("Aus dem neuen Jahr.")

    with room.database.begin(room.service) as db:
        course = db.scalars(select(Course).where(Course.title == "Bio 8b")).one()
        assert erase.course_loss(db, course).passed_on == 1
    erase_course(room, "Bio 8b")

    assert [s.answer for s in ada.sees().submissions] == ["Aus dem neuen Jahr."]
    assert asked(room.database, curie) is None  # it is the course's own by now
    task = opened(room.database, curie)
    assert changed(room.database, curie, task, 1, spec(title="Geerbt")).title == "Geerbt"


def test_a_unit_used_in_another_deployment_only_in_name_is_not_passed_on(room: Classroom):

    elsewhere = second_deployment(room.database, room.school)
    foreign = new_course(room.database, room.school, "Fremd", deployment=elsewhere)
    activity_in(room.database, room.school, foreign, room.task_id)

    erase_course(room, "Bio 8b")

    with room.database.begin(room.service) as db:
        assert db.scalars(select(Unit)).all() == []


def test_names_of_a_copy_go_on_with_the_unit(room: Classroom):
    """The third year shares the second year's copy; activities still name the very first task."""
    second = at(room.database, room.school, room.school.curie, next_year(room))
    copies_it(room.database, second)
    copy = opened(room.database, second)
    third = new_course(
        room.database, room.school, "Jahr 3", history=["Bio 8b im neuen Jahr", "Bio 8b"]
    )
    first_link = activity_in(room.database, room.school, third, room.task_id)
    there = at(room.database, room.school, room.school.curie, first_link)
    shares(room.database, there)

    erase_course(room, "Bio 8b im neuen Jahr")

    later = activity_in(room.database, room.school, third, room.task_id)
    assert opened(room.database, there).id == copy.id
    reopened = at(room.database, room.school, room.school.curie, later)
    assert opened(room.database, reopened).id == copy.id


def test_a_person_goes_with_everything_of_theirs_and_nobody_elses(room: Classroom, postgres):
    before = rows(postgres)

    with room.database.begin(room.service) as db:
        ben = db.scalars(select(Person).where(Person.name == "Ben Blau")).one()
        assert erase.person_loss(db, ben) == erase.PersonLoss(courses=1, submissions=1)
        erase.erase_person(db, ben)

    left = rows(postgres)
    gone = {table: before[table] - left[table] for table in before if before[table] != left[table]}
    assert gone == {
        "persons": 1, "memberships": 1, "submissions": 1, "submission_events": 1, "drafts": 1,
        "jobs": 1,
    }  # fmt: skip
    assert len(room.ada.sees().submissions) == 1


def test_a_teacher_goes_and_the_class_keeps_tasks_and_feedback(room: Classroom):
    with room.database.begin(room.service) as db:
        erase.erase_person(db, db.get_one(Person, room.school.curie))

    (work,) = room.ada.sees().submissions
    assert work.feedback is not None
    with room.database.begin(room.service) as db:
        assert db.scalars(select(Unit.author_id)).all() == [None]


def test_whoever_comes_again_under_a_new_number_is_a_new_person(room: Classroom):
    """FLT-67: merged or made anew in Moodle."""
    with room.database.begin(service_of(room.school.platform_id)) as db:
        (registration,) = active_registrations(db, room.school.issuer, None)
        told = Coming(
            deployment_id="7",
            context_id="Bio 8b",
            title="Bio 8b",
            memberships_url=None,
            history=(),
            sub="4004",
            name="Ada Abel",
            role=Role.LEARNER,
        )
        again = know(db, registration, told)

    assert isinstance(again, Known)
    assert again.person_id != room.school.ada


def test_no_job_is_left_that_nobody_could_end(room: Classroom):
    with room.database.begin(room.service) as db:
        for person in db.scalars(select(Person)).all():
            erase.erase_person(db, person)

    with room.database.begin(WORKER) as db:
        assert db.scalars(select(Job)).all() == []


# Foreign keys to what a school has most of, whose column no whole index begins with.
LOOKED_THROUGH = """
SELECT c.conrelid::regclass::text, array_agg(a.attname::text)
FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey)
WHERE c.contype = 'f' AND c.confrelid IN ('submissions'::regclass, 'feedbacks'::regclass)
  AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.conrelid AND i.indpred IS NULL
    AND i.indkey[0] = ANY (c.conkey)
    AND (i.indkey[0] = c.conkey[2] OR i.indkey[1] = ANY (c.conkey)))
GROUP BY c.oid
"""


def test_no_table_is_looked_through_for_each_submission_that_goes(postgres) -> None:
    """40,000 of them took minutes, and take four seconds."""
    with psycopg.connect(postgres.superuser_url.replace("+psycopg", "")) as db:
        assert db.execute(LOOKED_THROUGH).fetchall() == []
