"""The platform's keys: which are good enough, and how seldom and how long they are asked for."""

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest

from lti_tool.launch import keysets
from lti_tool.launch.keysets import (
    KeySets,
    KeySetUnavailable,
    public_jwk,
    read_keyset,
    thumbprint,
)
from tests.fakes.platform import NOW, FakePlatform, as_json, base64url, rsa_key


class Harness:
    """Key sets over a fake platform, with a clock to wind."""

    def __init__(self) -> None:
        self.platform = FakePlatform()
        self.now = NOW
        self.keys = KeySets(self.platform.fetch, self.clock)

    def clock(self) -> datetime:
        return self.now

    def later(self, **span: float) -> None:
        self.now += timedelta(**span)

    def find(self, kid: str | None = None, platform_id: int = 1) -> Any:
        return self.keys.find(self.platform.jwks_url, kid or self.platform.kid, platform_id)

    @property
    def fetches(self) -> int:
        return len(self.platform.fetched)


@pytest.fixture
def moodle() -> Harness:
    return Harness()


def number(key: Any) -> Any:
    return key.public_numbers() if key is not None else None


def test_a_key_is_fetched_once_and_then_remembered(moodle: Harness) -> None:
    first = moodle.find()
    moodle.later(minutes=59)

    assert (
        number(moodle.find()) == number(first) == moodle.platform.key.public_key().public_numbers()
    )
    assert moodle.platform.fetched == [moodle.platform.jwks_url]


def test_after_an_hour_it_is_asked_for_again(moodle: Harness) -> None:
    moodle.find()
    moodle.later(hours=1)

    assert moodle.find() is not None
    assert moodle.fetches == 2


def test_a_new_key_is_found_with_one_more_fetch_and_the_old_one_is_gone(moodle: Harness) -> None:
    moodle.find()
    old = moodle.platform.kid
    moodle.platform.rotate()
    moodle.later(seconds=60)

    assert number(moodle.find()) == moodle.platform.key.public_key().public_numbers()
    assert moodle.fetches == 2
    assert moodle.find(old) is None


def test_a_withdrawn_key_is_refused_after_an_hour_even_if_nothing_else_changed(
    moodle: Harness,
) -> None:
    kid = moodle.platform.kid
    assert moodle.find(kid) is not None
    moodle.platform.body = as_json({"keys": []})
    moodle.later(hours=1)

    assert moodle.find(kid) is None


def test_a_thousand_unknown_kids_cost_one_fetch_a_minute(moodle: Harness) -> None:
    moodle.find()
    moodle.later(seconds=60)

    found = [moodle.find(f"guess-{n}") for n in range(1000)]

    assert found == [None] * 1000
    assert moodle.fetches == 2
    moodle.later(seconds=59)
    assert moodle.find("guess") is None
    assert moodle.fetches == 2


def test_a_thousand_unknown_kids_cost_one_fetch_at_the_very_beginning(moodle: Harness) -> None:
    assert [moodle.find(f"guess-{n}") for n in range(1000)] == [None] * 1000
    assert moodle.fetches == 1


def test_guesses_at_one_registration_do_not_hinder_another(moodle: Harness) -> None:
    assert moodle.find("guess", platform_id=1) is None

    assert moodle.find(platform_id=2) is not None
    assert moodle.fetches == 2


def test_known_keys_outlive_an_outage_of_a_day_but_not_more(moodle: Harness) -> None:
    moodle.find()
    moodle.platform.is_down = True
    moodle.later(hours=23, minutes=59)
    assert moodle.find() is not None

    moodle.later(minutes=1)

    with pytest.raises(KeySetUnavailable):
        moodle.find()


def test_during_an_outage_the_platform_is_asked_once_a_minute(moodle: Harness) -> None:
    moodle.find()
    moodle.platform.is_down = True
    moodle.later(hours=2)

    for _ in range(100):
        assert moodle.find() is not None
    moodle.later(seconds=60)
    moodle.find()

    assert moodle.fetches == 3


def test_an_unknown_kid_during_an_outage_is_no_verdict(moodle: Harness) -> None:
    moodle.find()
    moodle.platform.is_down = True
    moodle.later(minutes=2)

    with pytest.raises(KeySetUnavailable):
        moodle.find("perhaps-rotated")


def test_a_platform_that_never_answered_is_tried_again_after_seconds(moodle: Harness) -> None:
    moodle.platform.is_down = True
    for _ in range(100):
        with pytest.raises(KeySetUnavailable):
            moodle.find()
    assert moodle.fetches == 1

    moodle.platform.is_down = False
    moodle.later(seconds=5)

    assert moodle.find() is not None


def test_a_clock_that_is_set_back_does_not_stop_the_fetching(moodle: Harness) -> None:
    moodle.find()
    moodle.platform.rotate()
    moodle.later(days=-2)

    assert moodle.find() is not None


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b"{}", b'{"keys": {}}', b'{"keys": null}', b"[" * 5000, b"\xff\xfe"],
)
def test_what_is_no_key_set_leaves_the_known_keys_alone(moodle: Harness, body: bytes) -> None:
    moodle.find()
    moodle.platform.body = body or b" "
    moodle.later(hours=2)

    assert moodle.find() is not None
    with pytest.raises(KeySetUnavailable):
        read_keyset(body)


def test_a_set_of_more_than_a_hundred_keys_is_none() -> None:
    with pytest.raises(KeySetUnavailable):
        read_keyset(as_json({"keys": [{}] * 101}))


GOOD = public_jwk(rsa_key("good"), "a")
PRIVATE = {"d": "AQAB"}

UNUSABLE: dict[str, tuple[list[Any], list[str]]] = {
    "two of one kid": ([GOOD, GOOD | {"n": public_jwk(rsa_key("b"), "a")["n"]}], ["kid_twice"] * 2),
    "two of one kid, one broken": ([GOOD, {"kid": "a", "kty": "oct"}], ["kid_twice"] * 2),
    "for encryption": ([GOOD | {"use": "enc"}], ["not_for_signatures"]),
    "for signing": ([GOOD | {"key_ops": ["sign"]}], ["not_for_verifying"]),
    "odd operations": ([GOOD | {"key_ops": "verify"}], ["not_for_verifying"]),
    "symmetric": ([{"kid": "a", "kty": "oct", "k": "c2VjcmV0"}], ["not_rsa"]),
    "elliptic": ([GOOD | {"kty": "EC"}], ["not_rsa"]),
    "another algorithm": ([GOOD | {"alg": "RS512"}], ["not_rs256"]),
    "1024 bits": ([public_jwk(rsa_key("weak", bits=1024), "a")], ["modulus"]),
    "16384 bits": ([GOOD | {"n": base64url(b"\xff" * 2048)}], ["modulus"]),
    "far too many bits": ([GOOD | {"n": "f" * 100_000}], ["modulus"]),
    "even modulus": ([GOOD | {"n": base64url(b"\xff" * 255 + b"\xfe")}], ["modulus"]),
    "no modulus": ([{name: GOOD[name] for name in GOOD if name != "n"}], ["modulus"]),
    "modulus of another type": ([GOOD | {"n": 7}], ["modulus"]),
    "broken modulus": ([GOOD | {"n": "!" * 400}], ["modulus"]),
    "modulus of impossible length": ([GOOD | {"n": "f" * 345}], ["modulus"]),
    "exponent 1": ([GOOD | {"e": "AQ"}], ["exponent"]),
    "exponent 2": ([GOOD | {"e": "Ag"}], ["exponent"]),
    "huge exponent": ([GOOD | {"e": base64url(b"\x01" * 9)}], ["exponent"]),
    "private part": ([GOOD | PRIVATE], ["private_part"]),
    "no kid": ([{name: GOOD[name] for name in GOOD if name != "kid"}], ["no_kid"]),
    "kid a number": ([GOOD | {"kid": 1}], ["no_kid"]),
    "no object at all": (["a"], []),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_a_doubtful_key_is_not_used_and_the_reason_is_named(name: str) -> None:
    entries, faults = UNUSABLE[name]

    keyset = read_keyset(as_json({"keys": entries}))

    assert not keyset.keys
    assert list(keyset.unusable) == faults


def test_a_doubtful_key_does_not_spoil_a_good_one_beside_it() -> None:
    keyset = read_keyset(as_json({"keys": [{"kid": "b", "kty": "oct"}, GOOD]}))

    assert list(keyset.keys) == ["a"]
    assert keyset.unusable == ("not_rsa",)


def test_a_key_that_names_neither_use_nor_algorithm_is_good() -> None:
    bare = {name: GOOD[name] for name in ("kty", "kid", "n", "e")}

    assert list(read_keyset(as_json({"keys": [bare]})).keys) == ["a"]


@pytest.mark.parametrize("guess", ["A", "a ", "../a", "a' OR '1'='1", "a\x00"])
def test_a_kid_is_looked_up_by_equality_only(moodle: Harness, guess: str) -> None:
    moodle.platform.body = as_json({"keys": [GOOD]})

    assert moodle.find(guess) is None
    assert moodle.find("a") is not None


def test_our_own_key_is_shown_without_its_private_parts_and_read_back_alike() -> None:
    key = rsa_key("ours")
    kid = thumbprint(key.public_key())

    jwk = public_jwk(key, kid)

    assert set(jwk) == {"kty", "use", "alg", "kid", "n", "e"}
    assert number(read_keyset(as_json({"keys": [jwk]})).keys[kid]) == number(key.public_key())


def test_the_kid_is_the_thumbprint_of_rfc_7638() -> None:
    # The example of RFC 7638, §3.1.
    modulus = (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_"
        "BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0"
        "_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWh"
        "AI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
    )
    jwk = {"kty": "RSA", "n": modulus, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"}
    key = read_keyset(as_json({"keys": [jwk]})).keys["2011-04-29"]

    assert thumbprint(key) == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"


def test_a_class_that_starts_at_once_causes_one_fetch(moodle: Harness) -> None:
    found: list[Any] = []
    gate = threading.Barrier(28)

    def launch() -> None:
        gate.wait()
        found.append(moodle.find())

    threads = [threading.Thread(target=launch) for _ in range(28)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 28
    assert None not in found
    assert moodle.fetches == 1


def test_nobody_waits_long_for_a_platform_that_keeps_silent(monkeypatch) -> None:
    # Given a platform that answers the first time only when told to.
    moodle = Harness()
    asked, answer = threading.Event(), threading.Event()

    def silent_fetch(url: str) -> bytes:
        asked.set()
        answer.wait(timeout=30)
        return moodle.platform.fetch(url)

    moodle.keys = KeySets(silent_fetch, moodle.clock)
    monkeypatch.setattr(keysets, "PATIENCE", 0.05)
    first = threading.Thread(target=moodle.find)
    first.start()
    assert asked.wait(timeout=30)

    with pytest.raises(KeySetUnavailable):
        moodle.find()

    assert first.is_alive()
    answer.set()
    first.join()
    assert moodle.find() is not None


def test_while_one_launch_refreshes_the_others_do_not_wait() -> None:
    # Given a platform that answers the second time only when told to.
    moodle = Harness()
    asked, answer = threading.Event(), threading.Event()

    def slow_fetch(url: str) -> bytes:
        if moodle.platform.fetched:
            asked.set()
            answer.wait(timeout=30)
        return moodle.platform.fetch(url)

    moodle.keys = KeySets(slow_fetch, moodle.clock)
    moodle.find()
    moodle.later(hours=2)

    first = threading.Thread(target=moodle.find)
    first.start()
    assert asked.wait(timeout=30)
    meanwhile = moodle.find()

    assert meanwhile is not None
    assert first.is_alive()
    answer.set()
    first.join()
