"""Where a task says Sie, all of its pages do, and so does the gradebook; where it says du, too."""

from __future__ import annotations

import re
from html import unescape

import pytest
from sqlalchemy import select

from lti_tool.content.models import Mode, RegularTask
from lti_tool.core.db import Database
from lti_tool.grades.models import GradeSync
from tests.classroom import ANSWER, Classroom, open_classroom
from tests.content.browser import TOOL
from tests.specs import sent_for, spec
from tests.uploads.photos import script
from tests.uploads.photos import sends as sends_files
from tests.visitor import Browsers, Page, Visitor, judged, open_browsers, value

DU = re.compile(r"\b([Dd]u|[Dd]ir|[Dd]ich|[Dd]ein\w*|[Ff]otografiere)\b")
SIE = re.compile(r"\b(Ihnen|Ihre?[mnrs]?)\b|(?<=[\w,] )Sie\b")
# What the engine said, and an attribute that looks like a word.
NOT_OURS = ("Du nennst die Energie.", "Erkläre, was mit der Energie geschieht.", ' dir="auto"')


@pytest.fixture
def room(database: Database) -> Classroom:
    return open_classroom(database, spec(formal=True, takes_pages=True))


@pytest.fixture
def browsers(room: Classroom) -> Browsers:
    return open_browsers(room)


def said(page: Page) -> str:
    """All that a page may say, what its scripts may say included."""
    text = page.html
    for other in NOT_OURS:
        text = text.replace(other, "")
    return unescape(text)


def hands_in(visitor: Visitor, text: str = ANSWER, **more: str) -> Page:
    page = visitor.get("/work/?revise=1")
    form = {"client_key": value(page, "client_key"), "attempt": value(page, "attempt")}
    return visitor.post("/work/", text=text, **(form | more))


def pages_of_a_task(room: Classroom, browsers: Browsers) -> dict[str, str]:
    """What Ada meets from opening the task to looking back."""
    ada, met = browsers.ada(), {}
    met["first"] = said(ada.get("/work/"))
    met["too long"] = said(hands_in(ada, "x" * 20_001))
    met["empty"] = said(hands_in(ada, " "))
    met["not a picture"] = said(sends_files(ada, ("a.jpg", b"no picture"), ("b.jpg", b"")))
    met["announced"] = said(script(ada, "/pages/uploads", data={"name": "a.jpg", "size": 10**9}))
    met["phone link"] = said(ada.post("/pages/phone"))
    met["waits"] = said(hands_in(ada).follow())
    met["asks"] = said(ada.poll("/work/state"))
    met["other tab"] = said(hands_in(ada, attempt="1"))
    submission = room.ada.sees().newest
    assert submission is not None
    judged(room, submission.id, 2, 0)
    met["feedback"] = said(ada.get("/work/"))
    met["arrives"] = said(ada.poll("/work/state"))
    met["looks back"] = said(ada.get(f"/work/attempts/{submission.id}"))
    met["older"] = said(ada.get("/work/older"))
    return met


def test_all_pages_of_a_task_say_sie(room: Classroom, browsers: Browsers) -> None:
    met = pages_of_a_task(room, browsers)

    assert {name: DU.findall(text) for name, text in met.items() if DU.search(text)} == {}
    assert {name for name, text in met.items() if not SIE.search(text)} == set()
    for words in ("Das gelingt Ihnen schon", "Ihr nächster Schritt", "Eine Frage zum Weiterdenken"):
        assert words in met["feedback"]
    assert "Sie sind Nummer 1" in met["waits"]


def test_a_task_without_the_tick_says_du(database: Database) -> None:
    room = open_classroom(database, spec(takes_pages=True))

    met = pages_of_a_task(room, open_browsers(room))

    assert {name: SIE.findall(text) for name, text in met.items() if SIE.search(text)} == {}
    assert {name for name, text in met.items() if not DU.search(text)} == set()


def test_one_page_with_sie_leaves_nothing_behind_for_the_next(
    room: Classroom, browsers: Browsers
) -> None:
    browsers.ada().get("/work/")
    with room.database.begin(room.curie.actor) as db:
        db.get_one(RegularTask, room.task_id).formal = False

    assert "Deine Antwort" in browsers.ben().get("/work/").text


def test_in_english_there_is_one_way_only(room: Classroom, browsers: Browsers) -> None:
    judged(room, room.ada.hands_in().id, 2, 0)

    page = browsers.ada("en").get("/work/")

    assert "Your next step" in page.text


def test_the_phone_says_sie_and_before_it_is_known_whose_it_is_neither(browsers: Browsers) -> None:
    ada, phone = browsers.ada(), browsers.app.test_client()
    found = re.search(r'data-address="([^"]+)"', ada.post("/pages/phone").html)
    assert found
    address = unescape(found[1])
    link_id = address.removeprefix(TOOL).split("/")[2]

    before = phone.get(address).text
    phone.post(address)
    open_ = phone.get(f"{TOOL}/phone/{link_id}/").text
    over = browsers.app.test_client().get(f"{TOOL}/phone/{link_id}/").text

    assert "Fotografieren Sie jede Seite einzeln" in open_
    assert not DU.search(open_)
    for page in (before, over):
        assert not DU.search(page)
        assert not SIE.search(page)


def test_the_teacher_sees_the_headings_that_the_pupil_will_read(database: Database) -> None:
    room = open_classroom(database, spec(formal=True, mode=Mode.REVIEWED, reports_score=False))
    curie = open_browsers(room).curie()
    submission = room.ada.hands_in()
    judged(room, submission.id, 2, 0)

    page = said(curie.get(f"/overview/work/{submission.id}"))

    assert "Ihr nächster Schritt" in page
    assert not DU.search(page)


def test_the_preview_of_a_task_says_what_its_page_will(browsers: Browsers) -> None:
    wanted = sent_for(spec(formal=True, mode=Mode.REVIEWED, reports_score=False))

    page = browsers.curie().post("/content/tasks/new", **wanted, action="preview")

    assert "Ihre Lehrkraft gibt die Rückmeldung frei" in page.text


@pytest.mark.parametrize(
    ("formal", "words"), [(True, "Ihr nächster Schritt:"), (False, "Dein nächster Schritt:")]
)
def test_the_comment_in_the_gradebook_speaks_as_the_task_does(
    database: Database, formal: bool, words: str
) -> None:
    room = open_classroom(database, spec(formal=formal))
    submission = room.ada.hands_in()
    judged(room, submission.id, 2, 0)

    with room.database.begin(room.service) as db:
        comment = db.scalars(select(GradeSync)).one().comment

    assert words in comment
