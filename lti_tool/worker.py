"""The worker process: Dramatiq actors, one per kind of job, and the sweep that rings for rows.

A roof: constructs, is imported by nobody. With Redis the bell comes as a message; without it the
sweep alone finds the work. Losing every message loses nothing. See docs/adr/0002.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
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
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from config.settings import Settings
from feedback_engine.build import build_engine, build_reader
from feedback_engine.config import MOST_TIME
from feedback_engine.contract import FeedbackEngine, PageReader
from lti_tool import flows
from lti_tool.core import bell, dispatch, engines, hosts, jobs, pulse
from lti_tool.core.clock import utc_now
from lti_tool.core.db import FOR_JOBS, WORKER, Database
from lti_tool.core.dispatcher import Dispatcher
from lti_tool.core.files import open_store_of
from lti_tool.core.hosts import Host, LaneBook, Models
from lti_tool.core.jobs import Claim, JobKind
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
from lti_tool.privacy import retention
from lti_tool.submissions.drafts import forget_old_versions

log = structlog.get_logger(__name__)

HANGS_AFTER = timedelta(hours=2)  # thirty pages on a slow machine take less
LOOK_AGAIN = timedelta(seconds=1)  # for work that no bell told of
ELSEWHERE = timedelta(seconds=1)  # until another host is offered what one has failed at
ERRANDS_GRACE = 5_000  # milliseconds; no errand waits for a model


def build_database(settings: Settings, ring: bell.Ring | None) -> Database:
    """The database as the application's role, with the flows that follow from events."""
    return Database(
        settings.database_url.get_secret_value(),
        handlers=flows.HANDLERS,
        ring=ring,
        pool_size=settings.worker_threads + sum(host.slots for host in hosts_of(settings)) + 4,
        statement_limit=FOR_JOBS,
    )


def hosts_of(settings: Settings) -> tuple[Host, ...]:
    """The model hosts; the engine without a model works on this machine."""
    addresses = ("",) if settings.engine == "lexical" else settings.model_hosts
    return tuple(map(Host, addresses, settings.slots_of_hosts(len(addresses))))


def models_of(settings: Settings) -> Models:
    """What each kind of work wants its host to have loaded."""
    judges = "" if settings.engine == "lexical" else settings.model_name
    reading = engines.reading(settings, settings.model_hosts[0])
    return {JobKind.READ_PAGES: reading.model if reading else "", JobKind.GIVE_FEEDBACK: judges}


def build_workshops(settings: Settings, database: Database) -> dict[Host, Workshop]:
    """One for each host, with an engine of its own."""
    first, *others = hosts_of(settings)
    shop = build_workshop(settings, database, first)
    if others:
        shop = replace(shop, patience=ELSEWHERE)
    return {first: shop} | {host: _moved(shop, settings, database, host) for host in others}


def _moved(shop: Workshop, settings: Settings, database: Database, host: Host) -> Workshop:
    lane = LaneBook(database.begin, host, models_of(settings))
    engine, reader = _engine_at(settings, host), _reader_at(settings, host)
    return replace(shop, engine=engine, reader=reader, lane=lane)


def build_workshop(settings: Settings, database: Database, host: Host) -> Workshop:
    """Everything a job needs, from the settings."""
    outbound = Outbound(GuardedTransport(allowed=settings.outbound_allow))
    tokens = ServiceTokens(outbound, utc_now, HealthBook(database.begin, utc_now).token)
    return Workshop(
        begin=database.begin,
        engine=_engine_at(settings, host),
        reader=_reader_at(settings, host),
        files=open_store_of(settings),
        gradebook=AgsClient(outbound, tokens),
        rosters=RosterClient(outbound, tokens),
        seal=KeySeal(settings.secret_key.get_secret_value()),
        clock=utc_now,
        leases=Leases(database.begin, lease=settings.job_lease, longest=HANGS_AFTER),
        lane=LaneBook(database.begin, host, models_of(settings)),
        attempts=settings.job_attempts,
    )


def build_dispatcher(
    settings: Settings, database: Database, shops: Mapping[Host, Workshop]
) -> Dispatcher:
    """Who hands jobs for models to the slots of the hosts."""
    models = models_of(settings)
    rules = dispatch.Rules(settings.job_lease, settings.model_age_limit, others=len(shops) > 1)

    def take(host: Host) -> Claim | None:
        return dispatch.take(database.begin, host, models, rules)

    def work(host: Host, claim: Claim) -> None:
        shops[host].work(claim)

    return Dispatcher(tuple(shops), take, work, LOOK_AGAIN)


def build_broker(
    settings: Settings, errand: Callable[[UUID], None], ring: Callable[[], None]
) -> Broker:
    """A broker whose actors do errands, and tell the dispatcher of what wants a model; Redis where
    there is one, memory otherwise."""
    broker = bell.broker(settings.redis_url) if settings.redis_url else StubBroker(middleware=[])
    for middleware in (AgeLimit(), Callbacks(), Pipelines(), Retries(max_retries=0)):
        broker.add_middleware(middleware)
    for kind in JobKind:
        act = (lambda _: ring()) if kind in jobs.FOR_MODELS else errand
        broker.declare_actor(_actor(kind, act, broker))
    return broker


def run(settings: Settings, stop: threading.Event) -> None:
    """Work until `stop` is set. What is being worked on then is finished within the grace time, or
    else handed back, so that another worker begins it at once."""
    database = build_database(settings, ring=None)
    shops = build_workshops(settings, database)
    shop = next(iter(shops.values()))
    dispatcher = build_dispatcher(settings, database, shops)
    broker = build_broker(settings, shop.do, dispatcher.ring)
    broker.emit_after("process_boot")
    worker = Worker(broker, worker_timeout=100, worker_threads=settings.worker_threads)
    worker.start()
    log.info("worker started", threads=settings.worker_threads)
    sweep = Sweep(
        database,
        broker,
        lambda db: _announce(db, settings),
        tidy=lambda: retention.forget(database.begin, shop.files),
    )
    with shop.leases.kept():
        try:
            with dispatcher.running(settings.worker_grace):
                while not stop.is_set():
                    sweep.once()
                    dispatcher.ring()
                    stop.wait(settings.sweep_every.total_seconds())
        finally:
            worker.stop(timeout=ERRANDS_GRACE)
            _hand_back(shop)
    broker.close()
    database.close()
    log.info("worker stopped")


def _announce(db: Session, settings: Settings) -> None:
    for host in hosts_of(settings):
        hosts.announce(db, host, models_of(settings))


def _hand_back(shop: Workshop) -> None:
    try:
        log.info("jobs handed back", jobs=shop.leases.hand_back())
    except OperationalError:
        log.warning("jobs not handed back: their leases run out by themselves")


class Sweep:
    """Rings for every row that waits or was left behind by a worker that died, and writes the rows
    whose time of night has come.

    A row is rung for once, and again only after half a minute, so that those who wait behind slow
    work do not fill the queue with bells, and a bell that Redis lost costs no more than that.
    """

    AGAIN_AFTER = timedelta(seconds=30)
    TIDIES_EVERY = timedelta(hours=1)

    def __init__(
        self,
        database: Database,
        broker: Broker,
        announce: Callable[[Session], None] = lambda _: None,
        *,
        tidy: Callable[[], None] = lambda: None,
    ) -> None:
        self._database = database
        self._announce = announce
        self._broker = broker
        self._tidy = tidy
        self._tidied: float | None = None
        self._rung: dict[UUID, float] = {}
        self._worker_id = uuid7()

    def once(self) -> int:
        """Returns how many bells rang."""
        try:
            flows.ask_for_due_rosters(self._database.begin)
            with self._database.begin(WORKER) as db:
                pulse.beat(db, self._worker_id)
                self._announce(db)
                waiting = jobs.ready(db, kinds=set(JobKind) - jobs.FOR_MODELS)
                forget_old_sessions(db)
                forget_retired_keys(db)
                forget_old_entries(db)
                forget_old_refusals(db)
                forget_old_versions(db)
            self._tidy_now_and_then()
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

    def _tidy_now_and_then(self) -> None:
        now = time.monotonic()
        if self._tidied is None or now - self._tidied >= self.TIDIES_EVERY.total_seconds():
            self._tidied = now
            self._tidy()


def _engine_at(settings: Settings, host: Host) -> FeedbackEngine:
    return build_engine(engines.judging(settings, host.address), _way_to(settings, host))


def _reader_at(settings: Settings, host: Host) -> PageReader | None:
    config = engines.reading(settings, host.address)
    return build_reader(config, _way_to(settings, host)) if config else None


def _way_to(settings: Settings, host: Host) -> GuardedTransport:
    model = urlsplit(host.address)
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
