"""The LMS's side door: login, launch, and our public keys. No page of a session is here."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlencode
from uuid import UUID

import structlog
from flask import Blueprint, g, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug import Response

from lti_tool.core.clock import Clock
from lti_tool.core.db import LAUNCH, REGISTRATION, Actor, ActorRole, Begin
from lti_tool.core.errors import Invalid, NotFound
from lti_tool.core.http import may_frame, new_reference, set_cookie, single
from lti_tool.core.retries import in_one
from lti_tool.launch.arrival import Arrived, Goal, arrive
from lti_tool.launch.claims import LaunchRefused, Reason
from lti_tool.launch.keysets import KeySets, KeySetUnavailable, public_jwk
from lti_tool.launch.oidc import (
    FindKey,
    LoginRequest,
    PendingLogin,
    auth_request,
    begin_login,
    login_of,
    prove,
)
from lti_tool.launch.refusals import note_refusal
from lti_tool.launch.registration.invitations import platform_of_keyset
from lti_tool.launch.remembered import RememberedRegistrations
from lti_tool.launch.secrets import Secrets, new_secret
from lti_tool.launch.session import SESSION_COOKIE
from lti_tool.people.services import KeySeal, KeyUnreadable, platform_keys

BROWSER_COOKIE = "gustav_browser"
BROWSER_COOKIE_LIFE = 10 * 3600  # seconds; as long as a session may live
KNOCKS_AGAIN = "again"
LONGEST_ADDRESS = 3500  # proxies take about 4,000
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Entrance:
    """What the way in is made of. The roof builds it and mounts its blueprint."""

    begin: Begin
    secrets: Secrets
    seal: KeySeal
    registrations: RememberedRegistrations
    keysets: KeySets
    base_url: str
    clock: Clock
    goal: Callable[[Arrived], Goal]

    def blueprint(self) -> Blueprint:
        bp = Blueprint("launch", __name__, url_prefix="/lti", template_folder="templates")
        bp.add_url_rule("/login", "login", self.login, methods=["GET", "POST"])
        bp.add_url_rule("/launch", "launch", self.launch, methods=["POST"])
        bp.add_url_rule("/keys/<uuid:platform_id>", "keys", self.keys)
        bp.register_error_handler(LaunchRefused, self.refused)
        bp.register_error_handler(KeySetUnavailable, _keys_unavailable)
        return bp

    def login(self) -> ResponseReturnValue:
        """Third-party initiated login. Everything here is unproven, so little is believed, and
        nothing is written down."""
        known = request.cookies.get(BROWSER_COOKIE)
        browser = known or new_secret()
        asked = login = None
        with suppress(Invalid):
            asked = _login_request()
            find = self.registrations.find
            login = begin_login(find, asked, browser, self.base_url, self.clock())
        if asked is None or login is None:
            return self._login_refused(asked)
        may_frame(login.origins)
        if known is None and KNOCKS_AGAIN in request.args:
            return render_template("launch/cookies_refused.html", again=asked.parameters), 200
        goal = auth_request(login, asked, self.secrets, f"{self.base_url}/lti/launch")
        if known is None and _in_a_foreign_frame():
            goal = _knock_again(asked) or goal
        return _remember(redirect(goal, 303), browser)

    def _login_refused(self, asked: LoginRequest | None) -> ResponseReturnValue:
        """Of an unknown platform, of one that waits or is paused, or of none at all."""
        if asked is not None:
            may_frame(self.registrations.origins(asked.issuer, asked.client_id))
        return self._refusal(None, "login_unknown", 400)

    def launch(self) -> ResponseReturnValue:
        """The LMS's signed message (OIDC `form_post`)."""
        login = self._login_of_state()
        browser = request.cookies.get(BROWSER_COOKIE)
        if browser is None:
            return render_template("launch/cookies_refused.html", again=None), 403
        id_token = _single_field("id_token")
        if id_token is None or "error" in request.form:
            return self._platform_says_no(login)
        claims = prove(
            login,
            id_token,
            browser,
            secrets=self.secrets,
            base_url=self.base_url,
            find_key=self._find_key,
            now=self.clock(),
        )
        outcome = in_one(
            partial(self.begin, Actor(ActorRole.LAUNCH, login.platform_id)),
            lambda db: arrive(db, login, claims, browser),
        )
        if isinstance(outcome, Reason):
            raise LaunchRefused(outcome)
        return _with_session(outcome, self.goal(outcome))

    def keys(self, platform_id: UUID) -> ResponseReturnValue:
        """Our public keys for one platform (RFC 7517), also under the address that the invitation
        gave out before the platform was known. A key that an older secret key of ours has sealed
        is left out: the new ones count all the same."""
        pairs = self._key_pairs(platform_id)
        if not pairs:
            with self.begin(REGISTRATION) as db:
                invited = platform_of_keyset(db, platform_id)
            pairs = self._key_pairs(invited) if invited else []
        public = []
        for kid, pem in pairs:
            with suppress(KeyUnreadable):
                public.append(public_jwk(self.seal.open(pem), kid))
        return jsonify(keys=public)

    def _key_pairs(self, platform_id: UUID) -> list[tuple[str, str]]:
        with self.begin(Actor(ActorRole.LAUNCH, platform_id)) as db:
            try:
                return [(k.kid, k.private_pem) for k in platform_keys(db, platform_id)]
            except NotFound:
                return []

    def refused(self, refusal: LaunchRefused) -> ResponseReturnValue:
        login: PendingLogin | None = g.get("login")
        return self._refusal(
            login.platform_id if login else None, refusal.reason.value, refusal.reason.status
        )

    @property
    def _find_key(self) -> FindKey:
        return lambda known, kid: self.keysets.find(known.jwks_url, kid, known.platform_id)

    def _login_of_state(self) -> PendingLogin:
        """Raises LaunchRefused."""
        if len(request.form.getlist("state")) > 1:
            raise LaunchRefused(Reason.MALFORMED)
        login = login_of(_single_field("state") or "", self.secrets, self.clock())
        if login is None:
            raise LaunchRefused(Reason.STATE_UNKNOWN)
        may_frame(login.origins)
        g.login = login
        return login

    def _platform_says_no(self, login: PendingLogin) -> ResponseReturnValue:
        """`error` instead of a token (OpenID Connect Core 1.0, 3.1.2.6); or simply nothing."""
        reason = "platform_error" if _single_field("error") else Reason.MALFORMED.value
        return self._refusal(login.platform_id, reason, 400)

    def _refusal(self, platform_id: UUID | None, reason: str, status: int) -> ResponseReturnValue:
        reference = new_reference()
        with self.begin(LAUNCH) as db:
            note_refusal(db, platform_id, reason, reference)
        log.warning("launch refused", reason=reason, reference=reference, platform=platform_id)
        return render_template("launch/refused.html", reference=reference, reason=reason), status


def _login_request() -> LoginRequest:
    """Raises Invalid."""
    field = partial(single, request)
    return LoginRequest(
        issuer=field("iss") or "",
        login_hint=field("login_hint") or "",
        target_link_uri=field("target_link_uri") or "",
        client_id=field("client_id"),
        message_hint=field("lti_message_hint"),
        deployment_hint=field("lti_deployment_id"),
    )


def _single_field(name: str) -> str | None:
    """From the posted form only: a token in an address is nobody's honest launch."""
    values = request.form.getlist(name)
    return values[0] if len(values) == 1 else None


def _in_a_foreign_frame() -> bool:
    """Where a browser may refuse our cookie."""
    fetch = request.headers
    return (
        fetch.get("Sec-Fetch-Dest") in ("iframe", "frame")
        and fetch.get("Sec-Fetch-Site") == "cross-site"
    )


def _knock_again(asked: LoginRequest) -> str | None:
    """The same login once more, by ourselves: it tells whether the browser keeps our cookie before
    the LMS's single-use hint is spent. None if the hints do not fit into an address."""
    address = f"{url_for('.login')}?{urlencode({**asked.parameters, KNOCKS_AGAIN: '1'})}"
    return address if len(address) <= LONGEST_ADDRESS else None


def _remember(response: Response, browser: str) -> Response:
    set_cookie(response, BROWSER_COOKIE, browser, path="/lti", max_age=BROWSER_COOKIE_LIFE)
    return response


def _with_session(arrived: Arrived, goal: Goal) -> Response:
    address = url_for(goal.endpoint, session_id=arrived.session_id, **goal.values)
    response = redirect(address, 303)
    path = f"/s/{arrived.session_id}"
    set_cookie(response, SESSION_COOKIE, arrived.secret, path=path, max_age=None)
    return response


def _keys_unavailable(_error: KeySetUnavailable) -> ResponseReturnValue:
    return render_template("launch/try_again.html"), 503
