"""Feedback that is read while it is being written: words only, by its pupil only, for as long as
the work on it lasts."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from feedback_engine.contract import FeedbackDraft, FeedbackRequest, Flag, Told
from feedback_engine.errors import EngineFailed
from lti_tool.content.models import Mode
from lti_tool.core import jobs
from lti_tool.core.db import WORKER
from lti_tool.core.jobs import Claim, Job
from lti_tool.submissions import prose
from lti_tool.submissions.prose import EVERY, Prose, Telling
from tests.classroom import Classroom, FakeEngine, open_classroom
from tests.fakes.school import open_school
from tests.specs import spec
from tests.visitor import Browsers, open_browsers
from tests.workbench import Workbench, open_bench

FIRST = "Du nennst die Energie."


class TellingEngine(FakeEngine):
    """Tells a first sentence; then the test may look around before the draft is there."""

    def __init__(self, meanwhile: Callable[[], None] = lambda: None) -> None:
        super().__init__(2, 2)
        self.meanwhile = meanwhile
        self.told: Told | None = None

    def give_feedback(self, request: FeedbackRequest, *, told: Told | None = None) -> FeedbackDraft:
        self.told = told
        if told is not None:
            told("strengths", FIRST)
        self.meanwhile()
        return super().give_feedback(request)


@pytest.fixture
def engine() -> TellingEngine:
    return TellingEngine()


@pytest.fixture
def bench(database, postgres, engine):
    with open_school() as moodle:
        bench = open_bench(open_classroom(database), moodle, postgres)
        bench.engine = engine
        yield bench


@pytest.fixture
def room(bench: Workbench) -> Classroom:
    return bench.room


@pytest.fixture
def browsers(room: Classroom) -> Browsers:
    return open_browsers(room)


def rows(bench: Workbench) -> int:
    with psycopg.connect(bench.superuser_url) as connection:
        found = connection.execute("SELECT count(*) FROM told_prose").fetchone()
    assert found is not None
    return found[0]


def claimed(room: Classroom) -> Claim:
    with room.database.begin(WORKER) as db:
        held = jobs.claim(db, db.scalars(select(Job.id)).one(), lease=timedelta(minutes=5))
    assert held is not None
    return held


def tells(room: Classroom, held: Claim) -> None:
    with room.database.begin(room.service) as db:
        told = prose.telling(db, room.database.begin, held)
    assert told is not None
    told("strengths", FIRST)


def test_a_pupil_reads_what_is_written_so_far_and_no_level_of_it(
    bench: Workbench, browsers: Browsers, engine: TellingEngine
):
    ada, pages = browsers.ada(), []
    bench.room.ada.hands_in()
    seen = ada.get("/work/").html.split("/work/state?seen=")[1].split('"')[0]
    engine.meanwhile = lambda: pages.extend(
        [ada.get("/work/"), ada.poll(f"/work/state?seen={seen}")]
    )

    bench.works()

    for page in pages:
        assert "KI-Rückmeldung, entsteht gerade" in page.text
        assert f"Das gelingt dir schon {FIRST}" in page.text
        assert 'class="results"' not in page.html
    assert "Deine Rückmeldung entsteht gerade." in pages[1].text
    asked = pages[1].html.split("/work/state?")[1].split('"')[0].replace("&amp;", "&")
    ready = ada.poll(f"/work/state?{asked}")
    words, results = ready.html.index("Das gelingt dir schon"), ready.html.index('class="results"')
    assert words < results  # what was read stays where it is
    assert rows(bench) == 0


def test_news_of_each_sentence_is_news_for_the_page(bench: Workbench, browsers: Browsers):
    room, ada = bench.room, browsers.ada()
    room.ada.hands_in()
    held = claimed(room)
    tells(room, held)
    seen = ada.get("/work/").html.split("/work/state?seen=")[1].split("&")[0]
    assert ada.poll(f"/work/state?seen={seen}").status == 204

    prose._keep(room.database.begin, held, Prose(FIRST, "Erkläre mehr."))

    assert "Erkläre mehr." in ada.poll(f"/work/state?seen={seen}").text


def test_where_the_teacher_looks_first_nothing_is_told(database, postgres):
    engine = TellingEngine()
    with open_school() as moodle:
        bench = open_bench(open_classroom(database, spec(mode=Mode.REVIEWED)), moodle, postgres)
        bench.engine = engine
        bench.room.ada.hands_in()
        engine.meanwhile = lambda: looks.append(rows(bench))
        looks: list[int] = []

        bench.works()

    assert engine.told is None
    assert looks == [0]


def test_nobody_but_the_pupil_reads_it(room: Classroom):
    submission = room.ada.hands_in()
    tells(room, claimed(room))

    def read(actor) -> Prose | None:
        with room.database.begin(actor) as db:
            return prose.told_of(db, submission.id)

    assert read(room.ada.launch.actor) == Prose(FIRST)
    assert [read(room.ben.launch.actor), read(room.curie.actor)] == [None, None]


def test_who_lost_the_job_tells_nothing_more(bench: Workbench, room: Classroom):
    room.ada.hands_in()
    first = claimed(room)
    with psycopg.connect(bench.superuser_url, autocommit=True) as connection:
        connection.execute("UPDATE jobs SET lease_until = now() - interval '1 s'")
    second = claimed(room)
    assert second.token > first.token

    tells(room, first)
    assert rows(bench) == 0

    tells(room, second)
    assert rows(bench) == 1


def test_what_a_failed_try_has_told_is_gone(bench: Workbench, engine: TellingEngine):
    bench.room.ada.hands_in()
    engine.error = EngineFailed("nonsense")
    looks: list[int] = []
    engine.meanwhile = lambda: looks.append(rows(bench))

    bench.works()

    assert looks == [1]
    assert rows(bench) == 0


def test_what_the_whole_gives_reason_to_withhold_is_not_on_the_page_any_more(
    bench: Workbench, browsers: Browsers, engine: TellingEngine
):
    ada = browsers.ada()
    bench.room.ada.hands_in()
    engine.flags = (Flag.SOLUTION_GIVEN_AWAY,)

    bench.works()

    page = ada.get("/work/")
    assert FIRST not in page.text
    assert "Deine Lehrkraft sieht sich deine Abgabe an." in page.text


def test_feedback_does_not_fail_because_it_could_not_be_told(room: Classroom):
    room.ada.hands_in()
    held = claimed(room)

    @contextmanager
    def away(_actor):
        raise OperationalError("", {}, Exception())
        yield

    with room.database.begin(room.service) as db:
        told = prose.telling(db, away, held)
    assert told is not None
    told("strengths", FIRST)


def test_it_is_kept_no_more_often_than_eyes_follow():
    now, kept = [0.0], []
    telling = Telling(kept.append, lambda: now[0])

    for at, name, text in (
        (0.0, "strengths", "Gut."),
        (EVERY / 2, "strengths", "Gut. Sehr gut."),
        (EVERY, "next_step", "Weiter."),
    ):
        now[0] = at
        telling(name, text)

    assert kept == [Prose("Gut."), Prose("Gut. Sehr gut.", "Weiter.")]
