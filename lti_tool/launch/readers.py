"""Takes the values of a launch out of its JSON, strictly. Who sent it is decided in `verify`.

A claim of the wrong type refuses the launch, `null` counts as absent. Text for people is cleaned
and clipped; identifiers are taken byte by byte or not at all. Raises LaunchRefused, nothing else.
"""

import re
from collections.abc import Mapping
from typing import Any, TypeVar

from lti_tool.launch.claims import (
    AGS,
    CONTEXT,
    CUSTOM,
    DEEP_LINKING,
    DEPLOYMENT_ID,
    FOR_USER,
    MESSAGE_TYPE,
    NRPS,
    PRESENTATION,
    RESOURCE_LINK,
    ROLES,
    Context,
    DeepLinkingSettings,
    GradeService,
    LaunchClaims,
    LaunchRefused,
    MembershipService,
    MessageType,
    Presentation,
    Reason,
    ResourceLink,
)
from lti_tool.launch.roles import role_of
from lti_tool.people.roles import Role

Claims = Mapping[str, object]
_REVIEW = MessageType.SUBMISSION_REVIEW
T = TypeVar("T")

_MAX_IDENTIFIER = 255
_MAX_NAME = 200
_MAX_TITLE = 255
_MAX_TEXT = 4_000
_MAX_LIST = 100
_MAX_CUSTOM_BYTES = 4 * 1024
_MAX_DATA_BYTES = 64 * 1024

# PostgreSQL stores neither NUL nor lone surrogates; no identifier needs other control characters.
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
# Bidirectional overrides could make one pupil's name read like another's.
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
# scope-token of RFC 6749 §3.3; content item types are spelt likewise.
_WORD = re.compile(r"[!#-\[\]-~]{1,255}")
_LOCALE = re.compile(r"[A-Za-z]{2,3}([_-][A-Za-z0-9]{1,8}){0,4}")
# Visible ASCII, no backslash, no user-info: what is left is read alike by every browser.
_URL = re.compile(
    r"(https?)://([a-z0-9.-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?([/?#][!-\[\]-~]*)?", re.IGNORECASE
)
_SAFE_IN_A_BROWSER = re.compile(
    r"https://.+|http://(localhost|[a-z0-9.-]+\.localhost|127(\.[0-9]{1,3}){3}|\[::1\])(:[0-9]+)?"
)


def browser_origin(url: str) -> str | None:
    """`scheme://host[:port]`, lower case, without a default port; None if the URL is dubious.

    Stricter than `core.outbound.origin_of`, which only our own client has to understand: what
    passes here is shown to browsers, and no two of them may read it differently.
    """
    parts = _URL.fullmatch(url) if len(url) <= 2_000 else None
    if parts is None:
        return None
    scheme, host, port = parts[1].lower(), parts[2].lower(), parts[3] or ""
    default = ":443" if scheme == "https" else ":80"
    return f"{scheme}://{host}{port if port != default else ''}"


def read_claims(
    payload: Claims, *, target_link_uri: str, issuer: str, service_origins: frozenset[str]
) -> LaunchClaims:
    """The values of a payload that `verify` has judged. Services must lie on one of
    `service_origins` (ATK-111), where the browser is sent on the issuer's own (ATK-29, ATK-42)."""
    message_type = MessageType(str(payload[MESSAGE_TYPE]))
    is_link = message_type.is_about_a_link
    role = _role(payload)
    home = browser_origin(issuer)
    given, family = (_text(payload, key, _MAX_NAME) for key in ("given_name", "family_name"))
    both = " ".join(part for part in (given, family) if part)[:_MAX_NAME]
    return LaunchClaims(
        subject=identifier(payload["sub"], Reason.SUBJECT_INVALID),
        deployment_id=identifier(payload[DEPLOYMENT_ID], Reason.DEPLOYMENT_INVALID),
        message_type=message_type,
        role=role,
        target_link_uri=target_link_uri,
        context=_context(payload),
        resource_link=_resource_link(payload) if is_link else None,
        name=_text(payload, "name", _MAX_NAME) or both or None,
        given_name=given,
        family_name=family,
        locale=_locale(payload),
        custom=_custom(payload),
        presentation=_presentation(payload, home),
        ags=_grade_service(payload, service_origins),
        nrps=_membership_service(payload, service_origins),
        deep_linking=None if is_link else _deep_linking(payload, role, home),
        for_user=_for_user(payload, role) if message_type is _REVIEW else None,
    )


def identifier(value: object, reason: Reason) -> str:
    """1-255 characters without control characters, unchanged: no trimming, no normalisation."""
    if not isinstance(value, str) or not 0 < len(value) <= _MAX_IDENTIFIER:
        raise LaunchRefused(reason)
    if _CONTROL.search(value):
        raise LaunchRefused(reason)
    return value


def _optional(
    source: Claims, key: str, kind: type[T], reason: Reason = Reason.CLAIM_INVALID
) -> T | None:
    value = source.get(key)
    if value is None or isinstance(value, kind):
        return value
    raise LaunchRefused(reason)


def _text(source: Claims, key: str, limit: int) -> str | None:
    """One line for people to read: white space collapsed, blank is absent."""
    return " ".join(_paragraphs(source, key, limit).split()) or None


def _paragraphs(source: Claims, key: str, limit: int) -> str:
    return _UNPRINTABLE.sub("", _optional(source, key, str) or "")[:limit].strip()


def _strings(source: Claims, key: str, reason: Reason) -> list[str]:
    values = _optional(source, key, list, reason) or []
    if len(values) > _MAX_LIST or not all(isinstance(value, str) for value in values):
        raise LaunchRefused(reason)
    return values


def _words(source: Claims, key: str, reason: Reason) -> tuple[str, ...]:
    """Strings of a vocabulary; what cannot belong to one is left out (Moodle sends "" for none)."""
    return tuple(word for word in _strings(source, key, reason) if _WORD.fullmatch(word))


def _role(payload: Claims) -> Role:
    return role_of(_strings(payload, ROLES, Reason.ROLES_INVALID))


def _context(payload: Claims) -> Context | None:
    context: dict[str, Any] | None = _optional(payload, CONTEXT, dict)
    if context is None:
        return None
    return Context(
        id=identifier(context.get("id"), Reason.CLAIM_INVALID),
        title=_text(context, "title", _MAX_TITLE),
        label=_text(context, "label", _MAX_TITLE),
    )


def _resource_link(payload: Claims) -> ResourceLink:
    reason = Reason.RESOURCE_LINK_INVALID
    link: dict[str, Any] = _optional(payload, RESOURCE_LINK, dict, reason) or {}
    if link.get("id") in (None, ""):
        raise LaunchRefused(Reason.RESOURCE_LINK_MISSING)
    return ResourceLink(
        id=identifier(link["id"], reason),
        title=_text(link, "title", _MAX_TITLE),
        description=_paragraphs(link, "description", _MAX_TEXT) or None,
    )


def _locale(payload: Claims) -> str | None:
    """The language of the page around us (Moodle), else of the person (OpenID Connect)."""
    presentation = _optional(payload, PRESENTATION, dict) or {}
    of_page, of_person = (_optional(claim, "locale", str) for claim in (presentation, payload))
    locale = of_page or of_person
    return locale if locale and _LOCALE.fullmatch(locale) else None


def _custom(payload: Claims) -> dict[str, str]:
    """Custom parameters as literal text. Moodle sends null for what does not apply and the
    variable's own name (`$ResourceLink.id.history`) for what it does not know: both are absent."""
    custom: dict[str, Any] = _optional(payload, CUSTOM, dict) or {}
    kept: dict[str, str] = {}
    for key in custom:
        value = _optional(custom, key, str)
        if value is None or value.startswith("$") or _UNSTORABLE.search(key + value):
            continue
        if len(key.encode()) + len(value.encode()) <= _MAX_CUSTOM_BYTES:
            kept[key] = value
    return kept


def _presentation(payload: Claims, home: str | None) -> Presentation:
    claim: dict[str, Any] = _optional(payload, PRESENTATION, dict) or {}
    target = _optional(claim, "document_target", str)
    return_url = _optional(claim, "return_url", str)
    return Presentation(
        document_target=target if target in ("iframe", "frame", "window") else None,
        return_url=return_url if return_url and _is_at_home(return_url, home) else None,
    )


def _is_at_home(url: str, home: str | None) -> bool:
    """Whether the browser may be sent there: the issuer's origin, and plain http on one's own
    machine only."""
    return (
        home is not None
        and browser_origin(url) == home
        and bool(_SAFE_IN_A_BROWSER.fullmatch(home))
    )


def _service_url(source: Claims, key: str, origins: frozenset[str]) -> str | None:
    url = _optional(source, key, str)
    if url and browser_origin(url) not in origins:
        raise LaunchRefused(Reason.SERVICE_URL_FOREIGN)
    return url or None


def _grade_service(payload: Claims, origins: frozenset[str]) -> GradeService | None:
    claim: dict[str, Any] | None = _optional(payload, AGS, dict)
    if claim is None:
        return None
    return GradeService(
        lineitem=_service_url(claim, "lineitem", origins),
        lineitems=_service_url(claim, "lineitems", origins),
        scopes=frozenset(_words(claim, "scope", Reason.CLAIM_INVALID)),
    )


def _membership_service(payload: Claims, origins: frozenset[str]) -> MembershipService | None:
    claim: dict[str, Any] = _optional(payload, NRPS, dict) or {}
    url = _service_url(claim, "context_memberships_url", origins)
    return MembershipService(url) if url else None


def _for_user(payload: Claims, role: Role) -> str | None:
    """Whose submission is asked for (Submission Review 1.0, §3.2). Moodle leaves the claim out
    where a teacher asks for the whole activity, and sends pupils from their own grades, for
    themselves; nobody but a teacher may name somebody else (ATK-23)."""
    claim: dict[str, Any] | None = _optional(payload, FOR_USER, dict, Reason.FOR_USER_INVALID)
    if claim is None:
        return None
    person = identifier(claim.get("user_id"), Reason.FOR_USER_INVALID)
    if role is not Role.INSTRUCTOR and person != payload["sub"]:
        raise LaunchRefused(Reason.SUBMISSION_REVIEW_FORBIDDEN)
    return person


def _deep_linking(payload: Claims, role: Role, home: str | None) -> DeepLinkingSettings:
    """The settings of a teacher's request, as far as we can answer it (ATK-42 to ATK-44)."""
    invalid = Reason.DEEP_LINKING_INVALID
    if role is not Role.INSTRUCTOR:
        raise LaunchRefused(Reason.DEEP_LINKING_FORBIDDEN)
    claim: dict[str, Any] = _optional(payload, DEEP_LINKING, dict, invalid) or {}
    types = _words(claim, "accept_types", invalid)
    return_url = _optional(claim, "deep_link_return_url", str, invalid)
    if not return_url or not _is_at_home(return_url, home):
        raise LaunchRefused(invalid)
    if not types or not _strings(claim, "accept_presentation_document_targets", invalid):
        raise LaunchRefused(invalid)
    if "ltiResourceLink" not in types:
        raise LaunchRefused(Reason.DEEP_LINKING_UNSUPPORTED)
    return DeepLinkingSettings(
        deep_link_return_url=return_url,
        accept_types=types,
        accept_multiple=_optional(claim, "accept_multiple", bool, invalid) or False,
        # Moodle takes columns and does not say so: only a plain no is one.
        accept_lineitem=_optional(claim, "accept_lineitem", bool, invalid) is not False,
        data=_data(claim),
        title=_text(claim, "title", _MAX_TITLE),
        text=_paragraphs(claim, "text", _MAX_TEXT) or None,
    )


def _data(claim: Claims) -> str | None:
    data = _optional(claim, "data", str, Reason.DEEP_LINKING_INVALID)
    if data and (_UNSTORABLE.search(data) or len(data.encode()) > _MAX_DATA_BYTES):
        raise LaunchRefused(Reason.DEEP_LINKING_INVALID)
    return data
