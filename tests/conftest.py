"""One embedded PostgreSQL for the whole run, migrated once and emptied after each test."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType

import psycopg
import pytest
from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket

from lti_tool import flows
from lti_tool.core.db import Database
from lti_tool.core.embedded import EmbeddedPostgres, running_postgres
from lti_tool.core.schema import upgrade


class CompiledOnce(BytecodeCache):
    """Each test builds an application of its own; their templates are the same."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._kept.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        if bucket.code is not None:
            self._kept[bucket.key, bucket.checksum] = bucket.code


Flask.jinja_options = {"bytecode_cache": CompiledOnce()}


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


@pytest.fixture
def tables(postgres: EmbeddedPostgres) -> Iterator[Callable[[], dict[str, str]]]:
    """The content of all tables, to see whether anything changed."""
    with psycopg.connect(_plain(postgres), autocommit=True) as db:

        def content() -> dict[str, str]:
            names = db.execute(
                "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
            ).fetchall()
            return {
                name: db.execute(
                    "SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), ''))"
                    f" FROM {name} t"
                ).fetchone()[0]
                for (name,) in names
            }

        yield content


def _empty(db: psycopg.Connection) -> None:
    """All tables, without asking one for another: a TRUNCATE makes new files for each of them."""
    tables = db.execute(
        "SELECT string_agg(format('DELETE FROM %I', tablename), '; ') FROM pg_tables"
        " WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
    ).fetchone()
    db.execute("SET session_replication_role = replica")
    db.execute(tables[0])
