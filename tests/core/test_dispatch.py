"""Jobs on their way to model hosts, in a real PostgreSQL: slots, turns, hosts that fail."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import select
from uuid_utils.compat import uuid7

from lti_tool.core import hosts, jobs
from lti_tool.core.db import WORKER, Database, service_of
from lti_tool.core.dispatch import Rules, take
from lti_tool.core.hosts import OPENS_AFTER, Host, LaneBook, LaneRow
from lti_tool.core.jobs import Claim, JobKind, Line
from lti_tool.core.lanes import Urgency
from tests.school import found_school

READ, JUDGE = JobKind.READ_PAGES, JobKind.GIVE_FEEDBACK
MODELS = {READ: "qwen2.5vl:7b", JUDGE: "gemma3:12b"}
RULES = Rules(lease=timedelta(minutes=1), age_limit=timedelta(minutes=2))
BIG, SMALL = uuid7(), uuid7()  # courses


@pytest.fixture
def platform_id(database: Database) -> UUID:
    return found_school(database, "https://moodle.schule.example").platform_id


@pytest.fixture
def host(database: Database) -> Host:
    return announced(database, Host("http://gpu-1:11434", 3))


@pytest.fixture
def ask(postgres) -> Iterator[Callable[..., object]]:
    url = postgres.superuser_url.replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection.execute


def announced(database: Database, host: Host) -> Host:
    with database.begin(WORKER) as db:
        hosts.announce(db, host, MODELS)
    return host


def waits(
    database: Database,
    platform_id: UUID,
    kind: JobKind = JUDGE,
    urgency: Urgency = Urgency.LIVE,
    course: UUID = BIG,
    *,
    since: datetime | None = None,
) -> UUID:
    subject = uuid7()
    with database.begin(service_of(platform_id)) as db:
        line = Line(urgency, course, 1000, since)
        jobs.enqueue(db, kind, platform_id=platform_id, subject_id=subject, line=line)
    return subject


def taken(database: Database, host: Host, rules: Rules = RULES) -> Claim | None:
    return take(database.begin, host, MODELS, rules)


def done(database: Database, claim: Claim) -> None:
    with database.begin(service_of(claim.platform_id)) as db:
        jobs.finish(db, claim)


def lane(database: Database, host: Host, kind: JobKind = JUDGE) -> LaneRow:
    with database.begin(WORKER) as db:
        return db.scalars(
            select(LaneRow).where(LaneRow.host == host.address, LaneRow.kind == kind)
        ).one()


def test_any_number_of_workers_take_no_more_than_the_slots_of_a_host(database, platform_id, host):
    for _ in range(12):
        waits(database, platform_id)

    with ThreadPoolExecutor(6) as workers:
        claims = [c for c in workers.map(lambda _: taken(database, host), range(12)) if c]

    assert len(claims) == host.slots
    assert len({c.job_id for c in claims}) == host.slots
    done(database, claims[0])
    assert taken(database, host) is not None
    assert taken(database, host) is None


def test_a_slot_whose_worker_died_is_free_again_and_its_job_taken_up(database, platform_id, ask):
    """FLT-17: once the lease has run out."""
    host = announced(database, Host("http://gpu-1:11434", 1))
    subject = waits(database, platform_id)
    first = taken(database, host)
    assert taken(database, host) is None
    ask("UPDATE jobs SET lease_until = now() - interval '1 s' WHERE state = 'working'")

    again = taken(database, host)

    assert (first.attempt, again.attempt, again.subject_id) == (1, 2, subject)


def test_a_lesson_goes_before_homework_and_that_before_regeneration(database, platform_id, host):
    order = [Urgency.REGENERATION, Urgency.HOMEWORK, Urgency.LIVE]
    by_urgency = {waits(database, platform_id, urgency=urgency): urgency for urgency in order}

    found = [by_urgency[taken(database, host).subject_id] for _ in order]

    assert found == sorted(order)


def test_two_courses_take_turns(database, platform_id, host):
    """FLT-32."""
    course_of = {waits(database, platform_id, course=BIG): BIG for _ in range(6)}
    course_of |= {waits(database, platform_id, course=SMALL): SMALL for _ in range(2)}
    order = []
    for _ in range(5):
        claim = taken(database, host)
        order.append(course_of[claim.subject_id])
        done(database, claim)

    assert order == [BIG, SMALL, BIG, SMALL, BIG]


def test_next_is_whose_pupil_has_waited_longest_not_whose_job_was_written_first(
    database, platform_id, host
):
    waits(database, platform_id)
    handed_in = datetime.now(UTC) - timedelta(minutes=1)
    photos_just_read = waits(database, platform_id, since=handed_in)

    assert taken(database, host).subject_id == photos_just_read


def test_a_try_that_failed_keeps_its_place(database, platform_id, host):
    first = waits(database, platform_id)
    waits(database, platform_id)
    failed = taken(database, host)
    with database.begin(service_of(platform_id)) as db:
        jobs.wait_again(db, failed, "EngineFailed", after=timedelta(0))

    assert taken(database, host).subject_id == first


def test_reading_waits_for_the_text_model_to_be_done_and_text_is_not_held_up(
    database, platform_id, host
):
    """One model at a time: no answer waits behind photos because another model is wanted."""
    waits(database, platform_id, JUDGE)
    running = taken(database, host)
    waits(database, platform_id, READ)
    waits(database, platform_id, JUDGE)

    beside = taken(database, host)
    assert beside.kind is JUDGE
    assert taken(database, host) is None
    done(database, running)
    assert taken(database, host) is None
    done(database, beside)

    assert taken(database, host).kind is READ


def test_without_the_vision_model_text_goes_on(database, platform_id, host):
    """FLT-49: the one lane rests, the other does not notice."""
    book = LaneBook(database.begin, host, MODELS)
    waits(database, platform_id, READ)
    waits(database, platform_id, JUDGE)
    for _ in range(OPENS_AFTER):
        book.silent(READ)

    assert taken(database, host).kind is JUDGE
    assert taken(database, host) is None


def test_a_host_that_fails_is_left_alone_for_a_while_and_work_goes_elsewhere(
    database, platform_id, host, ask
):
    """FLT-47."""
    other = announced(database, Host("http://gpu-2:11434", 1))
    book = LaneBook(database.begin, host, MODELS)
    for _ in range(4):
        waits(database, platform_id)
    for _ in range(OPENS_AFTER):
        assert lane(database, host).resting_until is None
        book.silent(JUDGE)

    assert taken(database, host) is None
    assert taken(database, other) is not None

    ask("UPDATE lanes SET resting_until = now() WHERE resting_until IS NOT NULL")
    trial = taken(database, host)
    assert trial is not None  # one tries
    assert taken(database, host) is None  # the others wait for what it finds
    book.answered(JUDGE, 1000, 10)
    assert taken(database, host) is not None


def test_a_trial_that_fails_lets_the_host_rest_again(database, platform_id, host, ask):
    book = LaneBook(database.begin, host, MODELS)
    for _ in range(OPENS_AFTER):
        book.silent(JUDGE)
    ask("UPDATE lanes SET resting_until = now() WHERE resting_until IS NOT NULL")
    waits(database, platform_id)

    book.silent(JUDGE)

    assert taken(database, host) is None


def test_what_one_host_has_failed_at_is_left_to_the_others_for_a_while(database, platform_id, host):
    other = announced(database, Host("http://gpu-2:11434", 1))
    rules = Rules(RULES.lease, RULES.age_limit, others=True)
    waits(database, platform_id)
    failed = taken(database, host, rules)
    with database.begin(service_of(platform_id)) as db:
        jobs.wait_again(db, failed, "EngineUnavailable", after=timedelta(0), counts=False)

    assert taken(database, host, rules) is None
    assert taken(database, other, rules) is not None


def test_several_hosts_share_the_work(database, platform_id, host):
    other = announced(database, Host("http://gpu-2:11434", 2))
    for _ in range(9):
        waits(database, platform_id)

    claims = Counter()
    for one in (host, other) * 5:
        claims[one.address] += taken(database, one) is not None

    assert claims == {host.address: 3, other.address: 2}


def test_errands_never_come_onto_a_lane(database, platform_id, host):
    with database.begin(service_of(platform_id)) as db:
        jobs.enqueue(db, JobKind.POST_SCORE, platform_id=platform_id, subject_id=uuid7())

    assert taken(database, host) is None


def test_the_rate_of_a_lane_follows_what_was_measured_last(database, host):
    book = LaneBook(database.begin, host, MODELS)
    book.answered(JUDGE, 1000, 10)
    assert lane(database, host).rate == 100

    book.answered(JUDGE, 1000, 5)
    assert lane(database, host).rate == pytest.approx(111, abs=1)
    for _ in range(30):
        book.answered(JUDGE, 1000, 5)

    assert 195 < lane(database, host).rate < 200
    assert lane(database, host, READ).rate is None


def test_a_restart_forgets_neither_rates_nor_failures(database, host):
    book = LaneBook(database.begin, host, MODELS)
    book.answered(JUDGE, 1000, 10)
    book.silent(JUDGE)

    announced(database, Host(host.address, 5))

    kept = lane(database, host)
    assert (kept.rate, kept.failures, kept.slots) == (100, 1, 5)
