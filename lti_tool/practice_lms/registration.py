"""LTI Dynamic Registration as Moodle 4.5 was seen to do it, for the one tool there is room for.

Without a tool the administrator begins a new registration, with one its update. Moodle's plain
texts that call themselves HTML are kept, and so is what it never does by itself: activate the tool,
and show it in the activity chooser.
"""

import secrets
import string
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from flask import Response, jsonify, request

from .lms import Lms, PageError
from .settings import ToolRegistration
from .shell import error_page
from .tokens import ALL_SCOPES

PLATFORM = "https://purl.imsglobal.org/spec/lti-platform-configuration"
TOOL = "https://purl.imsglobal.org/spec/lti-tool-configuration"
LIFE = timedelta(hours=1)
NEW, UPDATE = "reg", "reg-update"
REQUIRED = (
    "response_types",
    "initiate_login_uri",
    "redirect_uris",
    "client_name",
    "jwks_uri",
    "token_endpoint_auth_method",
)
AUTH_METHODS = ["private_key_jwt"]
NAMES = frozenset({"name", "given_name", "family_name"})
MESSAGES = ("LtiResourceLinkRequest", "LtiDeepLinkingRequest")


class RefusedRegistrationError(Exception):
    """Answered in plain text that calls itself HTML."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status, self.text = status, text


def configuration(lms: Lms) -> Response:
    """The platform about itself (`openid_configuration`)."""
    return jsonify(
        {
            "issuer": lms.base_url,
            "token_endpoint": f"{lms.base_url}/token",
            "token_endpoint_auth_methods_supported": AUTH_METHODS,
            "token_endpoint_auth_signing_alg_values_supported": ["RS256"],
            "jwks_uri": f"{lms.base_url}/jwks",
            "authorization_endpoint": f"{lms.base_url}/auth",
            "registration_endpoint": f"{lms.base_url}/openid-registration",
            "scopes_supported": [*ALL_SCOPES, "openid"],
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public", "pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "claims_supported": ["sub", "iss", *sorted(NAMES), "email"],
            PLATFORM: {
                "product_family_code": "moodle",
                "version": "4.5.5+ (practice)",
                "messages_supported": [{"type": kind} for kind in MESSAGES],
                "variables": ["Context.id.history", "ResourceLink.id", "User.id"],
            },
        }
    )


def registration_token(lms: Lms) -> str:
    """For one hour. A new registration's names the client_id to come, an update's the tool."""
    tool = lms.registered_tool
    named = {"sub": _new_client_id(), "scope": NEW}
    if tool is not None:
        named = {"sub": tool.deployment_id, "scope": UPDATE}
    now = lms.seconds()
    return lms.signing_key.sign(named | {"iat": now, "exp": now + int(LIFE.total_seconds())})


def register(lms: Lms) -> Response:
    """What the tool posts. A token that cannot be read gets a whole page, as in Moodle."""
    claims = _token_claims(lms)
    if claims is None:
        return error_page(PageError(404, "Nicht gefunden", "Diese Seite gibt es hier nicht."))
    try:
        client_id, type_id = _meant(lms, claims)
        asked = _read(request.get_json(force=True, silent=True))
        tool = _tool(asked, client_id, type_id or lms.new_type_id())
    except RefusedRegistrationError as refused:
        return Response(refused.text, refused.status, content_type="text/html; charset=UTF-8")
    # As in Moodle: new ones are pending, updated ones stay as they are; both leave the chooser.
    lms.keep_tool(tool, active=bool(type_id) and lms.tool_is_active, in_chooser=False)
    return jsonify(_echo(asked, tool))


def _token_claims(lms: Lms) -> dict[str, Any] | None:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    claims = lms.signing_key.claims_of(token.strip()) if kind.lower() == "bearer" else None
    expires = claims.get("exp") if claims else None
    return claims if isinstance(expires, int) and expires > lms.seconds() else None


def _meant(lms: Lms, claims: dict[str, Any]) -> tuple[str, str | None]:
    """The client_id and, for an update, the tool's own number."""
    tool = lms.registered_tool
    if claims.get("scope") == UPDATE:
        if tool is None or tool.deployment_id != claims["sub"]:
            raise RefusedRegistrationError(404, "tool_not_found")
        return tool.client_id, tool.deployment_id
    client_id = str(claims["sub"])
    if not lms.registration_tokens.first_time(client_id):
        raise RefusedRegistrationError(401, "token_already_used")
    if tool is not None:
        raise RefusedRegistrationError(400, "one_tool_only")
    return client_id, None


def _read(asked: object) -> dict[str, Any]:
    if not isinstance(asked, dict):
        raise RefusedRegistrationError(400, "invalid_json")
    tool = asked.get(TOOL)
    missing = [name for name in REQUIRED if not asked.get(name)]
    if missing or not isinstance(tool, dict) or not tool.get("domain"):
        raise RefusedRegistrationError(400, f"missing_{missing[0] if missing else 'domain'}")
    if "id_token" not in asked["response_types"]:
        raise RefusedRegistrationError(400, "invalid_response_types")
    if asked["token_endpoint_auth_method"] not in AUTH_METHODS:
        raise RefusedRegistrationError(400, "invalid_token_endpoint_auth_method")
    if asked.get("application_type", "web") != "web":
        raise RefusedRegistrationError(400, "invalid_application_type")
    target = tool.setdefault("target_link_uri", f"https://{tool['domain']}")
    if urlsplit(target).netloc != tool["domain"]:
        raise RefusedRegistrationError(400, "domain_targetlinkuri_mismatch")
    return asked


def _tool(asked: dict[str, Any], client_id: str, type_id: str) -> ToolRegistration:
    tool = asked[TOOL]
    claims = set(tool.get("claims", ()))
    target = str(tool["target_link_uri"])
    pickers = [m for m in tool.get("messages", ()) if m.get("type") == "LtiDeepLinkingRequest"]
    picker = pickers[0] if pickers else {}
    return ToolRegistration(
        name=str(asked["client_name"]),
        client_id=client_id,
        deployment_id=type_id,
        login_url=str(asked["initiate_login_uri"]),
        redirect_uris=tuple(map(str, asked["redirect_uris"])),
        target_link_uri=target,
        deep_link_url=str(picker.get("target_link_uri", target)),
        jwks_url=str(asked["jwks_uri"]),
        custom=tuple((str(k), str(v)) for k, v in tool.get("custom_parameters", {}).items()),
        share_names=not claims.isdisjoint(NAMES),
        share_email="email" in claims,
    )


def _echo(asked: dict[str, Any], tool: ToolRegistration) -> dict[str, Any]:
    granted = [scope for scope in str(asked.get("scope", "")).split() if scope in ALL_SCOPES]
    extension = asked[TOOL] | {"version": "1.3.0", "deployment_id": tool.deployment_id}
    return asked | {"client_id": tool.client_id, "scope": " ".join(granted), TOOL: extension}


def _new_client_id() -> str:
    letters = string.ascii_letters + string.digits
    return "".join(secrets.choice(letters) for _ in range(15))
