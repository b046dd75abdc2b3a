"""What PostgreSQL itself refuses, whatever the code above it forgets to ask."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import psycopg
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError

from lti_tool.content.models import Criterion, RegularTask, Task, Unit
from lti_tool.core.db import Actor, ActorRole, Database, become
from lti_tool.grades.models import GradeSync, LineItem
from lti_tool.launch.models import LaunchSessionRow
from lti_tool.people.models import Course, Person, Platform, PlatformKey
from lti_tool.submissions.models import CriterionResult, Draft, Feedback, Submission
from lti_tool.submissions.states import State
from tests.classroom import Classroom, FakeEngine, judged, open_classroom
from tests.school import found_school

PUPILS_WORK = [Draft, Submission, Feedback, CriterionResult, GradeSync, LineItem]
TEACHERS_WORK = [Unit, Task, RegularTask, Criterion]


@pytest.fixture
def room(database: Database) -> Classroom:
    made = open_classroom(database)
    judged(made, FakeEngine(), made.ada.hands_in())
    return made


def seen(room: Classroom, actor: Actor, model: type) -> int:
    """How many rows of the first school this actor sees."""
    with room.database.begin(actor) as db:
        rows = db.scalars(select(model)).unique().all()
        return sum(getattr(r, "platform_id", r.id) == room.school.platform_id for r in rows)


@pytest.mark.parametrize("model", [*PUPILS_WORK, *TEACHERS_WORK, Person, Course, PlatformKey])
def test_a_transaction_that_does_not_say_who_acts_sees_nothing(room: Classroom, model):
    """ATK-98."""
    with room.database.engine.begin() as connection:
        table = model.__table__
        assert connection.execute(select(table)).all() == []


@pytest.mark.parametrize("model", [*PUPILS_WORK, *TEACHERS_WORK, Person, Course])
@pytest.mark.parametrize("role", [ActorRole.INSTRUCTOR, ActorRole.LEARNER, ActorRole.SERVICE])
def test_another_school_sees_nothing(room: Classroom, model, role):
    other = found_school(room.database, "https://andere.schule.example")

    actor = Actor(role, other.platform_id, room.school.bio, room.school.ada)

    assert seen(room, actor, model) == 0


@pytest.mark.parametrize("model", [Submission, Feedback, CriterionResult])
def test_a_classmate_and_another_courses_teacher_see_no_work_of_hers(room: Classroom, model):
    planck = Actor(
        ActorRole.INSTRUCTOR, room.school.platform_id, room.school.physics, room.school.planck
    )

    assert seen(room, room.ada.launch.actor, model) > 0
    assert seen(room, room.curie.actor, model) > 0
    assert seen(room, room.ben.launch.actor, model) == 0
    assert seen(room, planck, model) == 0


def test_a_teacher_reads_no_drafts(room: Classroom):
    room.ben.writes("Zu spät", attempt=7)

    assert seen(room, room.ben.launch.actor, Draft) == 1
    assert seen(room, room.curie.actor, Draft) == 0


def test_nobody_inside_a_session_reads_sessions(room: Classroom):
    for actor in (room.ada.launch.actor, room.curie.actor, room.service):
        with room.database.begin(actor) as db:
            assert db.scalars(select(LaunchSessionRow)).all() == []


def test_a_pupil_cannot_change_submissions_feedback_or_grades(room: Classroom):
    with room.database.begin(room.ada.launch.actor) as db:
        for statement in (
            "UPDATE submissions SET state = 'released'",
            "UPDATE feedbacks SET strengths = 'Alles richtig'",
            "UPDATE criterion_results SET level = 2",
            "DELETE FROM submissions",
        ):
            assert db.execute(text(statement)).rowcount == 0


def test_a_pupil_cannot_hand_in_for_somebody_else(room: Classroom):
    with room.database.begin(room.ada.launch.actor) as db:
        mine = db.scalars(select(Submission)).one()
        values = {c.name: getattr(mine, c.name) for c in Submission.__table__.columns}

    values |= {"id": room.task_id, "person_id": room.ben.launch.person_id}
    with (
        pytest.raises(ProgrammingError, match="row-level security"),
        room.database.begin(room.ada.launch.actor) as db,
    ):
        db.execute(Submission.__table__.insert().values(**values))


def test_what_was_handed_in_does_not_change_for_anybody(room: Classroom):
    with (
        pytest.raises(DBAPIError, match="does not change"),
        room.database.begin(room.service) as db,
    ):
        db.execute(text("UPDATE submissions SET answer = 'anders'"))


def test_the_database_refuses_a_move_that_the_life_of_a_submission_does_not_have(room: Classroom):
    with (
        pytest.raises(DBAPIError, match="does not move"),
        room.database.begin(room.service) as db,
    ):
        db.execute(text("UPDATE submissions SET state = 'handed_in'"))


def test_a_job_that_is_done_stays_done(room: Classroom):
    with room.database.begin(room.service) as db:
        db.execute(text("UPDATE jobs SET state = 'working', lease_until = now()"))
        db.execute(text("UPDATE jobs SET state = 'done', lease_until = NULL"))

    with (
        pytest.raises(DBAPIError, match="does not move from done to waiting"),
        room.database.begin(room.service) as db,
    ):
        db.execute(text("UPDATE jobs SET state = 'waiting'"))


def test_every_move_of_a_submission_is_noted(room: Classroom):
    with room.database.begin(room.service) as db:
        moves = db.execute(text("SELECT from_state, to_state FROM submission_events ORDER BY at"))
        assert moves.all() == [(None, State.HANDED_IN), (State.HANDED_IN, State.RELEASED)]


def test_a_row_cannot_point_into_another_school(room: Classroom):
    other = found_school(room.database, "https://andere.schule.example")
    there = Actor(ActorRole.LAUNCH, other.platform_id)

    with pytest.raises(IntegrityError), room.database.begin(there) as db:
        db.execute(
            text(
                "INSERT INTO memberships (id, platform_id, course_id, person_id, role, active)"
                " VALUES (gen_random_uuid(), :p, :c, :a, 'learner', true)"
            ),
            {"p": other.platform_id, "c": room.school.bio, "a": room.school.ada},
        )


def test_connections_given_back_carry_nobody_along(room: Classroom):
    """ATK-99: 1,000 turns of two schools on a few connections, and none sees a row of the other."""
    other = open_classroom(room.database, issuer="https://andere.schule.example")
    other.ada.hands_in()
    small = Database(room.database.engine.url.render_as_string(False), pool_size=3)

    def turn(number: int) -> bool:
        mine = room if number % 2 else other
        with small.begin(mine.ada.launch.actor) as db:
            found = db.scalars(select(Submission.platform_id)).all()
        with small.engine.begin() as bare:
            leaked = bare.execute(text("SELECT count(*) FROM submissions")).scalar()
        return set(found) == {mine.school.platform_id} and leaked == 0

    with ThreadPoolExecutor(3) as threads:
        assert all(threads.map(turn, range(1000)))
    small.close()


def test_platforms_are_written_by_the_command_line_only(room: Classroom):
    for actor in (room.curie.actor, room.service, Actor(ActorRole.LAUNCH)):
        with room.database.begin(actor) as db:
            changed = db.execute(text("UPDATE platforms SET token_url = 'https://evil.example'"))
            assert changed.rowcount == 0


def test_the_applications_role_cannot_change_the_schema_or_switch_policies_off(room: Classroom):
    for statement in (
        "ALTER TABLE submissions DISABLE ROW LEVEL SECURITY",
        "DROP TABLE submissions",
        "CREATE TABLE mine (id int)",
        "SET ROLE gustav_owner",
    ):
        with (
            pytest.raises(DBAPIError),
            room.database.engine.begin() as connection,
        ):
            connection.execute(text(statement))


def test_the_owner_is_held_by_the_policies_too(room: Classroom, postgres):
    with psycopg.connect(postgres.owner_url.replace("+psycopg", "")) as connection:
        assert connection.execute("SELECT count(*) FROM submissions").fetchone() == (0,)


def test_becoming_somebody_else_ends_with_the_transaction(room: Classroom):
    with room.database.begin(room.curie.actor) as db:
        become(db, room.ada.launch.actor)
        assert len(db.scalars(select(Submission)).all()) == 1

    assert seen(room, replace(room.curie.actor, role=ActorRole.WORKER), Platform) == 1
    assert seen(room, Actor(ActorRole.LEARNER), Submission) == 0
