"""The way in, over HTTP: who gets a session, who gets which page, and what is left behind."""

import base64
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from html import unescape
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
import time_machine
from dramatiq.brokers.stub import StubBroker

from lti_tool.core.bell import QUEUE
from lti_tool.launch.claims import (
    AGS,
    CONTEXT,
    CUSTOM,
    DEPLOYMENT_ID,
    NRPS,
    RESOURCE_LINK,
    ROLES,
)
from lti_tool.worker import Sweep
from tests.entrance import (
    INSTRUCTOR,
    TOOL,
    Browser,
    House,
    activity,
    register,
    session_path,
)
from tests.fakes.platform import FakePlatform
from tests.launch.traces import people_in, reasons

FRAMED = {"Sec-Fetch-Dest": "iframe", "Sec-Fetch-Site": "cross-site"}


@pytest.fixture
def tables(ask) -> Callable[[], dict[str, int]]:
    """How many rows each table has."""

    def count() -> dict[str, int]:
        names = ask("SELECT table_name FROM information_schema.tables WHERE table_schema='public'")
        return {name: ask(f"SELECT count(*) FROM {name}")[0][0] for (name,) in names}

    return count


def test_a_launch_makes_a_session_of_its_own_path_and_cookie(house: House, ask):
    browser = house.browser()

    answer = browser.launches()

    path = session_path(answer).rstrip("/")
    cookie = next(c for c in answer.headers.getlist("Set-Cookie") if "gustav_session" in c)
    for flag in ("HttpOnly", "Secure", "SameSite=None", "Partitioned", f"Path={path}"):
        assert flag in cookie
    assert people_in(ask) == (1, 1, 1, 1)


def test_the_authentication_request_says_what_the_standard_wants(house: House):
    asked = house.browser().logs_in()

    expected = {
        "scope": "openid",
        "response_type": "id_token",
        "response_mode": "form_post",
        "prompt": "none",
        "client_id": house.lms.client_id,
        "redirect_uri": f"{TOOL}/lti/launch",
        "login_hint": "17",
        "lti_message_hint": '{"cmid":3,"launchid":"ltilaunch9"}',
    }
    assert {key: asked[key] for key in expected} == expected


def test_no_email_is_kept_anywhere(house: House, ask):
    house.browser().arrives()

    tables = ask("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
    for (table,) in tables:
        assert "@schule.example" not in repr(ask(f"SELECT * FROM {table}"))


def test_the_same_token_a_second_time_is_refused_and_the_first_session_lives(house: House, ask):
    browser = house.browser()
    asked = browser.logs_in()
    first = browser.presents(asked)

    second = browser.presents(asked)

    assert second.status_code == 403
    assert reasons(ask) == ["nonce_used"]
    assert browser.get(first.location).status_code in (200, 303)
    assert people_in(ask)[3] == 1


def test_of_two_posts_of_one_launch_at_the_same_moment_one_wins(house: House, ask):
    browser = house.browser()
    asked = browser.logs_in()
    cookie = browser.client.get_cookie("gustav_browser", "gustav.schule.example", "/lti")

    def post(_: int) -> int:
        twin = house.browser()
        twin.client.set_cookie(
            "gustav_browser", cookie.value, domain="gustav.schule.example", path="/lti"
        )
        return twin.presents(asked).status_code

    with ThreadPoolExecutor(4) as threads:
        answers = sorted(threads.map(post, range(4)))

    assert answers == [303, 403, 403, 403]
    assert people_in(ask)[3] == 1


def test_the_state_of_one_login_does_not_serve_the_nonce_of_another(house: House, ask):
    browser = house.browser()
    first, second = browser.logs_in(), browser.logs_in()

    answer = browser.presents({"state": first["state"], "nonce": second["nonce"]})

    assert answer.status_code == 403
    assert reasons(ask) == ["nonce_mismatch"]


def test_a_launch_in_a_browser_that_did_not_knock_is_refused(house: House, ask):
    asked = house.browser().logs_in()
    other = house.browser()
    other.logs_in()

    assert other.presents(asked).status_code == 403
    assert reasons(ask) == ["state_unknown"]
    assert people_in(ask) == (0, 0, 0, 0)


def test_a_made_up_state_is_refused(house: House, ask):
    browser = house.browser()
    asked = browser.logs_in()

    for state in ("", "x", f"{uuid4().hex}.abc", asked["state"][:-1] + "!", "ä" * 40):
        answer = browser.presents({"state": state, "nonce": asked["nonce"]})
        assert answer.status_code == 403
    assert set(reasons(ask)) == {"state_unknown"}


@pytest.mark.parametrize(("minutes", "status"), [(9, 303), (11, 403)])
def test_a_login_is_good_for_ten_minutes(house: House, minutes, status):
    browser = house.browser()
    asked = browser.logs_in()

    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=minutes)):
        house.lms.now = datetime.now(UTC)
        assert browser.presents(asked).status_code == status


def test_knocking_leaves_nothing_behind_however_often(house: House, tables):
    browser, before = house.browser(), tables()

    for _ in range(25):
        browser.logs_in()
    browser.knocks(headers=FRAMED)

    assert tables() == before


def test_the_state_holds_no_hint_and_fits_into_an_address(house: House):
    asked = house.browser().logs_in(login_hint="pupil-4711", lti_message_hint="m" * 3000)

    told = base64.urlsafe_b64decode(asked["state"].split(".")[0])
    assert b"4711" not in told
    assert b"mmm" not in told
    assert len(asked["state"]) < 1000


def test_a_refusal_tells_the_person_a_reference_and_not_the_reason(house: House, ask):
    browser = house.browser()

    answer = browser.launches(exp=0)

    ((reference, reason),) = ask("SELECT reference, reason FROM security_events")
    assert answer.status_code == 403
    assert reference in answer.text
    assert reason not in answer.text
    assert people_in(ask) == (0, 0, 0, 0)
    assert "gustav_session" not in "".join(answer.headers.getlist("Set-Cookie"))


def test_a_token_from_another_registration_is_refused(house: House, database, ask):
    other = FakePlatform(
        issuer="https://andere.schule.example", client_id="other-1", now=datetime.now(UTC)
    )
    register(database, other)
    browser = house.browser()
    asked = browser.logs_in()
    message = other.launch() | {"nonce": asked["nonce"]}

    answer = browser.post("/lti/launch", {"state": asked["state"], "id_token": other.sign(message)})

    assert answer.status_code == 403
    assert people_in(ask) == (0, 0, 0, 0)


def test_an_unknown_deployment_waits_for_the_admin_and_nobody_comes_in(house: House, ask):
    browser = house.browser()
    asked = browser.logs_in(lti_deployment_id="99")

    first = browser.presents(asked, **{DEPLOYMENT_ID: "99"})
    second = browser.presents(browser.logs_in(lti_deployment_id="99"), **{DEPLOYMENT_ID: "99"})

    assert (first.status_code, second.status_code) == (403, 403)
    assert ask("SELECT deployment_id, state FROM deployments ORDER BY 1") == [
        (house.lms.deployment_id, "active"),
        ("99", "waiting"),
    ]
    assert people_in(ask) == (0, 0, 0, 0)


@pytest.mark.parametrize("roles", [[], ["http://example.org/unknown"]])
def test_unknown_or_no_roles_come_in_as_learners(house: House, ask, roles):
    house.browser().launches(**{ROLES: roles})

    assert ask("SELECT role FROM memberships") == [("learner",)]


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://unknown.example"},
        {"client_id": "unknown"},
        {"iss": None},
        {"login_hint": None},
        {"login_hint": "x" * 100_000},
        {"login_hint": "a\x00b"},
        {"target_link_uri": "https://evil.example/lti/launch"},
        {"target_link_uri": f"{TOOL}.evil.example/"},
        {"target_link_uri": None},
    ],
)
def test_a_knock_that_makes_no_sense_gets_a_page_and_no_cookie(house: House, changes):
    answer = house.browser().knocks(**changes)

    assert answer.status_code == 400
    assert answer.headers.getlist("Set-Cookie") == []
    assert "moodle.schule.example" not in answer.text


def test_a_parameter_sent_twice_is_nobodys_honest_knock(house: House):
    browser = house.browser()
    twice = {"iss": [house.lms.issuer, "https://evil.example"], "login_hint": "17"}

    assert browser.post("/lti/login", twice).status_code == 400
    asked = browser.logs_in()
    token = house.lms.sign(house.lms.launch() | {"nonce": asked["nonce"]})
    doubled = {"state": asked["state"], "id_token": [token, token]}
    assert browser.post("/lti/launch", doubled).status_code == 400


def test_a_platforms_own_error_is_a_friendly_page(house: House):
    browser = house.browser()
    asked = browser.logs_in()

    answer = browser.post(
        "/lti/launch",
        {"state": asked["state"], "error": "login_required", "error_description": "<script>x"},
    )

    assert answer.status_code == 400
    assert "<script>x" not in answer.text


def test_a_token_in_the_address_is_not_read(house: House):
    browser = house.browser()
    asked = browser.logs_in()
    token = house.lms.sign(house.lms.launch() | {"nonce": asked["nonce"]})

    assert browser.get(f"/lti/launch?state={asked['state']}&id_token={token}").status_code == 405
    answer = browser.post(f"/lti/launch?id_token={token}", {"state": asked["state"]})
    assert answer.status_code == 400


def test_in_a_foreign_frame_the_cookie_is_tried_before_the_lms_is_asked(house: House):
    browser = house.browser()

    hop = browser.knocks(headers=FRAMED)
    assert hop.location.startswith("/lti/login?")
    onward = browser.get(hop.location)

    assert onward.status_code == 303
    assert onward.location.startswith(house.lms.auth_url)


def test_a_browser_that_refuses_the_cookie_is_offered_a_window_of_its_own(house: House, ask):
    refusing = house.browser()
    hop = refusing.knocks(headers=FRAMED)
    refusing.client.delete_cookie("gustav_browser", domain="gustav.schule.example", path="/lti")

    page = refusing.get(hop.location)

    assert page.status_code == 200
    assert "In eigenem Fenster öffnen" in page.text
    assert f"frame-ancestors {house.lms.issuer}" in page.headers["Content-Security-Policy"]
    window = house.browser()
    onward = window.post("/lti/login", fields_of(page.text))
    assert onward.status_code == 303
    query = {k: v[0] for k, v in parse_qs(urlsplit(onward.location).query).items()}
    assert window.presents(query).status_code == 303


def fields_of(page: str) -> dict[str, str]:
    fields = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page)
    return {name: unescape(value) for name, value in fields}


def test_in_its_own_window_the_lms_gets_its_hints_back_unchanged(house: House):
    hints = {"login_hint": "ä&<\"'", "lti_message_hint": '{"cmid":3,"launchid":"x&y"}'}
    refusing = house.browser()
    hop = refusing.knocks(headers=FRAMED, **hints)
    refusing.client.delete_cookie("gustav_browser", domain="gustav.schule.example", path="/lti")
    page = refusing.get(hop.location)

    onward = house.browser().post("/lti/login", fields_of(page.text))

    query = {k: v[0] for k, v in parse_qs(urlsplit(onward.location).query).items()}
    assert {name: query[name] for name in hints} == hints


def test_hints_too_long_for_an_address_go_straight_to_the_lms(house: House):
    answer = house.browser().knocks(headers=FRAMED, lti_message_hint="m" * 4000)

    assert answer.location.startswith(house.lms.auth_url)


def test_without_any_cookie_the_launch_asks_for_one_and_weakens_nothing(house: House, ask):
    browser = house.browser()
    asked = browser.logs_in()
    browser.client.delete_cookie("gustav_browser", domain="gustav.schule.example", path="/lti")

    answer = browser.presents(asked)

    assert answer.status_code == 403
    assert people_in(ask) == (0, 0, 0, 0)


def test_somebody_elses_launch_in_this_browser_ends_the_first_session(house: House):
    browser = house.browser()
    adas = browser.arrives(activity(house.lms), sub="17")
    bens = browser.arrives(activity(house.lms, name="Ben Blau"), sub="18")

    answer = browser.get(adas)

    assert answer.status_code == 409
    assert "jetzt jemand anderes" in answer.text
    assert browser.get(bens).status_code in (200, 303)


def test_two_courses_in_two_tabs_are_two_sessions(house: House):
    browser = house.browser()
    first = browser.arrives(activity(house.lms, course="31", link="9"))
    second = browser.arrives(activity(house.lms, course="32", link="10"))

    assert "Kurs 31" in browser.get(first, follow_redirects=True).text
    assert "Kurs 32" in browser.get(second, follow_redirects=True).text


def test_a_new_role_ends_the_older_sessions_of_that_person_in_that_course(house: House):
    browser, home = house.browser(), house.browser()
    as_teacher = home.arrives(activity(house.lms, INSTRUCTOR))

    browser.arrives(activity(house.lms))

    assert home.get(as_teacher).status_code == 401


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ("UPDATE launch_sessions SET seen_at = seen_at - interval '91 minutes'", 401),
        (
            "UPDATE launch_sessions SET created_at = created_at - interval '11 hours'",
            401,
        ),
        ("UPDATE persons SET blocked_at = now()", 403),
        ("UPDATE platforms SET state = 'paused'", 403),
    ],
)
def test_a_session_ends_when_its_time_or_its_right_is_over(house: House, ask, change, status):
    browser = house.browser()
    path = browser.arrives()
    ask(change)

    assert browser.get(path).status_code == status


def test_a_session_is_worth_nothing_without_its_cookie(house: House):
    path = house.browser().arrives()

    for other in (house.browser(), stranger_with_a_cookie(house, path)):
        assert other.get(path).status_code == 401


def stranger_with_a_cookie(house: House, path: str) -> Browser:
    browser = house.browser()
    browser.client.set_cookie(
        "gustav_session", "guessed", domain="gustav.schule.example", path=path.rstrip("/")
    )
    return browser


def test_a_blocked_person_gets_no_new_session(house: House, ask):
    browser = house.browser()
    browser.arrives()
    ask("UPDATE persons SET blocked_at = now()")

    assert browser.launches().status_code == 403
    assert reasons(ask) == ["person_blocked"]


@pytest.mark.parametrize("state", ["paused", "waiting"])
def test_a_platform_that_waits_or_is_paused_lets_nobody_in_and_may_show_why(
    house: House, ask, state: str
):
    ask("UPDATE platforms SET state = %s", state)

    answer = house.browser().knocks()

    assert answer.status_code == 400
    assert f"frame-ancestors {house.lms.issuer}" in answer.headers["Content-Security-Policy"]
    assert "Was abgegeben und gespeichert wurde, ist noch da." in answer.text
    assert "gustav platform health" in answer.text  # which says "resume", or "activate"


def test_nobody_else_may_frame_a_refused_login(house: House):
    for changes in ({"iss": "https://evil.example"}, {"client_id": "another"}, {"iss": None}):
        answer = house.browser().knocks(**changes)

        assert answer.status_code == 400
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE platforms SET state = 'paused'",
        "UPDATE platforms SET jwks_url = 'https://moodle.schule.example/other'",
        "DELETE FROM platforms",
    ],
)
def test_a_platform_that_changed_while_somebody_logged_in_lets_nobody_in(house: House, ask, change):
    browser = house.browser()
    browser.arrives()
    before, asked = people_in(ask), browser.logs_in()
    ask(change)

    answer = browser.presents(asked)

    assert answer.status_code == 403
    assert reasons(ask) == ["state_unknown"]
    assert people_in(ask) in (before, (0, 0, 0, 0))


def test_a_learner_cannot_come_in_by_deep_linking(house: House, ask):
    answer = house.browser().launches(
        house.lms.deep_linking("http://purl.imsglobal.org/vocab/lis/v2/membership#Learner")
    )

    assert answer.status_code == 403
    assert people_in(ask)[3] == 0


def test_a_launch_without_a_course_is_a_space_of_its_own(house: House, ask):
    claims = activity(house.lms)
    del claims[CONTEXT]
    house.browser().arrives(claims)

    assert ask("SELECT context_id FROM courses") == [("link:9",)]


def test_platform_keys_that_do_not_answer_ask_to_try_again(house: House, ask):
    house.lms.is_down = True

    answer = house.browser().launches()

    assert answer.status_code == 503
    assert people_in(ask) == (0, 0, 0, 0)


def test_our_public_keys_are_one_set_per_platform_and_hold_nothing_private(house: House):
    keys = house.browser().get(f"/lti/keys/{house.platform_id}").json["keys"]

    (key,) = keys
    assert set(key) == {"kid", "kty", "use", "alg", "n", "e"}
    assert house.browser().get(f"/lti/keys/{uuid4()}").json == {"keys": []}


def test_the_lms_may_look_at_the_launch_address_without_harm(house: House):
    assert house.browser().get("/lti/launch").status_code == 405


def test_a_launch_that_says_nothing_new_touches_no_row_of_course_person_or_activity(
    house: House, ask
):
    """So that the launches of a class do not wait in line for the row of their course."""

    def versions() -> list[list[tuple]]:
        tables = ("courses", "persons", "resource_links")
        return [ask(f"SELECT id, xmin::text FROM {table}") for table in tables]

    house.browser().arrives()
    before = versions()

    house.browser().arrives()

    assert versions() == before
    assert people_in(ask) == (1, 1, 1, 2)


def test_what_a_later_launch_says_otherwise_is_kept(house: House, ask):
    house.browser().arrives(activity(house.lms))
    told = activity(house.lms, name="Ada Neu", task=uuid4())
    told[CONTEXT]["title"] = "Bio 9b"
    told[RESOURCE_LINK]["title"] = "Licht"

    house.browser().arrives(told)

    assert ask("SELECT title FROM courses") == [("Bio 9b",)]
    assert ask("SELECT name FROM persons") == [("Ada Neu",)]
    assert ask("SELECT title, content_id::text FROM resource_links") == [
        ("Licht", told[CUSTOM]["task"])
    ]


def test_service_addresses_that_a_launch_leaves_out_stay_known(house: House, ask):
    house.browser().arrives()
    told = house.lms.launch()
    del told[NRPS], told[AGS]
    before = ask("SELECT memberships_url, lineitem_url FROM courses, resource_links")

    house.browser().arrives(told)

    assert ask("SELECT memberships_url, lineitem_url FROM courses, resource_links") == before
    assert None not in before[0]


def test_a_class_that_comes_first_and_all_at_once_finds_one_course(house: House, ask):
    house.browser().arrives(activity(house.lms, course="1", link="1"))  # the keys are there

    def come(number: int) -> int:
        return house.browser().launches(activity(house.lms), sub=str(number)).status_code

    with ThreadPoolExecutor(8) as threads:
        answers = set(threads.map(come, range(100, 124)))

    assert answers == {303}
    assert people_in(ask) == (25, 2, 25, 25)


def test_a_name_the_platform_no_longer_shares_is_forgotten(house: House, ask):
    browser = house.browser()
    browser.arrives(activity(house.lms))
    claims = activity(house.lms)
    for name in ("name", "given_name", "family_name"):
        claims.pop(name, None)

    browser.arrives(claims)

    assert ask("SELECT name FROM persons") == [(None,)]


def test_a_teachers_launch_asks_for_the_roster_once_in_a_while(house: House, ask):
    browser = house.browser()
    for _ in range(3):
        browser.arrives(house.lms.launch(INSTRUCTOR))

    assert ask("SELECT kind, state FROM jobs") == [("refresh_roster", "waiting")]


def test_sessions_are_forgotten_when_their_time_is_over(house: House, ask, database):
    house.browser().arrives()
    ask("UPDATE launch_sessions SET created_at = created_at - interval '3 days'")
    house.browser().arrives()

    broker = StubBroker(middleware=[])
    broker.declare_queue(QUEUE)
    Sweep(database, broker).once()

    assert ask("SELECT count(*) FROM launch_sessions") == [(1,)]


def test_the_clock_of_the_lms_may_be_a_minute_off(house: House):
    ahead = int((datetime.now(UTC) + timedelta(seconds=40)).timestamp())

    assert house.browser().launches(iat=ahead, exp=ahead + 60).status_code == 303
