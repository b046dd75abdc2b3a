"""The worker's bells: one actor per kind of job, and a sweep that rings for each row once."""

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from dramatiq.brokers.stub import StubBroker
from uuid_utils.compat import uuid7

from lti_tool.core import bell, jobs
from lti_tool.core.db import Database, service_of
from lti_tool.core.jobs import JobKind
from lti_tool.worker import Sweep, build_broker, build_workshops
from tests.entrance import settings_of
from tests.school import found_school


def idle(job_id: UUID) -> None:
    """Does no errand."""


@pytest.fixture
def broker(database) -> Iterator[StubBroker]:
    made = build_broker(settings_of(database), idle, lambda: None)
    yield made
    made.close()


def waiting_job(database: Database) -> None:
    platform_id = found_school(database, "https://moodle.schule.example").platform_id
    with database.begin(service_of(platform_id)) as db:
        jobs.enqueue(db, JobKind.POST_SCORE, platform_id=platform_id, subject_id=uuid7())


def test_each_kind_of_job_has_exactly_one_actor_of_its_name(broker: StubBroker):
    """A message for a name that no worker knows would end silently among the dead letters."""
    assert broker.get_declared_actors() == {kind.value for kind in JobKind}


def test_a_bell_for_each_kind_is_heard_in_the_queue_that_is_listened_to(broker: StubBroker):
    for kind in JobKind:
        broker.enqueue(bell.message(kind.value, uuid7()))

    assert broker.queues[bell.QUEUE].qsize() == len(JobKind)


@pytest.mark.parametrize(
    ("knobs", "reads"),
    [
        ({"GUSTAV_ENGINE": "ollama"}, True),
        ({"GUSTAV_ENGINE": "ollama", "GUSTAV_READING_MODEL": "none"}, False),
        ({"GUSTAV_ENGINE": "lexical"}, False),
    ],
)
def test_a_worker_reads_photos_where_a_model_can(
    database: Database, tmp_path: Path, knobs: dict[str, str], reads: bool
):
    settings = settings_of(database, GUSTAV_FILES=str(tmp_path), **knobs)

    shops = build_workshops(settings, database)

    assert [shop.reader is not None for shop in shops.values()] == [reads] * len(shops)


def test_the_sweep_rings_once_for_what_waits_long(database: Database, broker: StubBroker):
    waiting_job(database)
    sweep = Sweep(database, broker)

    assert [sweep.once() for _ in range(3)] == [1, 0, 0]


def test_the_sweep_tidies_at_once_and_then_each_hour(database: Database, broker: StubBroker):
    tidied: list[str] = []
    sweep = Sweep(database, broker, tidy=lambda: tidied.append("tidied"))

    sweep.once()
    sweep.once()
    assert tidied == ["tidied"]

    sweep.TIDIES_EVERY = sweep.TIDIES_EVERY * 0
    sweep.once()
    assert len(tidied) == 2


def test_the_sweep_rings_again_when_a_bell_was_not_heard(database: Database, broker: StubBroker):
    waiting_job(database)
    sweep = Sweep(database, broker)
    sweep.AGAIN_AFTER = sweep.AGAIN_AFTER * 0

    assert [sweep.once() for _ in range(2)] == [1, 1]


def test_without_redis_handing_in_does_not_wait_for_a_bell(database: Database):
    settings = settings_of(database, GUSTAV_REDIS_URL="redis://127.0.0.1:1/0")
    ring = bell.ringer(settings.redis_url)
    assert ring is not None

    ring(JobKind.GIVE_FEEDBACK.value, uuid7())
