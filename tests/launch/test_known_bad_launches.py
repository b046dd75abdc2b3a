"""Launches known to be bad: 21 that PyLTI1p3 lets in.

One of them is decided elsewhere: an id_token in the query of a GET never gets to the verifier. The
12 of the certification suite are in `certification/test_bad_payloads.py`.
"""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA512

from lti_tool.launch.claims import (
    RESOURCE_LINK,
    ROLES,
    TARGET_LINK_URI,
)
from lti_tool.launch.keysets import KeySets, public_jwk
from lti_tool.launch.verify import LaunchRefused, Reason, verify_launch
from tests.fakes.platform import DROP, FakePlatform, Path, as_json, changed, rsa_key

PLATFORM = FakePlatform()
CLAIMS = PLATFORM.launch()
SECONDS = CLAIMS["iat"]
YEAR = 365 * 24 * 3600


def without(*names: str) -> dict[str, Any]:
    return {name: value for name, value in CLAIMS.items() if name not in names}


LET_IN_BY_PYLTI1P3: dict[str, tuple[Path, object, Reason]] = {
    "no exp": (("exp",), DROP, Reason.TIMES_INVALID),
    "no iat": (("iat",), DROP, Reason.TIMES_INVALID),
    "iat ten years old": (("iat",), SECONDS - 10 * YEAR, Reason.LIFETIME_TOO_LONG),
    "exp in 100 years": (("exp",), SECONDS + 100 * YEAR, Reason.LIFETIME_TOO_LONG),
    "aud list without azp": (
        ("aud",),
        [PLATFORM.client_id, "other"],
        Reason.AUTHORIZED_PARTY_INVALID,
    ),
    "wrong azp": (("azp",), "other", Reason.AUTHORIZED_PARTY_INVALID),
    "no target": ((TARGET_LINK_URI,), DROP, Reason.TARGET_MISMATCH),
    "foreign target": ((TARGET_LINK_URI,), "https://evil.example/", Reason.TARGET_MISMATCH),
    "roles a string": ((ROLES,), "Instructor", Reason.ROLES_INVALID),
    "roles a dict": ((ROLES,), {"Instructor": 1}, Reason.ROLES_INVALID),
    "sub too long for a token": (("sub",), "x" * 100_000, Reason.MALFORMED),
    "sub too long": (("sub",), "x" * 10_000, Reason.SUBJECT_INVALID),
    "sub with NUL": (("sub",), "17\x00", Reason.SUBJECT_INVALID),
    "integer link id": ((RESOURCE_LINK, "id"), 9, Reason.RESOURCE_LINK_INVALID),
    "resource link a string": ((RESOURCE_LINK,), "9", Reason.RESOURCE_LINK_INVALID),
}


@pytest.mark.parametrize("name", LET_IN_BY_PYLTI1P3)
def test_a_launch_that_pylti1p3_lets_in_is_refused(name: str) -> None:
    path, value, reason = LET_IN_BY_PYLTI1P3[name]

    assert PLATFORM.is_refused(changed(CLAIMS, path, value)) is reason


def test_neither_iat_nor_exp_is_refused() -> None:
    assert PLATFORM.is_refused(without("iat", "exp")) is Reason.CLAIMS_MISSING


def test_an_audience_shared_with_a_foreign_authorized_party_is_refused() -> None:
    claims = CLAIMS | {"aud": [PLATFORM.client_id, "other"], "azp": "other"}

    assert PLATFORM.is_refused(claims) is Reason.AUTHORIZED_PARTY_INVALID


def refusal_with_published(jwk: dict[str, Any], token: str) -> Reason:
    """The verdict when the key comes out of the platform's own key set."""
    platform = FakePlatform()
    platform.body = as_json({"keys": [jwk]})
    keys = KeySets(platform.fetch, lambda: platform.now)

    def find_key(kid: str) -> RSAPublicKey | None:
        return keys.find(platform.jwks_url, kid, platform_id=1)

    with pytest.raises(LaunchRefused) as refusal:
        verify_launch(token, platform.expected(), find_key, platform.now)
    return refusal.value.reason


def test_the_key_set_cannot_choose_the_algorithm() -> None:
    jwk = public_jwk(PLATFORM.key, PLATFORM.kid) | {"alg": "RS512"}
    header = PLATFORM.header | {"alg": "RS512"}
    token = PLATFORM.sign(CLAIMS, header, algorithm=SHA512())

    assert refusal_with_published(jwk, token) is Reason.ALGORITHM_FORBIDDEN


def test_a_key_for_encryption_verifies_nothing() -> None:
    jwk = public_jwk(PLATFORM.key, PLATFORM.kid) | {"use": "enc"}

    assert refusal_with_published(jwk, PLATFORM.sign(CLAIMS)) is Reason.KEY_UNKNOWN


def test_a_key_of_1024_bits_verifies_nothing() -> None:
    weak = rsa_key("weak", bits=1024)
    token = PLATFORM.sign(CLAIMS, key=weak)

    assert refusal_with_published(public_jwk(weak, PLATFORM.kid), token) is Reason.KEY_UNKNOWN


def test_a_token_that_was_used_does_not_serve_the_next_login() -> None:
    used = PLATFORM.sign(CLAIMS)
    assert PLATFORM.is_refused(used) is None

    assert PLATFORM.is_refused(used, nonce="nonce-of-the-next-login") is Reason.NONCE_MISMATCH


def test_the_nonce_of_one_login_does_not_serve_another_that_is_under_way() -> None:
    of_first_login = PLATFORM.sign(CLAIMS | {"nonce": "nonce-of-login-1"})

    assert PLATFORM.is_refused(of_first_login, nonce="nonce-of-login-2") is Reason.NONCE_MISMATCH


def test_the_launch_from_which_all_these_were_made_is_good() -> None:
    assert PLATFORM.is_refused(CLAIMS) is None
