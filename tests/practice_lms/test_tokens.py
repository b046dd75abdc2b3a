"""The token endpoint is stricter than Moodle's."""

import json
from typing import Any

import pytest

from tests.practice_lms.bench import AGS, BASE, COURSE, LINE_ITEMS, MEMBERS, NRPS_SCOPE, Bench

LIST = f"/services/{COURSE}/lineitems?type_id=7"


def test_a_good_assertion_gets_an_hour_and_only_the_known_scopes(lms: Bench) -> None:
    answer = lms.ask_token(scope=f"{AGS}/score openid {NRPS_SCOPE} {AGS}/score")

    body = json.loads(answer.data)
    assert answer.status_code == 200
    assert answer.mimetype == "text/html"
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 3600)
    assert body["scope"] == f"{AGS}/score {NRPS_SCOPE}"


@pytest.mark.parametrize("aud", [f"{BASE}/token", [f"{BASE}/token"]])
def test_the_audience_may_be_a_text_or_a_list_of_one(lms: Bench, aud: object) -> None:
    assert lms.ask_token(lms.assertion(aud=aud)).status_code == 200


@pytest.mark.parametrize(
    ("claims", "now_plus"),
    [
        ({"iss": "someone"}, {}),
        ({"sub": "someone"}, {}),
        ({"iss": None}, {}),
        ({"aud": BASE}, {}),
        ({"aud": [f"{BASE}/token", "http://other.example/token"]}, {}),
        ({"aud": None}, {}),
        ({"jti": None}, {}),
        ({"jti": ""}, {}),
        ({"iat": None}, {}),
        ({"exp": None}, {}),
        ({}, {"iat": 6}),
        ({}, {"exp": 306}),
        ({}, {"exp": -5}),
    ],
)
def test_an_assertion_with_a_wrong_claim_is_an_invalid_client(
    lms: Bench, claims: dict[str, Any], now_plus: dict[str, int]
) -> None:
    times = {name: lms.clock.seconds() + delta for name, delta in now_plus.items()}

    answer = lms.ask_token(lms.assertion(**claims, **times))

    assert (answer.status_code, json.loads(answer.data)["error"]) == (400, "invalid_client")


@pytest.mark.parametrize("now_plus", [{"iat": 5}, {"exp": 300}, {"exp": 305}, {"exp": -4}])
def test_clocks_may_differ_by_five_seconds(lms: Bench, now_plus: dict[str, int]) -> None:
    times = {name: lms.clock.seconds() + delta for name, delta in now_plus.items()}

    assert lms.ask_token(lms.assertion(**times)).status_code == 200


def test_an_assertion_counts_once(lms: Bench) -> None:
    assertion = lms.assertion()
    assert lms.ask_token(assertion).status_code == 200

    assert lms.ask_token(assertion).status_code == 400


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"scope": "openid email"}, "invalid_scope"),
        ({"scope": None}, "invalid_request"),
        ({"client_assertion": None}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"client_assertion_type": "jwt"}, "unsupported_grant_type"),
        ({"client_assertion": "not.a.jwt"}, "invalid_client"),
    ],
)
def test_a_wrong_form_is_refused(lms: Bench, change: dict[str, str | None], error: str) -> None:
    answer = lms.ask_token(**change)  # type: ignore[arg-type]

    assert (answer.status_code, json.loads(answer.data)["error"]) == (400, error)


def test_json_is_not_a_form(lms: Bench) -> None:
    assert lms.browser.post("/token", json={"scope": "x"}).status_code == 400


def test_the_key_set_is_fetched_again_only_when_a_signature_does_not_fit(lms: Bench) -> None:
    lms.ask_token()
    lms.ask_token()
    assert len(lms.tool.fetched) == 1

    lms.tool.turn_key("second")

    assert lms.ask_token().status_code == 200
    assert len(lms.tool.fetched) == 2


def test_a_new_key_under_the_old_name_is_found_as_well(lms: Bench) -> None:
    lms.ask_token()

    lms.tool.turn_key("first")

    assert lms.ask_token().status_code == 200


def test_a_missing_kid_or_an_unreachable_key_set_is_an_invalid_client(lms: Bench) -> None:
    unnamed = lms.tool.sign({"iss": "x"}, typ="JWT")
    assert lms.ask_token(unnamed).status_code == 400

    lms.tool.reachable = False

    assert lms.ask_token(lms.tool.sign({"iss": "x"}, kid="other")).status_code == 400


def test_services_want_a_living_token_of_the_right_kind(lms: Bench) -> None:
    def status(**more: Any) -> int:
        return lms.call("GET", LIST, LINE_ITEMS, **more).status_code

    assert status() == 200
    assert status(headers={"Authorization": ""}) == 401
    assert status(headers={"Authorization": "Bearer made-up"}) == 401
    assert status(scope=f"{AGS}/score") == 403
    assert status(scope=f"{AGS}/lineitem.readonly") == 200
    lms.clock.pass_by(3600)
    assert status() == 401


def test_a_token_is_bound_to_its_tool_and_the_type_may_be_left_out(lms: Bench) -> None:
    def status(url: str) -> int:
        return lms.call("GET", url, LINE_ITEMS).status_code

    assert status(LIST.replace("=7", "=8")) == 401
    assert status(LIST.partition("?")[0]) == 200


@pytest.mark.parametrize(
    ("path", "media", "scope"),
    [
        (LIST, LINE_ITEMS, NRPS_SCOPE),
        (f"/services/CourseSection/{COURSE}/bindings/7/memberships", MEMBERS, f"{AGS}/score"),
    ],
)
def test_a_scope_of_another_service_does_not_help(
    lms: Bench, path: str, media: str, scope: str
) -> None:
    assert lms.call("GET", path, media, scope=scope).status_code == 403
