"""Faults of worker and queue in one process: a death at a given step, bells too many or none."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from feedback_engine.errors import EngineUnavailable
from lti_tool.core import dispatch, hosts, jobs
from lti_tool.core.db import WORKER, Actor
from lti_tool.core.dispatcher import Dispatcher
from lti_tool.core.hosts import Host, LaneBook
from lti_tool.core.jobs import Job, JobKind, JobState
from lti_tool.flows import Workshop
from lti_tool.submissions import review, service
from lti_tool.submissions.models import Submission
from lti_tool.submissions.states import State
from tests.classroom import Classroom, open_classroom
from tests.fakes.school import open_school
from tests.test_worker_process import wait_for
from tests.workbench import Workbench, open_bench

HOST = Host("http://gpu-1:11434", 2)
MODELS = {JobKind.READ_PAGES: "", JobKind.GIVE_FEEDBACK: "gemma3:12b"}
RULES = dispatch.Rules(lease=timedelta(minutes=1), age_limit=timedelta(minutes=2))


class Killed(BaseException):
    """The process is gone from one step to the next."""


@pytest.fixture
def room(database) -> Classroom:
    return open_classroom(database)


@pytest.fixture
def bench(room: Classroom, postgres) -> Iterator[Workbench]:
    with open_school() as site:
        yield open_bench(room, site, postgres)


def job_of(room: Classroom, submission: Submission) -> UUID:
    with room.database.begin(WORKER) as db:
        return db.scalars(select(Job.id).where(Job.subject_id == submission.id)).one()


def versions(room: Classroom, submission: Submission) -> int:
    with room.database.begin(room.curie.actor) as db:
        return len(review.versions(db, service.find(db, room.curie, submission.id)))


def dying(bench: Workbench, *, committed: bool) -> Workshop:
    """A worker that dies in the transaction that keeps the engine's answer, before or after its
    commit."""

    @contextmanager
    def begin(actor: Actor) -> Iterator[Session]:
        with bench.room.database.begin(actor) as db:
            yield db
            keeps = bench.engine.asked and actor.platform_id is not None
            if keeps and not committed:
                raise Killed
        if keeps and committed:
            raise Killed

    return replace(bench.workshop(), begin=begin)


@pytest.mark.parametrize(("committed", "asked"), [(False, 2), (True, 1)])
def test_a_death_around_the_commit_of_an_answer_leaves_one_result(
    room: Classroom, bench: Workbench, committed: bool, asked: int
):
    """FLT-18, FLT-19: before it the model is asked again, after it nobody is."""
    submission = room.ada.hands_in()
    job_id = job_of(room, submission)
    with pytest.raises(Killed):
        dying(bench, committed=committed).do(job_id)

    bench.a_while_passes(600)
    bench.workshop().do(job_id)  # the bell comes again

    assert (versions(room, submission), len(bench.engine.asked)) == (1, asked)
    assert room.ada.sees().newest.state is State.RELEASED


def test_a_bell_that_rings_ten_times_at_once_and_ever_again_gives_one_result(
    room: Classroom, bench: Workbench
):
    """FLT-20."""
    submissions = [room.ada.hands_in(), room.ben.hands_in()]
    bells = [job_of(room, one) for one in submissions] * 10

    with ThreadPoolExecutor(6) as workers:
        list(workers.map(bench.workshop().do, reversed(bells)))
    for bell in bells:
        bench.workshop().do(bell)

    assert [versions(room, one) for one in submissions] == [1, 1]
    assert len(bench.engine.asked) == 2


@pytest.mark.parametrize("minutes", [-10, 10])
def test_clocks_that_differ_do_not_matter_to_leases(
    room: Classroom, bench: Workbench, minutes: int
):
    """FLT-30: only the database's clock says when a lease has run out."""
    submission = room.ada.hands_in()
    with room.database.begin(WORKER) as db:
        held = jobs.claim(db, job_of(room, submission), lease=timedelta(minutes=5))
    assert held is not None

    bench.moodle.clock.now += timedelta(minutes=minutes)
    bench.workshop().do(held.job_id)

    assert bench.engine.asked == []
    with room.database.begin(room.service) as db:
        jobs.renew(db, held, lease=timedelta(minutes=5))


def test_jobs_that_failed_together_do_not_come_back_together(room: Classroom, bench: Workbench):
    """FLT-32."""
    bench.engine.error = EngineUnavailable("no answer")
    pupils = [room.ada, room.ben, *(room.joins(f"Kind {n}") for n in range(6))]
    for pupil in pupils:
        pupil.hands_in()

    bench.works()

    with room.database.begin(WORKER) as db:
        waits = list(db.scalars(select(Job.ready_at - Job.started_at)))
    assert len(waits) == len(pupils)
    assert max(waits) - min(waits) > timedelta(seconds=1)
    assert min(waits) >= timedelta(seconds=30)


@pytest.fixture
def dispatcher(room: Classroom, bench: Workbench) -> Dispatcher:
    """The real one, which nobody rings for."""
    begin = room.database.begin
    with begin(WORKER) as db:
        hosts.announce(db, HOST, MODELS)
    shop = replace(bench.workshop(), lane=LaneBook(begin, HOST, MODELS))
    return Dispatcher(
        [HOST],
        lambda host: dispatch.take(begin, host, MODELS, RULES),
        lambda _, claim: shop.work(claim),
        timedelta(seconds=0.05),
    )


def test_without_any_bell_everything_is_done(room: Classroom, dispatcher: Dispatcher):
    """FLT-24, FLT-25: what Redis has forgotten is in the rows."""
    pupils = [room.ada, room.ben, *(room.joins(f"Kind {n}") for n in range(10))]
    with dispatcher.running(timedelta(seconds=10)):
        submissions = [pupil.hands_in() for pupil in pupils]
        wait_for(lambda: all(p.sees().newest.state is State.RELEASED for p in pupils))

    assert [versions(room, one) for one in submissions] == [1] * len(pupils)


def test_who_is_asked_to_stop_begins_nothing_more(
    room: Classroom, bench: Workbench, dispatcher: Dispatcher
):
    """FLT-23."""
    with dispatcher.running(timedelta(seconds=10)):
        pass
    room.ada.hands_in()
    dispatcher.ring()

    with room.database.begin(WORKER) as db:
        assert db.scalars(select(Job)).one().state is JobState.WAITING


def test_an_error_nobody_foresaw_costs_a_try_and_not_the_slot(
    room: Classroom,
    bench: Workbench,
    dispatcher: Dispatcher,
):
    bench.engine.error = ZeroDivisionError()
    room.ada.hands_in()

    def failed() -> Job:
        with room.database.begin(WORKER) as db:
            return db.scalars(select(Job).where(Job.last_error.is_not(None))).one_or_none()

    with dispatcher.running(timedelta(seconds=10)):
        wait_for(failed)
        assert (failed().state, failed().attempts) == (JobState.WAITING, 1)
        bench.engine.error = None
        room.ben.hands_in()
        wait_for(lambda: room.ben.sees().newest.state is State.RELEASED)
