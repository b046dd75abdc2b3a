"""Everybody sees the tasks that are theirs to see; the services and the rows say so, each alone."""

from dataclasses import replace
from uuid import UUID

import pytest
from sqlalchemy import func, select, update
from uuid_utils.compat import uuid7

from lti_tool.content import access, service
from lti_tool.content.catalogue import lay_out
from lti_tool.content.models import Criterion, RegularTask, Section, Unit
from lti_tool.content.opened import opened_task
from lti_tool.content.picking import TaskFilter
from lti_tool.core.db import Database, service_of
from lti_tool.core.errors import NotFound
from lti_tool.launch.session import LaunchSession
from lti_tool.people.roles import Role
from tests.content.writing import changed, seen, written
from tests.school import School, found_school, launch_of, link
from tests.specs import spec


def test_the_teacher_of_another_course_finds_nothing(
    database: Database, curie: LaunchSession, planck: LaunchSession
) -> None:
    task = written(database, curie)

    with pytest.raises(NotFound):
        seen(database, planck, task.id)
    with pytest.raises(NotFound):
        changed(database, planck, task, 1, spec(title="Meins"))
    with database.begin(planck.actor) as db:
        assert lay_out(db, planck, TaskFilter()).units == ()


def test_another_school_finds_nothing(database: Database, curie: LaunchSession) -> None:
    task = written(database, curie)
    other = found_school(database, "https://moodle.anderswo.example")

    with pytest.raises(NotFound):
        seen(database, launch_of(other, other.curie, other.bio), task.id)


def test_the_rows_themselves_are_closed_to_another_course(
    database: Database, curie: LaunchSession, planck: LaunchSession
) -> None:
    task = written(database, curie)

    assert rows_seen(database, planck) == [0, 0, 0, 0]
    with database.begin(planck.actor) as db:
        assert db.get(RegularTask, task.id) is None


@pytest.mark.parametrize("role", [Role.LEARNER, Role.INSTRUCTOR])
def test_the_rows_of_a_linked_task_are_open_in_its_course_and_in_no_other(
    database: Database, curie: LaunchSession, school: School, role: Role
) -> None:
    task = written(database, curie)
    link(database, school, school.bio, task.id)

    seen_by = {
        course: rows_seen(database, launch_of(school, school.planck, course, role))
        for course in (school.bio, school.physics)
    }

    assert seen_by == {school.bio: [1, 1, 1, 2], school.physics: [0, 0, 0, 0]}


def rows_seen(database: Database, launch: LaunchSession) -> list[int | None]:
    with database.begin(launch.actor) as db:
        return [
            db.scalar(select(func.count()).select_from(table))
            for table in (Unit, Section, RegularTask, Criterion)
        ]


def test_the_service_refuses_even_where_the_rows_would_show(
    database: Database, curie: LaunchSession, planck: LaunchSession
) -> None:
    task = written(database, curie)

    with database.begin(service_of(curie.platform_id)) as db:
        assert access.find_task(db, curie, task.id).id == task.id
        with pytest.raises(NotFound):
            access.find_task(db, planck, task.id)
        assert not access.may_edit(db, planck, task)
        assert lay_out(db, planck, TaskFilter()).units == ()


def test_a_teacher_takes_own_tasks_along_into_another_course(
    database: Database, curie: LaunchSession, school: School
) -> None:
    task = written(database, curie)
    elsewhere = launch_of(school, school.curie, school.physics)

    with database.begin(elsewhere.actor) as db:
        assert access.may_edit(db, elsewhere, access.find_task(db, elsewhere, task.id))


def test_a_colleague_in_the_same_course_may_change_a_task(
    database: Database, curie: LaunchSession, school: School
) -> None:
    task = written(database, curie)
    colleague = launch_of(school, school.planck, school.bio)

    assert changed(database, colleague, task, 1, spec(title="Neu")).title == "Neu"


def test_a_task_linked_in_a_copied_course_is_seen_there_but_not_changed(
    database: Database, curie: LaunchSession, planck: LaunchSession, school: School
) -> None:
    task = written(database, curie)
    link(database, school, school.physics, task.id)

    with database.begin(planck.actor) as db:
        assert not access.may_edit(db, planck, access.find_task(db, planck, task.id))
    with pytest.raises(NotFound):
        changed(database, planck, task, 1, spec(title="Meins"))


def test_a_pupil_sees_a_task_only_where_an_activity_names_it(
    database: Database, curie: LaunchSession, school: School
) -> None:
    shown, hidden = written(database, curie), written(database, curie)
    link(database, school, school.bio, shown.id)
    ada = launch_of(school, school.ada, school.bio, Role.LEARNER, content_id=shown.id)

    with database.begin(ada.actor) as db:
        task = access.task_here(db, ada)
        assert (task.id, len(task.criteria)) == (shown.id, 2)
        assert not access.may_edit(db, ada, task)
        with pytest.raises(NotFound):
            access.find_task(db, ada, hidden.id)
        assert service.own_units(db, ada) == []


@pytest.mark.parametrize("content_id", [None, UUID("019b0000-0000-7000-8000-00000000dead")])
def test_an_activity_without_a_task_has_none(
    database: Database, school: School, content_id: UUID | None
) -> None:
    ada = launch_of(school, school.ada, school.bio, Role.LEARNER, content_id=content_id)

    with database.begin(ada.actor) as db, pytest.raises(NotFound):
        access.task_here(db, ada)


def test_a_task_of_another_school_is_not_here(database: Database, school: School) -> None:
    other = found_school(database, "https://moodle.anderswo.example")
    foreign = written(database, launch_of(other, other.curie, other.bio))
    link(database, school, school.bio, foreign.id)
    here = launch_of(school, school.curie, school.bio, content_id=foreign.id)

    with database.begin(here.actor) as db, pytest.raises(NotFound):
        access.task_here(db, here)


def test_pupils_see_the_task_of_their_activity_and_nothing_that_is_the_teachers(
    database: Database, curie: LaunchSession, school: School
) -> None:
    task = written(database, curie)
    ada = at_activity(database, school, school.bio, task.id)

    with database.begin(ada.actor) as db:
        opened = opened_task(db, ada)

    assert (opened.id, opened.title, opened.unit_title) == (task.id, task.title, "Fotosynthese")
    assert [c.title for c in opened.criteria] == [c.title for c in task.criteria]
    assert not hasattr(opened, "solution_notes")


def test_a_task_without_criteria_left_is_opened_all_the_same(
    database: Database, curie: LaunchSession, school: School
) -> None:
    ada = at_activity(database, school, school.bio, written(database, curie).id)

    with database.begin(curie.actor) as db:
        db.execute(update(Criterion).values(retired_at=func.now()))
        assert opened_task(db, ada).criteria == ()


def test_no_activity_opens_a_task_of_elsewhere(
    database: Database, curie: LaunchSession, school: School
) -> None:
    """Asked for in another course, by a transaction that acts in another course or at another
    school; of another school's task; of no activity. Each alone is enough."""
    ada = at_activity(database, school, school.bio, written(database, curie).id)
    other = found_school(database, "https://moodle.anderswo.example")
    foreign = written(database, launch_of(other, other.curie, other.bio))
    lost = at_activity(database, school, school.bio, foreign.id)
    acts_elsewhere = [
        replace(ada.actor, course_id=school.physics),
        replace(ada.actor, course_id=None),
        replace(ada.actor, platform_id=other.platform_id),
    ]
    asks_for = [
        replace(ada, course_id=school.physics),
        replace(ada, resource_link_id=None),
        lost,
    ]

    for actor in acts_elsewhere:
        with database.begin(actor) as db, pytest.raises(NotFound):
            opened_task(db, ada)
    for stranger in asks_for:
        with database.begin(ada.actor) as db, pytest.raises(NotFound):
            opened_task(db, stranger)


def at_activity(
    database: Database, school: School, course_id: UUID, task_id: UUID
) -> LaunchSession:
    """Ada, who opened an activity that names this task."""
    link_id = link(database, school, course_id, task_id)
    ada = launch_of(school, school.ada, course_id, Role.LEARNER, content_id=task_id)
    return replace(ada, resource_link_id=link_id)


def test_all_tasks_asked_for_come_once_and_in_order(
    database: Database, curie: LaunchSession
) -> None:
    first, second = written(database, curie), written(database, curie)

    with database.begin(curie.actor) as db:
        found = access.find_tasks(db, curie, [second.id, first.id, second.id])
        assert [task.id for task in found] == [second.id, first.id]
        with pytest.raises(NotFound):
            access.find_tasks(db, curie, [first.id, uuid7()])
