"""Dynamic registration as a real Moodle was seen to do it."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from werkzeug.test import TestResponse

from lti_tool.practice_lms.registration import PLATFORM
from lti_tool.practice_lms.registration import TOOL as EXTENSION
from tests.practice_lms.bench import ALL_SCOPES, BASE, COURSE, CURIE, REGISTRATION, TOOL, Bench

ADDRESS = f"{TOOL}/register/secret?kept=1"
REQUEST: dict[str, Any] = {
    "application_type": "web",
    "response_types": ["id_token"],
    "initiate_login_uri": f"{TOOL}/login",
    "redirect_uris": [f"{TOOL}/launch"],
    "client_name": "Neues Werkzeug",
    "jwks_uri": f"{TOOL}/jwks",
    "token_endpoint_auth_method": "private_key_jwt",
    "scope": f"{ALL_SCOPES} and:more",
    EXTENSION: {
        "domain": "tool.example",
        "target_link_uri": f"{TOOL}/launch",
        "custom_parameters": {"history": "$Context.id.history"},
        "claims": ["iss", "sub", "name"],
        "messages": [{"type": "LtiDeepLinkingRequest", "target_link_uri": f"{TOOL}/pick"}],
    },
}


@pytest.fixture
def empty() -> Bench:
    """A practice LMS without any tool."""
    return Bench(registration=None)


def begin(lms: Bench, address: str = ADDRESS) -> dict[str, str]:
    """Press "Add LTI Advantage"; the parameters with which the tool's page is opened."""
    answer = lms.get("/admin/registration/start", query_string={"url": address})
    assert answer.status_code == 302
    assert answer.location.startswith(address)
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.location).query).items()}


def post(lms: Bench, token: str, request: object = REQUEST) -> TestResponse:
    headers = {"Authorization": f"Bearer {token}"}
    return lms.browser.post("/openid-registration", json=request, headers=headers)


def registered(lms: Bench) -> TestResponse:
    answer = post(lms, begin(lms)["registration_token"])
    assert answer.status_code == 200, answer.text
    return answer


def test_the_configuration_is_a_moodles(empty: Bench) -> None:
    document = empty.get(begin(empty)["openid_configuration"].removeprefix(BASE)).get_json()

    assert document["issuer"] == BASE
    assert document["registration_endpoint"] == f"{BASE}/openid-registration"
    assert document[PLATFORM]["product_family_code"] == "moodle"
    assert "authorization_server" not in document


def test_a_query_of_the_tools_own_is_kept_and_the_token_names_the_client_to_come(
    empty: Bench,
) -> None:
    asked = begin(empty)
    claims = jwt.decode(asked["registration_token"], options={"verify_signature": False})

    assert asked["kept"] == "1"
    assert (claims["scope"], len(claims["sub"])) == ("reg", 15)
    assert claims["exp"] - claims["iat"] == 3600
    assert registered(empty).get_json()["client_id"] != claims["sub"]  # another token's
    assert "iss" not in claims


def test_what_was_asked_for_is_what_is_there(empty: Bench) -> None:
    answer = registered(empty).get_json()

    tool = empty.app.extensions["practice_lms"].registered_tool
    assert answer["client_id"] == tool.client_id
    assert answer[EXTENSION]["deployment_id"] == tool.deployment_id
    assert answer["scope"] == ALL_SCOPES
    assert (tool.share_names, tool.share_email) == (True, False)
    assert tool.deep_link_url == f"{TOOL}/pick"
    assert tool.custom == (("history", "$Context.id.history"),)


def test_a_new_tool_is_pending_and_in_no_chooser_until_an_admin_says_so(empty: Bench) -> None:
    registered(empty)
    empty.log_in(CURIE)
    course, add = f"/as/{CURIE}/course/{COURSE}", f"/as/{CURIE}/course/{COURSE}/add"
    assert 'data-state="pending"' in empty.get("/admin").text
    assert add not in empty.get(course).text

    empty.browser.post("/admin/activate")
    assert 'data-state="active"' in empty.get("/admin").text
    assert empty.get(add).status_code == 403

    empty.browser.post("/admin/chooser", data={"show": "1"})
    assert add in empty.get(course).text
    assert empty.get(add).status_code == 200


def test_a_token_is_good_once_and_for_an_hour(empty: Bench) -> None:
    token = begin(empty)["registration_token"]
    late = begin(empty)["registration_token"]
    assert post(empty, token).status_code == 200

    again = post(empty, token)

    assert (again.status_code, again.text) == (401, "token_already_used")
    assert again.content_type.startswith("text/html")
    empty.clock.pass_by(3601)
    assert post(empty, late).status_code == 404


@pytest.mark.parametrize("token", ["", "garbage", "e30.e30.x"])
def test_a_token_that_cannot_be_read_gets_a_whole_page(empty: Bench, token: str) -> None:
    answer = post(empty, token)

    assert answer.status_code == 404
    assert "<html" in answer.text


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"response_types": []}, "missing_response_types"),
        ({"response_types": ["code"]}, "invalid_response_types"),
        ({"redirect_uris": None}, "missing_redirect_uris"),
        ({"client_name": ""}, "missing_client_name"),
        ({"token_endpoint_auth_method": "none"}, "invalid_token_endpoint_auth_method"),
        ({"application_type": "native"}, "invalid_application_type"),
        ({EXTENSION: {}}, "missing_domain"),
        (
            {EXTENSION: {"domain": "tool.example:443", "target_link_uri": f"{TOOL}/launch"}},
            "domain_targetlinkuri_mismatch",
        ),
    ],
)
def test_what_moodle_refuses_is_refused_in_plain_text(
    empty: Bench, change: dict[str, Any], text: str
) -> None:
    answer = post(empty, begin(empty)["registration_token"], REQUEST | change)

    assert (answer.status_code, answer.text) == (400, text)
    assert empty.app.extensions["practice_lms"].registered_tool is None


def test_an_update_keeps_the_client_and_hides_the_tool_from_the_chooser() -> None:
    lms = Bench()
    token = begin(lms)["registration_token"]
    claims = jwt.decode(token, options={"verify_signature": False})
    assert (claims["sub"], claims["scope"]) == (REGISTRATION.deployment_id, "reg-update")

    answers = [post(lms, token), post(lms, token)]  # repeatable within its hour

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].get_json()["client_id"] == REGISTRATION.client_id
    assert 'data-state="active"' in lms.get("/admin").text
    lms.log_in(CURIE)
    assert lms.get(f"/as/{CURIE}/course/{COURSE}/add").status_code == 403


def test_what_the_admin_did_survives_a_restart(tmp_path: Path) -> None:
    lms = Bench(registration=None, data_dir=tmp_path)
    client_id = registered(lms).get_json()["client_id"]
    lms.browser.post("/admin/activate")

    lms.start()

    assert client_id in lms.get("/admin").text
    assert 'data-state="active"' in lms.get("/admin").text
    lms.browser.post("/admin/delete")
    lms.registration = REGISTRATION
    lms.start()
    assert REGISTRATION.client_id not in lms.get("/admin").text


def test_the_frame_lets_in_the_address_that_was_typed_and_no_nonsense(empty: Bench) -> None:
    page = empty.get("/admin/registration", query_string={"url": ADDRESS})

    assert f"frame-src 'self' {TOOL};" in page.headers["Content-Security-Policy"]
    for nonsense in ("", "tool.example", "javascript:x", "http://a b", "http://x;script-src y/"):
        answer = empty.get("/admin/registration", query_string={"url": nonsense})
        assert answer.status_code == 400
