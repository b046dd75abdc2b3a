"""The worker process: Dramatiq actors, one per kind of job, and the sweep that rings for rows.

A roof: constructs, is imported by nobody. With Redis the bell comes as a message; without it the
sweep alone finds the work. Losing every message loses nothing. See docs/adr/0002.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import UUID

import dramatiq
import structlog
from dramatiq import Broker
from dramatiq.brokers.stub import StubBroker
from dramatiq.middleware import AgeLimit, Callbacks, Pipelines, Retries
from dramatiq.worker import Worker
from sqlalchemy.exc import OperationalError
from uuid_utils.compat import uuid7

from config.settings import Settings
from feedback_engine.build import build_engine, build_reader
from feedback_engine.config import MOST_TIME
from feedback_engine.contract import PageReader
from lti_tool import flows
from lti_tool.core import bell, engines, jobs, pulse
from lti_tool.core.clock import utc_now
from lti_tool.core.db import WORKER, Database
from lti_tool.core.files import open_store_of
from lti_tool.core.jobs import JobKind
from lti_tool.core.leases import Leases
from lti_tool.core.outbound import GuardedTransport, Outbound
from lti_tool.flows import Workshop
from lti_tool.grades.ags import AgsClient
from lti_tool.launch.refusals import forget_old_refusals
from lti_tool.launch.session import forget_old_sessions
from lti_tool.operator.entry import forget_old_entries
from lti_tool.people.health import HealthBook
from lti_tool.people.roster_client import RosterClient
from lti_tool.people.services import KeySeal, forget_retired_keys
from lti_tool.people.tokens import ServiceTokens
from lti_tool.submissions.drafts import forget_old_versions

log = structlog.get_logger(__name__)

HANGS_AFTER = timedelta(hours=2)  # thirty pages on a slow machine take less


def build_database(settings: Settings, ring: bell.Ring | None) -> Database:
    """The database as the application's role, with the flows that follow from events."""
    return Database(
        settings.database_url.get_secret_value(),
        handlers=flows.HANDLERS,
        ring=ring,
        pool_size=settings.worker_threads + 3,
    )


def build_workshop(settings: Settings, database: Database) -> Workshop:
    """Everything a job needs, from the settings."""
    outbound = Outbound(GuardedTransport(allowed=settings.outbound_allow))
    tokens = ServiceTokens(outbound, utc_now, HealthBook(database.begin, utc_now).token)
    return Workshop(
        begin=database.begin,
        engine=build_engine(
            engines.judging(settings, settings.model_host), _way_to_the_model(settings)
        ),
        reader=_reader(settings),
        files=open_store_of(settings),
        gradebook=AgsClient(outbound, tokens),
        rosters=RosterClient(outbound, tokens),
        seal=KeySeal(settings.secret_key.get_secret_value()),
        clock=utc_now,
        leases=Leases(database.begin, lease=settings.job_lease, longest=HANGS_AFTER),
        attempts=settings.job_attempts,
    )


def build_broker(settings: Settings, workshop: Workshop) -> Broker:
    """A broker whose actors do the jobs; Redis where there is one, memory otherwise."""
    broker = bell.broker(settings.redis_url) if settings.redis_url else StubBroker(middleware=[])
    for middleware in (AgeLimit(), Callbacks(), Pipelines(), Retries(max_retries=0)):
        broker.add_middleware(middleware)
    for kind in JobKind:
        broker.declare_actor(_actor(kind, workshop.do, broker))
    return broker


def run(settings: Settings, stop: threading.Event) -> None:
    """Work until `stop` is set. What is being worked on then is finished within the grace time, or
    else handed back, so that another worker begins it at once."""
    database = build_database(settings, ring=None)
    workshop = build_workshop(settings, database)
    broker = build_broker(settings, workshop)
    broker.emit_after("process_boot")
    worker = Worker(broker, worker_timeout=100, worker_threads=settings.worker_threads)
    worker.start()
    log.info("worker started", threads=settings.worker_threads)
    sweep = Sweep(database, broker)
    with workshop.leases.kept():
        try:
            while not stop.is_set():
                sweep.once()
                stop.wait(settings.sweep_every.total_seconds())
        finally:
            worker.stop(timeout=int(settings.worker_grace.total_seconds() * 1000))
            _hand_back(workshop)
    broker.close()
    database.close()
    log.info("worker stopped")


def _hand_back(workshop: Workshop) -> None:
    try:
        log.info("jobs handed back", jobs=workshop.leases.hand_back())
    except OperationalError:
        log.warning("jobs not handed back: their leases run out by themselves")


class Sweep:
    """Rings for every row that waits or was left behind by a worker that died, and writes the rows
    whose time of night has come.

    A row is rung for once, and again only after half a minute, so that those who wait behind slow
    work do not fill the queue with bells, and a bell that Redis lost costs no more than that.
    """

    AGAIN_AFTER = timedelta(seconds=30)

    def __init__(self, database: Database, broker: Broker) -> None:
        self._database = database
        self._broker = broker
        self._rung: dict[UUID, float] = {}
        self._worker_id = uuid7()

    def once(self) -> int:
        """Returns how many bells rang."""
        try:
            flows.ask_for_due_rosters(self._database.begin)
            with self._database.begin(WORKER) as db:
                pulse.beat(db, self._worker_id)
                waiting = jobs.ready(db)
                forget_old_sessions(db)
                forget_retired_keys(db)
                forget_old_entries(db)
                forget_old_refusals(db)
                forget_old_versions(db)
        except OperationalError:
            log.warning("database does not answer")
            return 0
        now = time.monotonic()
        fresh = now - self.AGAIN_AFTER.total_seconds()
        ready = {job_id for _, job_id in waiting}
        self._rung = {j: at for j, at in self._rung.items() if j in ready and at > fresh}
        silent = [(kind, job_id) for kind, job_id in waiting if job_id not in self._rung]
        try:
            for kind, job_id in silent:
                self._broker.enqueue(bell.message(kind.value, job_id))
                self._rung[job_id] = now
        except bell.UNHEARD:
            log.warning("bell is silent")  # what was not rung for is rung for the next time
        return len(silent)


def _reader(settings: Settings) -> PageReader | None:
    config = engines.reading(settings, settings.model_host)
    return build_reader(config, _way_to_the_model(settings)) if config else None


def _way_to_the_model(settings: Settings) -> GuardedTransport:
    model = urlsplit(settings.model_host)
    port = model.port or (443 if model.scheme == "https" else 80)
    return GuardedTransport(
        allowed=settings.outbound_allow | {f"{model.hostname}:{port}"},
        deadline=settings.model_time_limit * MOST_TIME,
    )


def _actor(
    kind: JobKind, do: Callable[[UUID], None], broker: Broker
) -> dramatiq.Actor[[str], None]:
    def act(job_id: str) -> None:
        do(UUID(job_id))

    return dramatiq.Actor(
        act, broker=broker, actor_name=kind.value, queue_name=bell.QUEUE, priority=0, options={}
    )
