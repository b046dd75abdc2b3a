"""The judge of a launch: strict verification of its id_token (1EdTech Security Framework, §5.1.3).

Pure: keys and time come in, a `LaunchClaims` or a `LaunchRefused` comes out. PyJWT does the RS256,
all else is decided here. That state and nonce are used once, and that the deployment is known, is
the caller's to prove against its tables.
"""

import base64
import hmac
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import RSAAlgorithm

from lti_tool.launch.claims import (
    DEPLOYMENT_ID,
    LTI,
    MESSAGE_TYPE,
    RESOURCE_LINK,
    ROLES,
    TARGET_LINK_URI,
    VERSION,
    LaunchClaims,
    LaunchRefused,
    MessageType,
    Reason,
)
from lti_tool.launch.readers import browser_origin, read_claims

__all__ = ["ExpectedLaunch", "FindKey", "LaunchRefused", "Reason", "verify_launch"]

FindKey = Callable[[str], RSAPublicKey | None]

# 64 kB of deep-linking `data` must fit in, base64-encoded, with the other claims beside it.
_MAX_TOKEN = 128 * 1024
_MAX_LIFETIME = 3600
_MAX_AGE = 300
_CLOCK_SKEW = 60

_RS256 = RSAAlgorithm(RSAAlgorithm.SHA256)
_TOKEN = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")
_KID = re.compile(r"(?!.*\.\.)[A-Za-z0-9._:+/=~@-]{1,255}")

_REQUIRED = {
    "iss": Reason.ISSUER_INVALID,
    "aud": Reason.AUDIENCE_INVALID,
    "iat": Reason.TIMES_INVALID,
    "exp": Reason.TIMES_INVALID,
    "nonce": Reason.NONCE_MISMATCH,
    "sub": Reason.SUBJECT_MISSING,
    VERSION: Reason.VERSION_MISSING,
    MESSAGE_TYPE: Reason.MESSAGE_TYPE_MISSING,
    DEPLOYMENT_ID: Reason.DEPLOYMENT_MISSING,
    ROLES: Reason.ROLES_MISSING,
}
_FROM_A_LINK = tuple(kind for kind in MessageType if kind.is_about_a_link)
# A deep linking request names no target of its own (Deep Linking 2.0, §4.4).
_REQUIRED_OF_A_LINK = {
    TARGET_LINK_URI: Reason.TARGET_MISMATCH,
    RESOURCE_LINK: Reason.RESOURCE_LINK_MISSING,
}


@dataclass(frozen=True, slots=True)
class ExpectedLaunch:
    """What the login under way allows: its registration, its nonce, its target.

    `deployment_hint` is the login's `lti_deployment_id`; `allowed_origins` are those of the
    registration's endpoints, the issuer's own is always one of them.
    """

    issuer: str
    client_id: str
    nonce: str = field(repr=False)
    target_link_uri: str
    tool_base_url: str
    deployment_hint: str | None = None
    allowed_origins: frozenset[str] = frozenset()


def verify_launch(
    id_token: str, expected: ExpectedLaunch, find_key: FindKey, now: datetime
) -> LaunchClaims:
    """The claims of a token that may begin a session. `now` is aware.

    Raises LaunchRefused, and passes on what `find_key` raises when no keys are to be had.
    """
    signed, header, payload, signature = _parse(id_token)
    kid = _check_header(header)
    _check_presence(payload)
    _check_parties(payload, expected)
    key = find_key(kid)
    if key is None:
        raise LaunchRefused(Reason.KEY_UNKNOWN)
    if not _RS256.verify(signed, key, signature):
        raise LaunchRefused(Reason.SIGNATURE_INVALID)
    _check_times(payload, now.timestamp())
    _check_nonce(payload["nonce"], expected.nonce)
    _check_message(payload)
    _check_place(payload, expected)
    trusted = (browser_origin(url) for url in (expected.issuer, *expected.allowed_origins))
    return read_claims(
        payload,
        target_link_uri=expected.target_link_uri,
        issuer=expected.issuer,
        service_origins=frozenset(origin for origin in trusted if origin),
    )


def _parse(id_token: str) -> tuple[bytes, dict[str, Any], dict[str, Any], bytes]:
    """(what is signed, header, payload, signature), all still unproven."""
    parts = _TOKEN.fullmatch(id_token) if len(id_token) <= _MAX_TOKEN else None
    if parts is None:
        raise LaunchRefused(Reason.MALFORMED)
    signed = id_token[: parts.end(2)].encode("ascii")
    return signed, _json(_base64(parts[1])), _json(_base64(parts[2])), _base64(parts[3])


def _base64(part: str) -> bytes:
    """Canonical only: one signature must not have several spellings."""
    padded = part + "=" * (-len(part) % 4)
    try:
        raw = base64.urlsafe_b64decode(padded)
    except ValueError:
        raw = b""
    if base64.urlsafe_b64encode(raw).decode("ascii") != padded:
        raise LaunchRefused(Reason.MALFORMED)
    return raw


def _json(raw: bytes) -> dict[str, Any]:
    """Raised outside of the handler: a decoding error carries the whole text, personal data too."""
    try:
        value = json.loads(raw.decode(), object_pairs_hook=_unique, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise LaunchRefused(Reason.MALFORMED)
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Two readers may each take another one of two equal keys, so neither is taken (ATK-14)."""
    members = dict(pairs)
    if len(members) != len(pairs):
        raise LaunchRefused(Reason.DUPLICATE_KEY)
    return members


def _no_constant(_: str) -> None:
    raise ValueError  # NaN and Infinity are no JSON


def _check_header(header: dict[str, Any]) -> str:
    """The kid. Keys and key addresses in the header (jku, jwk, x5u, x5c) are not even looked at."""
    if header.get("alg") != "RS256":
        raise LaunchRefused(Reason.ALGORITHM_FORBIDDEN)
    if "crit" in header or "b64" in header:  # RFC 7515 §4.1.11, RFC 7797
        raise LaunchRefused(Reason.CRITICAL_HEADER)
    kind = header.get("typ", "JWT")
    if not isinstance(kind, str) or kind.upper() != "JWT":
        raise LaunchRefused(Reason.MALFORMED)
    if "kid" not in header:
        raise LaunchRefused(Reason.KID_MISSING)
    kid = header["kid"]
    if not isinstance(kid, str) or not _KID.fullmatch(kid):
        raise LaunchRefused(Reason.KID_INVALID)
    return kid


def _check_presence(payload: dict[str, Any]) -> None:
    """One missing claim has its own code; several together are one code, as in the conformance
    guide's list of bad payloads (§6.1.1). Blank is missing: an account named "" would be shared."""
    if not any(claim.startswith(LTI) for claim in payload):
        raise LaunchRefused(Reason.NOT_A_LAUNCH)
    is_link = payload.get(MESSAGE_TYPE) in _FROM_A_LINK
    required = _REQUIRED | _REQUIRED_OF_A_LINK if is_link else _REQUIRED
    missing = [reason for claim, reason in required.items() if payload.get(claim) in (None, "")]
    if missing:
        raise LaunchRefused(missing[0] if len(missing) == 1 else Reason.CLAIMS_MISSING)


def _check_parties(payload: dict[str, Any], expected: ExpectedLaunch) -> None:
    """From the platform and for the client that the login was begun with (OpenID Connect Core
    §3.1.3.7), compared byte by byte and before any key is asked for."""
    issuer, audience = payload["iss"], payload["aud"]
    if not isinstance(issuer, str):
        raise LaunchRefused(Reason.ISSUER_INVALID)
    clients = audience if isinstance(audience, list) else [audience]
    if not clients or not all(isinstance(client, str) for client in clients):
        raise LaunchRefused(Reason.AUDIENCE_INVALID)
    if issuer != expected.issuer or expected.client_id not in clients:
        raise LaunchRefused(Reason.REGISTRATION_MISMATCH)
    azp_needed = len(clients) > 1
    if (azp_needed or "azp" in payload) and payload.get("azp") != expected.client_id:
        raise LaunchRefused(Reason.AUTHORIZED_PARTY_INVALID)


def _check_times(payload: dict[str, Any], clock: float) -> None:
    """Whole seconds only. Moodle's tokens live for 60 s, and school servers' clocks drift."""
    issued, expires, not_before = payload["iat"], payload["exp"], payload.get("nbf", 0)
    if not all(type(seconds) is int for seconds in (issued, expires, not_before)):
        raise LaunchRefused(Reason.TIMES_INVALID)
    if not 0 < issued < expires:
        raise LaunchRefused(Reason.TIMES_INVALID)
    if expires - issued > _MAX_LIFETIME:
        raise LaunchRefused(Reason.LIFETIME_TOO_LONG)
    if max(issued, not_before) > clock + _CLOCK_SKEW:
        raise LaunchRefused(Reason.ISSUED_IN_FUTURE)
    if issued < clock - _MAX_AGE:
        raise LaunchRefused(Reason.ISSUED_TOO_LONG_AGO)
    if expires < clock - _CLOCK_SKEW:
        raise LaunchRefused(Reason.EXPIRED)


def _check_nonce(nonce: object, expected: str) -> None:
    sent = nonce.encode("utf-8", "surrogatepass") if isinstance(nonce, str) else b""
    if not sent or not hmac.compare_digest(sent, expected.encode()):
        raise LaunchRefused(Reason.NONCE_MISMATCH)


def _check_message(payload: dict[str, Any]) -> None:
    if payload[VERSION] != "1.3.0":
        raise LaunchRefused(Reason.VERSION_UNSUPPORTED)
    if payload[MESSAGE_TYPE] not in list(MessageType):
        raise LaunchRefused(Reason.MESSAGE_TYPE_UNSUPPORTED)


def _check_place(payload: dict[str, Any], expected: ExpectedLaunch) -> None:
    """The deployment and the target are those of the login, and the target is ours (ATK-16, 17)."""
    hint = expected.deployment_hint
    if hint is not None and payload[DEPLOYMENT_ID] != hint:
        raise LaunchRefused(Reason.DEPLOYMENT_MISMATCH)
    target = payload.get(TARGET_LINK_URI)
    if target is not None and target != expected.target_link_uri:
        raise LaunchRefused(Reason.TARGET_MISMATCH)
    ours = browser_origin(expected.tool_base_url)
    if ours is None or browser_origin(expected.target_link_uri) != ours:
        raise LaunchRefused(Reason.TARGET_MISMATCH)
