"""Bringing a database's schema up to date, and asking how far it is."""

from __future__ import annotations

import time
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg.errors import LockNotAvailable
from sqlalchemy import create_engine, pool
from sqlalchemy.exc import OperationalError

TRIES, BETWEEN_TRIES = 5, 3.0  # for a migration in whose way somebody stands; seconds
APP_ROLE = "gustav_app"  # what web and worker connect as; owns nothing, may not bypass policies


def _config(owner_url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", "lti_tool:migrations")
    config.attributes["url"] = owner_url
    return config


def upgrade(owner_url: str) -> None:
    """Run all migrations that have not run yet, as the owner of the tables: all, or none.

    While somebody reads a table it cannot be altered, and who comes later waits behind the
    migration: it gives way after two seconds (`env.py`) and tries again.
    """
    for tries_left in reversed(range(TRIES)):
        try:
            command.upgrade(_config(owner_url), "head")
        except OperationalError as error:
            if not (isinstance(error.orig, LockNotAvailable) and tries_left):
                raise
            time.sleep(BETWEEN_TRIES)
        else:
            return


def missing_migrations(url: str) -> list[str]:
    """Names of the migrations this database still lacks, oldest first."""
    script = ScriptDirectory.from_config(_config(url))
    engine = create_engine(url, poolclass=pool.NullPool)
    with engine.connect() as connection:
        have = set(MigrationContext.configure(connection).get_current_heads())
    revisions = list(script.walk_revisions())
    lacking = []
    for revision in revisions:
        if revision.revision in have:
            break
        lacking.append(Path(revision.path).stem)
    return lacking[::-1]
