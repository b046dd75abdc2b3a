"""One embedded PostgreSQL for the whole run, migrated once and emptied after each test."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from lti_tool import flows
from lti_tool.core.db import Database
from lti_tool.core.embedded import EmbeddedPostgres, running_postgres
from lti_tool.core.schema import upgrade


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    # Not below pytest's own folder: that one is closed to the user PostgreSQL runs as for root.
    with (
        tempfile.TemporaryDirectory(prefix="gustav-test-") as folder,
        running_postgres(Path(folder) / "postgres", "gustav_test") as server,
    ):
        _forget_power_cuts(server)
        upgrade(server.owner_url)
        yield server


def _forget_power_cuts(server: EmbeddedPostgres) -> None:
    """Nobody needs these data after a crash of the machine, and waiting for the disk is what most
    of the run would be spent on."""
    with psycopg.connect(_plain(server), autocommit=True) as db:
        for knob in ("fsync", "synchronous_commit", "full_page_writes"):
            db.execute(f"ALTER SYSTEM SET {knob} = off")
        db.execute("SELECT pg_reload_conf()")


def _plain(server: EmbeddedPostgres) -> str:
    """The superuser's address, as psycopg reads it."""
    return server.superuser_url.replace("+psycopg", "")


@pytest.fixture
def database(postgres: EmbeddedPostgres) -> Iterator[Database]:
    """As web and worker see it: the role that owns nothing, and the flows wired up."""
    made = Database(postgres.app_url, handlers=flows.HANDLERS)
    yield made
    made.close()
    with psycopg.connect(_plain(postgres), autocommit=True) as db:
        _empty(db)


def _empty(db: psycopg.Connection) -> None:
    """All tables, without asking one for another: a TRUNCATE makes new files for each of them."""
    tables = db.execute(
        "SELECT string_agg(format('DELETE FROM %I', tablename), '; ') FROM pg_tables"
        " WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
    ).fetchone()
    db.execute("SET session_replication_role = replica")
    db.execute(tables[0])
