"""Each invariant's query, proven by a corruption that only it may find.

The corruptions are done as superuser, with triggers off and constraints gone, in a database of
their own: in the tool's own tables none of them can be written.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import psycopg
import pytest

from lti_tool import flows, invariants
from lti_tool.core.db import Database, service_of
from lti_tool.core.embedded import EmbeddedPostgres
from lti_tool.core.jobs import JobKind, enqueue
from lti_tool.core.schema import upgrade
from tests.classroom import Classroom, FakeEngine, judged, open_classroom
from tests.specs import FOTOSYNTHESE

NAME = "gustav_broken"
# What the tool's tables forbid, taken away: keys that are unique, conditions, and references.
CONSTRAINTS = """
SELECT format('ALTER TABLE %I DROP CONSTRAINT IF EXISTS %I CASCADE', conrelid::regclass::text,
  conname)
FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype IN ('u', 'c', 'f')
"""
INDEXES = """
SELECT format('DROP INDEX %I', indexrelid::regclass::text) FROM pg_index
WHERE indisunique AND NOT indisprimary AND indrelid::regclass::text IN
  ('submissions', 'feedbacks', 'grade_syncs', 'jobs')
"""


def renamed(url: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{NAME}"))


@pytest.fixture(scope="module")
def unprotected(postgres: EmbeddedPostgres) -> Iterator[EmbeddedPostgres]:
    """The tables without anything that keeps them true."""
    urls = (postgres.superuser_url, postgres.owner_url, postgres.app_url)
    server = EmbeddedPostgres(*map(renamed, urls))
    with psycopg.connect(plain(postgres), autocommit=True) as db:
        db.execute(f"CREATE DATABASE {NAME} OWNER gustav_owner")
    upgrade(server.owner_url)
    with psycopg.connect(plain(server), autocommit=True) as db:
        for found in (CONSTRAINTS, INDEXES):
            for (statement,) in db.execute(found).fetchall():
                db.execute(statement)
    yield server
    with psycopg.connect(plain(postgres), autocommit=True) as db:
        db.execute(f"DROP DATABASE {NAME} WITH (FORCE)")


def plain(server: EmbeddedPostgres) -> str:
    return server.superuser_url.replace("+psycopg", "")


@dataclass(frozen=True)
class Ruin:
    """A school in which things can be broken that hold everywhere else."""

    room: Classroom
    database: Database
    superuser: psycopg.Connection

    def breaks(self, statement: str, **values: object) -> None:
        assert self.superuser.execute(statement, values).rowcount > 0

    def finds(self) -> list[tuple[str, tuple[str, ...]]]:
        found = invariants.check(self.database.begin, [self.room.school.platform_id])
        return [(violation.invariant.name, violation.broken) for violation in found]

    def one(self, what: str) -> str:
        (found,) = self.superuser.execute(what).fetchall()
        return str(found[0])


@pytest.fixture
def ruin(unprotected: EmbeddedPostgres) -> Iterator[Ruin]:
    """Ada has feedback on two attempts, with a score each; Ben waits for his."""
    database = Database(unprotected.app_url, handlers=flows.HANDLERS)
    task = replace(FOTOSYNTHESE, reports_score=True)
    room = open_classroom(database, task)
    judged(room, FakeEngine(), room.ada.hands_in())
    with psycopg.connect(plain(unprotected), autocommit=True) as superuser:
        superuser.execute("SET session_replication_role = replica")
        superuser.execute(
            "UPDATE grade_syncs SET state = 'posted', sent_at = now(), posted_at = now();"
            " UPDATE jobs SET state = 'done'"
        )
        judged(room, FakeEngine(1, 1), room.ada.hands_in(attempt=2))
        room.ben.hands_in()
        yield Ruin(room, database, superuser)
        tables = superuser.execute(
            "SELECT string_agg(format('DELETE FROM %I', tablename), '; ') FROM pg_tables"
            " WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
        ).fetchone()
        superuser.execute(tables[0])
    database.close()


BEN = "SELECT id FROM submissions WHERE state = 'handed_in'"
ADA_2 = "SELECT id FROM submissions WHERE attempt = 2"
SYNC_1 = "SELECT id FROM grade_syncs WHERE state = 'posted'"
SYNC_2 = "SELECT id FROM grade_syncs WHERE state = 'planned'"
FEEDBACK_2 = f"SELECT id FROM feedbacks WHERE submission_id = ({ADA_2})"
BENS_JOB = f"SELECT id FROM jobs WHERE subject_id = ({BEN})"

# The invariant, the row that is found, and what was done to it.
CORRUPTIONS = [
    ("history", BEN, f"DELETE FROM submission_events WHERE submission_id = ({BEN})"),
    (
        "history",
        BEN,
        "INSERT INTO submission_events (id, platform_id, submission_id, from_state, to_state)"
        " SELECT gen_random_uuid(), platform_id, id, 'handed_in', 'released' FROM submissions"
        " WHERE state = 'handed_in'",
    ),
    ("attempts", ADA_2, "UPDATE submissions SET attempt = 3 WHERE attempt = 2"),
    ("attempts", BEN, f"UPDATE submissions SET attempt = 2 WHERE id = ({BEN})"),
    ("under_way", BEN, f"UPDATE jobs SET state = 'given_up' WHERE id = ({BENS_JOB})"),
    ("under_way", BEN, f"UPDATE jobs SET kind = 'post_score' WHERE id = ({BENS_JOB})"),
    ("reason", BEN, f"UPDATE submissions SET needs_teacher_reason = 'x' WHERE id = ({BEN})"),
    (
        "standstill",
        BENS_JOB,
        f"UPDATE jobs SET ready_at = now() - interval '25 h' WHERE id = ({BENS_JOB})",
    ),
    (
        "standstill",
        BENS_JOB,
        "UPDATE jobs SET state = 'working', lease_until = now() - interval '25 h'"
        f" WHERE id = ({BENS_JOB})",
    ),
    (
        "released",
        ADA_2,
        f"UPDATE feedbacks SET released_at = NULL WHERE submission_id = ({ADA_2})",
    ),
    ("versions", ADA_2, f"UPDATE feedbacks SET version = 2 WHERE id = ({FEEDBACK_2})"),
    (
        "without_release",
        SYNC_2,
        f"UPDATE grade_syncs SET authority = 'teacher' WHERE id = ({SYNC_2})",
    ),
    (
        "in_order",
        SYNC_2,
        f"UPDATE grade_syncs SET sent_at = now() - interval '9 h' WHERE id = ({SYNC_2})",
    ),
    ("on_its_way", SYNC_2, f"DELETE FROM jobs WHERE subject_id = ({SYNC_2})"),
    (
        "kept_too_long",
        "SELECT id FROM resource_links",
        "INSERT INTO drafts (id, platform_id, course_id, resource_link_id, person_id, text,"
        " version, saved_at) SELECT gen_random_uuid(), platform_id, course_id, resource_link_id,"
        " person_id,"
        f" 'Licht', 1, now() - interval '33 days' FROM submissions WHERE id = ({BEN})",
    ),
    ("subjects", BENS_JOB, f"UPDATE jobs SET kind = 'refresh_roster' WHERE id = ({BENS_JOB})"),
]


def test_a_school_day_breaks_nothing(ruin: Ruin):
    assert ruin.finds() == []


# What cannot be broken alone: the second finding follows from the first.
ALSO = {
    "released": {"without_release"},
    "subjects": {"under_way"},
    "under_way": {"subjects"},
}


@pytest.mark.parametrize(("name", "row", "damage"), CORRUPTIONS)
def test_a_corruption_is_found_with_its_row(ruin: Ruin, name: str, row: str, damage: str):
    broken = ruin.one(row)

    ruin.breaks(damage)

    found = dict(ruin.finds())
    assert found[name] == (broken,)
    assert found.keys() - {name} <= ALSO.get(name, set())


def copied(table: str, which: str, **changed: str) -> str:
    """Another row like that one, with some columns changed (SQL expressions)."""
    new = {"id": "gen_random_uuid()", **changed}
    fields = ", ".join(f"'{column}', {value}" for column, value in new.items())
    return (
        f"INSERT INTO {table} SELECT (jsonb_populate_record(t, jsonb_build_object({fields}))).*"
        f" FROM {table} t WHERE t.id = ({which})"
    )


DOUBLES = [
    ("keys", "submissions", copied("submissions", BEN, attempt="2", state="'released'"), 2),
    ("current", "submissions", copied("feedbacks", FEEDBACK_2, version="2"), 1),
    ("once", "grade_syncs", copied("grade_syncs", SYNC_2, sent_at="NULL"), 2),
    (
        "once",
        "grade_syncs",
        copied("grade_syncs", SYNC_2, sent_at="NULL", state="'superseded'"),
        2,
    ),
]


@pytest.mark.parametrize(("name", "table", "damage", "count"), DOUBLES)
def test_what_is_there_twice_is_found(ruin: Ruin, name: str, table: str, damage: str, count: int):
    ruin.breaks(damage)

    found = dict(ruin.finds())[name]

    assert len(found) == count
    known = ruin.superuser.execute(f"SELECT id::text FROM {table}").fetchall()
    assert set(found) <= {row_id for (row_id,) in known}


def test_a_result_that_is_gone_is_missed(ruin: Ruin):
    ruin.breaks(f"DELETE FROM feedbacks WHERE id = ({FEEDBACK_2})")

    found = dict(ruin.finds())

    assert found["current"] == (ruin.one(ADA_2),)
    assert found["without_release"] == (ruin.one(SYNC_2),)


def test_a_version_that_replaced_none_is_not_enough(ruin: Ruin):
    """An overwritten version leaves a gap; two that are current are one too many."""
    ruin.breaks(f"UPDATE feedbacks SET superseded_at = now() WHERE id = ({FEEDBACK_2})")
    ruin.breaks(copied("feedbacks", FEEDBACK_2, version="3", superseded_at="NULL"))

    assert dict(ruin.finds())["versions"] == (ruin.one(ADA_2),)


PAGE = (
    "INSERT INTO attachments (id, platform_id, course_id, resource_link_id, person_id,"
    " submission_id, position, name, sha256, size, width, height) SELECT gen_random_uuid(),"
    " platform_id, course_id, resource_link_id, gen_random_uuid(), id, 1, '', '', 1, 1, 1"
    f" FROM submissions WHERE id = ({BEN})"
)
READING = (
    "INSERT INTO transcripts (id, platform_id, course_id, person_id, attachment_id, read_text,"
    " unsure, drawings, engine, model, model_digest, prompt_version) SELECT gen_random_uuid(),"
    " platform_id, course_id, person_id, gen_random_uuid(), '', '[]', '{}', '', '', '', ''"
    f" FROM submissions WHERE id = ({BEN})"
)
REFERENCES = [
    ("submissions", f"UPDATE submissions SET task_id = gen_random_uuid() WHERE id = ({BEN})"),
    ("submissions", f"UPDATE submissions SET course_id = gen_random_uuid() WHERE id = ({BEN})"),
    ("submissions", f"UPDATE submissions SET person_id = gen_random_uuid() WHERE id = ({BEN})"),
    ("feedbacks", "UPDATE feedbacks SET person_id = gen_random_uuid()"),
    ("criterion_results", "UPDATE criterion_results SET criterion_id = gen_random_uuid()"),
    ("attachments", PAGE),
    ("transcripts", READING),
    ("grade_syncs", f"UPDATE grade_syncs SET submission_id = ({BEN}) WHERE id = ({SYNC_2})"),
]


@pytest.mark.parametrize(("table", "damage"), REFERENCES)
def test_a_reference_that_leads_nowhere_is_found(ruin: Ruin, table: str, damage: str):
    ruin.breaks(damage)

    found = dict(ruin.finds())

    assert table in {row.split()[0] for row in found["references"]}


def test_a_reference_into_another_school_is_found(ruin: Ruin):
    """Foreign keys do not ask row policies; the border is part of the key, and this looks too."""
    other = open_classroom(ruin.database, issuer="https://moodle.andere.example")
    broken = ruin.one(BEN)

    ruin.breaks(f"UPDATE submissions SET task_id = %(task)s WHERE id = ({BEN})", task=other.task_id)

    assert ruin.finds() == [("references", (f"submissions {broken}",))]


def test_nothing_of_another_school_is_named(ruin: Ruin):
    ruin.breaks(f"DELETE FROM jobs WHERE id = ({BENS_JOB})")
    other = open_classroom(ruin.database, issuer="https://moodle.andere.example")

    assert invariants.check(ruin.database.begin, [other.school.platform_id]) == []


@pytest.mark.parametrize("kind", JobKind)
def test_every_kind_of_job_has_a_subject(ruin: Ruin, kind: JobKind):
    """A new kind needs its line in the query."""
    subjects = {
        JobKind.READ_PAGES: ruin.one(BEN),
        JobKind.GIVE_FEEDBACK: ruin.one(BEN),
        JobKind.POST_SCORE: ruin.one(SYNC_2),
        JobKind.REFRESH_ROSTER: str(ruin.room.school.bio),
    }
    platform = ruin.room.school.platform_id
    with ruin.database.begin(service_of(platform)) as db:
        enqueue(db, kind, platform_id=platform, subject_id=UUID(subjects[kind]))

    assert ruin.finds() == []
