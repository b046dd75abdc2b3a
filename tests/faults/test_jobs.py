"""Workers that die at the worst moments, and bells that ring too often: one result each."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine

from lti_tool import invariants
from lti_tool.core import jobs
from lti_tool.core.clock import utc_now
from lti_tool.core.db import WORKER
from lti_tool.core.jobs import JobKind, JobState
from lti_tool.submissions import review
from lti_tool.submissions.states import State
from tests.classroom import Classroom, FakeEngine, open_classroom
from tests.fakes.school import School as MoodleSite
from tests.fakes.school import open_school
from tests.workbench import Workbench, open_bench

PAST_THE_LEASE = 10 * 60  # seconds


class Killed(BaseException):
    """As kill -9 looks from inside: nothing that tidies up gets to see it."""


class Deadly(FakeEngine):
    """Takes its worker along, with the answer on its lips; so often, or for ever."""

    def __init__(self, times: int = 10_000) -> None:
        super().__init__()
        self.times = times

    def give_feedback(self, *asked, **told):
        draft = super().give_feedback(*asked, **told)
        self.times -= 1
        if self.times >= 0:
            raise Killed
        return draft


@pytest.fixture
def bench(database, moodle: MoodleSite, postgres) -> Workbench:
    return open_bench(open_classroom(database), moodle, postgres)


@pytest.fixture
def moodle() -> Iterator[MoodleSite]:
    with open_school() as site:
        yield site


def dies(bench: Workbench) -> None:
    with pytest.raises(Killed):
        bench.works()
    bench.a_while_passes(PAST_THE_LEASE)


def versions(bench: Workbench, room: Classroom) -> int:
    with room.database.begin(room.curie.actor) as db:
        return len(review.versions(db, room.ada.sees().newest))


def holds(bench: Workbench) -> None:
    room = bench.room
    assert invariants.check(room.database.begin, [room.school.platform_id]) == []


def test_flt_18_a_worker_that_dies_with_the_answer_in_its_hands_costs_a_second_one(
    bench: Workbench,
):
    bench.engine = Deadly(times=1)
    bench.room.ada.hands_in()

    dies(bench)
    assert bench.room.ada.sees().newest.state is State.HANDED_IN
    bench.works()

    assert len(bench.engine.asked) == 2
    assert versions(bench, bench.room) == 1
    assert bench.job(JobKind.GIVE_FEEDBACK).attempts == 2
    holds(bench)


def test_flt_19_a_bell_for_what_is_done_asks_no_model(bench: Workbench):
    """The worker died between its commit and telling the broker: the bell comes once more."""
    bench.room.ada.hands_in()
    bench.works()
    job_id = bench.job(JobKind.GIVE_FEEDBACK).id

    bench.workshop().do(job_id)

    assert len(bench.engine.asked) == 1
    assert versions(bench, bench.room) == 1
    holds(bench)


def test_flt_20_bells_ten_times_and_in_any_order_are_one_result_each(bench: Workbench):
    bench.room.ada.hands_in()
    bench.room.ben.hands_in()
    with bench.room.database.begin(WORKER) as db:
        bells = [job_id for _, job_id in jobs.ready(db)] * 10
    random.Random(20).shuffle(bells)

    for job_id in bells:
        bench.workshop().do(job_id)

    assert len(bench.engine.asked) == 2
    assert versions(bench, bench.room) == 1
    holds(bench)


def test_flt_22_a_job_that_kills_every_worker_ends_with_the_teacher_and_others_go_on(
    bench: Workbench,
):
    """Counted in PostgreSQL: nobody who dies can count."""
    bench.engine = Deadly()
    poison = bench.room.ada.hands_in()
    for _ in range(3):
        dies(bench)
    asked = len(bench.engine.asked)

    bench.works()

    seen = bench.room.ada.sees().newest
    assert (seen.id, seen.state) == (poison.id, State.NEEDS_TEACHER)
    assert seen.needs_teacher_reason == "engine_failed"
    assert len(bench.engine.asked) == asked
    bench.engine = FakeEngine()
    bench.room.ben.hands_in()
    bench.works()
    assert bench.room.ben.sees().newest.state is State.RELEASED
    holds(bench)


@pytest.mark.parametrize("minutes", [-10, 10])
def test_flt_30_a_worker_whose_clock_is_wrong_takes_nobodys_job(bench: Workbench, minutes: int):
    """Leases are measured by the database's clock alone."""
    bench.room.ada.hands_in()
    job_id = bench.job(JobKind.GIVE_FEEDBACK).id

    fast, slow = (utc_now() + sign * timedelta(minutes=minutes) for sign in (1, -1))
    with time_machine.travel(fast), bench.room.database.begin(WORKER) as db:
        held = jobs.claim(db, job_id, lease=timedelta(minutes=5))
        assert held is not None
        assert held.waited < timedelta(minutes=1)
    with time_machine.travel(slow), bench.room.database.begin(WORKER) as db:
        assert jobs.claim(db, job_id, lease=timedelta(minutes=5)) is None

    assert bench.job(JobKind.GIVE_FEEDBACK).state is JobState.WORKING
