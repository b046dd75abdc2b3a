"""ATK-80: a photo that should not be here is out of sight, or gone, when a teacher says so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import pytest

from lti_tool.uploads.orphans import compare
from tests.classroom import Classroom
from tests.uploads.photos import READ, hands_in, ids, photo, sends, submissions
from tests.visitor import Browsers, Page, Visitor
from tests.workbench import Workbench


@pytest.fixture
def curie(browsers: Browsers) -> Visitor:
    return browsers.curie()


@pytest.fixture
def page(ada: Visitor) -> str:
    """Of two that Ada has handed in."""
    sends(ada, ("a.jpg", photo()), ("b.jpg", photo("blue")))
    hands_in(ada, "Getippt.")
    return ids(ada.get("/work/"))[0]


def work(curie: Visitor, bench: Workbench) -> Page:
    return curie.get(f"/overview/work/{submissions(bench)[0]}")


def test_a_hidden_photo_is_shown_to_nobody_and_can_come_back(ada, curie, bench, page):
    """ATK-80."""
    assert curie.post(f"/overview/sheets/{page}/hide").status == 303

    assert ada.get(f"/pages/{page}.jpg").status == 404
    assert curie.get(f"/pages/{page}.jpg").status == 404
    assert "Dieses Foto hat die Lehrkraft gesperrt." in ada.get("/work/").text
    assert page not in ids(work(curie, bench))
    assert len(bench.files.list("pages/")) == 2, "the file stays, as evidence"

    curie.post(f"/overview/sheets/{page}/show")

    assert ada.get(f"/pages/{page}.jpg").status == 200


def test_no_single_click_loses_a_photo(curie, bench, page):
    assert "Endgültig löschen" not in work(curie, bench).text

    curie.post(f"/overview/sheets/{page}/hide")

    assert work(curie, bench).text.count("Endgültig löschen") == 1


def test_a_deleted_photo_is_gone_with_what_was_read_on_it(ada, curie, bench, page):
    """ATK-80."""
    bench.works()  # reads both

    assert curie.post(f"/overview/sheets/{page}/delete").status == 303
    curie.post(f"/overview/sheets/{page}/show")
    bench.a_while_passes(timedelta(hours=2).total_seconds())
    bench.works()

    assert "Dieses Foto hat die Lehrkraft gelöscht." in ada.get("/work/").text
    assert curie.get(f"/pages/{page}.jpg").status == 404
    assert [file.key for file in bench.files.list("pages/") if page in file.key] == []
    assert bench.engine.asked[-1].answer == f"Getippt.\n\n{READ}", "of the other page"


def test_a_photo_deleted_after_it_was_judged_leaves_no_words_behind(ada, curie, bench, page):
    bench.works()
    bench.a_while_passes(timedelta(hours=2).total_seconds())
    bench.works()
    words = READ[-16:]
    before = work(curie, bench).text.count(words)

    curie.post(f"/overview/sheets/{page}/delete")

    assert before - work(curie, bench).text.count(words) == 1


def judged_by_now(bench: Workbench) -> None:
    bench.works()
    bench.a_while_passes(timedelta(hours=2).total_seconds())
    bench.works()


def test_the_teacher_is_told_which_feedback_still_quotes_a_deleted_photo(ada, curie, bench):
    sends(ada, ("a.jpg", photo()))
    hands_in(ada)
    page = ids(ada.get("/work/"))[0]
    judged_by_now(bench)
    assert "deleted_page" not in work(curie, bench).html

    told = curie.post(f"/overview/sheets/{page}/delete").follow()

    assert "zitiert noch, was auf dem gelöschten Foto stand" in told.text
    assert "bei „Die Rolle des Lichts ist erklärt“ und bei „Fachbegriffe“" in told.text
    assert 'href="#desk"' in told.html
    assert 'id="desk"' in told.html
    assert "deleted_page" not in ada.get("/work/").html


def test_a_quote_that_also_stands_elsewhere_only_asks_for_a_look(curie, bench, page):
    judged_by_now(bench)

    told = curie.post(f"/overview/sheets/{page}/delete").follow()

    assert "kann noch Wörter des Fotos enthalten" in told.text


def test_once_the_teacher_has_changed_it_nothing_more_is_said(curie, bench, page):
    judged_by_now(bench)
    curie.post(f"/overview/sheets/{page}/delete")
    address = f"/overview/work/{submissions(bench)[0]}"
    fields = {name: said for name, said in curie.get(address).fields().items() if name != "csrf"}

    curie.post(f"{address}/confirm", **(fields | {"strengths": "Gut begonnen."}))

    after = curie.get(address)
    assert "Gut begonnen." in after.text
    assert "deleted_page" not in after.html


def test_a_photo_that_is_only_hidden_changes_no_words(curie, bench, page):
    judged_by_now(bench)

    assert "deleted_page" not in curie.post(f"/overview/sheets/{page}/hide").follow().html


def test_a_photo_deleted_before_it_is_read_keeps_nobody_waiting(curie, bench, page):
    curie.post(f"/overview/sheets/{page}/delete")

    bench.works()

    assert len(bench.reader.seen) == 1
    assert "Die Schülerin oder der Schüler prüft noch" in work(curie, bench).text


def test_only_the_teacher_of_the_course_withdraws_a_photo(ada, browsers, page):
    for act in ("hide", "show", "delete"):
        address = f"/overview/sheets/{page}/{act}"
        assert ada.post(address).status == 403
        assert browsers.ben().post(address).status == 403

    assert ada.get(f"/pages/{page}.jpg").status == 200


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE attachments SET deleted_at = NULL WHERE deleted_at IS NOT NULL",
        "UPDATE attachments SET position = 9",
        "UPDATE submissions SET read_text = 'anders'",
    ],
)
def test_the_database_lets_nothing_else_of_a_page_change(curie, bench, page, change):
    bench.works()
    bench.a_while_passes(timedelta(hours=2).total_seconds())
    bench.works()
    curie.post(f"/overview/sheets/{page}/delete")

    with (
        psycopg.connect(bench.superuser_url) as connection,
        pytest.raises(psycopg.errors.CheckViolation),
    ):
        connection.execute(change)


def test_a_deleted_photo_is_not_missed(curie, room: Classroom, bench, page):
    curie.post(f"/overview/sheets/{page}/delete")
    platforms: list[UUID] = [room.school.platform_id]

    compared = compare(room.database.begin, bench.files, platforms, datetime.now(UTC))

    assert (compared.missing, compared.orphans) == ((), ())
