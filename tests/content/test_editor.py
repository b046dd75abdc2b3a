"""The task editor, page by page, without any JavaScript."""

from lti_tool.content import service
from lti_tool.core.db import Database
from tests.content.browser import Visit
from tests.content.writing import written_at as written
from tests.school import School, launch_of, link
from tests.specs import FOTOSYNTHESE, sent_for, spec


def test_a_refused_task_is_shown_again_with_everything_typed(
    picking: Visit, database: Database
) -> None:
    sent = sent_for(FOTOSYNTHESE) | {"title": "", "score_maximum": "zehn", "action": "save"}

    page = picking.send("/tasks/new", sent)

    assert page.status == 422
    assert "Hier fehlt noch etwas." in page.text
    assert "Bitte eine ganze Zahl von 1 bis 100." in page.text
    kept = page.fields()
    expected = {name: value for name, value in sent.items() if name != "action"}
    assert {name: kept[name] for name in expected} == expected


def test_the_editor_sends_back_what_it_shows(
    teaching: Visit, database: Database, school: School
) -> None:
    wanted = spec(prompt="\n Eins & <b>\n\nZwei".strip(), solution_notes="a\n\tb")
    task = written(database, school, wanted)
    shown = teaching.get(f"/tasks/{task.id}")

    saved = teaching.send(f"/tasks/{task.id}", shown.fields() | {"action": "save"}).follow()

    assert "Gespeichert." in saved.text
    before, after = shown.fields(), saved.fields()
    assert (before.pop("version"), after.pop("version")) == ("1", "2")
    assert after == before


def test_sections_that_exist_are_offered_by_name(
    teaching: Visit, database: Database, school: School
) -> None:
    task = written(database, school, spec(section_title="Licht & <Schatten>"))

    page = teaching.get(f"/tasks/{task.id}")

    assert page.fields()["section"] == "Licht & <Schatten>"
    assert '<option value="Licht &amp; &lt;Schatten&gt;"></option>' in page.html


def test_rows_come_and_go_without_javascript(picking: Visit) -> None:
    form = picking.get("/tasks/new").fields() | sent_for(FOTOSYNTHESE)

    more = picking.send("/tasks/new", form | {"action": "add-criterion"})
    fewer = picking.send("/tasks/new", more.fields() | {"action": "remove-criterion-0"})

    assert more.status == 200
    assert "Kriterium 3" in more.text
    assert fewer.fields()["criterion-0-title"] == "Fachbegriffe"
    assert "criterion-2-title" not in fewer.fields()
    assert fewer.fields()["prompt"] == FOTOSYNTHESE.prompt


def test_a_preview_shows_the_task_as_pupils_see_it_and_stores_nothing(
    picking: Visit, database: Database, school: School
) -> None:
    sent = sent_for(spec(prompt="**Fett** <script>alert(1)</script>"))

    page = picking.send("/tasks/new", sent | {"action": "preview", "score_maximum": ""})

    assert "<strong>Fett</strong> &lt;script&gt;" in page.html
    assert "Die Rolle des Lichts ist erklärt" in page.text
    assert "Hier stehen bald Ihre Aufgaben" in picking.get("/pick").text


def test_solution_notes_are_not_in_the_preview(picking: Visit) -> None:
    sent = sent_for(FOTOSYNTHESE) | {"action": "preview"}

    html = picking.send("/tasks/new", sent).html
    preview = html[html.index('id="preview"') : html.index("<form")]

    assert FOTOSYNTHESE.solution_notes not in preview


def test_changing_says_what_becomes_of_work_handed_in(
    teaching: Visit, database: Database, school: School
) -> None:
    page = teaching.get(f"/tasks/{written(database, school).id}")

    assert "Schon abgegebene Arbeiten und ihre Rückmeldungen bleiben, wie sie sind." in page.text
    assert FOTOSYNTHESE.solution_notes in page.text


def test_who_comes_second_sees_both_texts_and_decides(
    teaching: Visit, database: Database, school: School
) -> None:
    path = f"/tasks/{written(database, school).id}"
    mine = teaching.get(path).fields() | {"prompt": "Meine Frage", "action": "save"}
    teaching.send(path, teaching.get(path).fields() | {"prompt": "Ihre Frage", "action": "save"})

    conflict = teaching.send(path, mine)

    assert conflict.status == 409
    assert "Diese Aufgabe wurde inzwischen geändert" in conflict.text
    assert "Ihre Frage" in conflict.text
    assert conflict.fields()["prompt"] == "Meine Frage"
    assert "Ihre Frage" in teaching.get(path).text

    teaching.send(path, conflict.fields() | {"action": "save"}).follow()
    assert teaching.get(path).fields()["prompt"] == "Meine Frage"


def test_a_foreign_task_can_neither_be_opened_nor_saved(
    teaching: Visit, database: Database, school: School
) -> None:
    foreign = written(database, school, by_planck=True)
    link(database, school, school.bio, foreign.id)

    assert teaching.get(f"/tasks/{foreign.id}").status == 404
    sent = sent_for(FOTOSYNTHESE) | {"version": "1", "action": "save"}
    assert teaching.send(f"/tasks/{foreign.id}", sent).status == 404


def test_a_foreign_unit_is_not_found(teaching: Visit, database: Database, school: School) -> None:
    planck = launch_of(school, school.planck, school.physics)
    task = written(database, school, by_planck=True)
    with database.begin(planck.actor) as db:
        unit_id = service.unit_of(db, task).id

    sent = sent_for(spec(unit_id=unit_id, unit_title="")) | {"action": "save"}

    assert teaching.send("/tasks/new", sent).status == 404


def test_a_form_without_our_token_changes_nothing(
    teaching: Visit, database: Database, school: School
) -> None:
    task = written(database, school)
    sent = sent_for(spec(title="Anders")) | {"version": "1", "action": "save"}

    response = teaching.client.post(teaching.url(f"/tasks/{task.id}"), data=sent)

    assert response.status_code == 403
    assert teaching.get(f"/tasks/{task.id}").fields()["title"] == FOTOSYNTHESE.title


def test_the_same_form_sent_twice_makes_one_task(
    picking: Visit, database: Database, school: School
) -> None:
    form = picking.get("/tasks/new").fields() | sent_for(FOTOSYNTHESE) | {"action": "save"}

    first = picking.send("/tasks/new", form)
    second = picking.send("/tasks/new", form)

    assert first.status == second.status == 200
    assert first.fields()["task"] == second.fields()["task"]
    assert picking.get("/pick").html.count('name="task"') == 1
