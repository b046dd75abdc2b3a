"""`gustav check-invariants`: what an administrator is told about what does not fit together."""

import os
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import psycopg
import pytest

from lti_tool.cli.invariants import WORDS
from lti_tool.core.files import open_store
from lti_tool.invariants import INVARIANTS
from lti_tool.uploads.models import page_key
from tests.classroom import Classroom, open_classroom
from tests.cli.console import Gustav
from tests.cli.test_files import a_page


@pytest.fixture
def room(database) -> Classroom:
    return open_classroom(database)


def test_nothing_is_wrong_after_a_lesson(house: Gustav, room: Classroom):
    room.ada.hands_in()

    said = house("check-invariants")

    assert said.code == 0, said.err
    assert said.out == "Alle Abgaben, Rückmeldungen, Noten und Fotos passen zueinander.\n"


def test_work_that_nobody_does_is_told_with_its_id_and_no_name(
    house: Gustav, room: Classroom, postgres
):
    submission = room.ada.hands_in()
    with psycopg.connect(postgres.superuser_url.replace("+psycopg", "")) as db:
        db.execute("DELETE FROM jobs")

    said, machine = house("check-invariants"), house("check-invariants", "--json")

    assert (said.code, machine.code) == (1, 1)
    assert f"FEHLT  I3 {WORDS['under_way']}: {submission.id}\n" in said.out
    assert "Sicherung aufheben" in said.out
    assert "Ada" not in said.out + machine.out
    (broken,) = machine.json["broken"]
    assert (broken["invariant"], broken["ids"]) == ("I3", [str(submission.id)])


def test_photos_are_compared_in_both_directions(house: Gustav, room: Classroom, tmp_path):
    page = a_page(room)
    left = page_key(room.school.platform_id, uuid4())
    open_store(str(tmp_path / "files")).put(left, b"jpeg")
    long_ago = (datetime.now(UTC) - timedelta(days=2)).timestamp()
    os.utime(tmp_path / "files" / left, (long_ago, long_ago))

    said = house("check-invariants", "--json")

    assert {one["about"]: one["ids"] for one in said.json["broken"]} == {
        "pages_missing": [page.key],
        "pages_left": [left],
    }


def test_every_invariant_has_its_words():
    assert {one.name for one in INVARIANTS} < WORDS.keys()
