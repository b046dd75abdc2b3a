"""Openid-configurations and answers as they should be, as they should not, and plain nonsense."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.core.outbound import AllowList
from lti_tool.launch.registration.documents import (
    LARGEST_DOCUMENT,
    PLATFORM,
    TOOL,
    check_token,
    read_answer,
    read_configuration,
)
from lti_tool.launch.registration.refusals import RegistrationRefused, Why
from tests.fakes.platform import DROP, changed

SITE = "https://moodle.schule.example"
URL = f"{SITE}/mod/lti/openid-configuration.php"
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri", "registration_endpoint")
CONFIGURATION: dict[str, Any] = {
    "issuer": SITE,
    "token_endpoint": f"{SITE}/mod/lti/token.php",
    "jwks_uri": f"{SITE}/mod/lti/certs.php",
    "authorization_endpoint": f"{SITE}/mod/lti/auth.php",
    "registration_endpoint": f"{SITE}/mod/lti/openid-registration.php",
    PLATFORM: {"product_family_code": "moodle", "version": "4.5.5+"},
}
ANSWER: dict[str, Any] = {
    "client_id": "aBcD1234eFgH567",
    "scope": "a b",
    TOOL: {"version": "1.3.0", "deployment_id": "3"},
}
FINITE = st.floats(allow_nan=False, allow_infinity=False)  # JSON has no others
ANY_JSON = st.recursive(
    st.none() | st.booleans() | FINITE | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


def read(document: object, url: str = URL, *allowed: str):
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return read_configuration(body, url, AllowList(allowed))


def why(document: object, url: str = URL, *allowed: str) -> Why | None:
    try:
        read(document, url, *allowed)
    except RegistrationRefused as refused:
        return refused.why
    return None


def why_not(answer: object) -> Why | None:
    try:
        read_answer(json.dumps(answer).encode())
    except RegistrationRefused as refused:
        return refused.why
    return None


def test_a_moodles_configuration_is_read() -> None:
    found = read(CONFIGURATION)

    assert found.issuer == SITE
    assert found.auth_url.endswith("/auth.php")
    assert found.token_url.endswith("/token.php")
    assert found.jwks_url.endswith("/certs.php")
    assert found.registration_url.endswith("/openid-registration.php")
    assert found.is_moodle


def test_a_moodle_below_a_path_and_on_a_port_is_read_where_the_operator_allows_it() -> None:
    text = json.dumps(CONFIGURATION).replace(SITE, "http://localhost:8090/moodle")

    assert read(text.encode(), "http://localhost:8090/moodle/c", "localhost:8090").issuer == (
        "http://localhost:8090/moodle"
    )


@pytest.mark.parametrize(
    "issuer",
    [
        "https://evil.example",
        "http://moodle.schule.example",
        "https://moodle.schule.example:8443",
        "https://moodle.schule.example.evil.example",
        "https://schule.example",
        f"{SITE}?x=1",
        f"{SITE}#x",
    ],
)
def test_an_issuer_of_another_machine_is_refused(issuer: str) -> None:
    assert why(CONFIGURATION | {"issuer": issuer}) is Why.ISSUER_ELSEWHERE


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize(
    "url", ["https://evil.example/x", "http://moodle.schule.example/x", f"{SITE}:8443/x"]
)
def test_an_endpoint_on_another_machine_is_refused(endpoint: str, url: str) -> None:
    assert why(CONFIGURATION | {endpoint: url}) is Why.ENDPOINT_ELSEWHERE


def test_an_endpoint_elsewhere_is_fine_where_the_operator_says_so() -> None:
    elsewhere = CONFIGURATION | {"jwks_uri": "https://keys.example/jwks"}

    assert why(elsewhere) is Why.ENDPOINT_ELSEWHERE
    assert why(elsewhere, URL, "keys.example") is None


@pytest.mark.parametrize("name", ["issuer", *ENDPOINTS])
@pytest.mark.parametrize(
    "value",
    [DROP, None, 7, [], {}, "", "moodle.schule.example/x", "javascript:alert(1)", f"{SITE}/a b",
     f"{SITE}/\r\nX: y", "https://user@moodle.schule.example/x", "https://ⓜoodle.example/x"],
)  # fmt: skip
def test_what_is_no_address_is_refused(name: str, value: object) -> None:
    assert why(changed(CONFIGURATION, (name,), value)) is Why.CONFIGURATION_UNREADABLE


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"null", b"\xff\xfe", b'{"issuer": NaN}', b"[" * 100_000, b"<html>",
     b" " * LARGEST_DOCUMENT + b"{}"],
)  # fmt: skip
def test_what_is_no_document_is_refused(body: bytes) -> None:
    assert why(body) is Why.CONFIGURATION_UNREADABLE
    with pytest.raises(RegistrationRefused) as refused:
        read_answer(body)
    assert refused.value.why is Why.ANSWER_UNREADABLE


@pytest.mark.parametrize("extension", [None, 1, [], {"product_family_code": 5}, {}])
def test_a_platform_need_not_say_what_it_is(extension: object) -> None:
    assert read(CONFIGURATION | {PLATFORM: extension}).family == ""


def test_a_moodles_answer_is_read() -> None:
    found = read_answer(json.dumps(ANSWER).encode())

    assert (found.client_id, found.deployment_id) == ("aBcD1234eFgH567", "3")
    assert found.scopes == {"a", "b"}


@pytest.mark.parametrize("path", [(TOOL,), (TOOL, "deployment_id"), ("scope",)])
@pytest.mark.parametrize("value", [DROP, None])
def test_an_answer_may_leave_out_all_but_the_client_id(path: tuple[str, ...], value) -> None:
    assert read_answer(json.dumps(changed(ANSWER, path, value)).encode()).client_id


@pytest.mark.parametrize(
    ("path", "value"),
    [(("client_id",), wrong) for wrong in (DROP, None, "", 5, "x" * 256, "a b", "a\0", "ä")]
    + [((TOOL, "deployment_id"), wrong) for wrong in ("", 5, "x" * 256, "a\n", [])]
    + [((TOOL,), wrong) for wrong in ("x", [1], 5)]
    + [(("scope",), wrong) for wrong in (5, ["a"], "x" * 9000)],
)
def test_an_odd_answer_is_refused(path: tuple[str, ...], value: object) -> None:
    assert why_not(changed(ANSWER, path, value)) is Why.ANSWER_UNREADABLE


@pytest.mark.parametrize("bad", [None, "", "a b", "a\r\nX: y", "ä", "x" * 9000])
def test_a_token_that_fits_into_no_header_is_refused(bad: str | None) -> None:
    with pytest.raises(RegistrationRefused):
        check_token(bad)


class TestNonsense:
    """Whatever comes, it is read or refused with a reason; nothing else is ever raised."""

    @given(st.binary(max_size=200) | ANY_JSON.map(lambda found: json.dumps(found).encode()))
    def test_any_bytes(self, body: bytes) -> None:
        assert why(body) is Why.CONFIGURATION_UNREADABLE
        with pytest.raises(RegistrationRefused):
            read_answer(body)

    @given(st.sampled_from(["issuer", *ENDPOINTS, PLATFORM]), ANY_JSON)
    def test_any_value_in_a_good_configuration(self, name: str, value: object) -> None:
        reason = why(CONFIGURATION | {name: value})
        assert reason is (None if name == PLATFORM else Why.CONFIGURATION_UNREADABLE)

    @given(st.sampled_from(["issuer", *ENDPOINTS]), st.text(max_size=30))
    def test_any_ending_of_an_address(self, name: str, tail: str) -> None:
        url = str(CONFIGURATION[name]) + tail
        reason = why(CONFIGURATION | {name: url})
        assert reason in (
            None,
            Why.CONFIGURATION_UNREADABLE,
            Why.ISSUER_ELSEWHERE,
            Why.ENDPOINT_ELSEWHERE,
        )

    @given(st.sampled_from(["client_id", "scope", TOOL]), ANY_JSON)
    def test_any_value_in_a_good_answer(self, name: str, value: object) -> None:
        assert why_not(ANSWER | {name: value}) in (None, Why.ANSWER_UNREADABLE)

    @given(st.text(max_size=80))
    def test_any_place_of_the_configuration(self, url: str) -> None:
        assert why(CONFIGURATION, url) is Why.ADDRESS_FORBIDDEN
