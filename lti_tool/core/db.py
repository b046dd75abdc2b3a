"""Transactions in the name of somebody.

Every transaction says who acts; PostgreSQL's row policies read it (`app_*()` functions of
migration 0001) and show nothing to a transaction that does not. See docs/adr/0003.
"""

from __future__ import annotations

import select
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, LiteralString
from uuid import UUID

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.orm import Session

# The kernel asks on behalf of connections at rest; by itself it would do so after two hours.
_NOTICE_A_DEAD_NETWORK = {
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}

# Whoever waits longer than this is told to come back: a page holds one of few threads meanwhile.
WAITS_FOR_CONNECTION = 3  # seconds
LOCK_LIMIT = "3s"

# How long one statement may take, by who waits for it. Migrations and backups have no limit: they
# come by connections of their own.
FOR_PAGES = timedelta(seconds=3)
FOR_JOBS = timedelta(seconds=10)  # the list of a large course at once, what each night is forgotten
FOR_COMMANDS = timedelta(minutes=10)  # erasing a course or a school, looking through whole tables


class ActorRole(StrEnum):
    """What `app.role` may hold."""

    LEARNER = "learner"
    INSTRUCTOR = "instructor"
    LAUNCH = "launch"  # the login and launch endpoints, before a person is known
    WORKER = "worker"  # looks for work of all platforms; sees no pupil's data
    SERVICE = "service"  # a job, or a flow, of one platform
    REGISTRATION = "registration"  # a school with an invitation connects its platform
    ENTRY = "entry"  # the operator's door, before a link or a session has been shown
    ADMIN = "admin"  # the command line, and the operator's pages


@dataclass(frozen=True)
class Actor:
    """In whose name a transaction runs."""

    role: ActorRole
    platform_id: UUID | None = None
    course_id: UUID | None = None
    person_id: UUID | None = None


LAUNCH = Actor(ActorRole.LAUNCH)
WORKER = Actor(ActorRole.WORKER)
REGISTRATION = Actor(ActorRole.REGISTRATION)
ENTRY = Actor(ActorRole.ENTRY)
ADMIN = Actor(ActorRole.ADMIN)


def service_of(platform_id: UUID) -> Actor:
    """The actor of a job that belongs to one platform."""
    return Actor(ActorRole.SERVICE, platform_id)


def registration_of(platform_id: UUID) -> Actor:
    """The actor who writes down one platform, new or known."""
    return Actor(ActorRole.REGISTRATION, platform_id)


Begin = Callable[[Actor], AbstractContextManager[Session]]
Handler = Callable[[Session, Any], None]


class Database:
    """The engine and who is told what after a commit. Roofs make one, everything else gets `begin`.

    `handlers` maps a type of event to those on higher floors who act on it in the same
    transaction; `ring` is called with each rung job once the commit has happened. A statement that
    takes longer than `statement_limit` is ended (OperationalError).
    """

    def __init__(
        self,
        url: str,
        *,
        handlers: Mapping[type, Handler] | None = None,
        ring: Callable[[str, UUID], None] | None = None,
        pool_size: int = 6,
        statement_limit: timedelta = FOR_PAGES,
    ) -> None:
        self.statement_limit = statement_limit
        self.engine: Engine = create_engine(
            url,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=WAITS_FOR_CONNECTION,
            hide_parameters=True,  # errors of the driver would quote what people wrote
            # Planning a statement under row policies costs ten times its execution, so what runs
            # often is prepared. A kept plan names nobody: policies ask `app_*()` as it runs.
            # "autocommit" only keeps the driver from sending a BEGIN of its own.
            connect_args={
                "autocommit": True,
                "prepare_threshold": 3,
                # A process frozen in the middle of a transaction must not hold its locks for ever.
                "options": f"-c statement_timeout={milliseconds(statement_limit)}"
                f" -c lock_timeout={LOCK_LIMIT}"
                " -c idle_in_transaction_session_timeout=30s",
                **_NOTICE_A_DEAD_NETWORK,
            },
        )
        event.listen(self.engine, "connect", _keep_many_plans)
        event.listen(self.engine, "checkout", _not_if_hung_up)
        self._handlers = dict(handlers or {})
        self._ring = ring

    @contextmanager
    def begin(self, actor: Actor) -> Iterator[Session]:
        """One transaction in the name of `actor`; commits at the end, rings after that."""
        rung: list[tuple[str, UUID]] = []
        info: dict[str, Any] = {"handlers": self._handlers, "rung": rung}
        # What is not committed is rolled back when the connection goes back into the pool.
        with _errors_of_one_kind(), self.engine.connect() as connection:
            info["driver"] = connection.connection.driver_connection
            with Session(connection, expire_on_commit=False, info=info) as db:
                _begin_as(db, actor)
                yield db
                if db.in_transaction():
                    db.commit()
                else:  # nothing was asked through SQLAlchemy: its bookkeeping is spared
                    driver_of(db).commit()
        if self._ring:
            for kind, job_id in rung:
                self._ring(kind, job_id)

    def close(self) -> None:
        self.engine.dispose()


def milliseconds(limit: timedelta) -> int:
    """As PostgreSQL reads a time without a unit."""
    return int(limit / timedelta(milliseconds=1))


@contextmanager
def _errors_of_one_kind() -> Iterator[None]:
    """What the driver raises where it is spoken to directly comes out as SQLAlchemy's, too."""
    try:
        yield
    except psycopg.Error as error:
        kind = DBAPIError.instance(None, None, error, psycopg.Error, hide_parameters=True)
        raise kind from None


def _keep_many_plans(connection: psycopg.Connection[Any], _record: object) -> None:
    connection.prepared_max = 400  # all there are; by default the oldest of 100 is forgotten


def _not_if_hung_up(connection: psycopg.Connection[Any], _record: object, _proxy: object) -> None:
    """Before a connection is used again: is the server still there? Nothing is to be read from one
    that is idle unless the server has hung up, so looking costs no question and no answer."""
    idle = select.poll()
    idle.register(connection.fileno(), select.POLLIN)
    if idle.poll(0):
        raise DisconnectionError("the server has hung up")


_WHO: tuple[LiteralString, ...] = (
    "app.role",
    "app.platform_id",
    "app.course_id",
    "app.person_id",
)


def _begin_as(db: Session, actor: Actor) -> None:
    """Begin, and say who acts, in one message to the server."""
    told = ", ".join(
        f"set_config('{name}', '{known}', true)"  # known: of an enumeration, or a UUID
        for name, known in zip(_WHO, _said(actor), strict=True)
    )
    driver_of(db).execute(f"BEGIN; SELECT {told}".encode(), prepare=False)
    db.info["actor"] = actor


_BECOME = "SELECT " + ", ".join(f"set_config('{name}', %s, true)" for name in _WHO)


def become(db: Session, actor: Actor) -> None:
    """From here on the transaction acts for `actor`; it ends with the transaction."""
    driver_of(db).execute(_BECOME, _said(actor))
    db.info["actor"] = actor


def becoming(
    role: LiteralString, platform: LiteralString, course: LiteralString, person: LiteralString
) -> LiteralString:
    """Columns, from SQL expressions, by which a statement that finds one row makes the transaction
    act for whom that row names; `became` has to follow."""
    said = enumerate(zip(_WHO, (role, platform, course, person), strict=True))
    return ", ".join(
        f"set_config('{name}', ({told})::text, true) AS who_{i}" for i, (name, told) in said
    )


def became(db: Session, actor: Actor) -> None:
    """The transaction acts for `actor` already."""
    db.info["actor"] = actor


def _said(actor: Actor) -> tuple[str, ...]:
    ids = (actor.platform_id, actor.course_id, actor.person_id)
    return (actor.role.value, *(str(known or "") for known in ids))


def driver_of(db: Session) -> psycopg.Connection[Any]:
    """The connection of this transaction, beneath SQLAlchemy."""
    driver: psycopg.Connection[Any] = db.info["driver"]
    return driver


@contextmanager
def acting_as(db: Session, actor: Actor) -> Iterator[None]:
    """For these few lines the transaction acts for `actor`, then again for whom it acted before."""
    before: Actor = db.info["actor"]
    db.flush()
    become(db, actor)
    try:
        yield
        db.flush()
    finally:
        if driver_of(db).info.transaction_status is TransactionStatus.INERROR:
            db.info["actor"] = before  # PostgreSQL takes no more orders; going back undoes ours
        else:
            become(db, before)


def publish(db: Session, event: object) -> None:
    """Tell those on higher floors what happened, in the same transaction. See `flows`."""
    handler = db.info["handlers"].get(type(event))
    if handler is not None:
        handler(db, event)
