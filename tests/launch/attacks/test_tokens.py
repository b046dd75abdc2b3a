"""ATK-1 to ATK-7, ATK-11 to ATK-15: what is wrong with the token itself."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
from cryptography.hazmat.primitives.hashes import SHA256, SHA512
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from lti_tool.launch.keysets import public_jwk
from tests.entrance import House
from tests.fakes.platform import DROP, as_json, base64url, rsa_key
from tests.launch.attacks.forging import brings, claiming, headed, joined
from tests.launch.traces import Ask, Outcome, refused, watched

IN = Outcome(303, None, True, (1, 1, 1, 1), ())
MALFORMED = refused("malformed", 400)


@pytest.mark.parametrize("name", ["none", "None", "nOnE", ""])
def test_atk_2_no_algorithm_is_no_signature(house: House, ask: Ask, name: str) -> None:
    header = {"typ": "JWT", "alg": name, "kid": house.lms.kid}

    empty = watched(ask, brings(house, lambda claims: joined(header, claims) + "."))
    signed = watched(ask, brings(house, lambda claims: house.lms.sign(claims, header)))

    assert (empty, signed) == (MALFORMED, refused("algorithm_forbidden"))
    assert house.lms.fetched == []


@pytest.mark.parametrize("parts", [2, 4])
def test_atk_2_a_token_has_three_parts(house: House, ask: Ask, parts: int) -> None:
    def forge(claims: dict[str, Any]) -> str:
        return ".".join([*house.lms.sign(claims).split("."), "AAAA"][:parts])

    assert watched(ask, brings(house, forge)) == MALFORMED
    assert house.lms.fetched == []


def signed_otherwise(house: House, algorithm: str, claims: dict[str, Any]) -> str:
    """With an algorithm that would be right for another kind of key."""
    text = joined(house.lms.header | {"alg": algorithm}, claims)
    public = house.lms.key.public_key().public_bytes(Encoding.PEM, PublicFormat.PKCS1)
    kinds = {
        "HS256": lambda: hmac.digest(public, text.encode(), hashlib.sha256),
        "PS256": lambda: house.lms.key.sign(text.encode(), PSS(MGF1(SHA256()), 32), SHA256()),
        "ES256": lambda: ec.generate_private_key(ec.SECP256R1()).sign(
            text.encode(), ec.ECDSA(SHA256())
        ),
    }
    return f"{text}.{base64url(kinds[algorithm]())}"


@pytest.mark.parametrize("algorithm", ["HS256", "PS256", "ES256"])
def test_atk_3_only_rs256_is_looked_at(house: House, ask: Ask, algorithm: str) -> None:
    forge = brings(house, lambda claims: signed_otherwise(house, algorithm, claims))

    assert watched(ask, forge) == refused("algorithm_forbidden")
    assert house.lms.fetched == []


def test_atk_3_nor_does_the_key_set_choose_the_algorithm(house: House, ask: Ask) -> None:
    jwk = public_jwk(house.lms.key, house.lms.kid) | {"alg": "RS512"}
    house.lms.body = as_json({"keys": [jwk]})
    header = house.lms.header | {"alg": "RS512"}

    outcome = watched(
        ask, brings(house, lambda claims: house.lms.sign(claims, header, algorithm=SHA512()))
    )

    assert outcome == refused("algorithm_forbidden")


EVIL = "https://evil.example/keys"
EVILS_JWK = public_jwk(rsa_key("evil"), "evil")


@pytest.mark.parametrize(
    "lure", [{"jku": EVIL}, {"x5u": EVIL}, {"jwk": EVILS_JWK}, {"x5c": ["AAAA"]}], ids=str
)
def test_atk_4_keys_and_addresses_in_the_header_are_not_looked_at(
    house: House, ask: Ask, lure: dict[str, Any]
) -> None:
    header = house.lms.header | lure
    forged = brings(house, lambda claims: house.lms.sign(claims, header, rsa_key("evil")))

    assert watched(ask, forged) == refused("signature_invalid")
    assert watched(ask, brings(house, headed(house, **lure))) == IN
    assert house.lms.fetched == [house.lms.jwks_url]


@pytest.mark.parametrize(
    "kid", ["../../dev/null", "' OR 1=1 --", "x" * 10_240, 1, None, ["a"], "", "a\x00"], ids=repr
)
def test_atk_5_a_kid_is_compared_and_nothing_else(house: House, ask: Ask, kid: object) -> None:
    assert watched(ask, brings(house, headed(house, kid=kid))) == refused("kid_invalid", 400)
    assert house.lms.fetched == []


def bad_sets(house: House) -> dict[str, list[dict[str, Any]]]:
    good = public_jwk(house.lms.key, house.lms.kid)
    return {
        "two keys of one kid": [good, good | {"n": EVILS_JWK["n"]}],
        "for encryption": [good | {"use": "enc"}],
        "no RSA": [{"kty": "oct", "kid": house.lms.kid, "k": "AAAA"}],
        "exponent 1": [good | {"e": "AQ"}],
        "1024 bits": [public_jwk(rsa_key("weak", bits=1024), house.lms.kid)],
        "private": [good | {"d": "AQAB"}],
    }


@pytest.mark.parametrize(
    "fault",
    ["two keys of one kid", "for encryption", "no RSA", "exponent 1", "1024 bits", "private"],
)
def test_atk_6_an_unusable_key_verifies_nothing(house: House, ask: Ask, fault: str) -> None:
    house.lms.body = as_json({"keys": bad_sets(house)[fault]})
    key = rsa_key("weak", bits=1024) if fault == "1024 bits" else house.lms.key

    outcome = watched(ask, brings(house, lambda claims: house.lms.sign(claims, key=key)))

    assert outcome == refused("key_unknown")


def test_atk_7_a_new_key_is_fetched_once_and_made_up_ones_never(house: House, ask: Ask) -> None:
    assert watched(ask, brings(house, claiming(house))) == IN

    for number in range(30):
        made_up = watched(ask, brings(house, headed(house, kid=f"made-up-{number}")))
        assert made_up == refused("key_unknown")

    assert len(house.lms.fetched) <= 2


HOUR = 3600
TIMES: dict[str, tuple[dict[str, Any], str, str]] = {  # changes from now on, reason, page
    "no exp": ({"exp": DROP}, "times_invalid", "launch_refused"),
    "no iat": ({"iat": DROP}, "times_invalid", "launch_refused"),
    "neither": ({"exp": DROP, "iat": DROP}, "claims_missing", "launch_refused"),
    "lives too long": ({"exp": HOUR + 1}, "lifetime_too_long", "launch_over"),
    "issued long ago": ({"iat": -301, "exp": 60}, "issued_too_long_ago", "launch_over"),
    "expired": ({"iat": -200, "exp": -61}, "expired", "launch_over"),
    "from the future": ({"iat": 90, "exp": 150}, "issued_in_future", "launch_refused"),
    "not yet": ({"nbf": 90}, "issued_in_future", "launch_refused"),
}


@pytest.mark.parametrize("name", TIMES)
def test_atk_11_wrong_times_are_refused(house: House, ask: Ask, name: str) -> None:
    changes, reason, page = TIMES[name]
    now = house.lms.launch()["iat"]
    moments = {key: v if v is DROP else now + v for key, v in changes.items()}

    assert watched(ask, brings(house, claiming(house, **moments))) == refused(reason, 403, page)


@pytest.mark.parametrize("moment", ["text", 1.5, -1, True, [1], {}], ids=repr)
def test_atk_11_a_moment_is_a_whole_number(house: House, ask: Ask, moment: object) -> None:
    for claim in ("iat", "exp"):
        outcome = watched(ask, brings(house, claiming(house, **{claim: moment})))
        assert outcome == refused("times_invalid")


@pytest.mark.parametrize("number", ["NaN", "Infinity"])
def test_atk_11_what_is_no_json_is_no_token(house: House, ask: Ask, number: str) -> None:
    def forge(claims: dict[str, Any]) -> str:
        text = json.dumps(claims | {"exp": 1}).replace('"exp": 1', f'"exp": {number}')
        return house.lms.sign(text.encode())

    assert watched(ask, brings(house, forge)) == MALFORMED


def test_atk_11_a_number_without_end_is_no_moment(house: House, ask: Ask) -> None:
    def forge(claims: dict[str, Any]) -> str:
        text = json.dumps(claims | {"exp": 1}).replace('"exp": 1', '"exp": 1e400')
        return house.lms.sign(text.encode())

    assert watched(ask, brings(house, forge)) == refused("times_invalid")


AUDIENCES: dict[str, tuple[dict[str, Any], str]] = {
    "foreign": ({"aud": "other"}, "registration_mismatch"),
    "foreign list": ({"aud": ["other"]}, "registration_mismatch"),
    "list without azp": ({"aud": ["{us}", "other"]}, "authorized_party_invalid"),
    "list with a foreign azp": (
        {"aud": ["{us}", "other"], "azp": "other"},
        "authorized_party_invalid",
    ),
    "foreign azp": ({"azp": "other"}, "authorized_party_invalid"),
    "number": ({"aud": 1}, "audience_invalid"),
    "empty list": ({"aud": []}, "audience_invalid"),
    "list of numbers": ({"aud": [1]}, "audience_invalid"),
    "object": ({"aud": {"a": 1}}, "audience_invalid"),
}


@pytest.mark.parametrize("name", AUDIENCES)
def test_atk_12_the_token_is_for_us_alone(house: House, ask: Ask, name: str) -> None:
    changes, reason = AUDIENCES[name]
    ours = json.loads(json.dumps(changes).replace("{us}", house.lms.client_id))
    page = "not_released" if reason == "registration_mismatch" else "launch_refused"

    assert watched(ask, brings(house, claiming(house, **ours))) == refused(reason, 403, page)


def test_atk_12_a_shared_audience_may_name_us_as_its_party(house: House, ask: Ask) -> None:
    us = house.lms.client_id

    assert watched(ask, brings(house, claiming(house, aud=[us, "other"], azp=us))) == IN


ISSUERS = (
    "https://moodle.schule.example/",
    "https://MOODLE.schule.example",
    "https://moodle.schule.example:443",
    "http://moodle.schule.example",
    "https://m\u043eodle.schule.example",
    "https://xn--moodle-abc.schule.example",
)


@pytest.mark.parametrize("issuer", ISSUERS)
def test_atk_13_an_issuer_is_the_same_to_the_byte(house: House, ask: Ask, issuer: str) -> None:
    in_token = watched(ask, brings(house, claiming(house, iss=issuer)))
    in_login = watched(ask, lambda: house.browser().knocks(iss=issuer))

    assert in_token == refused("registration_mismatch", 403, "not_released")
    assert in_login == refused("login_unknown", 400, "not_released")


@pytest.mark.parametrize("extra", [{"crit": ["x"], "x": 1}, {"crit": []}, {"b64": False}], ids=str)
def test_atk_14_extensions_that_must_be_understood_are_refused(
    house: House, ask: Ask, extra: dict[str, Any]
) -> None:
    assert watched(ask, brings(house, headed(house, **extra))) == refused("critical_header")


@pytest.mark.parametrize("where", ["header", "claims"])
def test_atk_14_no_member_stands_twice(house: House, ask: Ask, where: str) -> None:
    def twice(document: dict[str, Any], name: str) -> bytes:
        text = json.dumps(document)
        return f"{text[:-1]}, {json.dumps(name)}: {json.dumps(document[name])}}}".encode()

    def forge(claims: dict[str, Any]) -> str:
        if where == "header":
            return house.lms.sign(claims, twice(house.lms.header, "kid"))
        return house.lms.sign(twice(claims, "sub"))

    assert watched(ask, brings(house, forge)) == refused("duplicate_key")
