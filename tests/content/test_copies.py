"""After a course was copied in Moodle: one unit for both, or an own copy for the new one."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from sqlalchemy import delete, select, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from lti_tool.content import copies
from lti_tool.content.access import find_task, may_edit
from lti_tool.content.catalogue import UnitBranch, lay_out
from lti_tool.content.models import (
    Criterion,
    RegularTask,
    Section,
    TaskCopy,
    Unit,
    UnitUse,
    UseDecision,
)
from lti_tool.content.picking import TaskFilter
from lti_tool.content.service import own_units, unit_of
from lti_tool.core.db import Actor, ActorRole, Database, service_of
from lti_tool.core.errors import Forbidden, NotFound
from lti_tool.launch.session import LaunchSession
from lti_tool.people.models import Course
from lti_tool.people.roles import Role
from tests.content.writing import changed, written
from tests.school import School, found_school
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
from tests.specs import LIGHT, WORDS, spec


@pytest.fixture
def task(database: Database, curie: LaunchSession) -> RegularTask:
    return written(database, curie)


@pytest.fixture
def next_year(database: Database, school: School) -> UUID:
    return new_course(database, school, history=["Bio 8b"])


@pytest.fixture
def curie_there(
    database: Database, school: School, next_year: UUID, task: RegularTask
) -> LaunchSession:
    """Frau Curie opens the copied activity, which still names the old task."""
    link_id = activity_in(database, school, next_year, task.id)
    return at(database, school, school.curie, link_id)


def offered(db: Session, launch: LaunchSession) -> tuple[UnitBranch, ...]:
    """What the picker shows."""
    return lay_out(db, launch, TaskFilter()).units


def test_who_copied_a_course_is_asked_about_its_unit(
    database: Database, curie_there: LaunchSession
) -> None:
    question = asked(database, curie_there)

    assert question is not None
    assert (question.unit_title, question.course_title) == ("Fotosynthese", "Bio 8b")
    assert (question.decision, question.may_copy) == (None, True)


def test_about_the_courses_own_unit_nobody_is_asked(
    database: Database, school: School, task: RegularTask
) -> None:
    link_id = activity_in(database, school, school.bio, task.id)

    assert asked(database, at(database, school, school.curie, link_id)) is None


def test_a_decision_to_share_is_kept_and_the_task_stays_the_one(
    database: Database, curie_there: LaunchSession, task: RegularTask
) -> None:
    assert shares(database, curie_there) is UseDecision.SHARED
    assert shares(database, curie_there) is UseDecision.SHARED

    question = asked(database, curie_there)
    assert question is not None
    assert question.decision is UseDecision.SHARED
    assert opened(database, curie_there).id == task.id


def test_an_own_copy_says_the_same_word_for_word(
    database: Database, curie_there: LaunchSession, task: RegularTask
) -> None:
    copies_it(database, curie_there)

    copy = opened(database, curie_there)
    assert copy.id != task.id
    own = {"id", "section_id", "created_at", "updated_at", "version"}
    for column in {*RegularTask.__table__.columns.keys(), *task.__table__.columns.keys()} - own:
        assert (column, getattr(copy, column)) == (column, getattr(task, column))
    before, after = _criteria(task), _criteria(copy)
    assert before == after
    assert {c.id for c in task.criteria} & {c.id for c in copy.criteria} == set()


def test_what_is_changed_in_the_copy_changes_nothing_in_the_old_course_and_the_other_way_round(
    database: Database, curie: LaunchSession, curie_there: LaunchSession, task: RegularTask
) -> None:
    copies_it(database, curie_there)
    copy = opened(database, curie_there)

    changed(database, curie_there, copy, 1, spec(title="Neu", criteria=(WORDS,)))
    changed(database, curie, task, 1, spec(title="Alt", criteria=(LIGHT, WORDS)))

    assert opened(database, curie_there).title == "Neu"
    with database.begin(curie.actor) as db:
        old = find_task(db, curie, task.id)
        assert (old.title, len(old.criteria)) == ("Alt", 2)


def test_the_copy_belongs_to_the_new_course_and_to_who_made_it(
    database: Database, school: School, next_year: UUID, task: RegularTask
) -> None:
    link_id = activity_in(database, school, next_year, task.id)
    planck = at(database, school, school.planck, link_id)

    copies_it(database, planck)

    with database.begin(planck.actor) as db:
        unit = unit_of(db, opened(database, planck))
        assert (unit.course_id, unit.author_id) == (next_year, school.planck)
        assert may_edit(db, planck, opened(database, planck))
    assert asked(database, planck) is None


def test_all_tasks_of_the_unit_come_along_whatever_has_been_launched_so_far(
    database: Database,
    school: School,
    curie: LaunchSession,
    curie_there: LaunchSession,
    task: RegularTask,
) -> None:
    with database.begin(curie.actor) as db:
        unit_id = unit_of(db, task).id
    second = written(database, curie, spec(title="Zweite", unit_id=unit_id, unit_title=""))

    copies_it(database, curie_there)

    later = activity_in(database, school, curie_there.course_id, second.id)
    there = at(database, school, school.curie, later)
    assert opened(database, there).id != second.id
    assert opened(database, there).title == "Zweite"
    assert asked(database, there) is None


def test_a_double_click_makes_one_copy(database: Database, curie_there: LaunchSession) -> None:
    with ThreadPoolExecutor(4) as pool:
        said = list(pool.map(lambda _: copies_it(database, curie_there), range(4)))

    assert said == [UseDecision.COPIED] * 4
    with database.begin(service_of(curie_there.platform_id)) as db:
        assert len(db.scalars(select(Unit)).all()) == 2
        assert len(db.scalars(select(UnitUse)).all()) == 1


def test_who_shared_first_may_still_have_a_copy_but_not_the_other_way_round(
    database: Database, curie_there: LaunchSession, task: RegularTask
) -> None:
    shares(database, curie_there)

    assert copies_it(database, curie_there) is UseDecision.COPIED
    assert shares(database, curie_there) is UseDecision.COPIED
    assert opened(database, curie_there).id != task.id


def test_what_pupils_find_there_is_the_copy(
    database: Database, school: School, curie_there: LaunchSession, task: RegularTask
) -> None:
    link_id = curie_there.resource_link_id
    assert link_id is not None
    before = at(database, school, school.ada, link_id, Role.LEARNER)
    assert opened(database, before).id == task.id

    copies_it(database, curie_there)

    assert opened(database, before).id == opened(database, curie_there).id != task.id


def test_a_copied_course_is_copied_again_and_opens_what_its_source_opened(
    database: Database, school: School, curie_there: LaunchSession, task: RegularTask
) -> None:
    """In Moodle the activity still names the very first task."""
    copies_it(database, curie_there)
    copy = opened(database, curie_there)
    changed(database, curie_there, copy, 1, spec(title="Im zweiten Jahr"))

    third = new_course(database, school, "Jahr 3", history=["Bio 8b im neuen Jahr", "Bio 8b"])
    link_id = activity_in(database, school, third, task.id)
    there = at(database, school, school.planck, link_id)

    assert opened(database, there).title == "Im zweiten Jahr"
    question = asked(database, there)
    assert question is not None
    assert question.course_title == "Bio 8b im neuen Jahr"
    copies_it(database, there)
    assert opened(database, there).id not in (task.id, copy.id)
    for name in (task.id, copy.id):
        again = activity_in(database, school, third, name)
        one = opened(database, at(database, school, school.planck, again))
        assert one.id == opened(database, there).id


def test_of_several_copies_the_nearest_ancestors_is_opened(
    database: Database, school: School, curie_there: LaunchSession, task: RegularTask
) -> None:
    copies_it(database, curie_there)
    third = new_course(database, school, "Jahr 3", history=["Bio 8b im neuen Jahr", "Bio 8b"])
    in_third = at(database, school, school.curie, activity_in(database, school, third, task.id))
    copies_it(database, in_third)

    for history, nearest in (
        (["Jahr 3", "Bio 8b im neuen Jahr", "Bio 8b"], in_third),
        (["Bio 8b im neuen Jahr", "Jahr 3", "Bio 8b"], curie_there),
    ):
        course = new_course(database, school, f"nach {history[0]}", history=history)
        link_id = activity_in(database, school, course, task.id)
        here = at(database, school, school.curie, link_id)
        assert opened(database, here).id == opened(database, nearest).id


def test_the_copy_stays_when_the_old_course_is_deleted(
    database: Database, school: School, curie_there: LaunchSession, task: RegularTask
) -> None:
    copies_it(database, curie_there)

    with database.begin(service_of(school.platform_id)) as db:
        db.execute(delete(Course).where(Course.id == school.bio))

    assert opened(database, curie_there).title == task.title
    later = activity_in(database, school, curie_there.course_id, task.id)
    there = at(database, school, school.curie, later)
    assert opened(database, there).id == opened(database, curie_there).id


def test_the_picker_of_the_course_offers_the_copy_and_not_the_old_unit_once_more(
    database: Database, school: School, curie: LaunchSession, curie_there: LaunchSession
) -> None:
    with database.begin(curie_there.actor) as db:
        assert len(offered(db, curie_there)) == 1
    copies_it(database, curie_there)

    with database.begin(curie_there.actor) as db:
        (shown,) = offered(db, curie_there)
        (own,) = own_units(db, curie_there)
        assert shown.id == own.id == unit_of(db, opened(database, curie_there)).id
        assert shown.sections[0].tasks[0].linked
    with database.begin(curie.actor) as db:
        assert shown.id not in {unit.id for unit in own_units(db, curie)} - {own.id}
        assert "Fotosynthese" in {unit.title for unit in offered(db, curie)}


def test_to_know_a_tasks_id_is_enough_to_use_it_but_not_to_be_given_its_unit(
    database: Database, school: School, planck: LaunchSession, task: RegularTask
) -> None:
    """Herr Planck typed the id into his activity; his course does not come from Frau Curie's."""
    link_id = activity_in(database, school, school.physics, task.id)
    there = at(database, school, school.planck, link_id)

    question = asked(database, there)
    assert question is not None
    assert not question.may_copy
    with pytest.raises(Forbidden):
        copies_it(database, there)
    with database.begin(there.actor) as db:
        assert not may_edit(db, there, opened(database, there))
    with database.begin(service_of(school.platform_id)) as db:
        assert len(db.scalars(select(Unit)).all()) == 1
        assert db.scalars(select(UnitUse)).all() == []


@pytest.mark.parametrize(
    ("role", "may"), [(Role.INSTRUCTOR, True), (Role.LEARNER, False)], ids=["teacher", "pupil"]
)
def test_without_history_whoever_teaches_in_the_other_course_may_copy(
    database: Database, school: School, task: RegularTask, role: Role, may: bool
) -> None:
    course = new_course(database, school)
    link_id = activity_in(database, school, course, task.id)
    enrol(database, school, school.bio, school.planck, role)

    question = asked(database, at(database, school, school.planck, link_id))

    assert question is not None
    assert question.may_copy is may


def test_two_deployments_are_two_spaces(
    database: Database, school: School, curie: LaunchSession, task: RegularTask
) -> None:
    """ATK-105. Not even the author, nor a history that names the course, leads across."""
    elsewhere = second_deployment(database, school)
    course = new_course(database, school, history=["Bio 8b"], deployment=elsewhere)
    link_id = activity_in(database, school, course, task.id)

    for person, role in (
        (school.curie, Role.INSTRUCTOR),
        (school.planck, Role.INSTRUCTOR),
        (school.ada, Role.LEARNER),
    ):
        launch = at(database, school, person, link_id, role)
        with pytest.raises(NotFound):
            opened(database, launch)
        with database.begin(launch.actor) as db:
            assert offered(db, launch) == ()
            assert db.scalars(select(RegularTask)).all() == []
            assert db.scalars(select(Unit)).all() == []
        with database.begin(service_of(school.platform_id)) as db:  # where the rows would show
            assert db.get(RegularTask, task.id) is not None
            with pytest.raises(NotFound):
                find_task(db, launch, task.id)
            assert own_units(db, launch) == []
    with database.begin(curie.actor) as db:
        assert len(offered(db, curie)) == 1


def test_a_copy_in_another_deployment_is_not_opened_by_its_descendants(
    database: Database, school: School, curie_there: LaunchSession, task: RegularTask
) -> None:
    copies_it(database, curie_there)
    elsewhere = second_deployment(database, school)
    other = new_course(
        database, school, "Fremd", history=["Bio 8b im neuen Jahr"], deployment=elsewhere
    )
    link_id = activity_in(database, school, other, task.id)

    with pytest.raises(NotFound):
        opened(database, at(database, school, school.curie, link_id))


@pytest.mark.parametrize("model", [UnitUse, TaskCopy])
def test_decisions_and_copies_are_seen_in_their_course_only(
    database: Database, school: School, curie_there: LaunchSession, model: type
) -> None:
    copies_it(database, curie_there)
    other = found_school(database, "https://andere.schule.example")

    def seen(actor: Actor) -> int:
        with database.begin(actor) as db:
            return len(db.scalars(select(model)).all())

    course = curie_there.course_id
    assert seen(curie_there.actor) == 1
    assert seen(Actor(ActorRole.INSTRUCTOR, school.platform_id, school.bio, school.curie)) == 0
    for role in (ActorRole.INSTRUCTOR, ActorRole.LEARNER, ActorRole.SERVICE, ActorRole.LAUNCH):
        assert seen(Actor(role, other.platform_id, course, school.curie)) == 0
    with database.engine.begin() as bare:
        assert bare.execute(select(model.__table__)).all() == []


def test_pupils_and_other_courses_can_write_neither_by_raw_sql(
    database: Database, school: School, curie_there: LaunchSession, task: RegularTask
) -> None:
    copies_it(database, curie_there)
    course, platform = curie_there.course_id, school.platform_id
    ada = Actor(ActorRole.LEARNER, platform, course, school.ada)
    planck = Actor(ActorRole.INSTRUCTOR, platform, school.physics, school.planck)
    values = {"p": platform, "c": course, "t": uuid7(), "copy": opened(database, curie_there).id}
    insert = (
        "INSERT INTO task_copies (id, platform_id, course_id, original_id, copy_id)"
        " VALUES (gen_random_uuid(), :p, :c, :t, :copy)"
    )

    for actor in (ada, planck):
        with database.begin(actor) as db:
            for statement in (
                "UPDATE unit_uses SET decision = 'shared', copy_id = NULL",
                "UPDATE task_copies SET original_id = gen_random_uuid()",
                "DELETE FROM task_copies",
                "DELETE FROM unit_uses",
            ):
                assert db.execute(text(statement)).rowcount == 0
        with (
            pytest.raises(ProgrammingError, match="row-level security"),
            database.begin(actor) as db,
        ):
            db.execute(text(insert), values)


def test_what_was_read_with_wider_sight_is_given_back_again(
    database: Database, school: School, next_year: UUID, task: RegularTask, curie: LaunchSession
) -> None:
    with database.begin(curie.actor) as db:
        unit_id = unit_of(db, task).id
    hidden = written(database, curie, spec(title="Klausur", unit_id=unit_id, unit_title=""))
    link_id = activity_in(database, school, next_year, task.id)
    planck = at(database, school, school.planck, link_id)

    with database.begin(planck.actor) as db:
        shown = unit_of(db, find_task(db, planck, task.id))
        assert asked(database, planck) is not None
        copies.copy(db, planck, shown)
        assert db.get(RegularTask, hidden.id) is None
        assert db.info["actor"] == planck.actor
        assert len(db.scalars(select(Section)).all()) == 1


def test_a_retired_criterion_comes_along_retired(
    database: Database, curie: LaunchSession, curie_there: LaunchSession, task: RegularTask
) -> None:
    changed(database, curie, task, 1, spec(criteria=(LIGHT, WORDS)))

    copies_it(database, curie_there)

    copy = opened(database, curie_there)
    with database.begin(curie_there.actor) as db:
        rows = db.scalars(select(Criterion).where(Criterion.task_id == copy.id)).all()
        assert len(rows) == 4
        assert len([row for row in rows if row.retired_at is None]) == len(copy.criteria) == 2


def _criteria(task: RegularTask) -> list[tuple[object, ...]]:
    return [(c.position, c.title, c.description, c.weight, c.levels) for c in task.criteria]
