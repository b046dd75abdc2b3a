"""A teacher writes a task and takes it into the course, page by page, without any JavaScript."""

import re
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from html import unescape
from typing import Any

import jwt
import psycopg
import pytest
from flask import Flask

from lti_tool.content.catalogue import OPEN_TASKS
from lti_tool.core.db import Database
from lti_tool.core.embedded import EmbeddedPostgres
from lti_tool.people.roles import Role
from tests.content.browser import Page, Visit, launch_in
from tests.content.writing import tasks_in, unit_of
from tests.content.writing import written_at as written
from tests.fakes.school import signing_key
from tests.school import CHOOSING_MANY, RETURN_URL, School, launch_of, link
from tests.specs import FOTOSYNTHESE, sent_for, spec

ITEMS = "https://purl.imsglobal.org/spec/lti-dl/claim/content_items"
NASTY = "</script><b title=\"'>“☀{{7*7}}"


def message(page: Page) -> dict[str, Any]:
    """What the page is about to post to the LMS, as the LMS reads it."""
    form = re.search(r'<form method="post" action="([^"]*)" data-autosubmit>', page.html)
    assert form is not None
    assert unescape(form[1]) == RETURN_URL
    token = re.search(r'name="JWT" value="([^"]*)"', page.html)
    assert token is not None
    read: dict[str, Any] = jwt.decode(
        token[1],
        signing_key().private.public_key(),
        algorithms=["RS256"],
        audience="https://moodle.schule.example",
        issuer="client of https://moodle.schule.example",
    )
    return read


def chosen_in(page: Page) -> list[str]:
    return [item["custom"]["task"] for item in message(page)[ITEMS]]


def test_from_an_empty_picker_to_the_first_task_in_the_course(picking: Visit) -> None:
    empty = picking.get("/pick")
    assert "Hier stehen bald Ihre Aufgaben" in empty.text

    form = picking.get("/tasks/new").fields()
    assert form["unit_title"] == "Bio 8b"
    sent = form | sent_for(FOTOSYNTHESE) | {"action": "save"}
    confirmation = picking.send("/tasks/new", sent)
    assert "„Wozu braucht die Pflanze Licht?“ ist gespeichert" in confirmation.text

    returning = picking.send("/pick", confirmation.fields() | {"action": "link"})
    [item] = message(returning)[ITEMS]
    assert item["title"] == "Wozu braucht die Pflanze Licht?"
    assert item["url"] == "https://gustav.schule.example/lti/launch"
    assert item["lineItem"]["scoreMaximum"] == 10
    assert "Zurück zum Kurs" in returning.text


def test_several_ticked_tasks_go_in_one_message_in_the_order_of_the_tree(
    picking: Visit, database: Database, school: School
) -> None:
    first = written(database, school)
    second = written(database, school, spec(title="Zwei"))
    shown = re.findall(r'name="task" value="([^"]*)"', picking.get("/pick").html)
    assert shown == [str(second.id), str(first.id)]

    page = picking.post("/pick", task=shown[::-1], action="link")

    assert chosen_in(page) == shown


def test_cancelling_brings_nothing_into_the_course(
    picking: Visit, database: Database, school: School
) -> None:
    task = written(database, school)

    page = picking.post("/pick", task=[str(task.id)], action="cancel")

    assert message(page)[ITEMS] == []


def test_ticks_survive_a_search(picking: Visit, database: Database, school: School) -> None:
    ticked = written(database, school)
    written(database, school, spec(title="Zellatmung", unit_title="Atmung"))

    page = picking.post("/pick", task=[str(ticked.id)], q="atmung", action="search")

    assert page.fields()["task"] == [str(ticked.id)]
    assert "Zellatmung" in page.text
    assert page.fields()["q"] == "atmung"


def test_a_ticked_task_that_a_search_does_not_find_can_still_be_seen_and_unticked(
    picking: Visit, database: Database, school: School
) -> None:
    ticked = written(database, school)
    written(database, school, spec(title="Zellatmung", unit_title="Atmung"))

    page = picking.post("/pick", task=[str(ticked.id)], q="atmung", action="search")

    assert "1 von 2 Aufgaben gefunden." in page.text
    assert "Außerdem ausgewählt 1 Aufgabe Wozu braucht die Pflanze Licht? Fotosynthese" in page.text
    assert "1 ausgewählt" in page.text
    again = picking.send("/pick", page.fields() | {"task": [], "action": "search"})
    assert "0 ausgewählt" in again.text


def test_a_whole_unit_is_one_tick(picking: Visit, database: Database, school: School) -> None:
    curie = launch_of(school, school.curie, school.bio)
    tasks = tasks_in(database, curie, "Licht", 3)
    link(database, school, school.bio, tasks[1].id)
    page = picking.get("/pick")
    assert "Ganze Lerneinheit (2)" in page.text
    assert page.text.count("schon im Kurs") == 2  # at the unit, and at the task

    returning = picking.send("/pick", page.fields() | {"unit": unit_in(page), "action": "link"})

    assert chosen_in(returning) == [str(tasks[0].id), str(tasks[2].id)]


def test_a_whole_unit_stays_chosen_task_by_task_through_a_search(
    picking: Visit, database: Database, school: School
) -> None:
    curie = launch_of(school, school.curie, school.bio)
    tasks = tasks_in(database, curie, "Licht", 3)
    page = picking.get("/pick")

    sent = page.fields() | {"unit": unit_in(page), "q": "Licht 2", "action": "search"}
    narrowed = picking.send("/pick", sent)

    assert sorted(narrowed.fields()["task"]) == sorted(str(task.id) for task in tasks)
    assert "3 ausgewählt" in narrowed.text


def unit_in(page: Page) -> str:
    [unit_id] = re.findall(r'name="unit" value="([^"]*)"', page.html)
    return unit_id


def test_a_unit_that_is_closed_opens_with_what_is_ticked_kept(
    picking: Visit, database: Database, school: School
) -> None:
    curie = launch_of(school, school.curie, school.bio)
    tasks = tasks_in(database, curie, "Licht", OPEN_TASKS + 1)
    ticked = written(database, school)
    page = picking.get("/pick")
    assert str(tasks[0].id) not in page.html
    [unit_id] = re.findall(r'name="open" value="([^"]*)"', page.html)

    opened = picking.send("/pick", page.fields() | {"task": [str(ticked.id)], "open": [unit_id]})

    assert str(tasks[0].id) in opened.html
    assert opened.fields()["task"] == [str(ticked.id)]
    assert opened.fields()["open"] == [unit_id]


def test_narrowing_is_kept_on_the_page_and_can_be_taken_back(
    picking: Visit, database: Database, school: School
) -> None:
    written(database, school)
    narrow = {"mode": "reviewed", "whose": "mine", "unlinked": "on", "action": "search"}

    page = picking.send("/pick", picking.get("/pick").fields() | narrow)

    assert "So eng eingegrenzt bleibt keine Aufgabe übrig." in page.text
    kept = page.fields()
    assert {name: kept[name] for name in narrow if name != "action"} == {
        "mode": "reviewed",
        "whose": "mine",
        "unlinked": "on",
    }
    wide = picking.send("/pick", {"mode": "", "whose": "x", "in": "y", "action": "search"})
    assert "Wozu braucht die Pflanze Licht?" in wide.text


def test_several_tasks_are_written_in_a_row_and_all_are_chosen_with_what_was_ticked(
    picking: Visit, database: Database, school: School
) -> None:
    ticked = written(database, school)
    page = picking.get("/pick")

    editor = picking.send("/pick", page.fields() | {"task": [str(ticked.id)], "action": "new"})
    first = sent_for(spec(title="Eins", unit_title="Neu", section_title="1. Woche"))
    following = picking.send("/tasks/new", editor.fields() | first | {"action": "save-next"})
    assert "„Eins“ ist gespeichert und ausgewählt." in following.text
    form = following.fields()
    assert (form["title"], form["prompt"], form["section"]) == ("", "", "1. Woche")
    second = sent_for(spec(title="Zwei")) | {"unit": form["unit"], "section": form["section"]}
    back = picking.send("/tasks/new", form | second | {"action": "save"})

    assert "3 ausgewählt" in back.text
    items = message(picking.send("/pick", back.fields() | {"action": "link"}))[ITEMS]
    assert [item["title"] for item in items] == ["Eins", "Zwei", FOTOSYNTHESE.title]


def test_nothing_ticked_is_lost_in_the_editor_whatever_one_does_there(
    picking: Visit, database: Database, school: School
) -> None:
    ticked, other = written(database, school), written(database, school)
    chosen = [str(ticked.id)]

    editor = picking.post("/pick", task=chosen, edit=str(other.id))
    assert editor.fields()["title"] == FOTOSYNTHESE.title
    path = f"/tasks/{other.id}"
    for action, status in (("add-criterion", 200), ("preview", 200), ("save", 422)):
        sent = editor.fields() | {"title": "" if status == 422 else "Neu", "action": action}
        editor = picking.send(path, sent)
        assert (editor.status, editor.fields()["task"]) == (status, chosen)
    saved = picking.send(path, editor.fields() | sent_for(spec(title="Neu")) | {"action": "save"})
    assert "„Neu“ ist gespeichert." in saved.text
    assert saved.fields()["task"] == chosen


def test_a_task_that_the_lms_would_drop_is_named_and_the_others_stay_chosen(
    picking: Visit, database: Database, school: School, postgres: EmbeddedPostgres
) -> None:
    good, bad = written(database, school), written(database, school, spec(title="Zu viel"))
    chosen = [str(bad.id), str(good.id)]

    with without_check(postgres, "regular_tasks", "ck_regular_tasks_score_maximum") as sql:
        sql(f"UPDATE regular_tasks SET score_maximum = 250 WHERE id = '{bad.id}'")
        page = picking.post("/pick", task=chosen, action="link")
        sql("UPDATE regular_tasks SET score_maximum = 10")

    assert page.status == 422
    sentence = "„Zu viel“: Die höchste Punktzahl muss eine ganze Zahl von 1 bis 100 sein, jetzt"
    assert f"{sentence} ist sie 250." in page.text
    assert "JWT" not in page.html
    assert page.fields()["task"] == chosen


@contextmanager
def without_check(
    postgres: EmbeddedPostgres, table: str, name: str
) -> Iterator[Callable[[str], object]]:
    """As in a database that somebody has repaired by hand."""
    superuser = postgres.superuser_url.replace("+psycopg", "")
    with psycopg.connect(superuser, autocommit=True) as connection:
        [definition] = connection.execute(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = %s", [name]
        ).fetchone()
        connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        yield connection.execute
        connection.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")


def test_a_course_without_grade_columns_is_told_so_and_gets_none(
    app: Flask, database: Database, school: School
) -> None:
    task = written(database, school)
    no_columns = replace(CHOOSING_MANY, accept_lineitem=False)
    visit = launch_in(app, database, school, school.curie, deep_linking=no_columns)

    assert "Die Aufgaben kommen ohne Punkte in den Kurs." in visit.get("/pick").text
    [item] = message(visit.post("/pick", task=[str(task.id)], action="link"))[ITEMS]
    assert "lineItem" not in item


def test_the_picture_of_an_activity_can_be_fetched_by_anybody(app: Flask, picking: Visit) -> None:
    page = picking.send("/tasks/new", sent_for(FOTOSYNTHESE) | {"action": "save"})
    [item] = message(picking.send("/pick", page.fields() | {"action": "link"}))[ITEMS]

    with app.test_client().get(item["icon"]["url"]) as picture:
        assert (picture.status_code, picture.mimetype) == (200, "image/png")
        width, height = struct.unpack(">II", picture.data[16:24])
    assert (width, height) == (item["icon"]["width"], item["icon"]["height"])


def test_a_search_without_hits_says_so(picking: Visit, database: Database, school: School) -> None:
    written(database, school)

    page = picking.post("/pick", q="<b>Quarks", action="search")

    assert "Keine Aufgabe gefunden, in der „<b>Quarks“ vorkommt." in unescape(page.html)
    assert "<b>Quarks" not in page.html


def test_choosing_nothing_and_going_on_asks_for_a_choice(
    picking: Visit, database: Database, school: School
) -> None:
    written(database, school)

    page = picking.post("/pick", action="link")

    assert page.status == 422
    assert "Bitte wählen Sie zuerst eine Aufgabe aus." in page.text


def test_a_platform_that_takes_one_task_gets_one(
    app: Flask, database: Database, school: School
) -> None:
    first, second = written(database, school), written(database, school)
    only_one = replace(CHOOSING_MANY, accept_multiple=False)
    visit = launch_in(app, database, school, school.curie, deep_linking=only_one)
    assert 'type="checkbox" name="task"' not in visit.get("/pick").html

    assert 'name="unit"' not in visit.get("/pick").html

    page = visit.post("/pick", task=[str(first.id), str(second.id)], action="link")

    assert page.status == 422
    assert "Hier passt nur eine einzige Aufgabe." in page.text
    assert 'name="JWT"' not in page.html


def test_a_platform_that_takes_one_task_gets_no_whole_unit(
    app: Flask, database: Database, school: School
) -> None:
    curie = launch_of(school, school.curie, school.bio)
    unit_id = unit_of(database, curie, tasks_in(database, curie, "Licht", 2)[0]).id
    only_one = replace(CHOOSING_MANY, accept_multiple=False)
    visit = launch_in(app, database, school, school.curie, deep_linking=only_one)

    page = visit.post("/pick", unit=str(unit_id), action="link")

    assert page.status == 422
    assert "Hier passt nur eine einzige Aufgabe." in page.text


@pytest.mark.parametrize("action", ["link", "search", "cancel", "new"])
def test_a_foreign_task_is_not_found_and_nothing_is_signed(
    picking: Visit, database: Database, school: School, action: str
) -> None:
    foreign = written(database, school, by_planck=True)

    page = picking.post("/pick", task=[str(foreign.id)], action=action)

    assert page.status == 404
    assert "JWT" not in page.html
    assert picking.get(f"/pick?task={foreign.id}").status == 404


def test_nonsense_instead_of_an_id_is_not_found(picking: Visit) -> None:
    assert picking.post("/pick", task="1 OR 1=1", action="link").status == 404


def test_the_form_cannot_say_where_the_message_goes(picking: Visit) -> None:
    page = picking.post(
        "/pick", action="cancel", return_url="https://evil.example", data="x", deployment_id="8"
    )

    assert message(page)["https://purl.imsglobal.org/spec/lti/claim/deployment_id"] == "7"
    assert "evil.example" not in page.html


def test_our_own_form_token_never_goes_to_the_lms(picking: Visit) -> None:
    page = picking.post("/pick", action="cancel")

    assert 'name="csrf"' not in page.html


def test_two_clicks_make_two_messages(picking: Visit, database: Database, school: School) -> None:
    task = written(database, school)
    pages = [picking.post("/pick", task=[str(task.id)], action="link") for _ in range(2)]

    assert chosen_in(pages[0]) == chosen_in(pages[1])
    assert message(pages[0])["nonce"] != message(pages[1])["nonce"]


def test_a_title_full_of_markup_stays_a_title(
    picking: Visit, database: Database, school: School
) -> None:
    task = written(database, school, spec(title=NASTY, unit_title=NASTY))

    pages = [
        picking.get("/pick"),
        picking.get(f"/pick?task={task.id}"),
        picking.post("/pick", task=[str(task.id)], q="nichts", action="search"),
        picking.post("/pick", task=[str(task.id)], action="new"),
        picking.get(f"/tasks/{task.id}"),
        picking.post("/pick", task=[str(task.id)], action="link"),
    ]

    for page in pages:
        assert "</script><b" not in page.html
        assert NASTY in unescape(page.html)
    [item] = message(pages[-1])[ITEMS]
    assert item["title"] == NASTY.replace("<", "‹")


def test_pupils_have_no_business_here(app: Flask, database: Database, school: School) -> None:
    task = written(database, school)
    ada = launch_in(app, database, school, school.ada, Role.LEARNER, deep_linking=CHOOSING_MANY)

    assert ada.get("/pick").status == 403
    assert ada.post("/pick", task=[str(task.id)], action="link").status == 403
    assert ada.get("/tasks/new").status == 403
    assert ada.send("/tasks/new", sent_for(FOTOSYNTHESE) | {"action": "save"}).status == 403
    assert ada.get(f"/tasks/{task.id}").status == 403


def test_nobody_chooses_content_where_nobody_asked(teaching: Visit) -> None:
    assert teaching.get("/pick").status == 404
    assert teaching.post("/pick", action="cancel").status == 404


@pytest.mark.parametrize(
    ("role", "sentence"),
    [
        (Role.INSTRUCTOR, "Klicken Sie auf „Inhalt auswählen“."),
        (Role.LEARNER, "sag ihr am besten kurz Bescheid"),
    ],
)
def test_an_activity_without_a_task_says_how_to_go_on(
    app: Flask, database: Database, school: School, role: Role, sentence: str
) -> None:
    person = school.curie if role is Role.INSTRUCTOR else school.ada
    visit = launch_in(app, database, school, person, role)

    page = visit.get("/missing")

    assert "Diese Aktivität hat noch keine Aufgabe" in page.text
    assert sentence in page.text
