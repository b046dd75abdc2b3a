"""ATK-48 to ATK-62: sessions, cookies, frames."""

from __future__ import annotations

import re
from pathlib import Path
from uuid import uuid4

import pytest

import lti_tool
from config.settings import SettingsError
from lti_tool.launch.claims import PRESENTATION
from lti_tool.web import create_app
from tests.classroom import ANSWER
from tests.entrance import TOOL, Browser, House, session_path, settings_of
from tests.launch.lesson import ADA, BEN, CURIE, Lesson, Visitor, open_lesson
from tests.launch.traces import NOTHING, Ask, message_of, people_in, watched

HOST = TOOL.partition("://")[2]
SESKEY = "sesskey=abc"


@pytest.fixture
def lesson(house: House) -> Lesson:
    return open_lesson(house)


def secret_of(visitor: Visitor) -> str:
    cookie = visitor.browser.client.get_cookie("gustav_session", HOST, visitor.path.rstrip("/"))
    assert cookie is not None
    return cookie.value


def work_of(ask: Ask) -> list[tuple]:
    """Whatever was written down: by whom, and in which course."""
    return ask(
        "SELECT p.sub, c.context_id, w.text FROM (SELECT person_id, course_id, text FROM drafts"
        " UNION ALL SELECT person_id, course_id, answer FROM submissions) w"
        " JOIN persons p ON p.id = w.person_id JOIN courses c ON c.id = w.course_id ORDER BY 1, 3"
    )


def test_atk_48_a_planted_cookie_is_never_a_session(lesson: Lesson) -> None:
    browser = lesson.house.browser()
    for path in ("/", "/s"):
        browser.client.set_cookie("gustav_session", "planted", domain=HOST, path=path)

    ada = lesson.comes(ADA, browser)

    assert secret_of(ada) != "planted"
    attacker = lesson.house.browser()
    attacker.client.set_cookie("gustav_session", "planted", domain=HOST, path="/")
    assert Visitor(attacker, ada.path).sees().status_code == 401


def test_atk_48_each_launch_has_an_id_and_a_secret_of_its_own(lesson: Lesson) -> None:
    browser = lesson.house.browser()

    first, second = lesson.comes(ADA, browser), lesson.comes(ADA, browser)

    assert first.path != second.path
    assert secret_of(first) != secret_of(second)


def test_atk_49_the_next_person_at_a_tablet_ends_the_session_of_the_first(
    lesson: Lesson, ask: Ask
) -> None:
    tablet = lesson.house.browser()
    ada = lesson.comes(ADA, tablet)
    token = tablet.session(ada.path).csrf_token
    ben = lesson.comes(BEN, tablet)
    before = people_in(ask)
    form = {"text": "Was Ada noch schrieb", "client_key": str(uuid4()), "attempt": "1"}

    answer = tablet.post(f"{ada.path}work/", form | {"csrf": token})
    draft = tablet.post(
        f"{ada.path}work/draft", {"text": "Ein Rest", "version": "0", "csrf": token}
    )

    assert (answer.status_code, message_of(answer)) == (409, "other_person")
    assert "jetzt jemand anderes" in answer.text
    assert "Was Ada noch schrieb" in answer.text
    assert (draft.status_code, message_of(draft)) == (409, "other_person")
    assert (work_of(ask), people_in(ask)) == ([], before)
    assert ben.opens().status_code == 200


def test_atk_49_a_form_of_the_first_is_none_of_the_second(lesson: Lesson, ask: Ask) -> None:
    tablet = lesson.house.browser()
    ada = lesson.comes(ADA, tablet)
    token = tablet.session(ada.path).csrf_token
    ben = lesson.comes(BEN, tablet)
    form = {"text": "Adas Text", "client_key": str(uuid4()), "attempt": "1", "csrf": token}

    answer = tablet.post(f"{ben.path}work/", form)

    assert (answer.status_code, message_of(answer)) == (403, "forbidden")
    assert work_of(ask) == []


def test_atk_50_each_tab_hands_in_where_it_was_opened(lesson: Lesson, ask: Ask) -> None:
    browser = lesson.house.browser()
    first = lesson.comes(ADA, browser, course="31", link="9")
    second = lesson.comes(ADA, browser, course="32", link="10")

    assert first.hands_in("Für Kurs 31").status_code == 303
    assert second.hands_in("Für Kurs 32").status_code == 303

    assert work_of(ask) == [(ADA, "31", "Für Kurs 31"), (ADA, "32", "Für Kurs 32")]


@pytest.mark.parametrize("field", ["", "of another session"])
def test_atk_51_a_form_without_the_sessions_own_token_is_not_taken(
    lesson: Lesson, ask: Ask, field: str
) -> None:
    """Over every route: `test_authorisation.py`."""
    ada, ben = lesson.comes(ADA), lesson.comes(BEN)
    csrf = ben.browser.session(ben.path).csrf_token if field else ""
    form = {"text": ANSWER, "client_key": str(uuid4()), "attempt": "1", "csrf": csrf}

    answer = ada.browser.post(f"{ada.path}work/", form)

    assert (answer.status_code, message_of(answer), work_of(ask)) == (403, "forbidden", [])


def test_atk_52_cookies_leave_with_every_word_they_need(lesson: Lesson) -> None:
    """What becomes of them on the way, the doctor looks at: `cli/test_doctor.py`."""
    browser = lesson.house.browser()
    answers = [browser.knocks(), browser.get("/health/cookie"), browser.launches()]

    for answer in answers:
        for cookie in answer.headers.getlist("Set-Cookie"):
            for word in ("HttpOnly", "Secure", "SameSite=None", "Partitioned", "Path=/"):
                assert word in cookie
    assert all(answer.headers.getlist("Set-Cookie") for answer in answers)


def framers(answer) -> str:
    found = re.search("frame-ancestors (.*)", answer.headers["Content-Security-Policy"])
    assert found
    return found[1]


def test_atk_53_only_the_platform_of_the_launch_may_frame_us(lesson: Lesson) -> None:
    ada = lesson.comes(ADA)
    browser = lesson.house.browser()
    issuer = lesson.house.lms.issuer

    assert framers(ada.opens()) == issuer
    assert framers(browser.presents(browser.logs_in(), exp=0)) == issuer
    for path in ("/health/live", "/nothing", f"/s/{uuid4()}/"):
        assert framers(browser.get(path)) == "'none'"
    assert framers(browser.knocks(iss="https://evil.example")) == "'none'"
    assert "X-Frame-Options" not in ada.opens().headers


def test_atk_54_no_page_of_a_person_is_kept_by_any_cache(lesson: Lesson, ask: Ask) -> None:
    ada = lesson.comes(ADA)
    answers = [ada.opens(), ada.sees("nothing")]
    ask("UPDATE persons SET blocked_at = now()")
    answers.append(ada.sees())

    for answer in answers:
        assert answer.headers["Cache-Control"] == "private, no-store"
        assert answer.headers["Vary"] == "Cookie"


def test_atk_55_secrets_stand_in_no_page_address_or_log(
    lesson: Lesson, capsys: pytest.CaptureFixture[str]
) -> None:
    browser = lesson.house.browser()
    claims = lesson.claims(ADA)
    claims[PRESENTATION]["return_url"] = f"{lesson.house.lms.issuer}/return.php?{SESKEY}"
    asked = browser.logs_in()
    answer = browser.presents(asked, claims, sub=ADA)
    ada = Visitor(browser, session_path(answer))
    again = browser.presents(asked, claims, sub=ADA)
    page = ada.opens()

    secret = secret_of(ada)
    for text in (page.text, page.request.url, answer.location, again.text):
        assert secret not in text
        assert "id_token" not in text
    written = "".join(capsys.readouterr())
    for unsaid in (secret, SESKEY, asked["nonce"], asked["state"], "Ada Abel"):
        assert unsaid not in written
    assert "nonce_used" in written  # there is a log, and it was looked at
    assert page.headers["Referrer-Policy"] == "same-origin"


def test_atk_56_a_browser_without_cookies_gets_a_window_and_no_weaker_check(
    house: House, ask: Ask
) -> None:
    framed = {"Sec-Fetch-Dest": "iframe", "Sec-Fetch-Site": "cross-site"}
    refusing = house.browser()
    hop = refusing.knocks(headers=framed)
    refusing.client.delete_cookie("gustav_browser", domain=HOST, path="/lti")
    asked = house.browser().logs_in()

    offered = watched(ask, lambda: refusing.get(hop.location))
    insisted = watched(ask, lambda: refusing.presents(asked))

    assert (offered.status, offered.message) == (200, "cookies_refused")
    assert (insisted.status, insisted.message) == (403, "cookies_refused")
    assert (offered.added, insisted.added, insisted.cookie) == (NOTHING, NOTHING, False)


def test_atk_57_no_page_of_ours_listens_to_messages_of_other_windows() -> None:
    scripts = (Path(lti_tool.__file__).parent / "static").glob("*.js")
    texts = [script.read_text(encoding="utf-8") for script in scripts]

    assert texts
    assert not any(re.search(r"""["']message["']|onmessage""", text) for text in texts)


@pytest.mark.parametrize(
    "over",
    [
        "seen_at = seen_at - interval '91 minutes'",
        "created_at = created_at - interval '601 minutes'",
        "ended_at = now(), end_reason = 'closed'",
    ],
)
def test_atk_58_a_stolen_cookie_is_worth_nothing_when_the_session_is_over(
    lesson: Lesson, ask: Ask, over: str
) -> None:
    ada = lesson.comes(ADA)
    thief = lesson.house.browser()
    thief.client.set_cookie(
        "gustav_session", secret_of(ada), domain=HOST, path=ada.path.rstrip("/")
    )
    assert Visitor(thief, ada.path).sees().status_code == 303
    ask(f"UPDATE launch_sessions SET {over}")

    answer = Visitor(thief, ada.path).sees("work/")

    assert (answer.status_code, message_of(answer)) == (401, "expired")


@pytest.mark.parametrize(
    ("change", "status", "message"),
    [
        ("UPDATE persons SET blocked_at = now() WHERE sub = '17'", 403, "blocked"),
        ("DELETE FROM persons WHERE sub = '17'", 401, "expired"),
        ("UPDATE platforms SET state = 'paused'", 403, "paused"),
    ],
)
def test_atk_59_whoever_is_blocked_or_gone_is_so_with_the_next_request(
    lesson: Lesson, ask: Ask, change: str, status: int, message: str
) -> None:
    ada = lesson.comes(ADA)
    assert ada.opens().status_code == 200
    form = {"text": ANSWER, "client_key": str(uuid4()), "attempt": "1"}
    form["csrf"] = ada.browser.session(ada.path).csrf_token
    ask(change)

    page, sent = ada.sees("work/"), ada.browser.post(f"{ada.path}work/", form)

    assert (page.status_code, message_of(page)) == (status, message)
    assert (sent.status_code, message_of(sent)) == (status, message)
    assert ANSWER in sent.text
    assert work_of(ask) == []


def test_atk_60_a_teacher_who_is_none_any_more_loses_the_older_sessions(lesson: Lesson) -> None:
    at_home = lesson.comes(CURIE)
    elsewhere = lesson.comes(CURIE, course="32", link="10")
    assert at_home.sees("overview/").status_code == 200

    lesson.comes(CURIE, role="http://purl.imsglobal.org/vocab/lis/v2/membership#Learner")

    gone = at_home.sees("overview/")
    assert (gone.status_code, message_of(gone)) == (401, "expired")
    assert elsewhere.sees("overview/").status_code == 200


@pytest.mark.parametrize("header", ["X-Forwarded-Host", "X-Forwarded-Server", "Forwarded"])
def test_atk_61_addresses_of_ours_come_from_the_settings(house: House, header: str) -> None:
    lie = "host=evil.example" if header == "Forwarded" else "evil.example"

    answer = house.browser().knocks(headers={header: lie, "X-Forwarded-Proto": "http"})

    assert "evil.example" not in answer.location
    assert f"redirect_uri={TOOL.replace(':', '%3A').replace('/', '%2F')}" in answer.location


def test_atk_61_a_foreign_host_is_no_address_of_ours(house: House) -> None:
    answer = house.app.test_client().get("/lti/login", base_url="https://evil.example")

    assert (answer.status_code, answer.text) == (400, "")


@pytest.mark.parametrize("key", ["", "short", "x" * 31])
def test_atk_62_no_start_with_a_short_secret(house: House, key: str) -> None:
    with pytest.raises(SettingsError, match="GUSTAV_SECRET_KEY"):
        settings_of(house.database, GUSTAV_SECRET_KEY=key)


def test_atk_62_sessions_outlive_a_change_of_the_secret(lesson: Lesson, ask: Ask) -> None:
    """Their cookies are random, not signed. Forms drawn before ask to be sent again."""
    ada = lesson.comes(ADA)
    token = ada.browser.session(ada.path).csrf_token
    house = lesson.house
    settings = settings_of(house.database, GUSTAV_SECRET_KEY="y" * 40)
    anew = create_app(settings, house.database, fetch_keys=house.lms.fetch)
    later = Browser(House(anew, house.database, house.lms, house.platform_id))
    path = ada.path.rstrip("/")
    later.client.set_cookie("gustav_session", secret_of(ada), domain=HOST, path=path)

    page = later.get(f"{ada.path}work/")
    sent = later.post(f"{ada.path}work/", {"text": ANSWER, "csrf": token})

    assert page.status_code == 200
    assert (sent.status_code, message_of(sent)) == (403, "forbidden")
    assert ANSWER in sent.text
