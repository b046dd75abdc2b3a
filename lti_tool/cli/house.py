"""What commands need of the installed tool: its settings and its database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from config.settings import Settings, read_settings
from lti_tool.cli.answers import CommandFailed
from lti_tool.core.db import FOR_COMMANDS, Database


@contextmanager
def open_database(settings: Settings) -> Iterator[Database]:
    """The database as web and worker see it. One connection is enough for a command."""
    url = settings.database_url.get_secret_value()
    database = Database(url, pool_size=1, statement_limit=FOR_COMMANDS)
    try:
        yield database
    finally:
        database.close()


@contextmanager
def open_house() -> Iterator[tuple[Settings, Database]]:
    """Settings from the environment, and the database they name. Raises SettingsError."""
    settings = read_settings()
    with open_database(settings) as database:
        yield settings, database


def owner_url(settings: Settings) -> str:
    """Where migrations run. Raises CommandFailed with the name of the missing knob."""
    if settings.owner_database_url is None:
        raise CommandFailed(
            "Dafür fehlt GUSTAV_OWNER_DATABASE_URL: die Datenbank als Besitzer der Tabellen."
        )
    return settings.owner_database_url.get_secret_value()
