"""The catalogue of the real database: row policies, ownership, and states held together."""

import psycopg
import pytest
from alembic import command

from lti_tool.core import jobs, schema
from lti_tool.core.embedded import EmbeddedPostgres
from lti_tool.grades.models import MOVES as SYNC_MOVES
from lti_tool.submissions.states import MOVES, State

# Tables without a policy, each for a reviewed reason.
WITHOUT_POLICY = {"alembic_version"}  # names of migrations, nobody's data


@pytest.fixture
def catalogue(postgres: EmbeddedPostgres):
    with psycopg.connect(postgres.superuser_url.replace("+psycopg", "")) as connection:
        yield connection


def tables(catalogue) -> dict[str, tuple[bool, bool]]:
    rows = catalogue.execute(
        "SELECT relname, relrowsecurity, relforcerowsecurity FROM pg_class"
        " WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace"
    )
    return {name: (enabled, forced) for name, enabled, forced in rows}


def test_every_table_has_a_forced_policy_or_stands_on_the_reviewed_list(catalogue):
    bare = {name for name, flags in tables(catalogue).items() if flags != (True, True)}

    assert bare == WITHOUT_POLICY


def test_every_table_says_what_may_be_read_inserted_changed_and_deleted(catalogue):
    rows = catalogue.execute("SELECT tablename, cmd FROM pg_policies WHERE schemaname = 'public'")
    commands: dict[str, set[str]] = {}
    for table, cmd in rows:
        commands.setdefault(table, set()).add(cmd)

    expected = {"SELECT", "INSERT", "UPDATE", "DELETE"}
    assert {t: c for t, c in commands.items() if c != expected} == {}
    assert set(commands) == set(tables(catalogue)) - WITHOUT_POLICY


def test_the_applications_role_owns_nothing_and_may_bypass_nothing(catalogue):
    owned = catalogue.execute(
        "SELECT count(*) FROM pg_class WHERE relowner = %s::regrole", [schema.APP_ROLE]
    ).fetchone()
    powers = catalogue.execute(
        "SELECT rolsuper, rolbypassrls, rolcreatedb, rolcreaterole FROM pg_roles"
        " WHERE rolname = %s",
        [schema.APP_ROLE],
    ).fetchone()

    assert owned == (0,)
    assert powers == (False, False, False, False)


def test_no_foreign_key_can_cross_from_one_platform_to_another(catalogue):
    """Foreign keys bypass row policies, so each of them carries the platform along."""
    rows = catalogue.execute(
        "SELECT conrelid::regclass::text, conname, array_length(conkey, 1),"
        " confrelid::regclass::text FROM pg_constraint WHERE contype = 'f'"
        " AND connamespace = 'public'::regnamespace"
    )
    lonely = {name for _, name, columns, target in rows if target != "platforms" and columns < 2}

    assert lonely == set()


def test_tables_and_models_say_the_same(postgres: EmbeddedPostgres):
    command.check(schema._config(postgres.owner_url))


def test_the_database_allows_the_same_moves_as_the_code(catalogue):
    allowed = {
        (a, b)
        for a in State
        for b in State
        if catalogue.execute("SELECT submission_moves(%s, %s)", [a.value, b.value]).fetchone()
        == (True,)
    }

    assert allowed == MOVES


@pytest.mark.parametrize(("table", "moves"), [("jobs", jobs.MOVES), ("grade_syncs", SYNC_MOVES)])
def test_jobs_and_scores_move_in_the_database_as_in_the_code(catalogue, table, moves):
    (arguments,) = catalogue.execute(
        "SELECT tgargs FROM pg_trigger WHERE tgname = 'move_as_written' AND tgrelid = %s::regclass",
        [table],
    ).fetchone()
    allowed = {argument.decode() for argument in arguments.split(b"\0") if argument}

    assert allowed == {f"{before.value}>{after.value}" for before, after in moves}


def test_a_database_that_is_up_to_date_lacks_no_migration(postgres: EmbeddedPostgres):
    assert schema.missing_migrations(postgres.owner_url) == []
