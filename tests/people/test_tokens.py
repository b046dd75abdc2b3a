"""Access tokens: proven with a signature, kept for a while, never for another platform."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import jwt
import pytest

from lti_tool.core.outbound import (
    OutboundFailed,
    OutboundGarbage,
    OutboundRefused,
)
from lti_tool.people.tokens import (
    AccessToken,
    TokenEndpoint,
    TokenRefusal,
    TokenRefused,
    assertion,
    read_token,
)
from tests.fakes.http_server import Answer, Raw
from tests.fakes.moodle import TOKEN
from tests.fakes.school import NOON, School, open_school, signing_key

READ = frozenset({"read"})
WRITE = frozenset({"write"})


@pytest.fixture
def school() -> Iterator[School]:
    with open_school() as school:
        yield school


class TestAssertion:
    def test_it_says_who_to_whom_for_how_long_and_only_once(self, school: School) -> None:
        text = assertion(school.endpoint, NOON)

        claims = jwt.decode(text, options={"verify_signature": False})
        assert jwt.get_unverified_header(text) == {"alg": "RS256", "kid": "kid-1", "typ": "JWT"}
        assert claims["iss"] == claims["sub"] == "tool-1"
        assert claims["aud"] == school.endpoint.token_url
        assert claims["iat"] == int(NOON.timestamp()) - 60
        assert 60 < claims["exp"] - NOON.timestamp() <= 300
        assert len(claims["jti"]) >= 32

    def test_no_two_are_alike(self, school: School) -> None:
        both = [assertion(school.endpoint, NOON) for _ in range(2)]

        first, second = (jwt.decode(text, options={"verify_signature": False}) for text in both)
        assert first["jti"] != second["jti"]

    def test_a_platform_may_name_another_audience(self, school: School) -> None:
        endpoint = replace(school.endpoint, audience="https://auth.example")

        claims = jwt.decode(assertion(endpoint, NOON), options={"verify_signature": False})

        assert claims["aud"] == "https://auth.example"


class TestKeeping:
    def test_a_token_is_fetched_once(self, school: School) -> None:
        tokens = [school.tokens.token(school.endpoint, READ) for _ in range(3)]

        assert {token.value for token in tokens} == {"token-1"}
        assert tokens[0].scopes == READ
        assert len(school.server.seen) == 1

    def test_other_scopes_need_another_token(self, school: School) -> None:
        read = school.tokens.token(school.endpoint, READ)
        write = school.tokens.token(school.endpoint, WRITE)

        assert read.value != write.value

    def test_another_platform_never_gets_this_ones_token(self, school: School) -> None:
        other = replace(school.endpoint, platform_id=UUID(int=2))

        ours = school.tokens.token(school.endpoint, READ)

        assert school.tokens.token(other, READ).value != ours.value

    @pytest.mark.parametrize(("minutes", "requests"), [(58, 1), (59, 2), (61, 2)])
    def test_it_is_renewed_before_it_expires(
        self, school: School, minutes: int, requests: int
    ) -> None:
        school.tokens.token(school.endpoint, READ)
        school.clock.now += timedelta(minutes=minutes)

        school.tokens.token(school.endpoint, READ)

        assert len(school.server.seen) == requests

    def test_a_forgotten_token_is_replaced(self, school: School) -> None:
        token = school.tokens.token(school.endpoint, READ)
        school.tokens.forget(school.endpoint, READ, token)

        assert school.tokens.token(school.endpoint, READ).value == "token-2"

    def test_forgetting_an_old_token_keeps_the_new_one(self, school: School) -> None:
        old = school.tokens.token(school.endpoint, READ)
        school.tokens.forget(school.endpoint, READ, old)
        new = school.tokens.token(school.endpoint, READ)

        school.tokens.forget(school.endpoint, READ, old)

        assert school.tokens.token(school.endpoint, READ) == new

    def test_threads_that_need_the_same_token_share_one_request(self) -> None:
        slow = Raw((b'HTTP/1.0 200 OK\r\n\r\n{"access_token": "shared"}',), pause=0.15)

        with open_school(before=lambda seen: slow) as school:
            values = in_threads(6, lambda: school.tokens.token(school.endpoint, READ).value)

            assert values == ["shared"] * 6
            assert len(school.server.seen) == 1

    def test_threads_that_wait_share_a_failure_too(self) -> None:
        slow = Raw((b"HTTP/1.0 503 Not now\r\n\r\n",), pause=0.15)

        with open_school(before=lambda seen: slow) as running:

            def attempt() -> str:
                try:
                    return running.tokens.token(running.endpoint, READ).value
                except OutboundFailed as failed:
                    return str(failed)

            assert in_threads(6, attempt) == ["answered 503"] * 6
            assert len(running.server.seen) == 1

    def test_a_failure_is_not_kept(self, school: School) -> None:
        school.will_answer(TOKEN, Answer(503))
        with pytest.raises(OutboundFailed):
            school.tokens.token(school.endpoint, READ)

        assert school.tokens.token(school.endpoint, READ).value == "token-1"

    @pytest.mark.parametrize("expires_in", [0, -1, "soon", None, True, [], "-5", "1e3", 30, 60])
    def test_a_token_of_unclear_or_no_duration_is_used_once(
        self, school: School, expires_in: object
    ) -> None:
        body = json.dumps({"access_token": "odd", "token_type": "bearer", "expires_in": expires_in})
        school.will_answer(TOKEN, Answer(200, body.encode()))

        assert school.tokens.token(school.endpoint, READ).value == "odd"
        assert school.tokens.token(school.endpoint, READ).value == "token-1"


class TestRefusals:
    """ATK-113: nonsense from a token endpoint."""

    def test_a_token_of_a_megabyte_is_not_even_read(self, school: School) -> None:
        body = json.dumps({"access_token": "a" * 1_000_001, "token_type": "bearer"})
        school.will_answer(TOKEN, Answer(200, body.encode()))

        with pytest.raises(OutboundGarbage):
            school.tokens.token(school.endpoint, READ)

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (Answer(400, b'{"error": "invalid_client"}'), TokenRefusal.CLIENT),
            (Answer(401, b'{"error": "Incorrect signature"}'), TokenRefusal.CLIENT),
            (Answer(403, b"<html>"), TokenRefusal.CLIENT),
            (Answer(400, b'{"error": "invalid_scope"}'), TokenRefusal.SCOPE),
            (Answer(404, b"<html>"), TokenRefusal.ADDRESS),
            (Answer(200, b'{"access_token": "x", "scope": "other"}'), TokenRefusal.SCOPE),
            (Answer(200, b'{"access_token": "x", "scope": ""}'), TokenRefusal.SCOPE),
            (Answer(200, b'{"access_token": "x", "token_type": "mac"}'), TokenRefusal.ANSWER),
            (Answer(200, b'{"access_token": "x", "token_type": 7}'), TokenRefusal.ANSWER),
            (Answer(200, b'{"access_token": "a\\r\\nX-Evil: 1"}'), TokenRefusal.ANSWER),
            (Answer(200, b'{"access_token": ""}'), TokenRefusal.ANSWER),
            (Answer(200, b'{"access_token": 5}'), TokenRefusal.ANSWER),
            (Answer(200, b'{"access_token": "' + b"a" * 20_000 + b'"}'), TokenRefusal.ANSWER),
            (Answer(200, b"[]"), TokenRefusal.ANSWER),
        ],
    )
    def test_what_only_a_person_can_mend_is_final(
        self, school: School, answer: Answer, reason: TokenRefusal
    ) -> None:
        school.will_answer(TOKEN, answer)

        with pytest.raises(TokenRefused) as refused:
            school.tokens.token(school.endpoint, READ)

        assert refused.value.reason is reason

    @pytest.mark.parametrize("status", [408, 429, 500, 502, 503])
    def test_what_passes_by_itself_is_tried_again(self, school: School, status: int) -> None:
        school.will_answer(TOKEN, Answer(status, headers={"Retry-After": "30"}))

        with pytest.raises(OutboundFailed) as failed:
            school.tokens.token(school.endpoint, READ)

        assert failed.value.retry_after == "30"

    def test_a_page_of_maintenance_is_tried_again(self, school: School) -> None:
        school.will_answer(TOKEN, Answer(200, b"<html>Moodle is being upgraded</html>"))

        with pytest.raises(OutboundGarbage):
            school.tokens.token(school.endpoint, READ)

    def test_a_redirect_is_not_followed_with_our_signature(self, school: School) -> None:
        school.will_answer(
            TOKEN, Answer(307, headers={"Location": f"{school.server.url}/elsewhere"})
        )

        with pytest.raises(OutboundRefused):
            school.tokens.token(school.endpoint, READ)

        assert len(school.server.seen) == 1


class TestReading:
    """ATK-113: narrower scopes are told, wider ones ignored, an hour is the longest."""

    def test_narrower_scopes_are_told(self) -> None:
        answer = {"access_token": "x", "scope": "read"}

        assert read_token(answer, READ | WRITE, NOON).scopes == READ

    def test_more_than_was_asked_for_is_ignored(self) -> None:
        answer = {"access_token": "x", "scope": "read write admin"}

        assert read_token(answer, READ, NOON).scopes == READ

    @pytest.mark.parametrize(
        ("expires_in", "minutes"),
        [
            (600, 10),
            ("600", 10),
            (Decimal("600.9"), 10),
            (10**9, 60),
            (Decimal("1e300"), 60),
            ("9" * 99, 60),
        ],
    )
    def test_a_token_is_kept_for_an_hour_at_most(self, expires_in: object, minutes: int) -> None:
        token = read_token({"access_token": "x", "expires_in": expires_in}, READ, NOON)

        assert token.expires_at == NOON + timedelta(minutes=minutes)

    def test_its_repr_does_not_show_it(self, school: School) -> None:
        token = AccessToken("secret-token", READ, NOON)

        assert "secret-token" not in repr(token)
        assert "RSAPrivateKey" not in repr(school.endpoint)


@pytest.mark.parametrize(
    ("url", "owned"),
    [
        ("https://moodle.example/mod/x?y", True),
        ("https://MOODLE.example:443/", True),
        ("https://api.moodle.example/", True),
        ("http://moodle.example/", False),
        ("https://moodle.example:8443/", False),
        ("https://evil.example/moodle.example", False),
        ("https://moodle.example.evil.example/", False),
    ],
)
def test_tokens_belong_to_the_platforms_own_origins(url: str, owned: bool) -> None:
    endpoint = TokenEndpoint(
        UUID(int=1),
        "tool-1",
        "https://moodle.example/token",
        None,
        signing_key(),
        more_origins=frozenset({"https://api.moodle.example"}),
    )

    assert endpoint.owns(url) is owned


def in_threads(count: int, work: Callable[[], str]) -> list[str]:
    """What the same work brings when it is done by so many at once."""
    with ThreadPoolExecutor(count) as pool:
        futures = [pool.submit(work) for _ in range(count)]
        return [future.result() for future in futures]
