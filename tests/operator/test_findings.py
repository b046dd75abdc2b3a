"""The rules by which a platform is said to be well, and the words for what is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from lti_tool.core.speech import Speech
from lti_tool.launch.keysets import _fault
from lti_tool.operator.findings import Exchange, KnownPlatform, findings
from lti_tool.operator.words import STOPS, UNUSABLE, WORDS
from lti_tool.people.health import Errand
from lti_tool.people.models import PlatformState
from lti_tool.people.tokens import TokenRefusal
from lti_tool.people.troubles import Trouble

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
BEFORE = NOW - timedelta(hours=1)
SPEECH = Speech("de", NOW)
SCHOOL = KnownPlatform(name="Musterschule", state=PlatformState.ACTIVE, last_launch=BEFORE)


def said(known: KnownPlatform) -> list[tuple[bool, str]]:
    return [(found.ok, found.told(SPEECH)) for found in findings(known)]


def with_exchange(errand: Errand, exchange: Exchange) -> KnownPlatform:
    return replace(SCHOOL, exchanges={errand: exchange})


def test_a_platform_that_is_well_has_one_sentence():
    assert said(SCHOOL) == [(True, "Aktiv; zuletzt kam jemand von dort: heute, 9:30.")]


@pytest.mark.parametrize(
    ("change", "ok", "words"),
    [
        ({"last_launch": None}, True, "noch kam niemand"),
        ({"state": PlatformState.PAUSED}, True, "Angehalten"),
        ({"state": PlatformState.WAITING}, False, "noch nicht freigegeben"),
        ({"waiting_changes": 1}, False, "wartet auf eine Entscheidung"),
        ({"waiting_deployments": ("7",)}, False, "Deployment 7 warten"),
        ({"key_opens": False}, False, "lässt sich nicht öffnen"),
        ({"refusals": {"issued_in_future": 3}}, False, "Ihre Uhr geht vor"),
        ({"refusals": {"expired": 2, "issued_too_long_ago": 1}}, True, "letzten Tag: 3."),
        ({"refusals": {"signature_invalid": 1, "key_unknown": 1}}, True, "letzten Tag: 2."),
        ({"failed_scores": 4}, True, "Nicht angekommene Noten: 4"),
    ],
)
def test_each_state_has_its_words(change, ok, words):
    told = said(replace(SCHOOL, **change))

    assert [(fine, text) for fine, text in told if words in text] == [(ok, told[-1][1])]


def test_what_nobody_can_mend_here_is_no_finding():
    assert said(replace(SCHOOL, refusals={"nonce_used": 9, "state_unknown": 9})) == said(SCHOOL)


@pytest.mark.parametrize("trouble", list(Trouble))
@pytest.mark.parametrize("errand", list(Errand))
def test_each_trouble_is_told_with_what_stops_and_what_to_do(errand: Errand, trouble: Trouble):
    known = with_exchange(errand, Exchange(failed_at=BEFORE, error=trouble.value))

    found = findings(known)[-1]

    because, what_to_do = WORDS[trouble]
    stops = STOPS[errand] % {"when": "heute, 9:30"}
    assert not found.ok
    assert found.told(SPEECH) == f"{stops} {because}"
    assert found.advice(SPEECH) == what_to_do


def test_a_failure_that_is_over_is_no_finding():
    over = Exchange(succeeded_at=NOW, failed_at=BEFORE, error="client")

    assert said(with_exchange(Errand.TOKEN, over)) == said(SCHOOL)


def test_a_code_of_another_version_still_has_words():
    known = with_exchange(Errand.KEYS, Exchange(failed_at=BEFORE, error="of_tomorrow"))

    assert WORDS[Trouble.NO_ANSWER][0] in said(known)[-1][1]


def test_unusable_keys_are_told_with_their_reasons_and_harm_nobody():
    known = with_exchange(Errand.KEYS, Exchange(NOW, unusable=("modulus", "of_tomorrow")))

    ok, text = said(known)[-1]
    assert ok
    assert UNUSABLE["modulus"] in text


def test_every_way_of_refusing_a_token_is_a_trouble_with_words():
    assert {refusal.value for refusal in TokenRefusal} <= {trouble.value for trouble in WORDS}


@pytest.mark.parametrize(
    ("jwk", "fault"),
    [
        ({}, "no_kid"),
        ({"kid": "k"}, "not_rsa"),
        ({"kid": "k", "kty": "RSA", "use": "enc"}, "not_for_signatures"),
        ({"kid": "k", "kty": "RSA", "key_ops": ["sign"]}, "not_for_verifying"),
        ({"kid": "k", "kty": "RSA", "alg": "RS512"}, "not_rs256"),
        ({"kid": "k", "kty": "RSA", "d": "x"}, "private_part"),
        ({"kid": "k", "kty": "RSA"}, "modulus"),
    ],
)
def test_every_fault_of_a_key_has_words(jwk, fault):
    assert _fault(jwk, {"k": 1}) == fault
    assert fault in UNUSABLE


def test_moments_and_sentences_are_said_in_the_readers_language():
    english = Speech("en", NOW)

    (found,) = findings(SCHOOL)

    assert found.told(english, lambda text: f"EN {text}").endswith("today, 9:30.")
    assert found.told(english, lambda text: f"EN {text}").startswith("EN ")
