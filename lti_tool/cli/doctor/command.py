"""In which order the doctor looks, and what is not worth a look when something is missing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

import click
from sqlalchemy.exc import ProgrammingError, SQLAlchemyError

from config.settings import Settings, SettingsError, read_settings
from lti_tool.cli.answers import Answer, json_option
from lti_tool.cli.doctor import database as look
from lti_tool.cli.doctor.findings import (
    Finding,
    about_clock,
    about_given_up,
    about_invariants,
    about_migrations,
    about_platforms,
    about_role,
    about_worker,
)
from lti_tool.cli.doctor.services import (
    look_at_address,
    look_at_events,
    look_at_files,
    look_at_models,
    look_at_redis,
)
from lti_tool.cli.failures import sentence_about
from lti_tool.cli.house import open_database
from lti_tool.core.clock import utc_now
from lti_tool.core.db import ADMIN, Database
from lti_tool.core.schema import missing_migrations
from lti_tool.people.services import KeySeal


@click.command()
@json_option
def doctor() -> Answer:
    """Sagt, was fehlt oder nicht stimmt, und was zu tun ist."""
    findings = list(look_at_everything())
    lines = []
    for finding in findings:
        lines.append(f"{'gut   ' if finding.ok else 'FEHLT '} {finding.says}")
        if finding.what_to_do:
            lines.append(f"       → {finding.what_to_do}")
    ok = all(finding.ok for finding in findings)
    return Answer(lines, {"ok": ok, "findings": [asdict(f) for f in findings]}, ok)


def look_at_everything() -> Iterator[Finding]:
    """All findings in the order in which one would mend things."""
    try:
        settings = read_settings()
    except SettingsError as error:
        yield Finding("settings", False, sentence_about(error), "Siehe config/env.example.")
        return
    yield Finding("settings", True, "Die Einstellungen sind vollständig.")
    with open_database(settings) as database:
        yield from _database(settings, database)
    yield look_at_address(settings)
    yield look_at_events(settings)
    yield look_at_files(settings)
    yield look_at_redis(settings)
    yield from look_at_models(settings)


def _database(settings: Settings, database: Database) -> Iterator[Finding]:
    try:
        with database.begin(ADMIN) as db:
            role, now = look.read_role(db), look.read_time(db)
        yield Finding("database", True, "Die Datenbank antwortet.")
        yield about_role(role)
        yield about_clock(utc_now(), now)
        migrations = _migrations(settings)
        yield migrations
        if migrations.ok:
            yield from _tables(settings, database)
    except SQLAlchemyError as error:
        yield Finding("database", False, sentence_about(error), "Läuft PostgreSQL?")


def _migrations(settings: Settings) -> Finding:
    tables = settings.owner_database_url or settings.database_url
    try:
        return about_migrations(missing_migrations(tables.get_secret_value()))
    except ProgrammingError:
        # The role of web and worker may not see everything; if tables are missing, they will tell.
        says = "Ob die Tabellen aktuell sind, kann nur ihr Besitzer nachsehen."
        return Finding("migrations", True, says, "Dafür GUSTAV_OWNER_DATABASE_URL setzen.")


def _tables(settings: Settings, database: Database) -> Iterator[Finding]:
    queue = look.read_queue(database.begin)
    yield about_worker(queue, utc_now())
    yield about_given_up(queue)
    yield about_invariants()
    seal = KeySeal(settings.secret_key.get_secret_value())
    platforms = look.read_platforms(database.begin, seal)
    yield from about_platforms(platforms, utc_now())
