"""A lease lives as long as its holder works, and ends with it."""

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from uuid import UUID

import psycopg
import pytest
from uuid_utils.compat import uuid7

from lti_tool.core import jobs
from lti_tool.core.db import WORKER, Database, service_of
from lti_tool.core.jobs import Claim, Job, JobKind, JobState, LeaseLost
from lti_tool.core.leases import Leases
from tests.school import found_school

LEASE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


@pytest.fixture
def platform_id(database: Database) -> UUID:
    return found_school(database, "https://moodle.schule.example").platform_id


@pytest.fixture
def nearly_over(postgres) -> Iterator[Callable[[], object]]:
    """Every lease ends in a second."""
    url = postgres.superuser_url.replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as connection:
        yield lambda: connection.execute(
            "UPDATE jobs SET lease_until = now() + interval '1 s' WHERE lease_until IS NOT NULL"
        )


def begun(database: Database, platform_id: UUID) -> Claim:
    subject = uuid7()
    with database.begin(service_of(platform_id)) as db:
        jobs.enqueue(db, JobKind.GIVE_FEEDBACK, platform_id=platform_id, subject_id=subject)
    with database.begin(WORKER) as db:
        job_id = next(job_id for _, job_id in jobs.ready(db))
        claim = jobs.claim(db, job_id, lease=LEASE)
    assert claim is not None
    return claim


def seconds_left(postgres, claim: Claim) -> float:
    url = postgres.superuser_url.replace("+psycopg", "")
    asked = "SELECT extract(epoch FROM lease_until - now()) FROM jobs WHERE id = %s"
    with psycopg.connect(url) as connection:
        return float(connection.execute(asked, [claim.job_id]).fetchone()[0])


def job(database: Database, claim: Claim) -> Job:
    with database.begin(WORKER) as db:
        return db.get_one(Job, claim.job_id)


def test_a_long_generation_keeps_its_lease(database, platform_id, postgres, nearly_over):
    """FLT-17: the lease is 60 s, so a dead worker is noticed; a living one renews it."""
    leases = Leases(database.begin, lease=LEASE, longest=HOUR)
    claim = begun(database, platform_id)

    with leases.holding(claim):
        nearly_over()
        leases.renew()

    assert seconds_left(postgres, claim) > 30


def test_what_is_worked_on_no_more_is_not_kept(database, platform_id, postgres, nearly_over):
    leases = Leases(database.begin, lease=LEASE, longest=HOUR)
    claim = begun(database, platform_id)

    with leases.holding(claim):
        nearly_over()
    leases.renew()

    assert seconds_left(postgres, claim) < 30


def test_a_job_that_hangs_is_left_to_others(database, platform_id, postgres, nearly_over):
    """FLT-31: a thread that never comes back must not keep its job for ever."""
    leases = Leases(database.begin, lease=LEASE, longest=timedelta(0))
    claim = begun(database, platform_id)

    with leases.holding(claim):
        nearly_over()
        leases.renew()

    assert seconds_left(postgres, claim) < 30


def test_a_lease_that_was_taken_over_is_not_renewed_by_its_old_holder(
    database, platform_id, postgres, nearly_over
):
    """FLT-21."""
    leases = Leases(database.begin, lease=HOUR, longest=HOUR)
    old = begun(database, platform_id)
    with database.begin(service_of(platform_id)) as db:
        jobs.wait_again(db, old, "EngineFailed", after=timedelta(0))
    with database.begin(WORKER) as db:
        assert jobs.claim(db, old.job_id, lease=LEASE) is not None

    with leases.holding(old):
        leases.renew()
        assert leases.hand_back() == 0

    assert seconds_left(postgres, old) <= LEASE.total_seconds()
    assert job(database, old).state is JobState.WORKING


def test_what_is_handed_back_waits_as_if_it_had_not_been_begun(database, platform_id):
    """FLT-23."""
    leases = Leases(database.begin, lease=LEASE, longest=HOUR)
    claim = begun(database, platform_id)

    with leases.holding(claim):
        assert leases.hand_back() == 1

    left = job(database, claim)
    assert (left.state, left.attempts, left.last_error) == (JobState.WAITING, 0, None)
    with pytest.raises(LeaseLost), database.begin(service_of(platform_id)) as db:
        jobs.finish(db, claim)
    with database.begin(WORKER) as db:
        again = jobs.claim(db, claim.job_id, lease=LEASE)
    assert again is not None
    assert again.token > claim.token


def test_a_thread_renews_while_the_model_thinks(database, platform_id, nearly_over):
    leases = Leases(database.begin, lease=timedelta(seconds=0.4), longest=HOUR)
    claim = begun(database, platform_id)
    before = job(database, claim).lease_until

    with leases.kept(), leases.holding(claim):
        for _ in range(200):
            if job(database, claim).lease_until < before:
                break
            threading.Event().wait(0.05)

    assert job(database, claim).lease_until < before  # now by the short lease, not the first one
