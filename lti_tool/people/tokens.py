"""Access tokens for a platform's services: fetched with a signed assertion, kept for a while.

OAuth 2.0 client credentials with private_key_jwt (1EdTech Security Framework 1.0, section 4.1).
Tokens live in this process only and are never written anywhere.
"""

import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from uuid import UUID, uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from lti_tool.core.clock import Clock
from lti_tool.core.outbound import (
    Outbound,
    OutboundError,
    Reply,
    origin_of,
)
from lti_tool.people.troubles import trouble_with

ASSERTION_LIFETIME = timedelta(minutes=5)
BACK_DATED = timedelta(seconds=60)  # Moodle refuses an `iat` in its future, and clocks differ
LONGEST_KEPT = timedelta(hours=1)
MARGIN = timedelta(seconds=60)  # a token is not used in its last minute
LONGEST_TOKEN = 16_384

_TOKEN_SIGNS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=")


@dataclass(frozen=True)
class SigningKey:
    """Our private key for one platform and the name (`kid`) of its public half in our JWKS."""

    kid: str
    private: RSAPrivateKey = field(repr=False)


@dataclass(frozen=True)
class TokenEndpoint:
    """Where and as whom we ask one platform for tokens.

    `audience`: for platforms that name one other than the token URL. `more_origins`: origins,
    beside the token URL's, that belong to the platform too and may be sent its tokens.
    """

    platform_id: UUID
    client_id: str
    token_url: str
    audience: str | None
    key: SigningKey
    more_origins: frozenset[str] = frozenset()

    def owns(self, url: str) -> bool:
        """Whether a URL from outside is the platform's own. Raises OutboundRefused if it is odd."""
        return origin_of(url) in self.more_origins | {origin_of(self.token_url)}


@dataclass(frozen=True)
class AccessToken:
    """A bearer token, and what the platform granted with it: maybe less than was asked for."""

    value: str = field(repr=False)
    scopes: frozenset[str]
    expires_at: datetime


class TokenRefusal(StrEnum):
    """What an admin has to look at."""

    CLIENT = "client"  # client id, key or clock: the platform does not accept our signature
    SCOPE = "scope"  # the service is not switched on for this tool
    ADDRESS = "address"  # nothing useful answers at the token URL
    ANSWER = "answer"  # the platform gave a token that cannot be used


class TokenRefused(Exception):
    """The platform will not give us a token until somebody changes a setting. Final."""

    def __init__(self, reason: TokenRefusal) -> None:
        super().__init__(reason.value)
        self.reason = reason


_Key = tuple[UUID, str, str, frozenset[str]]
# Told after each request: for which platform, and the code of what went wrong, if anything did.
Told = Callable[[UUID, str | None], None]


def _nobody(_platform_id: UUID, _trouble: str | None) -> None:
    """Who is told if nobody wants to know."""


class ServiceTokens:
    """One per process, thread-safe. Threads that need the same token wait for the same request."""

    def __init__(self, outbound: Outbound, clock: Clock, tell: Told = _nobody) -> None:
        self._outbound = outbound
        self._clock = clock
        self._tell = tell
        self._lock = threading.Lock()
        self._kept: dict[_Key, AccessToken] = {}
        self._under_way: dict[_Key, Future[AccessToken]] = {}

    def token(self, endpoint: TokenEndpoint, scopes: frozenset[str]) -> AccessToken:
        """A token that is still good for a minute. Raises TokenRefused, OutboundError."""
        key = _key(endpoint, scopes)
        with self._lock:
            kept = self._kept.get(key)
            if kept and kept.expires_at - MARGIN > self._clock():
                return kept
            fetching = self._under_way.get(key)
            if fetching is None:
                ours = self._under_way[key] = Future[AccessToken]()
        if fetching is not None:
            return fetching.result()
        return self._fetch_for_all(key, ours, endpoint, scopes)

    def forget(self, endpoint: TokenEndpoint, scopes: frozenset[str], refused: AccessToken) -> None:
        """Drop a token that a service answered with 401, unless a newer one has taken its place."""
        key = _key(endpoint, scopes)
        with self._lock:
            if self._kept.get(key) == refused:
                del self._kept[key]

    def _fetch_for_all(
        self,
        key: _Key,
        promise: Future[AccessToken],
        endpoint: TokenEndpoint,
        scopes: frozenset[str],
    ) -> AccessToken:
        """Fetch, and hand the outcome, good or bad, to everybody who waits."""
        try:
            token = self._fetch(endpoint, scopes)
        except BaseException as error:
            with self._lock:
                del self._under_way[key]
            promise.set_exception(error)
            if isinstance(error, TokenRefused):
                self._tell(endpoint.platform_id, error.reason.value)
            elif isinstance(error, OutboundError):
                self._tell(endpoint.platform_id, trouble_with(error).value)
            raise
        with self._lock:
            self._kept[key] = token
            del self._under_way[key]
        promise.set_result(token)
        self._tell(endpoint.platform_id, None)
        return token

    def _fetch(self, endpoint: TokenEndpoint, scopes: frozenset[str]) -> AccessToken:
        now = self._clock()
        reply = self._outbound.post_form(
            endpoint.token_url,
            {
                "grant_type": "client_credentials",
                "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                "client_assertion": assertion(endpoint, now),
                "scope": " ".join(sorted(scopes)),
            },
        )
        reply.raise_if_busy()
        if reply.status not in (200, 201):
            raise TokenRefused(_why_not(reply))
        return read_token(reply.json(), scopes, now)


def assertion(endpoint: TokenEndpoint, now: datetime) -> str:
    """The signed proof of who we are (RFC 7523), for one audience and one use."""
    issued = now - BACK_DATED
    claims = {
        "iss": endpoint.client_id,
        "sub": endpoint.client_id,
        "aud": endpoint.audience or endpoint.token_url,
        "iat": int(issued.timestamp()),
        "exp": int((issued + ASSERTION_LIFETIME).timestamp()),
        "jti": str(uuid4()),
    }
    return jwt.encode(
        claims, endpoint.key.private, algorithm="RS256", headers={"kid": endpoint.key.kid}
    )


def read_token(answer: object, asked: frozenset[str], now: datetime) -> AccessToken:
    """The token in a platform's answer (RFC 6749, section 5.1). Raises TokenRefused."""
    fields = answer if isinstance(answer, Mapping) else {}
    value = fields.get("access_token")
    kind = fields.get("token_type", "bearer")
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_TOKEN:
        raise TokenRefused(TokenRefusal.ANSWER)
    if not _TOKEN_SIGNS.issuperset(value) or not isinstance(kind, str) or kind.lower() != "bearer":
        raise TokenRefused(TokenRefusal.ANSWER)
    scopes = _granted(fields.get("scope"), asked)
    if not scopes:
        raise TokenRefused(TokenRefusal.SCOPE)
    return AccessToken(value, scopes, now + _lifetime(fields.get("expires_in")))


def _granted(scope: object, asked: frozenset[str]) -> frozenset[str]:
    """What was granted of what was asked for; no word about it means all of it (RFC 6749)."""
    if scope is None:
        return asked
    words: Iterable[str] = scope.split() if isinstance(scope, str) else ()
    return asked & frozenset(words)


def _lifetime(expires_in: object) -> timedelta:
    """How long to keep a token, at most an hour. Nonsense means: use it once, do not keep it."""
    if isinstance(expires_in, str) and expires_in.isascii() and expires_in.isdigit():
        expires_in = Decimal(expires_in)
    if isinstance(expires_in, bool) or not isinstance(expires_in, int | Decimal):
        return timedelta()
    seconds = min(max(expires_in, 0), int(LONGEST_KEPT.total_seconds()))
    return timedelta(seconds=int(seconds))


def _why_not(reply: Reply) -> TokenRefusal:
    if reply.status in (404, 405, 410):
        return TokenRefusal.ADDRESS
    if _error_code(reply) == "invalid_scope":
        return TokenRefusal.SCOPE
    return TokenRefusal.CLIENT


def _error_code(reply: Reply) -> object:
    """OAuth's code for the error; Moodle puts free text there for most."""
    try:
        answer = reply.json()
    except OutboundError:
        return None
    return answer.get("error") if isinstance(answer, Mapping) else None


def _key(endpoint: TokenEndpoint, scopes: frozenset[str]) -> _Key:
    return (endpoint.platform_id, endpoint.client_id, endpoint.token_url, scopes)
