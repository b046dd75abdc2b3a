"""Two transactions wait for each other and PostgreSQL ends one of them: that one is begun anew as a
whole, nobody notices, and what goes out to others goes out once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError

from lti_tool import flows, invariants
from lti_tool.core.db import WORKER, Database, acting_as
from lti_tool.core.jobs import Job, JobKind, JobState
from lti_tool.core.retries import TRIES
from lti_tool.grades.models import SyncState
from lti_tool.submissions import review
from lti_tool.submissions.models import Submission
from lti_tool.submissions.states import State
from tests.classroom import ANSWER, Classroom, open_classroom
from tests.entrance import open_house
from tests.fakes.school import open_school
from tests.faults.web import url_of, wait_until
from tests.uploads.photos import ids, photo, sends
from tests.visitor import open_browsers, value
from tests.workbench import Workbench, open_bench

# Whoever writes takes the second lock, sleeps until somebody else, who holds the first, wants the
# second, and then wants the first.
CROSSES = """
  PERFORM pg_advisory_xact_lock(36, 2);
  WHILE EXISTS (SELECT FROM pg_locks WHERE classid = 36 AND objid = 1 AND granted)
    AND NOT EXISTS (SELECT FROM pg_locks WHERE classid = 36 AND objid = 2 AND NOT granted)
  LOOP PERFORM pg_sleep(0.01); END LOOP;
  PERFORM pg_advisory_xact_lock(36, 1)"""
TAKEN = "SELECT FROM pg_locks WHERE classid = 36 AND objid = 2 AND granted"


@pytest.fixture
def room(database: Database) -> Classroom:
    return open_classroom(database)


@pytest.fixture
def bench(room: Classroom, postgres) -> Iterator[Workbench]:
    with open_school() as site:
        yield open_bench(room, site, postgres)


@pytest.fixture
def superuser(postgres) -> str:
    return postgres.superuser_url.replace("+psycopg", "")


@contextmanager
def whoever(superuser: str, writes: str, what: str, only: str = "true") -> Iterator[None]:
    """Meanwhile this happens to whoever writes ("INSERT ON drafts") rows of which `only` is so."""
    with psycopg.connect(superuser, autocommit=True) as db:
        db.execute("CREATE SEQUENCE tries; GRANT USAGE ON SEQUENCE tries TO PUBLIC")
        db.execute(
            "CREATE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN {what}; RETURN NEW; END $$"
        )
        db.execute(
            f"CREATE TRIGGER fault BEFORE {writes} FOR EACH ROW WHEN ({only})"
            " EXECUTE FUNCTION fault()"
        )
        try:
            yield
        finally:
            db.execute("DROP FUNCTION fault CASCADE; DROP SEQUENCE tries")


@contextmanager
def crossed(superuser: str, writes: str, only: str = "true") -> Iterator[None]:
    """Meanwhile somebody's locks cross with those of whoever writes, once."""

    def other() -> None:
        with psycopg.connect(superuser) as db:
            db.execute("SET deadlock_timeout = '1min'")  # so that it is the writer who is ended
            db.execute("SELECT pg_advisory_xact_lock(36, 1)")
            holds.append(1)
            wait_until(lambda: db.execute(TAKEN).fetchall())
            db.execute("SELECT pg_advisory_xact_lock(36, 2)")

    holds: list[int] = []
    with whoever(superuser, writes, CROSSES, only), ThreadPoolExecutor(1) as beside:
        crossing = beside.submit(other)
        wait_until(lambda: holds)
        yield
        crossing.result()  # it got the second lock: the writer has let go of it


def gives_way(times: int, code: str = "40P01") -> str:
    """So often; a sequence counts what is rolled back, too."""
    return f"IF nextval('tries') <= {times} THEN RAISE 'no luck' USING ERRCODE = '{code}'; END IF"


def kept(room: Classroom) -> list[str]:
    with room.database.begin(room.service) as db:
        return list(db.scalars(select(Submission.answer)))


def holds(room: Classroom) -> None:
    assert invariants.check(room.database.begin, [room.school.platform_id]) == []


def test_flt_36_a_pupil_does_not_notice_that_locks_have_crossed(room: Classroom, superuser: str):
    rung: list[tuple[str, UUID]] = []
    bell = Database(
        url_of(room.database),
        handlers=flows.HANDLERS,
        ring=lambda kind, job_id: rung.append((kind, job_id)),
    )
    ada = open_browsers(replace(room, database=bell)).ada()
    page = ada.get("/work/")
    form = {name: value(page, name) for name in ("client_key", "attempt")}

    with crossed(superuser, "INSERT ON submissions"):
        answer = ada.post("/work/", text=ANSWER, **form)

    assert answer.status == 303
    assert "Abgegeben um" in answer.follow().text
    assert kept(room) == [ANSWER]
    with room.database.begin(WORKER) as db:
        jobs = [(job.kind.value, job.id) for job in db.scalars(select(Job))]
    assert rung == jobs
    assert len(jobs) == 1
    bell.close()


def test_flt_36_who_launches_gets_one_session(database: Database, superuser: str):
    house = open_house(database)

    with crossed(superuser, "INSERT ON launch_sessions"):
        answer = house.browser().launches()

    assert answer.status_code == 303
    with psycopg.connect(superuser) as db:
        assert db.execute("SELECT count(*) FROM launch_sessions").fetchone() == (1,)


def test_flt_36_a_photo_is_decoded_and_kept_once(room: Classroom, superuser: str):
    """Its file lies outside of the transaction, which alone is begun anew."""
    browsers = open_browsers(room)
    ada = browsers.ada()

    with crossed(superuser, "INSERT ON attachments"):
        assert sends(ada, ("blatt.jpg", photo())).status == 303

    assert len(ids(ada.get("/work/"))) == 1
    files = browsers.app.extensions["uploads"].lab.files
    assert len(list(files.list(""))) == 1


def test_flt_36_what_a_model_wrote_is_not_asked_for_again(bench: Workbench, superuser: str):
    bench.room.ada.hands_in()

    with crossed(superuser, "INSERT ON feedbacks"):
        bench.works()

    assert len(bench.engine.asked) == 1
    job = bench.job(JobKind.GIVE_FEEDBACK)
    assert (job.state, job.attempts) == (JobState.DONE, 1)
    newest = bench.room.ada.sees().newest
    assert newest.state is State.RELEASED
    with bench.room.database.begin(bench.room.curie.actor) as db:
        assert len(review.versions(db, newest)) == 1
    holds(bench.room)


def test_flt_36_a_score_goes_out_once(bench: Workbench, superuser: str):
    bench.room.ada.hands_in()
    bench.works()

    with crossed(superuser, "UPDATE ON grade_syncs", "NEW.state = 'posted'"):
        bench.works()

    assert len(bench.moodle.moodle.received) == 1
    assert bench.job(JobKind.POST_SCORE).attempts == 1
    assert bench.sync().state is SyncState.POSTED
    holds(bench.room)


@pytest.mark.parametrize("code", ["40P01", "40001"])
def test_flt_36_five_times_and_no_more(room: Classroom, superuser: str, code: str):
    """Then the page says that nothing is sure, and the same form settles it."""
    ada = open_browsers(room).ada()
    page = ada.get("/work/")
    form = {name: value(page, name) for name in ("client_key", "attempt")} | {"text": ANSWER}

    with whoever(superuser, "INSERT ON submissions", gives_way(TRIES, code)):
        assert ada.post("/work/", **form).status == 503
        assert kept(room) == []
        assert ada.post("/work/", **form).status == 303  # the sixth

    assert TRIES == 5
    assert kept(room) == [ANSWER]


def test_flt_36_who_acts_for_another_at_that_moment_is_no_exception(
    room: Classroom, superuser: str
):
    """PostgreSQL takes no more orders then, not even that we act for ourselves again."""

    def gives_way_as_the_service() -> None:
        with room.database.begin(WORKER) as db, acting_as(db, room.service):
            db.execute(text("DO $$ BEGIN RAISE 'no luck' USING ERRCODE = '40P01'; END $$"))

    with pytest.raises(OperationalError):
        gives_way_as_the_service()


def test_flt_36_a_job_for_which_it_never_ends_costs_a_try(bench: Workbench, superuser: str):
    """So that it comes before a teacher in the end."""
    bench.room.ada.hands_in()

    with (
        whoever(superuser, "INSERT ON feedbacks", gives_way(TRIES)),
        pytest.raises(OperationalError),
    ):
        bench.works()

    job = bench.job(JobKind.GIVE_FEEDBACK)
    assert (job.state, job.attempts) == (JobState.WAITING, 1)
    bench.a_while_passes(60)
    bench.works()
    assert bench.room.ada.sees().newest.state is State.RELEASED
    holds(bench.room)
