"""The teacher's pages: numbers, what went wrong, everybody; and one pupil's work."""

from dataclasses import replace

import pytest
from sqlalchemy import func, update

from feedback_engine.contract import Flag
from lti_tool.content.models import Mode
from lti_tool.core.db import LAUNCH
from lti_tool.grades.messages import FailureReason
from lti_tool.grades.models import GradeSync, SyncState
from lti_tool.launch.models import LaunchSessionRow
from lti_tool.submissions import assessment, review, service
from lti_tool.submissions.models import Author, Submission
from lti_tool.submissions.states import State
from tests.classroom import ANSWER, Classroom, open_classroom
from tests.specs import FOTOSYNTHESE
from tests.visitor import Browsers, Page, Visitor, judged, open_browsers


@pytest.fixture
def room(database) -> Classroom:
    return open_classroom(database, replace(FOTOSYNTHESE, mode=Mode.REVIEWED))


@pytest.fixture
def browsers(room: Classroom) -> Browsers:
    return open_browsers(room)


@pytest.fixture
def curie(browsers: Browsers) -> Visitor:
    return browsers.curie()


def stored(room: Classroom, submission: Submission) -> Submission:
    with room.database.begin(room.curie.actor) as db:
        return service.find(db, room.curie, submission.id)


def waiting(room: Classroom, text: str = ANSWER, **given: object) -> Submission:
    submission = room.ada.hands_in(text)
    judged(room, submission.id, 1, 2, **given)
    return submission


def desk(curie: Visitor, submission: Submission) -> Page:
    return curie.get(f"/overview/work/{submission.id}")


def presses(curie: Visitor, submission: Submission, button: str, **typed: str) -> Page:
    """The form of the page as it stands, with these fields changed, sent with this button."""
    fields = desk(curie, submission).fields() | typed
    return curie.send(f"/overview/work/{submission.id}/{button}", fields)


def test_the_overview_begins_with_the_numbers(curie: Visitor, room: Classroom):
    waiting(room)

    page = curie.get("/overview/")

    assert "haben abgegeben 1 warten auf Sie 1" in page.text
    assert "Schüler/in" in page.text
    assert "Ben Blau" in page.text
    assert "noch nichts abgegeben" in page.text
    assert f"/content/tasks/{room.task_id}" in page.html


def test_before_anybody_came_the_overview_says_what_will_be_here(database):
    room = open_classroom(database)
    with room.database.begin(room.service) as db:
        db.connection().exec_driver_sql("DELETE FROM memberships WHERE role = 'learner'")

    page = open_browsers(room).curie().get("/overview/")

    assert "Noch hat niemand die Aufgabe geöffnet." in page.text


def test_the_overview_renews_itself_only_when_something_changed(curie: Visitor, room: Classroom):
    page = curie.get("/overview/")
    path = page.html.split('hx-get="')[1].split('"')[0].split(str(curie.session_id))[1]

    assert curie.poll(path).status == 204

    waiting(room)
    assert "wartet auf Ihre Freigabe" in curie.poll(path).text


def test_the_answer_lies_beside_the_verdicts(curie: Visitor, room: Classroom):
    page = desk(curie, waiting(room))

    assert ANSWER[20:] in page.text
    assert '<mark class="passage">' in page.html
    assert "genannt" in page.text
    assert "KI · fake-1" in page.text
    assert "wartet auf Ihre Freigabe" in page.text


def test_releasing_untouched_feedback_confirms_it_as_the_engines(curie: Visitor, room: Classroom):
    submission = waiting(room)

    answer = presses(curie, submission, "confirm")

    assert answer.status == 303
    assert answer.response.location.endswith("/overview/?done=released")
    assert "Jetzt wartet nichts mehr auf Sie." in answer.follow().text
    done = stored(room, submission)
    assert (done.state, done.feedback.author, done.feedback.version) == (
        State.RELEASED,
        Author.AI,
        1,
    )


def test_releasing_leads_to_the_next_that_waits(curie: Visitor, room: Classroom):
    submission = waiting(room)
    other = room.ben.hands_in()
    judged(room, other.id, 1, 1)

    answer = presses(curie, submission, "confirm").follow()

    assert "Ben Blau" in answer.text
    assert "Hier ist die nächste Abgabe, die auf Sie wartet." in answer.text


def test_releasing_what_was_changed_says_so_to_the_pupil(
    curie: Visitor, browsers: Browsers, room: Classroom
):
    submission = waiting(room)

    presses(curie, submission, "confirm", next_step="Nenne den Traubenzucker.")

    page = browsers.ada().get("/work/")
    assert "Nenne den Traubenzucker." in page.text
    assert "KI-Rückmeldung, von der Lehrkraft bearbeitet" in page.text


def test_saving_lets_nothing_out(curie: Visitor, browsers: Browsers, room: Classroom):
    submission = waiting(room)

    page = presses(curie, submission, "edit", strengths="Sehr genau.").follow()

    assert "Gespeichert." in page.text
    assert "Sehr genau." in page.text
    assert "Fassungen (2)" in page.text
    assert stored(room, submission).state is State.AWAITING_TEACHER
    assert "Sehr genau." not in browsers.ada().get("/work/").text


def test_two_teachers_at_once_neither_loses_what_was_typed(curie: Visitor, room: Classroom):
    submission = waiting(room)
    fields = desk(curie, submission).fields()
    with room.database.begin(room.curie.actor) as db:
        found = service.find(db, room.curie, submission.id)
        edit = review.FeedbackEdit(1, {}, "Von der Kollegin", "", "")
        review.edit(db, room.curie, found, edit, release=False)

    path = f"/overview/work/{submission.id}/confirm"
    page = curie.send(path, fields | {"strengths": "Von mir"})

    assert page.status == 409
    assert "inzwischen eine neuere Fassung" in page.text
    assert page.fields()["strengths"] == "Von mir"
    assert "Von der Kollegin" in page.text
    assert stored(room, submission).state is State.AWAITING_TEACHER

    curie.send(path, page.fields())
    assert stored(room, submission).feedback.strengths == "Von mir"


def test_what_the_engine_could_not_do_the_teacher_writes(curie: Visitor, room: Classroom):
    submission = room.ada.hands_in()
    with room.database.begin(room.service) as db:
        assessment.hand_to_teacher(db, submission.id, "engine_failed")
    page = desk(curie, submission)
    assert "mehrmals keine brauchbare Rückmeldung" in page.text

    levels = {name: "1" for name in page.fields() if name.startswith("level-")}
    presses(curie, submission, "confirm", strengths="Guter Anfang.", **levels)

    done = stored(room, submission)
    assert (done.state, done.feedback.author) == (State.RELEASED, Author.TEACHER)
    assert [result.level for result in done.feedback.results] == [1, 1]


def test_nothing_at_all_is_not_let_out(curie: Visitor, room: Classroom):
    submission = room.ada.hands_in()
    with room.database.begin(room.service) as db:
        assessment.hand_to_teacher(db, submission.id, "empty_answer")

    page = presses(curie, submission, "confirm")

    assert page.status == 400
    assert stored(room, submission).state is State.NEEDS_TEACHER


def test_a_level_the_criterion_does_not_have_is_refused_and_the_text_kept(
    curie: Visitor, room: Classroom
):
    submission = waiting(room)
    name = next(name for name in desk(curie, submission).fields() if name.startswith("level-"))

    page = presses(curie, submission, "confirm", **{name: "7", "strengths": "Getippt"})

    assert page.status == 400
    assert page.fields()["strengths"] == "Getippt"
    assert stored(room, submission).state is State.AWAITING_TEACHER


def test_the_engine_can_be_asked_again_until_it_is_released(curie: Visitor, room: Classroom):
    submission = waiting(room)

    page = presses(curie, submission, "again").follow()
    assert "noch einmal automatisch geprüft" in page.text
    assert stored(room, submission).state is State.HANDED_IN

    judged(room, submission.id, 2, 2)
    presses(curie, submission, "confirm")
    assert presses(curie, submission, "again").status == 409


def test_flags_are_said_to_the_teacher_in_words(curie: Visitor, room: Classroom):
    page = desk(curie, waiting(room, flags=tuple(Flag)))

    for words in (
        "verrät vielleicht die Lösung",
        "nicht in der richtigen Sprache",
        "steht vielleicht ein Name",
        "interne Anweisungen",
        "Der Ton der Rückmeldung",
        "fehlen die Texte",
        "Auftrag an die KI",
        "Vielleicht geht es jemandem nicht gut",
        "stehen wörtlich in der Aufgabe",
    ):
        assert words in page.text
    assert page.html.count("<li></li>") == 0


@pytest.mark.parametrize("reason", list(FailureReason))
def test_a_score_that_failed_says_why_and_can_be_sent_again(
    reason: FailureReason, curie: Visitor, room: Classroom
):
    submission = waiting(room)
    presses(curie, submission, "confirm")
    with room.database.begin(room.service) as db:
        db.execute(update(GradeSync).values(state=SyncState.POSTING))
        db.execute(update(GradeSync).values(state=SyncState.FAILED, reason=reason.value))

    page = curie.get("/overview/")
    assert "Nicht übertragen" in page.text
    assert "Der Grund ist nicht bekannt" not in page.text
    path = page.html.split(f"{curie.session_id}")
    send = next(part for part in path if part.startswith("/overview/grades/")).split('"')[0]
    assert "noch einmal auf dem Weg" in curie.post(send).follow().text
    assert "wird übertragen" in curie.get("/overview/").text


def test_a_pupil_comes_to_none_of_these_pages(browsers: Browsers, room: Classroom):
    submission = waiting(room)
    ada = browsers.ada()

    for path in ("/overview/", "/overview/now", f"/overview/work/{submission.id}"):
        assert ada.get(path).status == 403
    assert ada.post(f"/overview/work/{submission.id}/confirm", version="1").status == 403
    assert stored(room, submission).state is State.AWAITING_TEACHER


def test_a_session_that_is_over_gives_a_teacher_back_what_they_typed(
    curie: Visitor, room: Classroom
):
    submission = waiting(room)
    fields = desk(curie, submission).fields() | {"strengths": "Eine lange Würdigung."}
    with room.database.begin(LAUNCH) as db:
        db.execute(update(LaunchSessionRow).values(ended_at=func.now()))

    page = curie.send(f"/overview/work/{submission.id}/confirm", fields)

    assert page.status == 401
    assert "Eine lange Würdigung." in page.text
    assert fields["csrf"] not in page.html
    assert stored(room, submission).state is State.AWAITING_TEACHER
