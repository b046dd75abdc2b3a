"""ATK-8 to ATK-10, ATK-15 to ATK-17, ATK-25 to ATK-30: what is wrong around the token."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from lti_tool.core.db import WORKER
from lti_tool.launch.claims import DEPLOYMENT_ID, PRESENTATION, TARGET_LINK_URI
from lti_tool.launch.refusals import forget_old_refusals
from lti_tool.web import create_app
from tests.entrance import (
    TOOL,
    Browser,
    House,
    activity,
    register,
    session_path,
    settings_of,
)
from tests.fakes.platform import FakePlatform, rsa_key
from tests.launch.attacks.forging import brings, claiming
from tests.launch.lesson import Visitor
from tests.launch.traces import (
    NOTHING,
    Ask,
    Outcome,
    later,
    people_in,
    reasons,
    refused,
    watched,
)

OVER = refused("state_unknown", 403, "launch_over")
USED = refused("nonce_used", 403, "launch_over")
UNKNOWN = refused("login_unknown", 400, "not_released")


def came_in(browser: Browser) -> tuple[dict[str, str], str, str]:
    """A good launch: what was asked, the token, and the session's path."""
    lms = browser.house.lms
    asked = browser.logs_in()
    token = lms.sign(lms.launch() | {"nonce": asked["nonce"]})
    return asked, token, session_path(browser.brings(asked, token))


def test_atk_8_a_token_is_good_once_and_the_first_session_stays(house: House, ask: Ask) -> None:
    browser = house.browser()
    asked, token, path = came_in(browser)

    assert watched(ask, lambda: browser.brings(asked, token)) == USED
    assert browser.get(path).status_code == 303


def test_atk_8_not_even_in_another_browser(house: House, ask: Ask) -> None:
    asked, token, _ = came_in(house.browser())
    thief = house.browser()
    thief.logs_in()

    assert watched(ask, lambda: thief.brings(asked, token)) == OVER


def test_atk_8_nor_long_after(house: House, ask: Ask) -> None:
    browser = house.browser()
    asked, token, _ = came_in(browser)

    with later(59):
        assert watched(ask, lambda: browser.brings(asked, token)) == OVER


def test_atk_8_nor_when_the_tool_has_been_started_anew(house: House, ask: Ask) -> None:
    browser = house.browser()
    asked, token, _ = came_in(browser)
    settings = settings_of(house.database)
    anew = create_app(settings, house.database, fetch_keys=house.lms.fetch)
    cookie = browser.client.get_cookie("gustav_browser", "gustav.schule.example", "/lti")
    later = Browser(House(anew, house.database, house.lms, house.platform_id))
    later.client.set_cookie("gustav_browser", cookie.value, domain=cookie.domain, path="/lti")

    assert watched(ask, lambda: later.brings(asked, token)) == USED


def test_atk_8_nor_for_a_login_of_its_own(house: House, ask: Ask) -> None:
    browser = house.browser()
    _, token, _ = came_in(browser)
    asked = browser.logs_in()

    outcome = watched(ask, lambda: browser.brings(asked, token))

    assert outcome == refused("nonce_mismatch", 403, "launch_over")


def test_atk_9_the_nonce_of_another_login_is_none(house: House, ask: Ask) -> None:
    browser = house.browser()
    first, second = browser.logs_in(), browser.logs_in()
    token = house.lms.sign(house.lms.launch() | {"nonce": first["nonce"]})

    outcome = watched(ask, lambda: browser.brings(second, token))

    assert outcome == refused("nonce_mismatch", 403, "launch_over")


def test_atk_9_a_login_begun_elsewhere_cannot_be_planted(house: House, ask: Ask) -> None:
    attacker, victim = house.browser(), house.browser()
    asked = attacker.logs_in()
    token = house.lms.sign(house.lms.launch() | {"nonce": asked["nonce"]})
    victim.logs_in()

    assert watched(ask, lambda: victim.brings(asked, token)) == OVER


@pytest.mark.parametrize("state", ["", "x", f"{uuid4().hex}.abc", "\u00e4" * 40, "x" * 100_000])
def test_atk_9_a_made_up_state_is_none(house: House, ask: Ask, state: str) -> None:
    browser = house.browser()
    asked = browser.logs_in()

    assert watched(ask, lambda: browser.presents(asked | {"state": state})) == OVER


def test_atk_9_a_state_is_good_for_ten_minutes(house: House, ask: Ask) -> None:
    browser = house.browser()
    asked = browser.logs_in()

    with later(11):
        assert watched(ask, lambda: browser.presents(asked)) == OVER


def test_atk_10_of_four_at_the_same_moment_one_comes_in(house: House, ask: Ask) -> None:
    browser = house.browser()
    asked = browser.logs_in()
    token = house.lms.sign(house.lms.launch() | {"nonce": asked["nonce"]})
    cookie = browser.client.get_cookie("gustav_browser", "gustav.schule.example", "/lti")

    def post(_: int) -> int:
        twin = house.browser()
        twin.client.set_cookie("gustav_browser", cookie.value, domain=cookie.domain, path="/lti")
        return twin.brings(asked, token).status_code

    with ThreadPoolExecutor(4) as threads:
        answers = sorted(threads.map(post, range(4)))

    assert answers == [303, 403, 403, 403]
    assert people_in(ask) == (1, 1, 1, 1)
    assert reasons(ask) == ["nonce_used"] * 3


def test_atk_15_a_token_of_another_registration_answers_no_login_here(
    house: House, ask: Ask
) -> None:
    other = FakePlatform("https://andere.schule.example", "other-1", now=datetime.now(UTC))
    register(house.database, other)

    def forge(claims: dict[str, Any]) -> str:
        return other.sign(other.launch() | {"nonce": claims["nonce"]})

    outcome = watched(ask, brings(house, forge))

    assert outcome == refused("registration_mismatch", 403, "not_released")


@pytest.mark.parametrize("told", ["5", "", 4])
def test_atk_16_the_deployment_is_that_of_the_login(house: House, ask: Ask, told: object) -> None:
    reason = "deployment_missing" if told == "" else "deployment_mismatch"
    page = "launch_refused" if told == "" else "not_released"

    outcome = watched(ask, brings(house, claiming(house, **{DEPLOYMENT_ID: told})))

    assert outcome == refused(reason, 403, page)


def test_atk_16_an_unknown_deployment_waits_for_a_human(house: House, ask: Ask) -> None:
    browser = house.browser()
    asked = browser.logs_in(lti_deployment_id="99")

    outcome = watched(ask, lambda: browser.presents(asked, **{DEPLOYMENT_ID: "99"}))

    assert outcome == refused("unknown_deployment", 403, "not_released")
    assert ("99", "waiting") in ask("SELECT deployment_id, state FROM deployments")


TARGETS = (
    "https://evil.example/lti/launch",
    "javascript:alert(1)",
    "//evil.example/",
    f"https://{TOOL.partition('://')[2]}@evil.example/",
    f"{TOOL}\\@evil.example/",
    f"{TOOL}.evil.example/lti/launch",
    "",
)


@pytest.mark.parametrize("target", TARGETS)
def test_atk_17_a_launch_leads_nowhere_but_to_us(house: House, ask: Ask, target: str) -> None:
    in_login = watched(ask, lambda: house.browser().knocks(target_link_uri=target))
    in_token = watched(ask, brings(house, claiming(house, **{TARGET_LINK_URI: target})))

    assert in_login == UNKNOWN
    assert in_token == refused("target_mismatch")


def test_atk_17_nor_to_another_page_than_the_login_was_for(house: House, ask: Ask) -> None:
    other = claiming(house, **{TARGET_LINK_URI: f"{TOOL}/lti/other"})

    assert watched(ask, brings(house, other)) == refused("target_mismatch")


def test_atk_25_a_token_in_an_address_is_not_read(house: House, ask: Ask) -> None:
    browser = house.browser()
    asked = browser.logs_in()
    token = house.lms.sign(house.lms.launch() | {"nonce": asked["nonce"]})
    query = f"/lti/launch?state={asked['state']}&id_token={token}"

    got = watched(ask, lambda: browser.get(query))
    posted = watched(ask, lambda: browser.post(query, {"state": asked["state"]}))

    assert (got.status, got.added, got.cookie) == (405, NOTHING, False)
    assert posted == refused("malformed", 400)


@pytest.mark.parametrize("also_a_token", [False, True])
def test_atk_25_what_the_platform_calls_an_error_is_one(
    house: House, ask: Ask, also_a_token: bool
) -> None:
    browser = house.browser()
    asked = browser.logs_in()
    form = {"state": asked["state"], "error": "login_required", "error_description": "<script>x"}
    if also_a_token:
        form["id_token"] = house.lms.sign(house.lms.launch() | {"nonce": asked["nonce"]})

    outcome = watched(ask, lambda: browser.post("/lti/launch", form))

    assert outcome == refused("platform_error", 400, "platform_error")
    assert "<script>x" not in browser.post("/lti/launch", form).text


KNOCKS: tuple[dict[str, Any], ...] = (
    {"iss": "https://unknown.example"},
    {"client_id": "unknown"},
    {"iss": None},
    {"login_hint": None},
    {"login_hint": "x" * 100_000},
    {"login_hint": "a\x00b"},
    {"lti_message_hint": "x" * 100_000},
    {"target_link_uri": None},
)


@pytest.mark.parametrize("changes", KNOCKS, ids=" ".join)
def test_atk_26_a_knock_that_makes_no_sense_leaves_nothing(
    house: House, ask: Ask, changes: dict[str, Any]
) -> None:
    browser = house.browser()

    answer = browser.knocks(**changes)

    assert watched(ask, lambda: browser.knocks(**changes)) == UNKNOWN
    assert answer.headers.getlist("Set-Cookie") == []
    assert house.lms.issuer not in answer.text


def test_atk_26_an_issuer_known_twice_must_say_which_it_is(house: House, ask: Ask) -> None:
    twin = FakePlatform(house.lms.issuer, "second-client", now=house.lms.now)
    register(house.database, twin)

    outcome = watched(ask, lambda: house.browser().knocks(client_id=None))

    assert outcome == UNKNOWN
    assert house.browser().knocks().status_code == 303


def test_atk_27_logins_begun_in_hidden_frames_harm_nobody(house: House, ask: Ask) -> None:
    victim = house.browser()

    outcomes = {watched(ask, victim.knocks) for _ in range(25)}

    assert outcomes == {Outcome(303, None, False, NOTHING, ())}
    assert victim.launches().status_code == 303


@pytest.mark.parametrize("field", ["state", "id_token"])
def test_atk_28_a_field_sent_twice_is_nobodys_honest_launch(
    house: House, ask: Ask, field: str
) -> None:
    browser = house.browser()
    asked = browser.logs_in()
    form: dict[str, Any] = {
        "state": asked["state"],
        "id_token": house.lms.sign(house.lms.launch() | {"nonce": asked["nonce"]}),
    }
    form[field] = [form[field], form[field]]

    assert watched(ask, lambda: browser.post("/lti/launch", form)) == refused("malformed", 400)


WAYS_BACK = ("javascript:alert(1)", "https://evil.example/", "http://moodle.schule.example/", "//x")


@pytest.mark.parametrize("url", WAYS_BACK)
def test_atk_29_the_way_back_leads_to_the_platform_or_nowhere(house: House, url: str) -> None:
    browser = house.browser()
    claims = activity(house.lms) | {PRESENTATION: {"document_target": "window", "return_url": url}}

    page = Visitor(browser, browser.arrives(claims)).opens()

    assert page.status_code == 200
    assert "Zurück zu Moodle" not in page.text
    assert url not in page.text


FLOOD = int(os.environ.get("GUSTAV_TEST_FLOOD", "800"))  # the catalogue says 10,000


def test_atk_30_a_flood_of_forged_tokens_leaves_some_notes_and_nothing_else(
    house: House, ask: Ask
) -> None:
    browser = house.browser()
    asked = browser.logs_in()
    forged = house.lms.sign(house.lms.launch() | {"nonce": asked["nonce"]}, key=rsa_key("evil"))
    assert watched(ask, lambda: browser.brings(asked, forged)) == refused("signature_invalid")
    people, memory = people_in(ask), resident_megabytes()

    statuses = {browser.brings(asked, forged).status_code for _ in range(FLOOD)}

    assert statuses == {403}
    assert people_in(ask) == people
    assert 600 <= len(reasons(ask)) <= max(600, FLOOD / 10)  # 600 a minute are noted
    assert resident_megabytes() - memory < 5
    assert len(house.lms.fetched) == 1
    assert browser.presents(asked).status_code == 303


def resident_megabytes() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def test_atk_159_a_school_behind_one_address_comes_in_as_a_whole(house: House) -> None:
    statuses = set()
    for pupil in range(300):
        browser = house.browser()
        browser.client.environ_base["REMOTE_ADDR"] = "203.0.113.7"
        statuses.add(browser.launches(activity(house.lms), sub=str(pupil)).status_code)

    assert statuses == {303}


def test_refusals_are_forgotten_after_ninety_days(house: House, ask: Ask) -> None:
    house.browser().knocks(iss="https://evil.example")
    house.browser().knocks(iss="https://evil.example")
    ask(
        "UPDATE security_events SET at = now() - interval '91 days'"
        " WHERE id = (SELECT min(id::text)::uuid FROM security_events)"
    )

    with house.database.begin(WORKER) as db:
        forget_old_refusals(db)

    assert reasons(ask) == ["login_unknown"]
