"""The worker as a process of its own, killed and stopped in the middle of its work."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import select

from lti_tool.core.db import WORKER
from lti_tool.core.jobs import Job, JobKind, JobState
from lti_tool.submissions import drafts, review, service
from lti_tool.submissions.drafts import Typed
from lti_tool.submissions.states import State
from tests.classroom import Classroom, open_classroom
from tests.entrance import SECRET, TOOL
from tests.fakes.ollama import FakeOllama, Mode

ROOT = Path(__file__).parents[1]
MODEL = "gemma3:12b"


@pytest.fixture
def ollama() -> Iterator[FakeOllama]:
    with FakeOllama({MODEL: "sha256:" + "0" * 64}) as fake:
        yield fake


@pytest.fixture
def room(database) -> Classroom:
    return open_classroom(database)


@pytest.fixture
def leases_run_out(postgres) -> Iterator[Callable[[], None]]:
    url = postgres.superuser_url.replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as connection:
        yield lambda: connection.execute(
            "UPDATE jobs SET lease_until = now() - interval '1 s' WHERE lease_until IS NOT NULL"
        )


@contextmanager
def worker(room: Classroom, ollama: FakeOllama, **more: str) -> Iterator[subprocess.Popen[bytes]]:
    environment = {
        "PATH": os.environ["PATH"],
        "GUSTAV_BASE_URL": TOOL,
        "GUSTAV_SECRET_KEY": SECRET,
        "GUSTAV_DATABASE_URL": room.database.engine.url.render_as_string(hide_password=False),
        "GUSTAV_ENGINE": "ollama",
        "GUSTAV_MODEL_HOST": ollama.url,
        "GUSTAV_MODEL_NAME": MODEL,
        "GUSTAV_SWEEP_EVERY": "0.2",
        **more,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "lti_tool.cli", "worker"], env=environment, cwd=ROOT
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def wait_for(what: Callable[[], object]) -> None:
    deadline = time.monotonic() + 40
    while not what():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.1)


def job(room: Classroom) -> Job:
    with room.database.begin(WORKER) as db:
        return db.scalars(select(Job).where(Job.kind == JobKind.GIVE_FEEDBACK)).one()


def versions(room: Classroom) -> int:
    with room.database.begin(room.curie.actor) as db:
        newest = service.find(db, room.curie, room.ada.sees().newest.id)
        return len(review.versions(db, newest))


def test_a_worker_deletes_drafts_that_are_over(
    room: Classroom, ollama: FakeOllama, postgres, tmp_path: Path
):
    for pupil, text in ((room.ada, "Vom letzten Jahr"), (room.ben, "Von gestern")):
        with room.database.begin(pupil.launch.actor) as db:
            drafts.save(db, pupil.launch, Typed(text, 0, uuid4()))
    with psycopg.connect(postgres.superuser_url.replace("+psycopg", "")) as superuser:
        superuser.execute(
            "UPDATE drafts SET saved_at = now() - interval '31 days' WHERE text LIKE '%Jahr'"
        )

    with worker(room, ollama, GUSTAV_FILES=str(tmp_path)):
        wait_for(lambda: room.ada.sees().draft is None)

    assert room.ben.sees().draft is not None


def test_a_worker_killed_while_the_model_thinks_costs_nothing_but_time(
    room: Classroom, ollama: FakeOllama, leases_run_out
):
    """FLT-17."""
    ollama.mode = Mode.SILENT
    room.ada.hands_in()
    with worker(room, ollama) as first:
        wait_for(lambda: job(room).state is JobState.WORKING)
        first.send_signal(signal.SIGKILL)
        first.wait()
    assert room.ada.sees().newest.state is State.HANDED_IN

    ollama.mode = Mode.WELL
    leases_run_out()
    with worker(room, ollama):
        wait_for(lambda: room.ada.sees().newest.state is State.RELEASED)

    assert versions(room) == 1
    assert (job(room).state, job(room).attempts) == (JobState.DONE, 2)


def test_a_worker_that_was_frozen_past_its_lease_does_not_write_a_second_result(
    room: Classroom, ollama: FakeOllama, leases_run_out
):
    """FLT-21."""
    ollama.mode = Mode.SILENT
    room.ada.hands_in()
    with worker(room, ollama) as frozen:
        wait_for(lambda: ollama.asked)
        frozen.send_signal(signal.SIGSTOP)
        ollama.mode = Mode.WELL
        leases_run_out()
        with worker(room, ollama):
            wait_for(lambda: room.ada.sees().newest.state is State.RELEASED)
        frozen.send_signal(signal.SIGCONT)
        frozen.send_signal(signal.SIGTERM)
        frozen.wait(timeout=60)

    assert versions(room) == 1
    assert job(room).state is JobState.DONE


def test_a_worker_asked_to_stop_ends_in_order(room: Classroom, ollama: FakeOllama):
    with worker(room, ollama) as process:
        room.ada.hands_in()
        wait_for(lambda: room.ada.sees().newest.state is State.RELEASED)
        process.send_signal(signal.SIGTERM)

        assert process.wait(timeout=30) == 0


def test_a_worker_asked_to_stop_finishes_what_it_has_begun(room: Classroom, ollama: FakeOllama):
    """FLT-23."""
    ollama.pause_before = 0.5
    room.ada.hands_in()
    with worker(room, ollama) as process:
        wait_for(lambda: ollama.asked)
        process.send_signal(signal.SIGTERM)

        assert process.wait(timeout=40) == 0

    assert room.ada.sees().newest.state is State.RELEASED


def test_a_deploy_in_the_middle_of_a_lesson_loses_nothing(room: Classroom, ollama: FakeOllama):
    """FLT-23: what takes longer than the grace time is handed back, and costs no try."""
    ollama.mode = Mode.SILENT
    room.ada.hands_in()
    room.ben.hands_in()
    with worker(room, ollama, GUSTAV_WORKER_GRACE="0.5") as old:
        wait_for(lambda: len(ollama.asked) == 2)
        old.send_signal(signal.SIGTERM)

        assert old.wait(timeout=20) == 0

    with room.database.begin(WORKER) as db:
        handed_back = db.scalars(select(Job).where(Job.kind == JobKind.GIVE_FEEDBACK)).all()
    assert [(j.state, j.attempts) for j in handed_back] == [(JobState.WAITING, 0)] * 2
    ollama.mode = Mode.WELL
    with worker(room, ollama):
        wait_for(lambda: room.ada.sees().newest.state is State.RELEASED)
        wait_for(lambda: room.ben.sees().newest.state is State.RELEASED)
    assert versions(room) == 1


def test_a_host_that_is_down_costs_no_try_because_another_does_the_work(
    room: Classroom, ollama: FakeOllama
):
    """FLT-47."""
    nobody = "http://127.0.0.1:1"
    pupils = [room.ada, room.ben, room.joins("Carl Cyan")]
    for pupil in pupils:
        pupil.hands_in()
    with worker(room, ollama, GUSTAV_MODEL_HOST=f"{nobody}, {ollama.url}"):
        for pupil in pupils:
            wait_for(lambda pupil=pupil: pupil.sees().newest.state is State.RELEASED)

    with room.database.begin(WORKER) as db:
        done = db.scalars(select(Job).where(Job.kind == JobKind.GIVE_FEEDBACK)).all()
    assert {(j.state, j.attempts, j.host) for j in done} == {(JobState.DONE, 1, ollama.url)}


def test_a_job_that_kills_every_worker_goes_to_the_teacher_and_others_go_on(
    room: Classroom, ollama: FakeOllama, leases_run_out
):
    """FLT-22: tries are counted in PostgreSQL, so they outlive the workers."""
    ollama.mode = Mode.SILENT
    poison = room.ada.hands_in()
    for _ in range(3):
        ollama.asked.clear()
        with worker(room, ollama) as process:
            wait_for(lambda: ollama.asked)
            process.send_signal(signal.SIGKILL)
            process.wait()
        leases_run_out()
    ollama.mode = Mode.WELL
    room.ben.hands_in()
    with worker(room, ollama):
        wait_for(lambda: room.ben.sees().newest.state is State.RELEASED)
        wait_for(lambda: room.ada.sees().newest.state is State.NEEDS_TEACHER)

    assert room.ada.sees().newest.id == poison.id
    assert room.ada.sees().newest.needs_teacher_reason == "engine_failed"


def test_the_model_really_wrote_the_feedback_that_is_shown(room: Classroom, ollama: FakeOllama):
    room.ada.hands_in()
    with worker(room, ollama):
        wait_for(lambda: room.ada.sees().newest.state is State.RELEASED)

    shown = room.ada.sees().newest.feedback
    assert (shown.engine, shown.model) == ("ollama", MODEL)
    assert shown.model_digest
    assert all(result.quote in room.ada.sees().newest.answer for result in shown.results)


def test_a_missing_model_keeps_the_answer_waiting_and_says_so(room: Classroom, ollama: FakeOllama):
    ollama.mode = Mode.NO_MODEL
    room.ada.hands_in()
    with worker(room, ollama):
        wait_for(lambda: job(room).last_error)

    waiting = room.ada.sees()
    assert waiting.newest.state is State.HANDED_IN
    assert waiting.newest.feedback is None
    assert job(room).attempts == 0
