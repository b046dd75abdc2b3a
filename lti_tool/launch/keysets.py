"""Public keys: those of the platforms, fetched and remembered with care, and how ours are shown.

A registration's key set is asked for at most once a minute, however many unknown kids arrive, and
outlives an outage of the platform by a day. Fetching itself is injected (the guarded client).
"""

import base64
import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    RSAPublicKey,
    RSAPublicNumbers,
)

from lti_tool.core.clock import Clock
from lti_tool.core.errors import ToolError
from lti_tool.people.troubles import Trouble

FRESH = timedelta(hours=1)
USABLE = timedelta(hours=24)
BETWEEN_FETCHES = timedelta(seconds=60)
PATIENCE = 2.0  # seconds that a launch waits for what another one is fetching
# With no key at all there is nothing to launch with; a whole class should not wait a minute.
BETWEEN_FETCHES_WITHOUT_KEYS = timedelta(seconds=5)

News = tuple[str | None, Sequence[str]]
# Told after each fetch: whose key set, the code of what went wrong, why keys in it are unusable.
Told = Callable[[UUID, str | None, Sequence[str]], None]

_MAX_KEYS = 100
_MIN_BITS, _MAX_BITS = 2048, 8192
_PRIVATE_PARTS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_BASE64URL = re.compile(r"[A-Za-z0-9_-]{1,1400}")


class KeySetUnavailable(ToolError):
    """The platform's keys cannot be had just now; the same launch may work in a minute. Its text is
    the code of the trouble (`people.troubles`)."""


@dataclass(frozen=True, slots=True)
class KeySet:
    """The keys that may verify a launch, by kid; and why others may not, for the admin's page."""

    keys: Mapping[str, RSAPublicKey]
    unusable: tuple[str, ...] = ()


def read_keyset(body: bytes) -> KeySet:
    """A JWK set (RFC 7517) as far as we accept it. Raises KeySetUnavailable if it is none."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    entries = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(entries, list) or len(entries) > _MAX_KEYS:
        raise KeySetUnavailable(Trouble.NO_KEYS)
    jwks = [entry for entry in entries if isinstance(entry, dict)]
    count = Counter(jwk["kid"] for jwk in jwks if isinstance(jwk.get("kid"), str))
    keys: dict[str, RSAPublicKey] = {}
    unusable: list[str] = []
    for jwk in jwks:
        fault = _fault(jwk, count)
        if fault is None:
            keys[jwk["kid"]] = RSAPublicNumbers(_number(jwk["e"]), _number(jwk["n"])).public_key()
        else:
            unusable.append(fault)
    return KeySet(keys, tuple(unusable))


def _fault(jwk: dict[str, Any], count: Mapping[str, int]) -> str | None:
    """Why this key may not verify a launch (ATK-6), as a code; None if it may."""
    operations = jwk.get("key_ops", ["verify"])
    checks = {
        "no_kid": not isinstance(jwk.get("kid"), str),
        "kid_twice": count.get(str(jwk.get("kid")), 0) > 1,
        "not_rsa": jwk.get("kty") != "RSA",
        "not_for_signatures": jwk.get("use", "sig") != "sig",
        "not_for_verifying": not isinstance(operations, list) or "verify" not in operations,
        "not_rs256": jwk.get("alg", "RS256") != "RS256",
        "private_part": not _PRIVATE_PARTS.isdisjoint(jwk),
    }
    found = next((fault for fault, holds in checks.items() if holds), None)
    return found or _weakness(jwk)


def _weakness(jwk: dict[str, Any]) -> str | None:
    modulus, exponent = _number(jwk.get("n")), _number(jwk.get("e"))
    if not _MIN_BITS <= modulus.bit_length() <= _MAX_BITS or modulus % 2 == 0:
        return "modulus"
    if not 3 <= exponent < 2**32 or exponent % 2 == 0:
        return "exponent"
    return None


def _number(text: object) -> int:
    """Base64urlUInt (RFC 7518 §2); 0 for what is none."""
    if not isinstance(text, str) or not _BASE64URL.fullmatch(text) or len(text) % 4 == 1:
        return 0
    return int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


@dataclass(slots=True)
class _Shelf:
    """What is remembered of one registration's key set."""

    lock: Lock = field(default_factory=Lock)
    keys: Mapping[str, RSAPublicKey] = field(default_factory=dict)
    kept_at: datetime | None = None
    tried_at: datetime | None = None
    failed: bool = False
    news: News | None = None  # of the last fetch, until it is told

    def is_fresh(self, now: datetime) -> bool:
        return _within(self.kept_at, now, FRESH)

    def is_usable(self, now: datetime) -> bool:
        return _within(self.kept_at, now, USABLE)

    def may_ask(self, now: datetime) -> bool:
        wait = BETWEEN_FETCHES if self.is_usable(now) else BETWEEN_FETCHES_WITHOUT_KEYS
        return not _within(self.tried_at, now, wait)


def _nobody(_platform_id: UUID, _trouble: str | None, _unusable: Sequence[str]) -> None:
    """Who is told if nobody wants to know."""


class KeySets:
    """The key sets of all registered platforms, per process, safe for threads.

    `fetch` takes a URL and gives the body, or raises KeySetUnavailable.
    """

    def __init__(self, fetch: Callable[[str], bytes], clock: Clock, tell: Told = _nobody) -> None:
        self._fetch = fetch
        self._clock = clock
        self._tell = tell
        self._shelves: dict[tuple[UUID, str], _Shelf] = {}
        self._lock = Lock()

    def find(self, jwks_url: str, kid: str, platform_id: UUID) -> RSAPublicKey | None:
        """The platform's key of exactly this kid, or None if it surely has none.

        Raises KeySetUnavailable if that cannot be said because the platform does not answer.
        """
        with self._lock:
            shelf = self._shelves.setdefault((platform_id, jwks_url), _Shelf())
        now = self._clock()
        known = shelf.keys.get(kid) if shelf.is_usable(now) else None
        if known is not None and shelf.is_fresh(now):
            return known
        # While one thread refreshes, others go on with the key they know; those who know none wait,
        # but not for a platform that lets everybody wait: threads are few.
        if shelf.lock.acquire(timeout=0 if known is not None else PATIENCE):
            try:
                return self._look_again(shelf, jwks_url, kid)
            finally:
                news, shelf.news = shelf.news, None
                shelf.lock.release()
                if news is not None:  # nobody waits at the shelf while it is told
                    self._tell(platform_id, *news)
        if known is None:
            raise KeySetUnavailable(Trouble.NO_ANSWER)
        return known

    def _look_again(self, shelf: _Shelf, jwks_url: str, kid: str) -> RSAPublicKey | None:
        now = self._clock()
        needed = kid not in shelf.keys or not shelf.is_fresh(now)
        if needed and shelf.may_ask(now):
            self._refresh(shelf, jwks_url, now)
        key = shelf.keys.get(kid) if shelf.is_usable(now) else None
        if key is None and (shelf.failed or not shelf.is_usable(now)):
            raise KeySetUnavailable(Trouble.NO_ANSWER)
        return key

    def _refresh(self, shelf: _Shelf, jwks_url: str, now: datetime) -> None:
        shelf.tried_at = now
        try:
            found = read_keyset(self._fetch(jwks_url))
        except KeySetUnavailable as unavailable:
            shelf.failed = True
            shelf.news = (str(unavailable) or Trouble.NO_ANSWER, ())
        else:
            shelf.keys = found.keys
            shelf.failed = False
            shelf.kept_at = now
            shelf.news = (None, found.unusable)


def _within(since: datetime | None, now: datetime, span: timedelta) -> bool:
    """Whether `since` lies less than `span` back. A clock that was set back counts as long ago."""
    return since is not None and timedelta() <= now - since < span


def public_jwk(key: RSAPrivateKey, kid: str) -> dict[str, str]:
    """The public half for our own key set (RFC 7517)."""
    return {"kid": kid, "use": "sig", "alg": "RS256", **_numbers(key.public_key())}


def thumbprint(key: RSAPublicKey) -> str:
    """A kid that says nothing and never changes for one key (RFC 7638)."""
    canonical = json.dumps(_numbers(key), separators=(",", ":"), sort_keys=True)
    return _base64url(hashlib.sha256(canonical.encode()).digest())


def _numbers(key: RSAPublicKey) -> dict[str, str]:
    numbers = key.public_numbers()
    return {"kty": "RSA", "n": _of_number(numbers.n), "e": _of_number(numbers.e)}


def _of_number(number: int) -> str:
    return _base64url(number.to_bytes((number.bit_length() + 7) // 8))


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")
