"""Every table, asked for by raw SQL: what another school, or nobody, gets to see and may write.

The tables come from the catalogue, so a new one is tested by being there; it only has to get a row.
"""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import psycopg
import pytest
from psycopg import sql

from lti_tool.core.db import ActorRole, Database
from lti_tool.core.embedded import EmbeddedPostgres
from tests.everything import fill_every_table

# Rows of no platform: nothing in them belongs to a school.
OF_NO_SCHOOL = {"lanes", "worker_pulses", "operator_links", "operator_sessions"}
# Roles that look across all platforms by design, and where: none of these holds a pupil's work.
ACROSS = {
    ActorRole.LAUNCH: {"platforms", "launch_sessions", "phone_links"},
    ActorRole.WORKER: {
        "platforms",
        "jobs",
        "rosters",
        "launch_sessions",
        "security_events",
        "worker_pulses",
        "lanes",
    },
    ActorRole.REGISTRATION: {"platforms", "invitations"},
}
INSIDE = [role for role in ActorRole if role is not ActorRole.ADMIN]


@pytest.fixture
def schools(database: Database, postgres: EmbeddedPostgres) -> tuple[UUID, UUID]:
    """Two schools with a row in every table each."""
    return fill_every_table(database, postgres)


@pytest.fixture
def raw(postgres: EmbeddedPostgres) -> Iterator[psycopg.Connection]:
    """SQL as the application's role, with none of our code in between."""
    with psycopg.connect(postgres.app_url.replace("+psycopg", "")) as connection:
        yield connection


@pytest.fixture
def tables(postgres: EmbeddedPostgres) -> dict[str, str]:
    """Each table under policies, and the column that says whose its rows are."""
    with psycopg.connect(postgres.superuser_url.replace("+psycopg", "")) as connection:
        rows = connection.execute(
            "SELECT c.relname, max(a.attname) FROM pg_class c LEFT JOIN pg_attribute a"
            " ON a.attrelid = c.oid AND a.attname = 'platform_id'"
            " WHERE c.relrowsecurity AND c.relnamespace = 'public'::regnamespace GROUP BY 1"
        ).fetchall()
    return {table: column or "id" for table, column in rows}


def act(raw: psycopg.Connection, role: ActorRole | None, platform: UUID | None) -> None:
    raw.rollback()
    for name, value in (("role", role), ("platform_id", platform)):
        raw.execute("SELECT set_config(%s, %s, true)", [f"app.{name}", str(value or "")])


def whose(raw: psycopg.Connection, table: str, column: str) -> set[UUID | None]:
    """The platforms whose rows are seen."""
    statement = sql.SQL("SELECT DISTINCT {} FROM {}")
    found = raw.execute(statement.format(sql.Identifier(column), sql.Identifier(table)))
    return {value for (value,) in found}


def test_every_table_has_rows_of_both_schools(schools, tables, postgres):
    with psycopg.connect(postgres.superuser_url.replace("+psycopg", "")) as connection:
        empty = {
            table
            for table, column in tables.items()
            if not set(schools) <= whose(connection, table, column)
        }

    assert empty == OF_NO_SCHOOL


def test_a_transaction_in_nobodys_name_sees_and_changes_nothing(schools, tables, raw):
    for table in tables:
        act(raw, None, None)
        name = sql.Identifier(table)
        seen = raw.execute(sql.SQL("SELECT count(*) FROM {}").format(name)).fetchone()
        gone = raw.execute(sql.SQL("DELETE FROM {}").format(name)).rowcount
        assert (table, seen, gone) == (table, (0,), 0)


@pytest.mark.parametrize("role", INSIDE)
def test_no_role_inside_one_school_sees_or_deletes_a_row_of_the_other(schools, tables, raw, role):
    ours, theirs = schools
    for table, column in tables.items():
        if table in ACROSS.get(role, set()):
            continue
        act(raw, role, ours)
        assert (table, theirs in whose(raw, table, column)) == (table, False)
        statement = sql.SQL("DELETE FROM {} WHERE {} = %s")
        statement = statement.format(sql.Identifier(table), sql.Identifier(column))
        assert (table, raw.execute(statement, [theirs]).rowcount) == (table, 0)
