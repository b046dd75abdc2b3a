"""Until when one may hand in: the server's clock, a minute's grace, and nothing lost after that."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy.exc import ProgrammingError

from lti_tool.core.clock import utc_now
from lti_tool.submissions import assessment, deadlines, service
from lti_tool.submissions.deadlines import is_over
from lti_tool.submissions.models import TECHNICAL
from lti_tool.submissions.service import Answer, HandedIn, Problem
from tests.classroom import Classroom, Pupil, open_classroom, task_of
from tests.specs import FOTOSYNTHESE
from tests.visitor import Browsers, open_browsers

UNTIL = datetime(2026, 11, 27, 13, 0, tzinfo=UTC)


@pytest.fixture
def room(database) -> Classroom:
    return open_classroom(database)


@pytest.fixture
def browsers(room: Classroom) -> Browsers:
    return open_browsers(room)


def closes(room: Classroom, until: datetime | None, person_id: UUID | None = None) -> None:
    with room.database.begin(room.curie.actor) as db:
        deadlines.set_deadline(db, room.curie, until, person_id)


def hands_in(pupil: Pupil, began: datetime, key: UUID | None = None) -> HandedIn:
    answer = Answer("Licht gibt Energie.", key or uuid4(), 1, began=began)
    with pupil.database.begin(pupil.launch.actor) as db:
        return service.hand_in(db, pupil.launch, task_of(db, pupil.launch), answer)


@pytest.mark.parametrize(
    ("until", "began", "over"),
    [
        (None, UNTIL, False),
        (UNTIL, UNTIL - timedelta(hours=1), False),
        (UNTIL, UNTIL + timedelta(seconds=60), False),
        (UNTIL, UNTIL + timedelta(seconds=60, microseconds=1), True),
    ],
)
def test_a_minute_of_grace(until: datetime | None, began: datetime, over: bool) -> None:
    assert is_over(until, began) is over


def test_what_began_in_time_is_taken_however_long_it_took(room: Classroom):
    """FLT-72: by the time the answer is here, the deadline is long over."""
    until = utc_now() - timedelta(hours=1)
    closes(room, until)

    assert hands_in(room.ada, until + timedelta(seconds=59)).submission is not None


def test_what_began_too_late_stays_as_the_draft(room: Classroom):
    """ATK-110."""
    until = utc_now() - timedelta(minutes=5)
    closes(room, until)

    late = hands_in(room.ada, until + timedelta(seconds=61))

    assert late.problem is Problem.TOO_LATE
    work = room.ada.sees()
    assert (list(work.submissions), work.draft.text) == ([], "Licht gibt Energie.")
    assert (work.closed, work.may_write) == (True, False)


def test_a_resend_after_the_deadline_finds_its_first_sending(room: Classroom):
    key, until = uuid4(), utc_now() - timedelta(hours=1)
    closes(room, until)
    first = hands_in(room.ada, until, key)

    again = hands_in(room.ada, utc_now(), key)

    assert again.submission is not None
    assert again.submission.id == first.submission.id


def test_one_pupil_may_get_longer_and_only_they(room: Classroom):
    closes(room, utc_now() - timedelta(hours=1))
    closes(room, utc_now() + timedelta(hours=1), room.school.ada)

    assert room.ada.sees().may_write
    assert not room.ben.sees().may_write


def test_no_pupil_sets_a_deadline_or_sees_anothers(room: Classroom):
    closes(room, UNTIL, room.school.ada)

    with room.database.begin(room.ben.launch.actor) as db:
        assert deadlines.of_activity(db, room.ben.launch) == []
        deadlines.set_deadline(db, room.ben.launch, None, room.school.ada)
    ben = room.ben.launch
    with pytest.raises(ProgrammingError), room.database.begin(ben.actor) as db:
        deadlines.set_deadline(db, ben, UNTIL, ben.person_id)
    with room.database.begin(room.curie.actor) as db:
        assert [one.until for one in deadlines.of_activity(db, room.curie)] == [UNTIL]


def test_the_page_states_the_deadline_and_its_grace(browsers: Browsers, room: Classroom):
    closes(room, utc_now() + timedelta(hours=2))

    page = browsers.ada().get("/work/")

    assert "Abgabe bis" in page.text
    assert "dann noch 60 Sekunden" in page.text
    assert "<textarea" in page.html


def test_whoever_comes_too_late_is_told_and_keeps_the_text(browsers: Browsers, room: Classroom):
    closes(room, utc_now() - timedelta(minutes=5))
    ada = browsers.ada()

    page = ada.post("/work/", text="Fast fertig.", client_key=str(uuid4()), attempt="1")

    assert page.status == 409
    assert "dein Text kam später an und ist nicht abgegeben" in page.text
    assert "Fast fertig." in page.text
    assert "<textarea" not in page.html
    assert ada.post("/work/draft", text="Fast fertig!", version="0").status == 303
    assert "Fast fertig!" in ada.get("/work/").text


def test_no_clock_but_the_servers_counts(browsers: Browsers, room: Classroom):
    """FLT-14 and ATK-110: whatever a browser claims about the time."""
    closes(room, utc_now() - timedelta(minutes=5))
    long_ago = "2020-01-01T08:00:00Z"
    claims = {"began": long_ago, "submitted_at": long_ago, "until": "2099-01-01T08:00:00Z"}

    page = browsers.ada().post(
        "/work/", text="Fast fertig.", client_key=str(uuid4()), attempt="1", **claims
    )

    assert page.status == 409
    assert list(room.ada.sees().submissions) == []


def test_a_teacher_sets_moves_and_lifts_a_deadline(browsers: Browsers, room: Classroom):
    curie, ada = browsers.curie(), browsers.ada()

    page = curie.post("/overview/deadline", until="2020-03-02T12:30").follow()
    assert "Der ganze Kurs: bis Mo., 2.3.2020, 12:30" in page.text
    assert "Abgeben konnte man bis Mo., 2.3.2020, 12:30." in ada.get("/work/").text

    person = str(room.school.ada)
    page = curie.post("/overview/deadline", until="2099-03-02T12:30", person=person).follow()
    assert "Schüler/in 1: bis Mo., 2.3.2099, 12:30" in page.text
    assert "Abgabe bis Mo., 2.3.2099, 12:30" in ada.get("/work/").text

    curie.post("/overview/deadline")
    page = curie.post("/overview/deadline", person=person).follow()
    assert "Abgegeben werden kann, solange Versuche übrig sind." in page.text


@pytest.mark.parametrize("typed", ["morgen", "2026-13-01T00:00", "0001-01-01T00:00"])
def test_a_time_that_is_none_changes_nothing(browsers: Browsers, room: Classroom, typed: str):
    assert browsers.curie().post("/overview/deadline", until=typed).status == 400


def test_a_deadline_for_somebody_of_another_course_is_refused(browsers: Browsers, room: Classroom):
    page = browsers.curie().post(
        "/overview/deadline", until="2026-11-27T12:00", person=str(uuid4())
    )

    assert page.status == 404


@pytest.mark.parametrize("reason", sorted(TECHNICAL))
def test_a_technical_failure_burns_no_attempt(database, reason: str):
    room = open_classroom(database, replace(FOTOSYNTHESE, max_attempts=1))
    first = room.ada.hands_in()
    assert not room.ada.sees().may_write

    with room.database.begin(room.service) as db:
        assessment.hand_to_teacher(db, first.id, reason)

    assert room.ada.sees().attempts_left == 1
    assert "zählt der Versuch nicht mit" in open_browsers(room).ada().get("/work/").text
    assert room.ada.hands_in("Noch einmal.", 2).attempt == 2
    assert not room.ada.sees().may_write


def test_an_answer_that_a_model_could_not_judge_for_its_content_counts(database):
    room = open_classroom(database, replace(FOTOSYNTHESE, max_attempts=1))
    first = room.ada.hands_in()

    with room.database.begin(room.service) as db:
        assessment.hand_to_teacher(db, first.id, "empty_answer")

    assert not room.ada.sees().may_write


def test_both_pages_show_what_changed_since_the_attempt_before(browsers: Browsers, room: Classroom):
    room.ada.hands_in("Die Pflanze braucht <b>Licht</b>.")
    second = room.ada.hands_in("Die Pflanze nutzt <b>Licht</b>.", 2)

    for page in (
        browsers.ada().get(f"/work/attempts/{second.id}"),
        browsers.curie().get(f"/overview/work/{second.id}"),
    ):
        assert "Was ist anders als in Versuch 1?" in page.text
        assert "[gestrichen:] </span>braucht</del>" in page.html
        assert "[neu:] </span>nutzt</ins>" in page.html
        assert "<b>Licht" not in page.html


def test_the_first_attempt_has_nothing_to_be_compared_with(browsers: Browsers, room: Classroom):
    first = room.ada.hands_in()

    assert "Was ist anders" not in browsers.ada().get(f"/work/attempts/{first.id}").text
