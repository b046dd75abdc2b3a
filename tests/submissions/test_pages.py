"""The pupil's pages, state by state: the same place, nothing typed ever lost."""

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from io import BytesIO
from urllib.parse import urlencode
from uuid import uuid4

import pytest

from feedback_engine.contract import Flag
from lti_tool.content.models import Mode
from lti_tool.core.db import LAUNCH, WORKER, Database
from lti_tool.core.jobs import Job
from lti_tool.launch.models import LaunchSessionRow
from lti_tool.launch.secrets import Secrets
from lti_tool.submissions.models import ANSWER_LIMIT
from tests.classroom import ANSWER, Classroom, open_classroom
from tests.content.browser import SECRET
from tests.specs import FOTOSYNTHESE
from tests.visitor import Browsers, Page, Visitor, judged, open_browsers, value


@pytest.fixture
def room(database) -> Classroom:
    return open_classroom(database)


@pytest.fixture
def browsers(room: Classroom) -> Browsers:
    return open_browsers(room)


def hands_in(visitor: Visitor, text: str = ANSWER) -> Page:
    page = visitor.get("/work/?revise=1")
    return visitor.post(
        "/work/", text=text, client_key=value(page, "client_key"), attempt=value(page, "attempt")
    )


def test_the_first_page_says_what_is_asked_what_counts_and_how_it_goes(browsers: Browsers):
    page = browsers.ada().get("/work/")

    assert "Bio 8b › Fotosynthese" in page.text
    assert "Erkläre in eigenen Worten" in page.text
    assert "Darauf kommt es an" in page.text
    assert "Die Rolle des Lichts ist erklärt" in page.text
    assert "Übung: Rückmeldung sofort" in page.text
    assert "Versuch 1 von 3" in page.text
    assert "Lichtenergie wird zu chemischer Energie" not in page.html  # solution notes


def test_handing_in_leads_back_to_the_page_which_says_where_it_stands(browsers: Browsers):
    ada = browsers.ada()

    page = hands_in(ada).follow()

    assert "Abgegeben um" in page.text
    assert "Du bist Nummer 1" in page.text
    assert "Du kannst die Seite schließen" in page.text
    assert ANSWER in page.text
    assert 'http-equiv="refresh"' in page.html  # for browsers without scripts


def test_a_form_that_comes_slowly_keeps_nobody_waiting(room: Classroom):
    """While Ada's text is still on its way, Ben gets his page, though there is one connection."""
    one_connection = Database(room.database.engine.url.render_as_string(False), pool_size=1)
    browsers = open_browsers(replace(room, database=one_connection))
    ada, ben = browsers.ada(), browsers.ben()
    csrf = Secrets(SECRET).csrf(ada.session_id)
    slow = SlowText(urlencode({"text": "Die Pfl", "version": 0, "csrf": csrf}), ben)

    answer = ada.client.post(
        ada.url("/work/draft"),
        input_stream=slow,
        content_length=len(slow.getvalue()),
        content_type="application/x-www-form-urlencoded",
    )

    one_connection.close()
    assert answer.status_code == 303
    assert slow.seen == [200]


class SlowText(BytesIO):
    """A form on bad Wi-Fi: while it is being read, somebody else opens a page."""

    def __init__(self, form: str, meanwhile: Visitor) -> None:
        super().__init__(form.encode())
        self._meanwhile = meanwhile
        self.seen: list[int] = []

    def readinto(self, buffer, /) -> int:
        if not self.seen:
            with ThreadPoolExecutor(1) as thread:
                page = thread.submit(self._meanwhile.get, "/work/").result()
            self.seen.append(page.response.status_code)
        return super().readinto(buffer)


def test_an_answer_with_markup_is_shown_as_it_was_typed(browsers: Browsers):
    page = hands_in(browsers.ada(), "<b>Licht</b> & <script>alert(1)</script>").follow()

    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page.html
    assert "<script>alert" not in page.html


def test_released_feedback_marks_its_passages_in_the_own_text(browsers: Browsers, room: Classroom):
    ada = browsers.ada()
    judged(room, room.ada.hands_in().id, 2, 0)

    page = ada.get("/work/")

    passage = ANSWER[:20].rstrip()
    assert f'<span id="passage-1"></span><span id="passage-2"></span>{passage}</mark>' in page.html
    for words in ("Das gelingt dir schon", "Dein nächster Schritt", "Eine Frage zum Weiterdenken"):
        assert words in page.text
    assert "erklärt" in page.text
    assert "KI-Rückmeldung" in page.text
    assert "fake-1" in page.text  # which model, behind the label
    assert "Überarbeiten" in page.text
    assert "data-ask" not in page.html  # nothing to wait for any more


def test_a_waiting_page_is_told_only_when_there_is_news(browsers: Browsers, room: Classroom):
    ada = browsers.ada()
    submission = room.ada.hands_in()
    seen = ada.get("/work/").html.split("/work/state?seen=")[1].split('"')[0]

    assert ada.poll(f"/work/state?seen={seen}").status == 204

    judged(room, submission.id, 2, 2)
    news = ada.poll(f"/work/state?seen={seen}")
    assert "Du nennst die Energie." in news.text
    assert '<p id="announcement">Deine Rückmeldung ist da.</p>' in news.html
    assert "data-ask" not in news.html


def test_with_the_feedback_arrives_that_it_was_the_last_attempt(database):
    room = open_classroom(database, replace(FOTOSYNTHESE, max_attempts=1))
    submission = room.ada.hands_in()
    ada = open_browsers(room).ada()
    seen = ada.get("/work/").html.split("/work/state?seen=")[1].split('"')[0]
    judged(room, submission.id, 1, 1)

    for page in (ada.poll(f"/work/state?seen={seen}"), ada.get("/work/")):
        assert page.text.count("Du hast deinen Versuch genutzt; er zählt.") == 1


def test_without_a_model_the_page_says_that_the_answer_is_safe(browsers: Browsers, room: Classroom):
    room.ada.hands_in()
    with room.database.begin(WORKER) as db:
        db.query(Job).update({"last_error": "EngineUnavailable"})

    assert "Deine Abgabe ist sicher. Die Rückmeldung kommt später." in (
        browsers.ada().get("/work/").text
    )


def test_feedback_that_waits_for_the_teacher_is_not_on_the_page(database):
    room = open_classroom(database, replace(FOTOSYNTHESE, mode=Mode.REVIEWED))
    judged(room, room.ada.hands_in().id, 2, 2)

    page = open_browsers(room).ada().get("/work/")

    assert "Deine Lehrkraft sieht sich deine Abgabe an." in page.text
    assert "Du nennst die Energie." not in page.html


def test_a_flag_that_withholds_keeps_the_feedback_from_the_pupil(
    browsers: Browsers, room: Classroom
):
    judged(room, room.ada.hands_in().id, 2, 2, flags=(Flag.UNKIND,))

    page = browsers.ada().get("/work/")

    assert "Deine Lehrkraft sieht sich deine Abgabe an." in page.text
    assert "Du nennst die Energie." not in page.html


def test_the_last_attempt_asks_once_and_the_others_do_not(browsers: Browsers, room: Classroom):
    ada = browsers.ada()
    assert "Das ist mein letzter Versuch" not in ada.get("/work/").text

    for attempt in (1, 2):
        judged(room, room.ada.hands_in(attempt=attempt).id, 1, 1)

    page = ada.get("/work/?revise=1")
    assert 'type="checkbox" id="last" required' in page.html
    assert "Versuch 3 von 3" in page.text


def test_revising_starts_from_the_text_that_was_handed_in(browsers: Browsers, room: Classroom):
    judged(room, room.ada.hands_in().id, 1, 1)

    page = browsers.ada().get("/work/?revise=1")

    assert page.fields()["text"] == ANSWER
    assert "Rückmeldung zu Versuch 1" in page.text
    assert page.fields()["attempt"] == "2"


def test_who_writes_while_waiting_has_the_field_before_what_will_arrive(
    browsers: Browsers, room: Classroom
):
    room.ada.hands_in()

    page = browsers.ada().get("/work/?revise=1")

    assert page.html.index('id="answer"') < page.html.index('id="work-state"')


def test_every_attempt_stays_readable(browsers: Browsers, room: Classroom):
    first = room.ada.hands_in("Mein erster Text.")
    judged(room, first.id, 1, 1)
    judged(room, room.ada.hands_in("Mein zweiter Text.", 2).id, 2, 1)
    ada = browsers.ada()

    page = ada.get("/work/")

    assert f"/work/attempts/{first.id}" in page.html
    assert "höher als beim letzten Versuch" in page.text
    assert "Mein erster Text." in ada.get(f"/work/attempts/{first.id}").text


def test_the_attempt_of_another_pupil_does_not_exist(browsers: Browsers, room: Classroom):
    theirs = room.ada.hands_in()

    page = browsers.ben().get(f"/work/attempts/{theirs.id}")

    assert page.status == 404
    assert ANSWER not in page.html


def test_a_draft_is_saved_for_the_script_and_is_there_after_the_next_launch(browsers: Browsers):
    ada = browsers.ada()

    kept = ada.post("/work/draft", text="Ein Anfang", version="0")
    assert kept.status == 303  # the button, for browsers without scripts

    saved = ada.client.post(
        ada.url("/work/draft"),
        data={
            "text": "Ein Anfang, und mehr",
            "version": value(ada.get("/work/"), "version"),
            "csrf": value(ada.get("/work/"), "csrf"),
        },
        headers={"HX-Request": "true"},
    )
    assert saved.json["overtook"] is False
    assert saved.json["time"]
    page = browsers.ada().get("/work/")
    assert page.fields()["text"] == "Ein Anfang, und mehr"
    assert "Gespeichert heute" in page.text


def test_of_two_devices_the_newer_text_counts_and_the_other_is_a_click_away(browsers: Browsers):
    """FLT-10."""
    ada = browsers.ada()
    ada.post("/work/draft", text="Vom Tablet", version="0")

    page = ada.post("/work/draft", text="Vom Handy", version="0").follow()

    assert "Vom Tablet" in page.text  # the page with older texts
    assert browsers.ada().get("/work/").fields()["text"] == "Vom Handy"
    assert "Ältere Texte ansehen" in browsers.ada().get("/work/").text

    back = re.search(r"/work/older/[0-9a-f-]+/restore", page.html)
    ada.post(back[0], csrf=value(page, "csrf"))

    assert ada.get("/work/").fields()["text"] == "Vom Tablet"
    assert "Vom Handy" in ada.get("/work/older").text


def test_a_page_that_was_looked_away_from_is_told_what_was_written_elsewhere(browsers: Browsers):
    ada = browsers.ada()
    ada.post("/work/draft", text="Vom Tablet", version="0")
    known = value(ada.get("/work/"), "version")
    assert ada.poll(f"/work/draft/newer?version={known}&attempt=1").status == 204

    ada.post("/work/draft", text="Vom Tablet, dann Handy", version=known)

    news = ada.poll(f"/work/draft/newer?version={known}&attempt=1").response.json
    assert (news["text"], news["handed_in"]) == ("Vom Tablet, dann Handy", False)


def test_a_page_that_was_looked_away_from_is_told_that_the_attempt_is_used(
    browsers: Browsers, room: Classroom
):
    room.ada.hands_in()

    news = browsers.ada().poll("/work/draft/newer?version=0&attempt=1").response.json

    assert news == {"handed_in": True}


def test_an_answer_that_is_too_long_is_still_there_to_be_shortened(browsers: Browsers):
    long = "x" * (ANSWER_LIMIT + 1)

    page = hands_in(browsers.ada(), long)

    assert page.status == 400
    assert page.fields()["text"] == long
    assert "Der Text ist zu lang" in page.text


def test_what_is_wrong_with_an_answer_is_in_sight_and_nothing_claims_that_it_is_saved(
    browsers: Browsers,
):
    ada = browsers.ada()
    ada.post("/work/draft", text="Ein Anfang.", version="0")
    saved = ada.get("/work/")

    refused = hands_in(ada, "x" * (ANSWER_LIMIT + 1))

    assert "Gespeichert" in saved.text
    assert "Gespeichert" not in refused.text
    assert " autofocus" in refused.html
    assert " autofocus" not in saved.html


def test_an_empty_answer_is_not_an_attempt(browsers: Browsers, room: Classroom):
    page = hands_in(browsers.ada(), " \n ")

    assert page.status == 400
    assert "Hier steht noch keine Antwort." in page.text
    assert room.ada.sees().submissions == []


def test_handing_in_from_an_old_tab_keeps_the_text_as_a_draft(browsers: Browsers, room: Classroom):
    ada = browsers.ada()
    old = ada.get("/work/")
    room.ada.hands_in("Aus dem anderen Tab.")

    page = ada.post(
        "/work/", text="Aus dem alten Tab.", client_key=value(old, "client_key"), attempt="1"
    )

    assert page.status == 409
    assert "an anderer Stelle abgegeben" in page.text
    assert page.fields()["text"] == "Aus dem alten Tab."
    assert page.fields()["attempt"] == "2"


@pytest.mark.parametrize("form", [{}, {"attempt": "1"}, {"key": "old", "number": "one"}])
def test_a_form_of_another_version_of_the_page_keeps_the_text(browsers: Browsers, form):
    """FLT-15: the page was loaded before an update, and lacks what is asked for now."""
    page = browsers.ada().post("/work/", text="Vor dem Update geschrieben.", **form)

    assert page.status == 400
    assert page.fields()["text"] == "Vor dem Update geschrieben."
    assert page.fields()["client_key"], "sent from here, it is handed in"


def test_a_changed_text_from_a_page_gone_back_to_is_kept_and_not_handed_in(
    browsers: Browsers, room: Classroom
):
    ada = browsers.ada()
    sent = {"client_key": str(uuid4()), "attempt": "1"}
    ada.post("/work/", text=ANSWER, **sent)

    page = ada.post("/work/", text="Noch etwas.", **sent)

    assert page.status == 409
    assert "Von dieser Seite hast du schon abgegeben." in page.text
    assert page.fields()["text"] == "Noch etwas."
    assert len(room.ada.sees().submissions) == 1


def test_when_all_attempts_are_used_the_page_says_what_counts_and_keeps_the_draft(database):
    room = open_classroom(database, replace(FOTOSYNTHESE, max_attempts=1))
    judged(room, room.ada.hands_in().id, 1, 1)
    ada = open_browsers(room).ada()

    page = ada.post("/work/", text="Zu spät.", client_key=str(uuid4()), attempt="2")

    assert page.status == 409
    assert "Du hast deinen Versuch genutzt; er zählt." in page.text
    assert "Zu spät." in page.text
    assert "<textarea" not in page.html
    assert "Zu spät." in ada.get("/work/").text


def test_a_session_that_is_over_gives_the_text_back(browsers: Browsers, room: Classroom):
    ada = browsers.ada()
    with room.database.begin(LAUNCH) as db:
        db.get_one(LaunchSessionRow, ada.session_id).ended_at = "2026-01-01T00:00:00Z"

    page = ada.post("/work/", text="Lange getippt.", client_key=str(uuid4()), attempt="1")

    assert page.status == 401
    assert "Dieser Aufruf ist abgelaufen. Öffne die Aufgabe in Moodle noch einmal." in page.text
    assert "Lange getippt." in page.text


def test_a_teacher_is_not_asked_to_write_an_answer(browsers: Browsers):
    assert browsers.curie().get("/work/").status == 403
