"""What the picker offers, and how it is searched."""

import pytest

from lti_tool.content.catalogue import list_tasks, without
from lti_tool.core.db import Database
from lti_tool.launch.session import LaunchSession
from tests.content.writing import unit_of, written
from tests.school import School, link
from tests.specs import FOTOSYNTHESE, spec


def test_the_picker_shows_units_with_their_tasks(
    database: Database, curie: LaunchSession, school: School
) -> None:
    first = written(database, curie)
    unit_id = unit_of(database, curie, first).id
    second = written(database, curie, spec(title="Zwei", unit_id=unit_id, unit_title=""))
    written(database, curie, spec(title="Drei", unit_title="Atmung"))
    link(database, school, school.bio, second.id)

    with database.begin(curie.actor) as db:
        tree = list_tasks(db, curie)

    assert [(unit.title, [s.title for s in unit.sections]) for unit in tree] == [
        ("Atmung", [""]),
        ("Fotosynthese", [""]),
    ]
    leaves = tree[1].sections[0].tasks
    assert [(leaf.id, leaf.title, leaf.linked) for leaf in leaves] == [
        (first.id, FOTOSYNTHESE.title, False),
        (second.id, "Zwei", True),
    ]
    assert leaves[0].excerpt.startswith("Erkläre in eigenen Worten, wozu")


def test_what_is_ticked_is_not_offered_twice(database: Database, curie: LaunchSession) -> None:
    first, second = written(database, curie), written(database, curie)
    same_unit = spec(title="Drei", unit_id=unit_of(database, curie, second).id, unit_title="")
    third = written(database, curie, same_unit)

    with database.begin(curie.actor) as db:
        tree = without(list_tasks(db, curie), {first.id, third.id})

    assert [[leaf.id for leaf in unit.sections[0].tasks] for unit in tree] == [[second.id]]


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        ("", ["Prozent 100%", "Übung"]),
        ("übung", ["Übung"]),
        ("ATMUNG", ["Prozent 100%", "Übung"]),
        ("lunge atmung", ["Übung"]),
        ("lunge prozent", []),
        ("%", ["Prozent 100%"]),
        ("_", []),
        ("nichts davon", []),
    ],
)
def test_search_looks_at_titles_texts_and_units(
    database: Database, curie: LaunchSession, search: str, expected: list[str]
) -> None:
    percent = written(
        database, curie, spec(title="Prozent 100%", prompt="Rechne.", unit_title="Atmung")
    )
    unit_id = unit_of(database, curie, percent).id
    lung = spec(title="Übung", prompt="Die **Lunge** …", unit_id=unit_id, unit_title="")
    written(database, curie, lung)

    with database.begin(curie.actor) as db:
        tree = list_tasks(db, curie, search)

    assert [t.title for unit in tree for s in unit.sections for t in s.tasks] == expected
