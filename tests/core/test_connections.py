"""Connections to PostgreSQL: kept, and replaced when the server has hung up."""

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from lti_tool.core.db import WORKER, Database
from lti_tool.core.statements import ask


def hang_up(postgres) -> None:
    """As a restart of the server does it to everybody who is connected."""
    with psycopg.connect(postgres.superuser_url.replace("+psycopg", ""), autocommit=True) as db:
        db.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE usename = 'gustav_app'"
        )


def backend_of(database: Database) -> int:
    with database.begin(WORKER) as db:
        return int(db.execute(text("SELECT pg_backend_pid()")).scalar_one())


def test_a_connection_is_used_again(database: Database):
    assert backend_of(database) == backend_of(database)


def test_whoever_comes_after_the_server_hung_up_notices_nothing(database: Database, postgres):
    before = backend_of(database)

    hang_up(postgres)

    assert backend_of(database) != before


def test_whoever_is_in_the_middle_gets_an_error_and_the_next_one_does_not(database: Database):
    with pytest.raises(OperationalError), database.begin(WORKER) as db:
        db.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    assert backend_of(database) > 0


def asks_by_hand(db: Session) -> None:
    ask(db, "SELECT 1", {})


def only_commits(_db: Session) -> None:
    """Nothing more to ask."""


@pytest.mark.parametrize("goes_on", [asks_by_hand, only_commits])
def test_whoever_speaks_to_the_driver_gets_the_same_error(database: Database, postgres, goes_on):
    """The worker's sweep, for one, waits for this kind until the server is back."""

    def in_the_middle() -> None:
        with database.begin(WORKER) as db:
            hang_up(postgres)
            goes_on(db)

    with pytest.raises(OperationalError):
        in_the_middle()

    assert backend_of(database) > 0


def test_a_prepared_statement_is_planned_for_nobody_in_particular(database: Database):
    """More runs than it takes PostgreSQL to keep one plan, each as somebody else."""
    for _ in range(20):
        with database.begin(WORKER) as db:
            assert db.execute(text("SELECT app_role(), app_platform()")).one() == ("worker", None)
        with database.engine.begin() as bare:
            assert bare.execute(text("SELECT app_role(), app_platform()")).one() == (None, None)


def test_who_acts_is_asked_at_each_run_and_never_planned_in(database: Database):
    with database.engine.begin() as bare:
        kinds = bare.execute(
            text(r"SELECT proname, provolatile FROM pg_proc WHERE proname LIKE 'app\_%'")
        ).all()

    assert len(kinds) >= 4
    assert {volatility for _, volatility in kinds} == {"s"}  # STABLE


def test_a_process_frozen_in_a_transaction_does_not_hold_its_locks_for_ever(database: Database):
    """FLT-21: else nobody could give work to a host for which a frozen worker was choosing."""
    with database.begin(WORKER) as db:
        limit = db.execute(text("SHOW idle_in_transaction_session_timeout")).scalar_one()

    assert limit == "30s"
