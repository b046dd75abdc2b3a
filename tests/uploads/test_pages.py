"""Photos and PDF of a pupil: they come in, are put in order, handed in, read and put right."""

from __future__ import annotations

import io
import re
from datetime import datetime, timedelta
from uuid import uuid4

import psycopg
import pymupdf
import pytest
from sqlalchemy import select

from feedback_engine.build import build_reader
from feedback_engine.config import EngineConfig, EngineKind
from feedback_engine.contract import PageImage, PageReading
from feedback_engine.errors import EngineFailed, EngineUnavailable
from feedback_engine.transcribe import PROMPT_VERSION
from lti_tool.core.db import WORKER
from lti_tool.core.jobs import Job, JobKind, JobState, ready
from lti_tool.core.lanes import Urgency
from lti_tool.launch.secrets import Secrets
from lti_tool.submissions.models import Transcript
from tests.classroom import Classroom, open_classroom
from tests.content.browser import SECRET
from tests.fakes.ollama import FakeOllama
from tests.specs import spec
from tests.uploads.photos import READ, FakeReader, hands_in, ids, photo, script, sends, submissions
from tests.visitor import Browsers, Page, Visitor, open_browsers
from tests.workbench import Workbench

SEER = "qwen2.5vl:7b-q8_0"


def test_photos_and_a_pdf_become_pages_in_their_order(ada: Visitor):
    """And each is a picture and nothing else, also when it is opened by itself (ATK-75)."""
    document = pymupdf.open()
    document.new_page()
    document.new_page()

    answer = sends(ada, ("blatt.jpg", photo()), ("heft.pdf", document.tobytes()))

    assert answer.status == 303
    page = ada.get("/work/")
    assert len(ids(page)) == 3
    shown = ada.get(f"/pages/{ids(page)[0]}.jpg").response
    assert (shown.status_code, shown.mimetype) == (200, "image/jpeg")
    assert "sandbox" in shown.headers["Content-Security-Policy"]
    assert shown.headers["X-Content-Type-Options"] == "nosniff"


def test_a_photo_is_seen_large_where_one_is(ada: Visitor, browsers: Browsers, bench: Workbench):
    """A tab of its own has no session: cookies of a frame stay in the frame."""
    sends(ada, ("blatt.jpg", photo()))
    drafted = ada.get("/work/")
    hands_in(ada)
    bench.works()
    to_check = ada.get("/work/")
    (submission,) = submissions(bench)
    work = browsers.curie().get(f"/overview/work/{submission}")

    for page in (drafted, to_check, work):
        linked = re.findall(r'<a [^>]*href="([^"]+)"[^>]*><img', page.html)
        assert linked
        assert [page.html.count(f'id="{goal[1:]}"') for goal in linked] == [1] * len(linked)


def test_a_file_that_cannot_be_read_is_named_and_the_others_are_kept(ada: Visitor):
    answer = sends(ada, ("gut.jpg", photo()), ("<img src=x>.jpg", b"<html>"), ("leer.jpg", b""))

    assert answer.status == 415
    assert "Diese Datei kann ich nicht lesen" in answer.text
    assert "<img src=x>" not in answer.html
    assert "Diese Datei ist leer" in answer.text
    assert len(ids(ada.get("/work/"))) == 1


def test_a_file_comes_in_parts_and_goes_on_after_a_break(ada: Visitor):
    content = photo()
    told = script(ada, "/pages/uploads", data={"name": "a.jpg", "size": len(content)})
    address = f"/pages/uploads/{told.response.json['id']}"

    def part(offset: int, piece: bytes) -> Page:
        return script(ada, f"{address}?from={offset}", data=piece, kind="application/octet-stream")

    first = part(0, content[:100]).response.json
    again = part(0, content[:100]).response.json  # its answer was lost
    early = script(ada, f"{address}/finish")
    there = ada.poll(address).response.json
    last = part(there["received"], content[100:]).response.json
    done = script(ada, f"{address}/finish")
    twice = script(ada, f"{address}/finish")

    assert (first, again, there) == ({"received": 100},) * 3
    assert early.status == 409
    assert last == {"received": len(content)}
    assert (done.status, len(ids(done))) == (200, 1)
    assert (twice.status, ids(twice)) == (200, ids(done))


def test_a_part_that_is_more_than_was_announced_is_refused(ada: Visitor):
    told = script(ada, "/pages/uploads", data={"name": "a.jpg", "size": "5"})

    answer = script(
        ada,
        f"/pages/uploads/{told.response.json['id']}?from=0",
        data=b"123456",
        kind="application/octet-stream",
    )

    assert answer.status == 400


def test_pages_are_put_in_order_and_taken_out(ada: Visitor):
    sends(ada, ("a.jpg", photo()), ("b.jpg", photo("blue")), ("c.jpg", photo("green")))
    one, two, three = ids(ada.get("/work/"))

    ada.post(f"/pages/{three}/move", by="up")
    ada.post(f"/pages/{one}/remove")

    assert ids(ada.get("/work/")) == [three, two]
    assert ada.get(f"/pages/{one}.jpg").status == 404


def test_whoever_sends_very_much_is_told_when_it_goes_on(ada: Visitor, browsers: Browsers):
    """ATK-77."""
    for _ in range(10):
        script(ada, "/pages/uploads", data={"name": "a.jpg", "size": "5"})

    stopped = script(ada, "/pages/uploads", data={"name": "a.jpg", "size": "5"})
    browsers.curie().post("/pages/allow-more")
    lifted = script(ada, "/pages/uploads", data={"name": "a.jpg", "size": "5"})

    assert stopped.status == 429
    assert "Uhr geht es weiter; dein Text und deine Seiten bleiben gespeichert" in stopped.text
    assert lifted.status == 201
    assert "darf Ihr Kurs so viele Fotos hochladen" in browsers.curie().get("/overview/").text


def test_a_file_larger_than_allowed_is_refused_before_it_travels(ada: Visitor):
    answer = script(ada, "/pages/uploads", data={"name": "a.pdf", "size": "50000001"})

    assert answer.status == 413
    assert "größer als 50 MB" in answer.text


def test_a_photo_alone_is_an_answer_and_is_read_shown_and_put_right(
    ada: Visitor, browsers: Browsers, bench: Workbench
):
    sends(ada, ("blatt.jpg", photo()))
    handed = hands_in(ada)
    assert handed.status == 303

    bench.works()
    page = ada.get("/work/")
    assert "Habe ich das richtig gelesen?" in page.text
    assert READ in page.text
    assert "Schlecht lesen konnte ich: Pflanze" in page.text
    assert "Zeichnung: Eine Pflanze im Topf." in page.text
    (field,) = [name for name in page.fields() if name.startswith("page-")]
    (submission,) = submissions(bench)
    corrected = f"{READ} Ohne Licht nicht."
    ada.post(f"/work/attempts/{submission}/reading", **{field: corrected})
    bench.works()

    assert bench.engine.asked[-1].answer == corrected
    assert bench.engine.asked[-1].drawings == ("Eine Pflanze im Topf.",)
    assert "Dein nächster Schritt" in ada.get("/work/").text
    teacher = browsers.curie().get(f"/overview/work/{submission}")
    assert "Ohne Licht nicht." in teacher.text
    assert "von der Schülerin oder dem Schüler verbessert" in teacher.text
    assert len(ids(teacher)) == 1


def test_what_was_read_stands_beside_its_photo_and_nowhere_twice(ada: Visitor, bench: Workbench):
    sends(ada, ("blatt.jpg", photo()))
    hands_in(ada, "Getippt.")
    bench.works()

    page = ada.get("/work/")

    assert 'id="sheets"' not in page.html
    assert page.text.count(READ) == 1
    assert "Getippt." in page.text
    assert "Deine Seiten sind gelesen." not in page.text  # for waiting pages, which lead here


def test_nobody_who_checks_it_keeps_nobody_waiting_for_ever(ada: Visitor, bench: Workbench):
    sends(ada, ("blatt.jpg", photo()))
    hands_in(ada, "Getippt.")
    bench.works()
    bench.works()
    assert bench.engine.asked == []

    bench.a_while_passes(timedelta(hours=1, minutes=1).total_seconds())
    bench.works()

    assert bench.engine.asked[-1].answer == f"Getippt.\n\n{READ}"


def test_where_the_teacher_wants_no_check_what_was_read_is_judged_at_once(unchecked):
    ada, bench = unchecked
    sends(ada, ("blatt.jpg", photo()))
    hands_in(ada)

    bench.works_on()

    assert bench.engine.asked[-1].answer == READ


def test_whose_photo_is_read_keeps_their_place_in_line_and_in_the_lesson(unchecked):
    ada, bench = unchecked
    sends(ada, ("blatt.jpg", photo()))
    hands_in(ada)
    bench.room.ben.hands_in()
    bench.room.joins("carl").hands_in()
    handed_in = standing(bench, JobKind.READ_PAGES)
    with psycopg.connect(bench.superuser_url) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("UPDATE submissions SET submitted_at = now() - interval '20 min'")

    bench.works()
    once_read = standing(bench, JobKind.GIVE_FEEDBACK)

    assert handed_in[0] is Urgency.LIVE
    assert once_read == handed_in


def standing(bench: Workbench, kind: JobKind) -> tuple[Urgency, datetime]:
    """How urgent the only such job is that waits, and since when its person does."""
    with bench.room.database.begin(bench.room.service) as db:
        waiting = select(Job).where(Job.state == JobState.WAITING, Job.kind == kind)
        job = db.scalars(waiting).one()
        return Urgency(job.urgency), job.since


def test_a_page_that_was_read_is_not_read_again(ada: Visitor, bench: Workbench):
    bench.reader = FakeReader()
    sends(ada, ("a.jpg", photo()), ("b.jpg", photo("blue")))
    hands_in(ada)
    bench.reader.errors = []
    first_read = bench.reader.read_page

    def read_one_then_fail(image: PageImage, **how: str) -> PageReading:
        if bench.reader.seen:
            bench.reader.read_page = first_read
            raise EngineFailed("too slow")
        return first_read(image, **how)

    bench.reader.read_page = read_one_then_fail

    bench.works()
    bench.a_while_passes(60)
    bench.works()

    assert len(bench.reader.seen) == len(set(bench.reader.seen)) == 2


def test_a_reader_that_is_away_costs_no_try_and_one_that_fails_asks_the_teacher(
    ada: Visitor, browsers: Browsers, bench: Workbench
):
    bench.reader = FakeReader(*[EngineUnavailable("away")] * 5, *[EngineFailed("no")] * 9)
    sends(ada, ("a.jpg", photo()))
    hands_in(ada)

    for _ in range(9):
        bench.works()
        bench.a_while_passes(60)
    (submission,) = submissions(bench)

    teacher = browsers.curie().get(f"/overview/work/{submission}")
    assert "Die Fotos ließen sich mehrmals nicht lesen" in teacher.text


def test_what_a_model_reads_is_shown_with_its_doubts_and_kept_with_its_name(
    ada: Visitor, bench: Workbench
):
    with FakeOllama({SEER: "5" * 64}) as host:
        bench.reader = build_reader(EngineConfig(EngineKind.OLLAMA, host.url, SEER, sees=True))
        sends(ada, ("a.jpg", photo()))
        hands_in(ada)

        bench.works()

    page = ada.get("/work/")
    assert "Die Pflanze braucht Licht" in page.text
    assert "<mark" in page.html
    assert "Eine Pflanze im Topf, beschriftet." in page.text
    with bench.room.database.begin(bench.room.service) as db:
        (kept,) = db.scalars(select(Transcript)).all()
    assert (kept.engine, kept.model, kept.model_digest) == ("ollama", SEER, "5" * 64)
    assert kept.prompt_version == PROMPT_VERSION
    assert [kept.read_text[a:b] for a, b in kept.unsure] == ["Pflanze"]


def test_where_no_model_reads_the_pupil_types_what_is_on_the_sheet(ada: Visitor, bench: Workbench):
    bench.reader = None
    sends(ada, ("a.jpg", photo()))
    hands_in(ada)

    bench.works()

    page = ada.get("/work/")
    assert "Hier kann gerade kein Modell Fotos lesen" in page.text
    assert "Was steht auf deinen Seiten?" in page.text
    assert "richtig gelesen" not in page.text  # nothing was


def test_a_page_that_is_lost_is_said_and_not_judged(ada: Visitor, browsers, bench: Workbench):
    """FLT-45."""
    sends(ada, ("a.jpg", photo()))
    hands_in(ada)
    bench.files.delete([found.key for found in bench.files.list("pages/")])

    bench.works()

    (submission,) = submissions(bench)
    teacher = browsers.curie().get(f"/overview/work/{submission}")
    assert "im Speicher nicht mehr lesbar" in teacher.text


def test_what_was_handed_in_does_not_change(ada: Visitor, bench: Workbench):
    """ATK-78."""
    sends(ada, ("a.jpg", photo()))
    (page,) = ids(ada.get("/work/"))
    hands_in(ada)

    answers = [ada.post(f"/pages/{page}/remove"), ada.post(f"/pages/{page}/move", by="up")]

    assert [answer.status for answer in answers] == [404, 404]
    for change in ("sha256 = 'x'", "position = 9", "submission_id = NULL"):
        with (
            psycopg.connect(bench.superuser_url) as connection,
            pytest.raises(psycopg.errors.CheckViolation),
        ):
            connection.execute(f"UPDATE attachments SET {change}")


def test_classmates_and_other_teachers_see_no_page(ada: Visitor, browsers: Browsers):
    """ATK-73: an id that one has heard of opens nothing, drafts not even for the teacher."""
    sends(ada, ("a.jpg", photo()))
    (page,) = ids(ada.get("/work/"))

    assert browsers.ben().get(f"/pages/{page}.jpg").status == 404
    assert browsers.curie().get(f"/pages/{page}.jpg").status == 404
    hands_in(ada)
    assert browsers.curie().get(f"/pages/{page}.jpg").status == 200
    assert browsers.ben().get(f"/pages/{page}.jpg").status == 404


def test_an_answer_of_nothing_at_all_is_none(ada: Visitor):
    assert hands_in(ada, "  ").status == 400


def test_a_task_without_photos_offers_none(database):
    ada = open_browsers(open_classroom(database, spec(takes_pages=False))).ada()

    assert "Fotos und PDF" not in ada.get("/work/").text


def test_a_form_of_a_thousand_parts_is_not_even_read(ada: Visitor):
    """ATK-79."""
    parts = {f"f{number}": "x" for number in range(1000)}
    form = {**parts, "csrf": Secrets(SECRET).csrf(ada.session_id), "file": (io.BytesIO(b"x"), "a")}

    assert ada.client.post(ada.url("/pages/"), data=form).status_code == 413


def test_a_job_for_reading_carries_nothing_but_an_id(ada: Visitor, room: Classroom):
    sends(ada, ("a.jpg", photo()))
    hands_in(ada)

    with room.database.begin(WORKER) as db:
        ((kind, job_id),) = ready(db)

    assert (kind.value, type(job_id)) == ("read_pages", type(uuid4()))
