"""What the picker lays out, how it is narrowed, and what a whole unit means."""

from typing import Any
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from lti_tool.content.catalogue import (
    MOST_TASKS,
    OPEN_TASKS,
    Shelf,
    UnitBranch,
    choose,
    lay_out,
)
from lti_tool.content.models import Mode, RegularTask
from lti_tool.content.picking import PickForm, TaskFilter, Whose
from lti_tool.core.db import Database
from lti_tool.core.errors import NotFound
from lti_tool.launch.session import LaunchSession
from tests.content.writing import tasks_in, unit_of, written
from tests.school import School, launch_of, link
from tests.specs import FOTOSYNTHESE, spec


def laid_out(database: Database, launch: LaunchSession, *more: Any, **wanted: Any) -> Shelf:
    with database.begin(launch.actor) as db:
        return lay_out(db, launch, TaskFilter(**wanted), *more)


def chosen(database: Database, launch: LaunchSession, **form: Any) -> tuple[UUID, ...]:
    with database.begin(launch.actor) as db:
        return choose(db, launch, PickForm(**form))


def titles(unit: UnitBranch) -> list[tuple[str, list[str]]]:
    return [(s.title, [task.title for task in s.tasks]) for s in unit.sections]


def in_unit_of(database: Database, launch: LaunchSession, task: RegularTask, **more: Any):
    unit_id = unit_of(database, launch, task).id
    return written(database, launch, spec(unit_id=unit_id, unit_title="", **more))


def test_the_picker_shows_units_with_their_tasks(
    database: Database, curie: LaunchSession, school: School
) -> None:
    first = written(database, curie)
    second = in_unit_of(database, curie, first, title="Zwei")
    written(database, curie, spec(title="Drei", unit_title="Atmung"))
    link(database, school, school.bio, second.id)

    shelf = laid_out(database, curie)

    assert [(unit.title, unit.found, unit.free) for unit in shelf.units] == [
        ("Atmung", 1, 1),
        ("Fotosynthese", 2, 1),
    ]
    assert titles(shelf.units[1]) == [("", [FOTOSYNTHESE.title, "Zwei"])]
    leaves = shelf.units[1].sections[0].tasks
    assert [leaf.linked for leaf in leaves] == [False, True]
    assert leaves[0].excerpt.startswith("Erkläre in eigenen Worten, wozu")
    assert (shelf.total, shelf.found) == (3, 3)


def test_sections_stand_in_their_order_after_what_is_in_none(
    database: Database, curie: LaunchSession
) -> None:
    first = written(database, curie, spec(title="A", section_title="Licht"))
    in_unit_of(database, curie, first, title="B", section_title="Dunkel")
    in_unit_of(database, curie, first, title="C", section_title="Licht")
    in_unit_of(database, curie, first, title="D")

    [unit] = laid_out(database, curie).units

    assert titles(unit) == [("", ["D"]), ("Licht", ["A", "C"]), ("Dunkel", ["B"])]


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        ("", ["Prozent 100%", "Übung"]),
        ("übung", ["Übung"]),
        ("ATMUNG", ["Prozent 100%", "Übung"]),
        ("lunge atmung", ["Übung"]),
        ("lunge prozent", []),
        ("organe", ["Übung"]),
        ("%", ["Prozent 100%"]),
        ("_", []),
        ("nichts davon", []),
    ],
)
def test_search_looks_at_titles_texts_sections_and_units(
    database: Database, curie: LaunchSession, search: str, expected: list[str]
) -> None:
    percent = written(
        database, curie, spec(title="Prozent 100%", prompt="Rechne.", unit_title="Atmung")
    )
    in_unit_of(
        database, curie, percent, title="Übung", prompt="Die **Lunge** …", section_title="Organe"
    )

    shelf = laid_out(database, curie, words=search)

    found = [task.title for unit in shelf.units for s in unit.sections for task in s.tasks]
    assert found == expected
    assert (shelf.total, shelf.found) == (2, len(expected))
    assert [title for _, title in shelf.names] == ["Atmung"]


def test_the_picker_can_be_narrowed_by_unit_mode_course_and_author(
    database: Database, curie: LaunchSession, school: School
) -> None:
    mine = written(database, curie, spec(title="Meine", mode=Mode.REVIEWED))
    colleague = launch_of(school, school.planck, school.bio)
    written(database, colleague, spec(title="Herrn Plancks"))
    elsewhere = launch_of(school, school.curie, school.physics)
    written(database, elsewhere, spec(title="Aus Physik"))
    link(database, school, school.bio, mine.id)

    def seen(**wanted: Any) -> list[str]:
        units = laid_out(database, curie, **wanted).units
        return [title for unit in units for _, found in titles(unit) for title in found]

    assert seen() == ["Aus Physik", "Herrn Plancks", "Meine"]
    assert seen(whose=Whose.MINE) == ["Aus Physik", "Meine"]
    assert seen(whose=Whose.COURSE) == ["Herrn Plancks", "Meine"]
    assert seen(mode=Mode.REVIEWED) == ["Meine"]
    assert seen(mode=Mode.PRACTICE) == ["Aus Physik", "Herrn Plancks"]
    assert seen(unlinked=True) == ["Aus Physik", "Herrn Plancks"]
    assert seen(unit_id=unit_of(database, curie, mine).id) == ["Meine"]
    assert seen(unit_id=uuid7()) == []
    assert seen(whose=Whose.MINE, unlinked=True) == ["Aus Physik"]


def test_what_is_chosen_but_filtered_out_stands_elsewhere(
    database: Database, curie: LaunchSession
) -> None:
    light = written(database, curie)
    lung = written(database, curie, spec(title="Lunge", unit_title="Atmung"))

    shelf = laid_out(database, curie, [light.id, lung.id], words="lunge")

    assert [unit.title for unit in shelf.units] == ["Atmung"]
    assert [(leaf.id, leaf.unit_title) for leaf in shelf.elsewhere] == [(light.id, "Fotosynthese")]


def test_only_the_first_units_are_open_and_others_when_asked(
    database: Database, curie: LaunchSession
) -> None:
    old = tasks_in(database, curie, "Alt", 3)
    tasks_in(database, curie, "Groß", OPEN_TASKS)
    tasks_in(database, curie, "Neu", 1)
    old_unit = unit_of(database, curie, old[0]).id

    shelf = laid_out(database, curie)
    asked = laid_out(database, curie, [], frozenset({old_unit}))
    narrowed = laid_out(database, curie, unit_id=old_unit)

    assert [(unit.title, unit.opened) for unit in shelf.units] == [
        ("Neu", True),
        ("Groß", False),
        ("Alt", False),
    ]
    assert [unit.opened for unit in asked.units] == [True, False, True]
    assert [unit.opened for unit in narrowed.units] == [True]


def test_of_a_very_long_unit_the_first_tasks_are_laid_out_and_the_rest_is_counted(
    database: Database, curie: LaunchSession
) -> None:
    tasks = tasks_in(database, curie, "Lang", MOST_TASKS + 5)
    unit_id = unit_of(database, curie, tasks[0]).id

    shelf = laid_out(database, curie, [tasks[-1].id], frozenset({unit_id}))

    [unit] = shelf.units
    assert (unit.found, unit.unshown, len(unit.sections[0].tasks)) == (105, 5, 100)
    assert [leaf.id for leaf in shelf.elsewhere] == [tasks[-1].id]


def test_the_chosen_stand_in_the_order_of_the_tree(
    database: Database, curie: LaunchSession
) -> None:
    old = tasks_in(database, curie, "Alt", 2)
    new = tasks_in(database, curie, "Neu", 2)
    ticked = (old[1].id, new[1].id, old[0].id, new[0].id)

    found = chosen(database, curie, tasks=ticked)

    assert found == (new[0].id, new[1].id, old[0].id, old[1].id)


def test_a_whole_unit_is_all_of_it_but_what_the_course_has_already(
    database: Database, curie: LaunchSession, school: School
) -> None:
    first, second, third = tasks_in(database, curie, "Licht", 3)
    tasks_in(database, curie, "Andere", 2)
    link(database, school, school.bio, second.id)
    units = frozenset({unit_of(database, curie, first).id})

    assert chosen(database, curie, units=units) == (first.id, third.id)
    assert chosen(database, curie, units=units, tasks=(second.id,)) == (
        first.id,
        second.id,
        third.id,
    )


def test_a_whole_section_is_all_of_it(database: Database, curie: LaunchSession) -> None:
    first = written(database, curie, spec(title="A", section_title="Licht"))
    in_unit_of(database, curie, first, title="B", section_title="Dunkel")
    third = in_unit_of(database, curie, first, title="C", section_title="Licht")

    found = chosen(database, curie, sections=frozenset({first.section_id}))

    assert found == (first.id, third.id)


def test_a_whole_unit_on_a_narrowed_page_is_what_was_to_be_seen_there(
    database: Database, curie: LaunchSession
) -> None:
    first = written(database, curie)
    in_unit_of(database, curie, first, title="Zwei", prompt="Etwas anderes")
    units = frozenset({unit_of(database, curie, first).id})

    found = chosen(
        database,
        curie,
        units=units,
        shown=TaskFilter(words="pflanze"),
        wanted=TaskFilter(words="typed meanwhile, and not yet searched for"),
    )

    assert found == (first.id,)


@pytest.mark.parametrize("kind", ["tasks", "units", "sections"])
def test_what_is_not_theirs_cannot_be_chosen_in_any_way(
    database: Database, curie: LaunchSession, planck: LaunchSession, kind: str
) -> None:
    foreign = written(database, planck)
    own = written(database, curie)
    named = {
        "tasks": foreign.id,
        "units": unit_of(database, planck, foreign).id,
        "sections": foreign.section_id,
    }
    form = {"tasks": (own.id,)} | {kind: (named[kind],)}

    with pytest.raises(NotFound):
        chosen(database, curie, **form)
    with pytest.raises(NotFound):
        laid_out(database, curie, [foreign.id])
