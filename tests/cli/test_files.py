"""`gustav files`: photos and rows compared both ways; what is deleted takes its photos along."""

import os
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from lti_tool.core.db import Database
from lti_tool.core.files import FileStore, open_store
from lti_tool.uploads.models import Attachment, Upload, page_key, part_key
from lti_tool.uploads.orphans import compare
from tests.classroom import Classroom, belongs_to, open_classroom, page_of
from tests.cli.console import Gustav

SCHOOL = "Schule am Park"


@pytest.fixture
def room(database: Database) -> Classroom:
    return open_classroom(database)


@pytest.fixture
def store(house: Gustav, tmp_path, monkeypatch) -> FileStore:
    monkeypatch.setenv("GUSTAV_FILES", str(tmp_path / "files"))
    return open_store(str(tmp_path / "files"))


def a_page(room: Classroom) -> Attachment:
    ada = room.ada.launch
    page = page_of(ada)
    with room.database.begin(ada.actor) as db:
        db.add(page)
    return page


def half_a_file(room: Classroom) -> UUID:
    """That Ada's browser has begun to send."""
    ada = room.ada.launch
    upload = Upload(id=uuid4(), name="b.jpg", size=4, received=2, **belongs_to(ada))
    with room.database.begin(ada.actor) as db:
        db.add(upload)
        db.flush()
        return upload.id


def test_a_page_whose_photo_is_missing_is_told(house: Gustav, room: Classroom, store: FileStore):
    a_page(room)

    said = house("files")

    assert said.code == 1
    assert "Zu 1 Seiten fehlt das Foto" in said.err


def test_what_belongs_to_nothing_is_deleted_when_it_is_old(house, room, store, tmp_path):
    page = a_page(room)
    orphan, young = (page_key(room.school.platform_id, uuid4()) for _ in range(2))
    of_nobody = page_key(uuid4(), uuid4())  # its platform is gone
    for key in (page.key, orphan, young, of_nobody):
        store.put(key, b"jpeg")
    for key in (page.key, orphan, of_nobody):
        two_days_ago = (datetime.now(UTC) - timedelta(days=2)).timestamp()
        os.utime(tmp_path / "files" / key, (two_days_ago, two_days_ago))
    platforms = [room.school.platform_id]

    found = compare(room.database.begin, store, platforms, datetime.now(UTC))
    said = house("files", "--delete")

    assert set(found.orphans) == {orphan, of_nobody}
    assert found.missing == ()
    assert (said.code, said.out.count("2 Dateien")) == (0, 1)
    assert {file.key for file in store.list("pages/")} == {page.key, young}


def test_a_person_who_is_deleted_takes_their_photos_along(house, room, store):
    """P4: not only rows."""
    page = a_page(room)
    store.put(page.key, b"jpeg")
    store.put(part_key(page.platform_id, half_a_file(room), 0), b"je")

    said = house("person", "remove", "--platform", SCHOOL, "--sub", "4", "--yes")

    assert said.code == 0, said.err
    assert store.list("") == []
