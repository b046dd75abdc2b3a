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
        upgrade(server.owner_url)
        yield server


@pytest.fixture
def database(postgres: EmbeddedPostgres) -> Iterator[Database]:
    """As web and worker see it: the role that owns nothing, and the flows wired up."""
    made = Database(postgres.app_url, handlers=flows.HANDLERS)
    yield made
    made.close()
    with psycopg.connect(postgres.superuser_url.replace("+psycopg", ""), autocommit=True) as db:
        db.execute("TRUNCATE platforms, worker_pulses, operator_links, operator_sessions CASCADE")
