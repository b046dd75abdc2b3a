"""OIDC third-party initiated login: from the LMS's knock to a proven launch.

1EdTech Security Framework 1.0, section 5.1.1. State is bound to the browser and to the registration
it was made for, and good for ten minutes. It is the login itself, sealed: nothing is written down
before a launch is proven. That it serves once is up to `arrival`. See docs/adr/0004.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from uuid_utils.compat import uuid7

from lti_tool.core.errors import Invalid
from lti_tool.core.outbound import origin_of
from lti_tool.launch.claims import LaunchClaims, LaunchRefused, Reason
from lti_tool.launch.secrets import Secrets, hashed
from lti_tool.launch.verify import ExpectedLaunch, verify_launch
from lti_tool.people.arrivals import Registration

GOOD_FOR = timedelta(minutes=10)
STATE = "state"
LONGEST_HINT = 4096
# These travel in the state, which has to fit into an address.
LONGEST = {"target_link_uri": 1024, "deployment_hint": 255}


@dataclass(frozen=True)
class LoginRequest:
    """The parameters an LMS sends, unproven. Hints go back to it unchanged."""

    issuer: str
    login_hint: str
    target_link_uri: str
    client_id: str | None
    message_hint: str | None
    deployment_hint: str | None

    def __post_init__(self) -> None:
        """Raises Invalid."""
        for name in ("issuer", "login_hint", "target_link_uri"):
            if not getattr(self, name):
                raise Invalid({name: "missing"})
        for name in self.__dataclass_fields__:
            value = getattr(self, name)
            longest = LONGEST.get(name, LONGEST_HINT)
            if value is not None and (len(value) > longest or "\x00" in value):
                raise Invalid({name: "too_long"})

    @property
    def parameters(self) -> dict[str, str]:
        """As the LMS sent them, to knock once more."""
        sent = {
            "iss": self.issuer,
            "login_hint": self.login_hint,
            "target_link_uri": self.target_link_uri,
            "client_id": self.client_id,
            "lti_message_hint": self.message_hint,
            "lti_deployment_id": self.deployment_hint,
        }
        return {name: value for name, value in sent.items() if value is not None}


@dataclass(frozen=True)
class PendingLogin:
    """A login under way, with the registration as it was when it began."""

    id: UUID
    begun: int  # seconds since 1970
    browser_hash: bytes
    target_link_uri: str
    deployment_hint: str | None
    registration: Registration

    @property
    def platform_id(self) -> UUID:
        return self.registration.platform_id

    @property
    def origins(self) -> frozenset[str]:
        """Where this platform's pages live; they alone may frame us."""
        known = self.registration
        return frozenset({origin_of(known.issuer), origin_of(known.auth_url)})


FindRegistration = Callable[[str, str | None], Registration | None]


def begin_login(
    find: FindRegistration, request: LoginRequest, browser: str, base_url: str, now: datetime
) -> PendingLogin | None:
    """A login of this browser; None if no active registration fits.

    Raises:
        Invalid: the target is not a page of ours.
    """
    if not _ours(request.target_link_uri, base_url):
        raise Invalid({"target_link_uri": "foreign"})
    found = find(request.issuer, request.client_id)
    if found is None:
        return None
    return PendingLogin(
        id=uuid7(),
        begun=int(now.timestamp()),
        browser_hash=hashed(browser),
        target_link_uri=request.target_link_uri,
        deployment_hint=request.deployment_hint,
        registration=found,
    )


def state_of(login: PendingLogin, secrets: Secrets) -> str:
    """The login as OIDC `state`. It names no person."""
    known = login.registration
    told = [
        login.id.hex,
        login.begun,
        login.browser_hash.hex(),
        login.target_link_uri,
        login.deployment_hint,
        known.platform_id.hex,
        *(known.issuer, known.client_id, known.auth_url, known.token_url, known.jwks_url),
    ]
    return secrets.sealed(STATE, json.dumps(told, separators=(",", ":")).encode())


def login_of(state: str, secrets: Secrets, now: datetime) -> PendingLogin | None:
    """The login behind a state; None if we did not make it, or too long ago."""
    opened = secrets.opened(STATE, state)
    if opened is None:
        return None
    login_id, begun, browser_hash, target, deployment, platform_id, *addresses = json.loads(opened)
    if begun <= (now - GOOD_FOR).timestamp():
        return None
    return PendingLogin(
        id=UUID(login_id),
        begun=begun,
        browser_hash=bytes.fromhex(browser_hash),
        target_link_uri=target,
        deployment_hint=deployment,
        registration=Registration(UUID(platform_id), *addresses),
    )


def auth_request(
    login: PendingLogin, request: LoginRequest, secrets: Secrets, redirect_uri: str
) -> str:
    """Where the browser goes next (OpenID Connect Core 1.0, section 3.2.2.1)."""
    query = {
        "scope": "openid",
        "response_type": "id_token",
        "response_mode": "form_post",
        "prompt": "none",
        "client_id": login.registration.client_id,
        "redirect_uri": redirect_uri,
        "login_hint": request.login_hint,
        "state": state_of(login, secrets),
        "nonce": secrets.nonce(login.id),
    }
    if request.message_hint is not None:
        query["lti_message_hint"] = request.message_hint
    joint = "&" if urlsplit(login.registration.auth_url).query else "?"
    return f"{login.registration.auth_url}{joint}{urlencode(query)}"


FindKey = Callable[[Registration, str], RSAPublicKey | None]


def prove(
    login: PendingLogin,
    id_token: str,
    browser: str,
    *,
    secrets: Secrets,
    base_url: str,
    find_key: FindKey,
    now: datetime,
) -> LaunchClaims:
    """The claims of a launch that answers exactly this login in exactly this browser.

    That the registration still is as it was, and that the login has not been used, is for the
    transaction to say that lets the launch in.

    Raises:
        LaunchRefused: with one of its reasons.
    """
    if not hmac.compare_digest(login.browser_hash, hashed(browser)):
        raise LaunchRefused(Reason.STATE_UNKNOWN)
    known = login.registration
    expected = ExpectedLaunch(
        issuer=known.issuer,
        client_id=known.client_id,
        nonce=secrets.nonce(login.id),
        target_link_uri=login.target_link_uri,
        tool_base_url=base_url,
        deployment_hint=login.deployment_hint,
        allowed_origins=login.origins | {origin_of(known.token_url)},
    )
    return verify_launch(id_token, expected, lambda kid: find_key(known, kid), now)


def _ours(url: str, base_url: str) -> bool:
    return url == base_url or url.startswith(f"{base_url}/")
