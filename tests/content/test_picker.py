"""A teacher writes a task and takes it into the course, page by page, without any JavaScript."""

import re
from dataclasses import replace
from html import unescape
from typing import Any

import jwt
import pytest
from flask import Flask

from lti_tool.core.db import Database
from lti_tool.people.roles import Role
from tests.content.browser import Page, Visit, launch_in
from tests.content.writing import written_at as written
from tests.fakes.school import signing_key
from tests.school import CHOOSING_MANY, RETURN_URL, School
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
    saved = picking.send("/tasks/new", form | sent_for(FOTOSYNTHESE) | {"action": "save"})
    confirmation = saved.follow()
    assert "„Wozu braucht die Pflanze Licht?“ ist gespeichert" in confirmation.text

    returning = picking.send("/pick", confirmation.fields() | {"action": "link"})
    [item] = message(returning)[ITEMS]
    assert item["title"] == "Wozu braucht die Pflanze Licht?"
    assert item["url"] == "https://gustav.schule.example/lti/launch"
    assert item["lineItem"]["scoreMaximum"] == 10
    assert "Zurück zum Kurs" in returning.text


def test_several_ticked_tasks_go_in_one_message(
    picking: Visit, database: Database, school: School
) -> None:
    first = written(database, school)
    second = written(database, school, spec(title="Zwei"))
    assert picking.get("/pick").text.count("Zwei") >= 1

    page = picking.post("/pick", task=[str(first.id), str(second.id)], action="link")

    assert chosen_in(page) == [str(first.id), str(second.id)]


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
    assert 'type="checkbox"' not in visit.get("/pick").html

    page = visit.post("/pick", task=[str(first.id), str(second.id)], action="link")

    assert page.status == 422
    assert "Hier passt nur eine einzige Aufgabe." in page.text
    assert 'name="JWT"' not in page.html


@pytest.mark.parametrize("action", ["link", "search", "cancel"])
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
        picking.get(f"/pick?task={task.id}&written=1"),
        picking.get(f"/tasks/{task.id}"),
        picking.post("/pick", task=[str(task.id)], action="link"),
    ]

    for page in pages:
        assert "</script><b" not in page.html
        assert NASTY in unescape(page.html)
    [item] = message(pages[3])[ITEMS]
    assert item["title"] == NASTY


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
