"""OIDC third-party initiated login: from the LMS's knock to a proven launch.

1EdTech Security Framework 1.0, section 5.1.1. State is single use, bound to the browser and to the
registration it was made for, and good for ten minutes. See docs/adr/0004.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from lti_tool.core.errors import Invalid
from lti_tool.core.outbound import origin_of
from lti_tool.launch.claims import LaunchClaims, LaunchRefused, Reason
from lti_tool.launch.models import OidcLogin
from lti_tool.launch.secrets import Secrets, hashed
from lti_tool.launch.verify import ExpectedLaunch, verify_launch
from lti_tool.people.models import Platform, PlatformState

GOOD_FOR = timedelta(minutes=10)
PENDING_PER_BROWSER = 20
LONGEST_HINT = 4096


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
            if value is not None and (len(value) > LONGEST_HINT or "\x00" in value):
                raise Invalid({name: "too_long"})


@dataclass(frozen=True)
class PendingLogin:
    """A login under way, with the registration it was begun for."""

    id: UUID
    platform_id: UUID
    browser_hash: bytes
    target_link_uri: str
    login_hint: str
    message_hint: str | None
    deployment_hint: str | None
    used: bool
    issuer: str
    client_id: str
    auth_url: str
    jwks_url: str
    token_url: str
    paused: bool

    @property
    def origins(self) -> frozenset[str]:
        """Where this platform's pages live; they alone may frame us."""
        return frozenset({origin_of(self.issuer), origin_of(self.auth_url)})


def begin_login(
    db: Session, request: LoginRequest, browser: str, base_url: str, *, returning: bool
) -> PendingLogin | None:
    """Write down the login for this browser; None if no active registration fits.

    `returning`: the browser has been here before, so older logins of it may lie about.

    Raises:
        Invalid: the target is not a page of ours.
    """
    if not _ours(request.target_link_uri, base_url):
        raise Invalid({"target_link_uri": "foreign"})
    known = select(Platform).where(
        Platform.issuer == request.issuer, Platform.state == PlatformState.ACTIVE
    )
    if request.client_id is not None:
        known = known.where(Platform.client_id == request.client_id)
    platforms = db.scalars(known).all()
    if len(platforms) != 1:  # none, or one issuer registered twice and no client_id named
        return None
    login = OidcLogin(
        id=uuid7(),
        platform_id=platforms[0].id,
        browser_hash=hashed(browser),
        target_link_uri=request.target_link_uri,
        login_hint=request.login_hint,
        message_hint=request.message_hint,
        deployment_hint=request.deployment_hint,
    )
    db.add(login)
    db.flush()
    if returning:
        _drop_oldest(db, login.browser_hash)
    return _pending(login, platforms[0])


def find_login(db: Session, login_id: UUID) -> PendingLogin | None:
    """The login, with its registration as it is now."""
    row = db.execute(
        select(OidcLogin, Platform)
        .join(Platform, Platform.id == OidcLogin.platform_id)
        .where(OidcLogin.id == login_id, OidcLogin.created_at > func.now() - GOOD_FOR)
    ).one_or_none()
    if row is None:
        return None
    return _pending(*row)


def _pending(login: OidcLogin, platform: Platform) -> PendingLogin:
    return PendingLogin(
        id=login.id,
        platform_id=platform.id,
        browser_hash=login.browser_hash,
        target_link_uri=login.target_link_uri,
        login_hint=login.login_hint,
        message_hint=login.message_hint,
        deployment_hint=login.deployment_hint,
        used=login.used_at is not None,
        issuer=platform.issuer,
        client_id=platform.client_id,
        auth_url=platform.auth_url,
        jwks_url=platform.jwks_url,
        token_url=platform.token_url,
        paused=platform.state is not PlatformState.ACTIVE,
    )


def auth_request(login: PendingLogin, secrets: Secrets, redirect_uri: str) -> str:
    """Where the browser goes next (OpenID Connect Core 1.0, section 3.2.2.1)."""
    query = {
        "scope": "openid",
        "response_type": "id_token",
        "response_mode": "form_post",
        "prompt": "none",
        "client_id": login.client_id,
        "redirect_uri": redirect_uri,
        "login_hint": login.login_hint,
        "state": secrets.state(login.id),
        "nonce": secrets.nonce(login.id),
    }
    if login.message_hint is not None:
        query["lti_message_hint"] = login.message_hint
    joint = "&" if urlsplit(login.auth_url).query else "?"
    return f"{login.auth_url}{joint}{urlencode(query)}"


FindKey = Callable[[PendingLogin, str], RSAPublicKey | None]


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

    That the login has not been used is proven again, atomically, by `use_login`.

    Raises:
        LaunchRefused: with one of its reasons.
    """
    if login.browser_hash != hashed(browser) or login.paused:
        raise LaunchRefused(Reason.STATE_UNKNOWN)
    if login.used:
        raise LaunchRefused(Reason.NONCE_USED)
    expected = ExpectedLaunch(
        issuer=login.issuer,
        client_id=login.client_id,
        nonce=secrets.nonce(login.id),
        target_link_uri=login.target_link_uri,
        tool_base_url=base_url,
        deployment_hint=login.deployment_hint,
        allowed_origins=login.origins | {origin_of(login.token_url)},
    )
    return verify_launch(id_token, expected, lambda kid: find_key(login, kid), now)


def use_login(db: Session, login: PendingLogin) -> None:
    """Use the login up. Of two at the same moment one wins. Raises LaunchRefused."""
    used = (
        update(OidcLogin)
        .where(OidcLogin.id == login.id, OidcLogin.used_at.is_(None))
        .values(used_at=func.now())
        .returning(OidcLogin.id)
    )
    if db.execute(used).scalar() is None:
        raise LaunchRefused(Reason.NONCE_USED)


def forget_old_logins(db: Session) -> None:
    """Used and unused logins are of no use to anyone after an hour."""
    db.execute(delete(OidcLogin).where(OidcLogin.created_at < func.now() - timedelta(hours=1)))


def _drop_oldest(db: Session, browser_hash: bytes) -> None:
    """A page that keeps starting logins in a hidden frame cannot fill the table."""
    newest = (
        select(OidcLogin.id)
        .where(OidcLogin.browser_hash == browser_hash)
        .order_by(OidcLogin.created_at.desc(), OidcLogin.id.desc())
        .limit(PENDING_PER_BROWSER)
    )
    db.execute(
        delete(OidcLogin).where(OidcLogin.browser_hash == browser_hash, OidcLogin.id.not_in(newest))
    )


def _ours(url: str, base_url: str) -> bool:
    return url == base_url or url.startswith(f"{base_url}/")
