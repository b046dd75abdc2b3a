"""What browsers do: back, reload, two tabs, frames and windows, and being left open too long."""

from __future__ import annotations

from uuid import uuid4

import pytest

from lti_tool.launch.claims import PRESENTATION
from tests.classroom import ANSWER
from tests.entrance import TOOL, Browser, House, session_path
from tests.launch.lesson import ADA, BEN, Lesson, Visitor, open_lesson
from tests.launch.traces import Ask, message_of, people_in

ADDRESS = "https://moodle.schule.example/mod/lti/return.php?course=31&sesskey=abc"
SCRIPT = {"HX-Request": "true"}
HOST = TOOL.partition("://")[2]


@pytest.fixture
def lesson(house: House) -> Lesson:
    return open_lesson(house)


def came(lesson: Lesson, browser: Browser, **presentation: str) -> Visitor:
    claims = lesson.claims(ADA) | {PRESENTATION: {"return_url": ADDRESS, **presentation}}
    return Visitor(browser, browser.arrives(claims, ADA))


def test_reloading_the_page_behind_a_launch_shows_it_again(lesson: Lesson) -> None:
    ada = lesson.comes(ADA)

    first, again = ada.sees("work/"), ada.sees("work/")

    assert first.status_code == again.status_code == 200


def test_going_back_to_the_launch_itself_says_what_to_do(lesson: Lesson, ask: Ask) -> None:
    """The browser posts the same form once more, as it does after "back" and "reload"."""
    browser = lesson.house.browser()
    asked = browser.logs_in()
    claims = lesson.claims(ADA)
    path = session_path(browser.presents(asked, claims, sub=ADA))
    before = people_in(ask)

    again = browser.presents(asked, claims, sub=ADA)

    assert (again.status_code, message_of(again)) == (403, "launch_over")
    assert "Öffne die Aufgabe in Moodle noch einmal. Dein Text ist gespeichert." in again.text
    assert people_in(ask) == before
    assert browser.get(path).status_code == 303


def test_two_tabs_of_one_activity_work_side_by_side(lesson: Lesson) -> None:
    browser = lesson.house.browser()
    first, second = lesson.comes(ADA, browser), lesson.comes(ADA, browser)
    assert first.sends("work/draft", text="Aus dem ersten Tab", version="0").status_code == 303

    assert "Aus dem ersten Tab" in second.sees("work/").text
    late = second.sends("work/draft", text="Aus dem zweiten Tab", version="0")

    assert late.status_code == 303
    assert "Aus dem zweiten Tab" in first.sees("work/").text
    assert "Aus dem ersten Tab" in first.sees("work/older").text


@pytest.mark.parametrize("target", ["iframe", "window", "frame"])
def test_the_way_back_is_offered_outside_of_the_frame_only(lesson: Lesson, target: str) -> None:
    """Phones and tablets always come with "frame", which is the same window."""
    page = came(lesson, lesson.house.browser(), document_target=target).opens()

    assert ("Zurück zu Moodle" in page.text) == (target != "iframe")


def test_a_container_nobody_named_is_taken_for_the_frame(lesson: Lesson) -> None:
    assert "Zurück zu Moodle" not in came(lesson, lesson.house.browser()).opens().text


def test_in_an_own_window_a_page_that_is_not_there_still_leads_back(lesson: Lesson) -> None:
    ada = came(lesson, lesson.house.browser(), document_target="window")

    missing = ada.sees(f"work/attempts/{uuid4()}")

    assert missing.status_code == 404
    assert "Zurück zu Moodle" in missing.text


def test_a_page_about_a_session_that_is_over_tells_nobodys_address(
    lesson: Lesson, ask: Ask
) -> None:
    """The address of the way back holds the sesskey of whoever was here."""
    tablet = lesson.house.browser()
    ada = came(lesson, tablet, document_target="window")
    lesson.comes(BEN, tablet)

    assert "sesskey" not in ada.sees("work/").text


@pytest.mark.parametrize(
    ("locale", "words"), [("de", "Deine Antwort"), ("en", "Your answer"), ("fr", "Deine Antwort")]
)
def test_the_page_speaks_the_language_of_the_page_around_it(
    lesson: Lesson, locale: str, words: str
) -> None:
    page = came(lesson, lesson.house.browser(), locale=locale).opens()

    assert words in page.text


def sat_too_long(lesson: Lesson, ask: Ask) -> tuple[Visitor, dict[str, str]]:
    """Ada has a draft, goes on typing, and her session ends meanwhile."""
    ada = lesson.comes(ADA)
    assert ada.sends("work/draft", text="Der Anfang", version="0").status_code == 303
    token = ada.browser.session(ada.path).csrf_token
    ask("UPDATE launch_sessions SET seen_at = seen_at - interval '91 minutes'")
    return ada, {"version": "1", "csrf": token}


def test_a_draft_that_comes_too_late_is_told_in_words_the_page_can_show(
    lesson: Lesson, ask: Ask
) -> None:
    """FLT-9. What the script reads: the status, and the sentences beside `data-message`."""
    ada, form = sat_too_long(lesson, ask)

    answer = ada.browser.post(
        f"{ada.path}work/draft", form | {"text": "Der Anfang und mehr"}, headers=SCRIPT
    )

    assert (answer.status_code, message_of(answer)) == (401, "expired")
    assert "steht weiter hier: Kopiere es vorher." in answer.text
    assert "Der Anfang und mehr" in answer.text


def test_handing_in_too_late_shows_the_text_again(lesson: Lesson, ask: Ask) -> None:
    """FLT-9."""
    ada, form = sat_too_long(lesson, ask)
    handed = form | {"text": ANSWER, "client_key": str(uuid4()), "attempt": "1"}

    answer = ada.browser.post(f"{ada.path}work/", handed)

    assert (answer.status_code, message_of(answer)) == (401, "expired")
    assert ANSWER in answer.text
    assert ask("SELECT count(*) FROM submissions") == [(0,)]


def test_the_next_launch_has_the_text_that_was_saved(lesson: Lesson, ask: Ask) -> None:
    sat_too_long(lesson, ask)

    assert "Der Anfang" in lesson.comes(ADA).opens().text


def test_a_draft_is_there_in_the_window_when_the_frame_takes_no_cookie(lesson: Lesson) -> None:
    """FLT-11."""
    lesson.comes(ADA).sends("work/draft", text="Im Rahmen begonnen", version="0")
    framed = {"Sec-Fetch-Dest": "iframe", "Sec-Fetch-Site": "cross-site"}
    refusing = lesson.house.browser()
    hop = refusing.knocks(headers=framed)
    refusing.client.delete_cookie("gustav_browser", domain=HOST, path="/lti")

    refused = refusing.get(hop.location)
    window = lesson.comes(ADA, lesson.house.browser())

    assert message_of(refused) == "cookies_refused"
    assert "Im Rahmen begonnen" in window.opens().text


def test_every_page_names_who_is_at_work_where_the_school_shares_names(lesson: Lesson) -> None:
    """The frame and an own window keep their cookies apart, so that a tab which somebody left
    open in the one is not ended from the other. Its name is what one can see."""
    assert "Ada Abel" in lesson.comes(ADA).opens().text
    assert "Ben Blau" in lesson.comes(BEN).opens().text


def test_of_a_frame_and_a_window_each_has_its_own_jar_of_cookies(lesson: Lesson) -> None:
    """Partitioned cookies: a tablet is two browsers for us. Nothing mixes, each goes on."""
    frame, window = lesson.house.browser(), lesson.house.browser()
    ada, ben = lesson.comes(ADA, frame), lesson.comes(BEN, window)

    assert ada.hands_in("Ada im Rahmen").status_code == 303
    assert ben.hands_in("Ben im Fenster").status_code == 303

    assert "Ada im Rahmen" in ada.opens().text
    assert "Ben im Fenster" in ben.opens().text
