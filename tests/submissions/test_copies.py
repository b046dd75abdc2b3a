"""Work and copies: the old year's work stays where it is, this year's goes along with its task."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from lti_tool.core.db import Database
from lti_tool.core.errors import Conflict
from lti_tool.dashboard import queries
from lti_tool.people.roles import Role
from lti_tool.submissions import review
from lti_tool.submissions.models import CriterionResult, Draft, Submission
from lti_tool.submissions.review import FeedbackEdit, ResultEdit
from tests.classroom import Classroom, FakeEngine, Pupil, judged, open_classroom
from tests.content.writing import changed
from tests.school_year import activity_in, again, asked, at, copies_it, enrol, new_course, opened
from tests.specs import LIGHT, WORDS, spec


@pytest.fixture
def room(database: Database) -> Classroom:
    """Ada has handed in, and Ben has begun to write, in the old year."""
    made = open_classroom(database)
    judged(made, FakeEngine(), made.ada.hands_in("Aus dem alten Jahr."))
    made.ben.writes("Angefangen", attempt=9)
    return made


@pytest.fixture
def new_room(room: Classroom, database: Database) -> Classroom:
    """The course copied in Moodle; Ada repeats the year, Ben is new to the activity."""
    course = new_course(database, room.school, history=["Bio 8b"])
    link_id = activity_in(database, room.school, course, room.task_id)
    ada, ben = (pupil.launch.person_id for pupil in (room.ada, room.ben))
    for person, role in (
        (ada, Role.LEARNER),
        (ben, Role.LEARNER),
        (room.school.curie, Role.INSTRUCTOR),
    ):
        enrol(database, room.school, course, person, role)

    def launched(person: UUID, role: Role):
        return at(database, room.school, person, link_id, role)

    return replace(
        room,
        link_id=link_id,
        ada=Pupil(database, launched(ada, Role.LEARNER)),
        ben=Pupil(database, launched(ben, Role.LEARNER)),
        curie=launched(room.school.curie, Role.INSTRUCTOR),
    )


def overview(room: Classroom) -> queries.Activity:
    curie = again(room.database, room.curie)
    task = opened(room.database, curie)
    with room.database.begin(curie.actor) as db:
        return queries.activity(db, curie, task)


def test_the_new_course_begins_with_an_empty_slate(new_room: Classroom):
    for pupil in (new_room.ada, new_room.ben):
        work = pupil.sees()
        assert (list(work.submissions), work.draft, work.next_attempt) == ([], None, 1)
    assert overview(new_room).handed_in == overview(new_room).waiting == 0
    with new_room.database.begin(new_room.curie.actor) as db:
        assert db.scalars(select(Submission)).all() == []
    with new_room.database.begin(new_room.ben.launch.actor) as db:
        assert db.scalars(select(Draft)).all() == []


def test_the_same_pupil_has_both_each_in_its_course(room: Classroom, new_room: Classroom):
    new_room.ada.hands_in("Aus dem neuen Jahr.")

    assert [s.answer for s in room.ada.sees().submissions] == ["Aus dem alten Jahr."]
    assert [s.answer for s in new_room.ada.sees().submissions] == ["Aus dem neuen Jahr."]
    assert overview(room).handed_in == overview(new_room).handed_in == 1


def test_only_the_task_travels_into_the_copy(room: Classroom, new_room: Classroom):
    """ATK-104."""
    before = rows(room)

    copies_it(new_room.database, new_room.curie)

    after = rows(room)
    grown = {table for table in before if before[table] != after[table]}
    assert grown == {
        "criteria",
        "regular_tasks",
        "sections",
        "task_copies",
        "tasks",
        "unit_uses",
        "units",
    }
    assert list(pupil_at_the_copy(new_room, new_room.ada).sees().submissions) == []
    assert [s.answer for s in room.ada.sees().submissions] == ["Aus dem alten Jahr."]


def test_what_was_handed_in_before_the_decision_goes_along_to_the_copy(
    room: Classroom, new_room: Classroom
):
    judged(new_room, FakeEngine(), new_room.ada.hands_in("Aus dem neuen Jahr."))

    copies_it(new_room.database, new_room.curie)

    ada, copy = pupil_at_the_copy(new_room, new_room.ada), opened(new_room.database, new_room.curie)
    (work,) = ada.sees().submissions
    assert (work.answer, work.task_id) == ("Aus dem neuen Jahr.", copy.id)
    (row,) = [row for row in overview(new_room).rows if row.submission_id]
    assert row.submission_id == work.id
    assert {r.criterion_id for r in work.feedback.results} == {c.id for c in copy.criteria}
    (old,) = room.ada.sees().submissions
    assert old.task_id == room.task_id
    assert {r.criterion_id for r in old.feedback.results} == {
        c.id for c in opened(room.database, room.curie).criteria
    }


def test_the_teacher_goes_on_judging_what_went_along(new_room: Classroom):
    judged(new_room, FakeEngine(None, None), new_room.ada.hands_in())
    copies_it(new_room.database, new_room.curie)
    curie = again(new_room.database, new_room.curie)

    with new_room.database.begin(curie.actor) as db:
        submission = db.scalars(select(Submission)).one()
        criteria = review.criteria_of(db, submission)
        assert len(criteria) == 2
        edit = FeedbackEdit(
            submission.feedback.version,
            {c.id: ResultEdit(2, "Die Pflanze", "Gut.") for c in criteria},
            "",
            "",
            "",
        )
        review.edit(db, curie, submission, edit, release=True)

    (work,) = pupil_at_the_copy(new_room, new_room.ada).sees().submissions
    assert [r.level for r in work.feedback.results] == [2, 2]


def test_results_of_a_criterion_that_is_retired_go_along_too(new_room: Classroom):
    judged(new_room, FakeEngine(), new_room.ada.hands_in())
    changed(
        new_room.database,
        new_room.curie,
        opened(new_room.database, new_room.curie),
        1,
        spec(criteria=(LIGHT, WORDS)),
    )

    copies_it(new_room.database, new_room.curie)

    with new_room.database.begin(new_room.curie.actor) as db:
        submission = db.scalars(select(Submission)).one()
        assert len(review.criteria_of(db, submission)) == 2


def test_while_an_engine_is_judging_nothing_is_copied_and_the_teacher_is_told(
    new_room: Classroom,
):
    new_room.ada.hands_in()
    before = rows(new_room)

    with pytest.raises(Conflict, match="feedback_under_way"):
        copies_it(new_room.database, new_room.curie)

    assert rows(new_room) == before
    assert asked(new_room.database, new_room.curie).decision is None


def test_who_hands_in_just_after_the_copy_was_made_is_found_at_the_copy(new_room: Classroom):
    """The page was drawn, and the session read, before."""
    copies_it(new_room.database, new_room.curie)

    with new_room.database.begin(new_room.service) as db:
        old = db.scalars(select(Submission)).one()
        values = {c.name: getattr(old, c.name) for c in Submission.__table__.columns}
    values |= {
        "id": new_room.link_id,
        "course_id": new_room.curie.course_id,
        "resource_link_id": new_room.link_id,
        "state": "handed_in",
    }
    with new_room.database.begin(new_room.ada.launch.actor) as db:
        db.execute(Submission.__table__.insert().values(**values))

    (work,) = pupil_at_the_copy(new_room, new_room.ada).sees().submissions
    assert work.task_id == opened(new_room.database, new_room.curie).id


def test_the_database_lets_work_go_to_a_recorded_copy_and_nowhere_else(
    room: Classroom, new_room: Classroom
):
    copies_it(new_room.database, new_room.curie)
    copy = opened(new_room.database, new_room.curie)

    with (
        pytest.raises(DBAPIError, match="does not change"),
        room.database.begin(room.curie.actor) as db,
    ):
        db.execute(text("UPDATE submissions SET task_id = :copy"), {"copy": copy.id})


def test_no_result_of_the_old_course_points_at_the_copy(room: Classroom, new_room: Classroom):
    judged(new_room, FakeEngine(), new_room.ada.hands_in())

    copies_it(new_room.database, new_room.curie)

    with room.database.begin(room.curie.actor) as db:
        found = db.scalars(select(CriterionResult.criterion_id)).all()
    assert set(found) == {c.id for c in opened(room.database, room.curie).criteria}


def pupil_at_the_copy(room: Classroom, pupil: Pupil) -> Pupil:
    return Pupil(room.database, again(room.database, pupil.launch))


def rows(room: Classroom) -> dict[str, int]:
    """How many rows each table of the school's has."""
    counts = {}
    with room.database.begin(room.service) as db:
        names = db.scalars(
            text(
                "SELECT table_name FROM information_schema.columns WHERE table_schema = 'public'"
                " AND column_name = 'platform_id' AND table_name <> 'launch_sessions'"
            )
        ).all()
        for name in names:
            counts[name] = db.scalar(text(f"SELECT count(*) FROM {name}"))
    return counts
