"""A department's whole stock of 600 tasks, and the many tasks of all its colleagues beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from sqlalchemy import event, text

from lti_tool.content.catalogue import lay_out
from lti_tool.content.picking import TaskFilter
from lti_tool.core.db import Database
from lti_tool.core.embedded import EmbeddedPostgres
from lti_tool.launch.session import LaunchSession
from tests.content.browser import Visit
from tests.content.test_picker import chosen_in
from tests.content.writing import written_at
from tests.school import School
from tests.specs import sent_for, spec

UNITS, TASKS = 30, 20

STOCK = """
INSERT INTO units (id, platform_id, deployment_id, course_id, author_id, title)
  SELECT gen_random_uuid(), %(platform)s, %(deployment)s, %(course)s, %(author)s, 'Thema ' || n
  FROM generate_series(1, %(units)s) n;
INSERT INTO sections (id, platform_id, unit_id, title, position)
  SELECT gen_random_uuid(), u.platform_id, u.id, 'Woche ' || n, n
  FROM units u, generate_series(1, 4) n WHERE u.author_id = %(author)s;
INSERT INTO tasks
  (id, platform_id, section_id, kind, title, prompt, prompt_html, solution_notes, position, version)
  SELECT gen_random_uuid(), s.platform_id, s.id, 'regular', u.title || ', Aufgabe ' || n,
    repeat('Erkläre in **eigenen** Worten. ', 20), '', '', n, 1
  FROM sections s JOIN units u ON u.id = s.unit_id, generate_series(1, %(tasks)s / 4) n
  WHERE u.author_id = %(author)s;
INSERT INTO regular_tasks (id, platform_id, mode, score_maximum, max_attempts, reports_score)
  SELECT t.id, t.platform_id, 'practice', 10, 3, false FROM tasks t
  WHERE NOT EXISTS (SELECT 1 FROM regular_tasks r WHERE r.id = t.id);
"""


@pytest.fixture
def stocked(postgres: EmbeddedPostgres, school: School) -> None:
    stock(postgres, school)


def stock(postgres: EmbeddedPostgres, school: School) -> None:
    """600 tasks of Frau Curie, and as many of a colleague in another course."""
    with psycopg.connect(
        _plain(postgres), autocommit=True, cursor_factory=psycopg.ClientCursor
    ) as sql:
        for course, author in ((school.bio, school.curie), (school.physics, school.planck)):
            whose = {"course": course, "author": author, "deployment": school.deployment}
            many = {"platform": school.platform_id, "units": UNITS, "tasks": TASKS}
            sql.execute(STOCK, whose | many)


def _plain(postgres: EmbeddedPostgres) -> str:
    return postgres.superuser_url.replace("+psycopg", "")


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """The statements that are sent meanwhile."""
    sent: list[str] = []

    def note(_connection, _cursor, statement: str, *_: object) -> None:
        sent.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    yield sent
    event.remove(database.engine, "before_cursor_execute", note)


def test_the_picker_asks_no_more_often_for_600_tasks_than_for_one(
    picking: Visit, database: Database, school: School, request: pytest.FixtureRequest
) -> None:
    written_at(database, school)
    with counted(database) as for_one:
        picking.get("/pick")
    request.getfixturevalue("stocked")

    with counted(database) as for_many:
        page = picking.get("/pick")
    with counted(database) as for_search:
        picking.post("/pick", q="Thema 7, Aufgabe", action="search")

    assert len(for_many) == len(for_one)
    assert len(for_search) == len(for_one) + 1  # what is ticked is looked up
    assert page.text.count("20 Aufgaben") == UNITS


def test_its_page_stays_small_and_says_what_it_leaves_out(picking: Visit, stocked: None) -> None:
    page = picking.get("/pick")

    assert len(page.html) < 120_000
    assert page.html.count('name="task"') == 2 * TASKS
    assert page.html.count('name="unit"') == UNITS
    assert page.text.count("zeigen") == UNITS - 2


def test_statistics_from_before_the_600_make_nobody_wait(
    postgres: EmbeddedPostgres, database: Database, school: School, curie: LaunchSession
) -> None:
    """PostgreSQL still believes that there is one task. What it plans then took eight seconds."""
    written_at(database, school)
    with psycopg.connect(_plain(postgres), autocommit=True) as sql:
        sql.execute("ANALYZE")
    stock(postgres, school)

    with database.begin(curie.actor) as db:
        db.execute(text("SET LOCAL statement_timeout = '3s'"))
        assert len(lay_out(db, curie, TaskFilter()).units) > UNITS


def test_a_search_narrows_600_to_a_handful(picking: Visit, stocked: None) -> None:
    page = picking.post("/pick", q="thema 11, aufgabe 5", action="search")

    assert "4 von 600 Aufgaben gefunden." in page.text
    assert "Alle 4 gefundenen" in page.text


def test_all_600_can_be_chosen_taken_through_the_editor_and_sent(
    picking: Visit, stocked: None
) -> None:
    page = picking.get("/pick")
    units = re.findall(r'name="unit" value="([^"]*)"', page.html)

    editor = picking.send("/pick", page.fields() | {"unit": units, "action": "new"})
    sent = sent_for(spec(title="Und noch eine")) | {"action": "save"}
    back = picking.send("/tasks/new", editor.fields() | sent)
    assert "601 ausgewählt" in back.text
    returning = picking.send("/pick", back.fields() | {"action": "link"})

    assert len(set(chosen_in(returning))) == UNITS * TASKS + 1
