"""The web process killed in the middle of a submission: before its commit, and after it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from lti_tool import invariants
from lti_tool.core.db import WORKER
from lti_tool.core.jobs import Job, JobKind, JobState
from lti_tool.submissions.models import Submission
from tests.classroom import ANSWER, Classroom, open_classroom
from tests.faults.failing import AFTER_COMMIT, BEFORE_COMMIT, TRAP
from tests.faults.web import Pupil, Unanswered, pupils, url_of, wait_until, web

GRANIAN = [
    "-m",
    "granian",
    "--interface",
    "wsgi",
    "--factory",
    "--blocking-threads",
    "5",
    "--no-ws",
    "--log-level",
    "error",
    "--respawn-failed-workers",
    "--respawn-interval",
    "0",
    "tests.faults.failing:build",
    "--port",
]


@pytest.fixture
def room(database) -> Classroom:
    return open_classroom(database)


@pytest.fixture
def trap(tmp_path: Path) -> Path:
    return tmp_path / "trap"


@pytest.fixture
def ada(room: Classroom, trap: Path) -> Iterator[Pupil]:
    with web(url_of(room.database), GRANIAN, **{TRAP: str(trap)}) as (address, _):
        yield pupils(room, address, 1)[0]


def kept(room: Classroom) -> list[str]:
    with room.database.begin(room.service) as db:
        return list(db.scalars(select(Submission.answer)))


def hands_in_into(trap: Path, place: str, ada: Pupil) -> bytes:
    """The submission by which the process dies; returns the form, to send it again."""
    form = ada.form(1)
    trap.write_text(place)
    with pytest.raises(Unanswered):
        ada.browser.sends(form)
    assert not trap.exists()
    wait_until(lambda: ada.browser.get("/health/live").status == 200)
    return form


def test_flt_1_killed_before_the_commit_nothing_is_there_and_the_form_can_be_sent_again(
    room: Classroom, trap: Path, ada: Pupil
):
    """FLT-16, too: whoever kills the process, and whatever for."""
    form = hands_in_into(trap, BEFORE_COMMIT, ada)

    assert kept(room) == []
    assert ANSWER not in ada.page()
    assert ada.browser.sends(form).is_receipt
    assert kept(room) == [ANSWER]


def test_flt_2_killed_after_the_commit_it_is_there_once_and_the_form_finds_it(
    room: Classroom, trap: Path, ada: Pupil
):
    form = hands_in_into(trap, AFTER_COMMIT, ada)

    assert kept(room) == [ANSWER]
    assert ANSWER in ada.page()
    assert ada.browser.sends(form).is_receipt
    assert kept(room) == [ANSWER]
    assert invariants.check(room.database.begin, [room.school.platform_id]) == []


def test_flt_3_killed_between_commit_and_bell_the_work_is_found_without_one(
    room: Classroom, trap: Path, ada: Pupil
):
    hands_in_into(trap, AFTER_COMMIT, ada)

    with room.database.begin(WORKER) as db:
        (job,) = db.scalars(select(Job))
    assert (job.kind, job.state) == (JobKind.GIVE_FEEDBACK, JobState.WAITING)
