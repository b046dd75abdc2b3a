"""Teachers write tasks and change them without treading on each other's toes."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from lti_tool.content import service
from lti_tool.content.forms import TaskForm
from lti_tool.content.models import Criterion, Mode, RegularTask
from lti_tool.content.spec import CriterionSpec
from lti_tool.core.db import Database
from lti_tool.core.errors import Conflict, Forbidden, NotFound
from lti_tool.launch.session import LaunchSession
from lti_tool.people.roles import Role
from tests.content.writing import as_specs, changed, seen, unit_of, written
from tests.school import School, launch_of
from tests.specs import FOTOSYNTHESE, LIGHT, OFFERED, WORDS, sent_for, spec


def test_a_written_task_is_there_with_everything(database: Database, curie: LaunchSession) -> None:
    task_id = written(database, curie).id

    task = seen(database, curie, task_id)

    assert task.title == FOTOSYNTHESE.title
    assert task.prompt_html == (
        "<p>Erkläre in <strong>eigenen</strong> Worten, wozu eine Pflanze Licht braucht.</p>\n"
    )
    assert (task.mode, task.reports_score) == (Mode.PRACTICE, True)
    assert (task.score_maximum, task.max_attempts, task.version) == (10, 3, 1)
    assert task.solution_notes == FOTOSYNTHESE.solution_notes
    assert [replace(c, id=None) for c in as_specs(task)] == [LIGHT, WORDS]


def test_a_new_unit_belongs_to_the_course_and_its_author(
    database: Database, curie: LaunchSession
) -> None:
    unit = unit_of(database, curie, written(database, curie))

    assert (unit.title, unit.course_id, unit.author_id) == (
        "Fotosynthese",
        curie.course_id,
        curie.person_id,
    )


def test_tasks_of_one_unit_stand_in_one_section_in_the_order_of_writing(
    database: Database, curie: LaunchSession
) -> None:
    first = written(database, curie)
    unit_id = unit_of(database, curie, first).id

    second = written(database, curie, spec(title="Zwei", unit_id=unit_id, unit_title=""))

    assert second.section_id == first.section_id
    assert (first.position, second.position) == (0, 1)


def test_a_section_is_made_when_it_is_first_named_and_found_again_by_its_name(
    database: Database, curie: LaunchSession
) -> None:
    first = written(database, curie, spec(section_title="1. Woche"))
    unit_id = unit_of(database, curie, first).id

    def next_in(section_title: str) -> RegularTask:
        wanted = spec(unit_id=unit_id, unit_title="", section_title=section_title)
        return written(database, curie, wanted)

    second, third, fourth = next_in("2. Woche"), next_in("1. Woche"), next_in("")

    assert third.section_id == first.section_id
    assert (first.position, third.position) == (0, 1)
    assert len({first.section_id, second.section_id, fourth.section_id}) == 3
    with database.begin(curie.actor) as db:
        assert service.section_of(db, second).title == "2. Woche"
        assert service.own_section_titles(db, curie) == ["1. Woche", "2. Woche"]


def test_sections_of_one_name_in_two_units_are_two(
    database: Database, curie: LaunchSession
) -> None:
    first = written(database, curie, spec(section_title="1. Woche"))
    second = written(database, curie, spec(section_title="1. Woche"))

    assert first.section_id != second.section_id


def test_a_task_moves_to_the_end_of_another_section(
    database: Database, curie: LaunchSession
) -> None:
    there = written(database, curie, spec(section_title="2. Woche"))
    unit_id = unit_of(database, curie, there).id
    here = spec(unit_id=unit_id, unit_title="", section_title="1. Woche")
    task = written(database, curie, here)

    moved = changed(database, curie, task, 1, replace(here, section_title="2. Woche"))

    assert (moved.section_id, moved.position) == (there.section_id, 1)


def test_pupils_write_no_tasks(database: Database, school: School) -> None:
    ada = launch_of(school, school.ada, school.bio, Role.LEARNER)

    with pytest.raises(Forbidden):
        written(database, ada)


def test_a_task_cannot_be_put_into_a_foreign_unit(
    database: Database, curie: LaunchSession, planck: LaunchSession
) -> None:
    theirs = unit_of(database, planck, written(database, planck)).id

    with pytest.raises(NotFound):
        written(database, curie, spec(unit_id=theirs, unit_title=""))


def test_a_change_is_kept_and_counted(database: Database, curie: LaunchSession) -> None:
    task = written(database, curie)

    changed(database, curie, task, 1, spec(title="Neu", prompt="*Neu*", max_attempts=5))

    stored = seen(database, curie, task.id)
    assert (stored.title, stored.prompt_html) == ("Neu", "<p><em>Neu</em></p>\n")
    assert (stored.max_attempts, stored.version) == (5, 2)
    assert stored.updated_at > stored.created_at


def test_who_comes_second_is_told_and_overwrites_nothing(
    database: Database, curie: LaunchSession
) -> None:
    task = written(database, curie)
    changed(database, curie, task, 1, spec(title="Frau Curie war schneller"))

    with pytest.raises(Conflict, match="task_changed"):
        changed(database, curie, task, 1, spec(title="Herr Planck war langsamer"))

    assert seen(database, curie, task.id).title == "Frau Curie war schneller"


def test_criteria_change_in_place_move_and_retire(database: Database, curie: LaunchSession) -> None:
    task = written(database, curie, spec(criteria=(LIGHT, WORDS, replace(WORDS, title="Satzbau"))))
    light, words, syntax = as_specs(task)
    wanted = (
        syntax,
        CriterionSpec("Skizze", "", 2, ("fehlt", "da")),
        replace(light, title="Licht", weight=5),
    )

    changed(database, curie, task, 1, spec(criteria=wanted))

    now = as_specs(seen(database, curie, task.id))
    assert [c.id for c in now] == [syntax.id, now[1].id, light.id]
    assert [replace(c, id=None) for c in now] == [replace(c, id=None) for c in wanted]
    with database.begin(curie.actor) as db:
        retired = db.scalars(select(Criterion).where(Criterion.retired_at.is_not(None))).all()
        assert [(c.id, c.title) for c in retired] == [(words.id, "Fachbegriffe")]


def test_swapping_and_saving_again_leaves_the_same_criteria(
    database: Database, curie: LaunchSession
) -> None:
    task = written(database, curie)
    first, second = as_specs(task)

    once = changed(database, curie, task, 1, spec(criteria=(second, first)))
    twice = changed(database, curie, once, 2, spec(criteria=(second, first)))

    assert as_specs(twice) == [second, first]
    with database.begin(curie.actor) as db:
        assert db.scalar(select(func.count()).select_from(Criterion)) == 2


@pytest.mark.parametrize("twice_the_same", [True, False])
def test_a_criterion_id_that_is_not_the_tasks_own_makes_a_new_one(
    database: Database, curie: LaunchSession, twice_the_same: bool
) -> None:
    other = as_specs(written(database, curie))[0]
    task = written(database, curie)
    own = as_specs(task)[0]
    wanted = (own, replace(own if twice_the_same else other, title="Zweites"))

    changed(database, curie, task, 1, spec(criteria=wanted))

    now = as_specs(seen(database, curie, task.id))
    assert [c.title for c in now] == [own.title, "Zweites"]
    assert now[0].id == own.id
    assert now[1].id not in (own.id, other.id)


def test_a_task_moves_to_another_unit_or_stays_in_its_section(
    database: Database, curie: LaunchSession
) -> None:
    task = written(database, curie)
    home = unit_of(database, curie, task)

    stayed = changed(database, curie, task, 1, spec(unit_id=home.id, unit_title=""))
    moved = changed(database, curie, task, 2, spec(unit_title="Atmung"))

    assert stayed.section_id == task.section_id
    assert unit_of(database, curie, moved).title == "Atmung"


words = st.text(max_size=60)
some_words = st.builds("{}{}".format, st.characters(categories=["L", "N", "S"]), words)
rows = st.fixed_dictionaries(
    {
        "title": some_words,
        "description": words,
        "weight": st.integers(1, 10).map(str),
        "level-0": some_words,
        "level-3": some_words,
    },
    optional={"level-1": words, "level-5": words},
)


@given(
    top=st.fixed_dictionaries(
        {"title": some_words, "prompt": some_words, "unit_title": some_words},
        optional={"solution_notes": words},
    ),
    some_rows=st.lists(rows, min_size=2, max_size=7),
)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_whatever_the_form_takes_can_be_stored_and_read_back(
    database: Database,
    curie: LaunchSession,
    top: dict[str, str],
    some_rows: list[dict[str, str]],
) -> None:
    sent = sent_for(spec(criteria=())) | top
    for number, row in enumerate(some_rows):
        sent |= {f"criterion-{number}-{name}": value for name, value in row.items()}
    wanted = TaskForm.read(sent, OFFERED).check()

    task = written(database, curie, wanted)

    unit = unit_of(database, curie, task)
    with database.begin(curie.actor) as db:
        section = service.section_of(db, task)
    again = TaskForm.of(seen(database, curie, task.id), section, OFFERED).check()
    kept = replace(
        again,
        criteria=tuple(replace(c, id=None) for c in again.criteria),
        unit_id=None,
        unit_title=unit.title,
    )
    assert kept == wanted
