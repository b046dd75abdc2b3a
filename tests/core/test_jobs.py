"""The row is the job: claimed once, fenced, swept up when its holder died."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import select
from uuid_utils.compat import uuid7

from lti_tool.core import jobs
from lti_tool.core.db import WORKER, Actor, ActorRole, Database, service_of
from lti_tool.core.jobs import Claim, Job, JobKind, JobState, LeaseLost
from tests.school import found_school

LEASE = timedelta(minutes=5)


@pytest.fixture
def platform_id(database: Database) -> UUID:
    return found_school(database, "https://moodle.schule.example").platform_id


@pytest.fixture
def years_later(postgres) -> Iterator[object]:
    """Every lease has run out, every wait is over."""
    url = postgres.superuser_url.replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as connection:
        yield lambda: connection.execute(
            "UPDATE jobs SET lease_until = lease_until - interval '1 year',"
            " ready_at = ready_at - interval '1 year'"
        )


def enqueue(database: Database, platform_id: UUID, subject: UUID | None = None) -> UUID:
    subject = subject or uuid7()
    with database.begin(service_of(platform_id)) as db:
        jobs.enqueue(db, JobKind.GIVE_FEEDBACK, platform_id=platform_id, subject_id=subject)
        return db.scalars(select(Job.id).where(Job.subject_id == subject)).one()


def claim(database: Database, job_id: UUID) -> Claim | None:
    with database.begin(WORKER) as db:
        return jobs.claim(db, job_id, lease=LEASE)


def state_of(database: Database, job_id: UUID) -> Job:
    with database.begin(WORKER) as db:
        return db.get_one(Job, job_id)


def test_of_many_workers_one_gets_the_job(database, platform_id):
    job_id = enqueue(database, platform_id)

    with ThreadPoolExecutor(8) as workers:
        claims = list(workers.map(lambda _: claim(database, job_id), range(16)))

    assert [c.attempt for c in claims if c is not None] == [1]


def test_one_open_job_per_subject_is_enough(database, platform_id):
    subject = uuid7()

    assert enqueue(database, platform_id, subject) == enqueue(database, platform_id, subject)


def test_the_bell_rings_after_the_commit_and_not_at_all_without_one(postgres, database):
    rung: list[tuple[str, UUID]] = []
    school = found_school(database, "https://moodle.schule.example")
    ringing = Database(postgres.app_url, ring=lambda kind, job_id: rung.append((kind, job_id)))
    subject = uuid7()

    def write(db) -> None:
        jobs.enqueue(db, JobKind.POST_SCORE, platform_id=school.platform_id, subject_id=subject)
        assert rung == []

    def write_and_fail() -> None:
        with ringing.begin(service_of(school.platform_id)) as db:
            write(db)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_and_fail()
    assert rung == []
    with ringing.begin(service_of(school.platform_id)) as db:
        write(db)

    assert [kind for kind, _ in rung] == ["post_score"]
    ringing.close()


def test_a_worker_that_was_thought_dead_may_not_write(database, platform_id, years_later):
    job_id = enqueue(database, platform_id)
    slow = claim(database, job_id)
    years_later()
    quick = claim(database, job_id)
    assert quick is not None
    assert quick.attempt == 2

    with pytest.raises(LeaseLost), database.begin(service_of(platform_id)) as db:
        jobs.finish(db, slow)
    with database.begin(service_of(platform_id)) as db:
        jobs.finish(db, quick)

    assert state_of(database, job_id).state is JobState.DONE


def test_a_renewed_lease_keeps_others_away(database, platform_id, years_later):
    job_id = enqueue(database, platform_id)
    held = claim(database, job_id)
    years_later()
    with database.begin(service_of(platform_id)) as db:
        jobs.renew(db, held, lease=LEASE)

    assert claim(database, job_id) is None


def test_the_sweep_finds_what_waits_and_what_was_left_behind(database, platform_id, years_later):
    waiting, left = enqueue(database, platform_id), enqueue(database, platform_id)
    claim(database, left)
    with database.begin(WORKER) as db:
        assert [job_id for _, job_id in jobs.ready(db)] == [waiting]

    years_later()

    with database.begin(WORKER) as db:
        assert {job_id for _, job_id in jobs.ready(db)} == {waiting, left}


@pytest.mark.parametrize(("counts", "next_attempt"), [(True, 2), (False, 1)])
def test_a_job_waits_again_and_counts_only_what_was_its_own_fault(
    database, platform_id, years_later, counts, next_attempt
):
    job_id = enqueue(database, platform_id)
    held = claim(database, job_id)
    with database.begin(service_of(platform_id)) as db:
        jobs.wait_again(db, held, "EngineFailed", after=timedelta(hours=1), counts=counts)
    assert claim(database, job_id) is None

    years_later()

    assert claim(database, job_id).attempt == next_attempt


def test_a_finished_job_is_finished(database, platform_id):
    job_id = enqueue(database, platform_id)
    held = claim(database, job_id)
    with database.begin(service_of(platform_id)) as db:
        jobs.finish(db, held)

    assert claim(database, job_id) is None


def test_another_platforms_service_sees_no_job_and_changes_none(database, platform_id):
    """ATK-100."""
    job_id = enqueue(database, platform_id)
    held = claim(database, job_id)
    other = found_school(database, "https://andere.schule.example")

    with database.begin(service_of(other.platform_id)) as db:
        assert db.scalars(select(Job)).all() == []
    with pytest.raises(LeaseLost), database.begin(service_of(other.platform_id)) as db:
        jobs.finish(db, held)


def test_without_an_actor_nothing_is_there(database, platform_id):
    enqueue(database, platform_id)

    with database.begin(Actor(ActorRole.LEARNER)) as db:
        assert db.scalars(select(Job)).all() == []
