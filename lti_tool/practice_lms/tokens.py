"""The token endpoint, and the check of the tokens it gave out.

Stricter than Moodle's, which checks neither `iss` nor `aud` nor `jti` (RFC 7523, section 3; LTI
Security Framework, 4.1.1).
"""

import json
from datetime import timedelta

from flask import Response, request

from .keys import BadTokenError
from .lms import AccessToken, Lms
from .services import RefusedError

AGS = "https://purl.imsglobal.org/spec/lti-ags/scope"
LINE_ITEM_SCOPE = f"{AGS}/lineitem"
LINE_ITEM_READ_SCOPE = f"{AGS}/lineitem.readonly"
RESULT_SCOPE = f"{AGS}/result.readonly"
SCORE_SCOPE = f"{AGS}/score"
MEMBERS_SCOPE = "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly"
AGS_SCOPES = (LINE_ITEM_SCOPE, LINE_ITEM_READ_SCOPE, RESULT_SCOPE, SCORE_SCOPE)
ALL_SCOPES = (*AGS_SCOPES, MEMBERS_SCOPE)

LIFE = timedelta(hours=1)
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
FORM = "application/x-www-form-urlencoded"
LEEWAY, LONGEST = 5, 300


class TokenRefusedError(Exception):
    """Becomes 400 with `error`; `why` helps the tool's author and quotes nothing secret."""

    def __init__(self, error: str, why: str) -> None:
        super().__init__(error)
        self.error, self.why = error, why


def give(lms: Lms) -> Response:
    try:
        granted = _granted(lms)
    except TokenRefusedError as refused:
        return _as_moodle({"error": refused.error, "error_description": refused.why}, 400)
    token = lms.new_token()
    lms.access_tokens[token] = AccessToken(frozenset(granted), lms.now() + LIFE)
    return _as_moodle(
        {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": int(LIFE.total_seconds()),
            "scope": " ".join(granted),
        }
    )


def _as_moodle(body: dict[str, object], status: int = 200) -> Response:
    """JSON, but named text/html: that is what Moodle answers."""
    answer = Response(status=status, content_type="text/html; charset=UTF-8")
    answer.set_data(json.dumps(body))
    return answer


def _granted(lms: Lms) -> list[str]:
    if request.mimetype != FORM:
        raise TokenRefusedError("invalid_request", "the body must be a form")
    asked = {
        name: request.form.get(name, "")
        for name in ("grant_type", "client_assertion_type", "scope")
    }
    assertion = request.form.get("client_assertion", "")
    if not assertion or not all(asked.values()):
        raise TokenRefusedError("invalid_request", "a field is missing")
    if (asked["grant_type"], asked["client_assertion_type"]) != ("client_credentials", JWT_BEARER):
        raise TokenRefusedError(
            "unsupported_grant_type", "only client_credentials with a JWT assertion"
        )
    _check_assertion(lms, assertion)
    granted = [scope for scope in dict.fromkeys(asked["scope"].split()) if scope in ALL_SCOPES]
    if not granted:
        raise TokenRefusedError("invalid_scope", "none of the scopes is known")
    return granted


def _check_assertion(lms: Lms, assertion: str) -> None:
    """The jti is spent last: a refused assertion does not use it up. Raises `TokenRefusedError`."""
    tool = lms.tool
    try:
        claims = lms.tool_keys.verify(assertion, tool.jwks_url)
    except BadTokenError as bad:
        raise TokenRefusedError("invalid_client", str(bad)) from bad
    if claims.get("iss") != tool.client_id or claims.get("sub") != tool.client_id:
        raise TokenRefusedError("invalid_client", "iss and sub must both be the client_id")
    token_url = f"{lms.base_url}/token"
    if claims.get("aud") not in (token_url, [token_url]):
        raise TokenRefusedError("invalid_client", "aud must be the token endpoint and nothing else")
    _check_times(claims, lms.seconds())
    jti = claims.get("jti")
    if not isinstance(jti, str) or not jti or not lms.assertion_ids.first_time(jti):
        raise TokenRefusedError("invalid_client", "jti missing or used before")


def _check_times(claims: dict[str, object], now: int) -> None:
    issued, expires = claims.get("iat"), claims.get("exp")
    if not isinstance(issued, int | float) or not isinstance(expires, int | float):
        raise TokenRefusedError("invalid_client", "iat and exp are needed")
    if issued > now + LEEWAY:
        raise TokenRefusedError("invalid_client", "iat lies in the future")
    if expires <= now - LEEWAY or expires > now + LONGEST + LEEWAY:
        raise TokenRefusedError("invalid_client", "exp must lie ahead, by five minutes at most")


def need_token(lms: Lms, *scopes: str) -> None:
    """The request must carry a living token with one of these scopes.

    Raises `RefusedError`: 401 without such a token, 403 when it lacks the scope.

    A `type_id` of another tool is 401 as in Moodle; leaving it out is allowed.
    """
    kind, _, value = request.headers.get("Authorization", "").partition(" ")
    token = lms.access_tokens.get(value.strip())
    if kind.lower() != "bearer" or token is None or token.expires_at <= lms.now():
        raise RefusedError(401)
    if request.args.get("type_id", lms.tool.deployment_id) != lms.tool.deployment_id:
        raise RefusedError(401)
    if token.scopes.isdisjoint(scopes):
        raise RefusedError(403)
