"""Drafts go by themselves, all of a draft on one day, and nothing that was handed in does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest

from lti_tool.core.clock import utc_now
from lti_tool.core.db import WORKER, Database
from lti_tool.core.embedded import EmbeddedPostgres
from lti_tool.core.files import FileStore, FilesUnavailable, open_store
from lti_tool.privacy import retention
from lti_tool.privacy.retention import Due
from lti_tool.submissions import drafts
from lti_tool.submissions.drafts import Typed
from lti_tool.uploads.models import PhoneLink, Upload, UploadState, page_key, part_key
from tests.classroom import Classroom, Pupil, belongs_to, open_classroom, page_of

# What retention looks at, with the column that says how old a row is.
TIMED = {
    "drafts": "saved_at",
    "draft_versions": "saved_at",
    "attachments": "created_at",
    "uploads": "created_at",
    "phone_links": "expires_at",
    "submissions": "submitted_at",
}


@dataclass(frozen=True)
class TimeMachine:
    """Lets days pass by making all rows older, and looks after each what is still there."""

    database: Database
    files: FileStore
    superuser: psycopg.Connection

    def passes(self, days: float) -> None:
        for table, column in TIMED.items():
            self.superuser.execute(
                f"UPDATE {table} SET {column} = {column} - %s", [timedelta(days=days)]
            )

    def night(self) -> None:
        """What a worker does."""
        with self.database.begin(WORKER) as db:
            drafts.forget_old_versions(db)
        retention.forget(self.database.begin, self.files)

    def left(self) -> dict[str, int]:
        counted = {
            table: self.superuser.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in TIMED
        }
        return {name: n for name, n in (counted | {"files": len(self.files.list(""))}).items() if n}

    def due(self, days: float) -> Due:
        with self.database.begin(WORKER) as db:
            return retention.due(db, timedelta(days=days))


@pytest.fixture
def room(database: Database) -> Classroom:
    return open_classroom(database)


@pytest.fixture
def time(database: Database, postgres: EmbeddedPostgres, tmp_path: Path) -> Iterator[TimeMachine]:
    url = postgres.superuser_url.replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as superuser:
        superuser.execute("SET session_replication_role = replica")  # no trigger guards the past
        yield TimeMachine(database, open_store(str(tmp_path)), superuser)


def types(pupil: Pupil, text: str, version: int = 0) -> None:
    with pupil.database.begin(pupil.launch.actor) as db:
        drafts.save(db, pupil.launch, Typed(text, version, uuid4(), 1))


def photographs(time: TimeMachine, pupil: Pupil) -> UUID:
    page = page_of(pupil.launch)
    with pupil.database.begin(pupil.launch.actor) as db:
        db.add(page)
    time.files.put(page_key(pupil.launch.platform_id, page.id), b"jpeg")
    return page.id


def begins_to_send(time: TimeMachine, pupil: Pupil, state: UploadState) -> None:
    """A file of which one part has arrived."""
    upload = Upload(
        id=uuid4(), name="a.jpg", size=9, received=4, state=state, **belongs_to(pupil.launch)
    )
    with pupil.database.begin(pupil.launch.actor) as db:
        db.add(upload)
    time.files.put(part_key(pupil.launch.platform_id, upload.id, 0), b"part")


def reaches_for_the_phone(pupil: Pupil) -> None:
    """A link that has just ended, though nobody followed it."""
    link = PhoneLink(
        id=uuid4(), secret_hash=b"x" * 32, expires_at=utc_now(), **belongs_to(pupil.launch)
    )
    with pupil.database.begin(pupil.launch.actor) as db:
        db.add(link)


def test_three_years_on_only_what_was_handed_in_is_there(room: Classroom, time: TimeMachine):
    """P3: on the day, each kind of row and file is gone, and no day earlier."""
    photographs(time, room.ben)
    room.ben.hands_in("Licht gibt Energie.")
    types(room.ada, "Vom Tablet")
    types(room.ada, "Vom Handy")
    photographs(time, room.ada)
    begins_to_send(time, room.ada, UploadState.ARRIVING)
    begins_to_send(time, room.ada, UploadState.REFUSED)
    reaches_for_the_phone(room.ada)
    everything = {
        "drafts": 1,
        "draft_versions": 1,
        "attachments": 2,
        "uploads": 2,
        "phone_links": 1,
        "submissions": 1,
    }
    handed_in = {"attachments": 1, "submissions": 1, "files": 1}

    seen, day = {}, 0.0
    for step in (0, 0.99, 0.02, *[1] * 28, 0.98, 0.02, *[100] * 11):
        day += step
        time.passes(step)
        time.night()
        seen[round(day, 2)] = time.left()

    assert seen.pop(0) == seen.pop(0.99) == everything | {"files": 4}
    only_a_day = ("uploads", "phone_links")
    after_a_day = {name: n for name, n in everything.items() if name not in only_a_day}
    after_a_day["files"] = 2
    for young in [day for day in seen if day < 30]:
        assert (young, seen.pop(young)) == (young, after_a_day)
    assert {tuple(sorted(left.items())) for left in seen.values()} == {
        tuple(sorted(handed_in.items()))
    }
    assert max(seen) > 3 * 365


@pytest.mark.parametrize("last", ["text", "photo"])
def test_a_draft_is_as_old_as_what_was_done_to_it_last(
    room: Classroom, time: TimeMachine, last: str
):
    types(room.ada, "Siehe Foto.")
    photographs(time, room.ada)
    types(room.ben, "Vergessen.")
    time.passes(20)
    if last == "text":
        types(room.ada, "Siehe Foto unten.", version=1)
    else:
        photographs(time, room.ada)
    time.passes(20)

    time.night()

    work = room.ada.sees()
    assert work.draft is not None
    assert len(work.pages) == (1 if last == "text" else 2)
    assert room.ben.sees().draft is None


def test_done_twice_or_broken_off_it_does_no_harm(room: Classroom, time: TimeMachine):
    """FLT-74. Files that could not be deleted are found by `gustav files`."""
    types(room.ada, "Licht")
    photographs(time, room.ada)
    time.passes(31)

    retention.forget(time.database.begin, SilentStore(time.files))
    time.night()
    time.night()

    assert time.left() == {"files": 1}


def test_what_will_go_is_told_before_it_does(room: Classroom, time: TimeMachine):
    types(room.ada, "Vom Tablet")
    types(room.ada, "Vom Handy")
    photographs(time, room.ada)
    time.passes(25)
    types(room.ben, "Von heute")

    assert time.due(4) == Due(0, 0, 0)
    assert time.due(6) == Due(drafts=1, pages=1, older=1)
    assert time.due(31) == Due(drafts=2, pages=1, older=1)
    assert time.left()["drafts"] == 2


def test_the_database_itself_keeps_what_is_not_over(
    room: Classroom, time: TimeMachine, postgres: EmbeddedPostgres
):
    """Whoever acts as retention deletes nothing young, and changes nothing at all."""
    types(room.ada, "Licht")
    photographs(time, room.ada)
    begins_to_send(time, room.ada, UploadState.ARRIVING)
    reaches_for_the_phone(room.ada)
    with psycopg.connect(postgres.app_url.replace("+psycopg", "")) as app:
        app.execute("SELECT set_config('app.role', 'retention', true)")
        for table in ("drafts", "attachments", "uploads", "phone_links"):
            assert app.execute(f"DELETE FROM {table}").rowcount == 0
        assert app.execute("UPDATE drafts SET text = ''").rowcount == 0


class SilentStore(FileStore):
    """A store that does not answer."""

    def __init__(self, files: FileStore) -> None:
        self._store, self._folder = files._store, files._folder

    def delete(self, keys) -> None:
        raise FilesUnavailable("silent")
