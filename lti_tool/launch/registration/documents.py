"""What a platform says of itself, read strictly: its openid-configuration, and its answer to us.

1EdTech Dynamic Registration 1.0, sections 3.4 and 3.6. Pure: `client` brings the bytes. Raises
RegistrationRefused, nothing else.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from lti_tool.core.outbound import AllowList, OutboundRefused
from lti_tool.core.outbound.addresses import Target, check_target, parse_target
from lti_tool.launch.readers import browser_origin
from lti_tool.launch.registration.refusals import RegistrationRefused, Why

PLATFORM = "https://purl.imsglobal.org/spec/lti-platform-configuration"
TOOL = "https://purl.imsglobal.org/spec/lti-tool-configuration"

LARGEST_DOCUMENT = 256 * 1024  # bytes; Moodle's is 2 kB
LONGEST_ID = 255
LONGEST_SCOPES = 8 * 1024
LONGEST_TOKEN = 8 * 1024

_VISIBLE = re.compile(r"[!-~]+")


@dataclass(frozen=True)
class PlatformConfiguration:
    """A platform as it describes itself; all addresses lie where its issuer does, or where the
    operator allowed it."""

    issuer: str
    auth_url: str
    token_url: str
    jwks_url: str
    registration_url: str
    family: str  # "moodle", or "" where it does not say

    @property
    def is_moodle(self) -> bool:
        return self.family == "moodle"


@dataclass(frozen=True)
class RegistrationAnswer:
    """What the platform made of our registration."""

    client_id: str
    deployment_id: str | None
    scopes: frozenset[str]


def configuration_target(url: str, allowed: AllowList) -> Target:
    """The machine an `openid_configuration` is on, if it is one we may ask."""
    try:
        target = parse_target(url)
        check_target(target, allowed)
    except OutboundRefused:
        raise RegistrationRefused(Why.ADDRESS_FORBIDDEN) from None
    if browser_origin(url) is None:
        raise RegistrationRefused(Why.ADDRESS_FORBIDDEN)
    return target


def read_configuration(body: bytes, url: str, allowed: AllowList) -> PlatformConfiguration:
    """The openid-configuration that was found at `url`.

    Its issuer must be of the very machine that we asked (ATK-38, ASVS 10.5.3), and so must be its
    endpoints, unless the operator's list names theirs (ATK-40).
    """
    home = configuration_target(url, allowed)
    document = _object(body, Why.CONFIGURATION_UNREADABLE)
    issuer = _address(document, "issuer")
    if _target(issuer) != home or any(sign in issuer for sign in "?#"):
        raise RegistrationRefused(Why.ISSUER_ELSEWHERE)
    auth_url, token_url, jwks_url, registration_url = (
        _endpoint(document, name, home, allowed)
        for name in (
            "authorization_endpoint",
            "token_endpoint",
            "jwks_uri",
            "registration_endpoint",
        )
    )
    return PlatformConfiguration(
        issuer=issuer,
        auth_url=auth_url,
        token_url=token_url,
        jwks_url=jwks_url,
        registration_url=registration_url,
        family=_family(document),
    )


def read_answer(body: bytes) -> RegistrationAnswer:
    """What the registration endpoint answered."""
    why = Why.ANSWER_UNREADABLE
    document = _object(body, why)
    extension = document.get(TOOL)
    if extension is not None and not isinstance(extension, dict):
        raise RegistrationRefused(why)
    deployment = extension.get("deployment_id") if extension else None
    scope = document.get("scope") or ""
    if not isinstance(scope, str) or len(scope) > LONGEST_SCOPES:
        raise RegistrationRefused(why)
    return RegistrationAnswer(
        client_id=_identifier(document.get("client_id")),
        deployment_id=None if deployment is None else _identifier(deployment),
        scopes=frozenset(scope.split()),
    )


def check_token(token: str | None) -> str:
    """A registration token as it may stand in a header. Raises RegistrationRefused."""
    if not token or len(token) > LONGEST_TOKEN or not _VISIBLE.fullmatch(token):
        raise RegistrationRefused(Why.TOKEN_MISSING)
    return token


def _object(body: bytes, why: Why) -> dict[str, object]:
    document: object = None
    if len(body) <= LARGEST_DOCUMENT:
        try:
            document = json.loads(body, parse_constant=_no_such_number)
        except (ValueError, RecursionError):
            document = None
    if not isinstance(document, dict):
        raise RegistrationRefused(why)  # out here, so that no context quotes the body
    return document


def _no_such_number(text: str) -> object:
    raise ValueError(text)


def _address(document: dict[str, object], name: str) -> str:
    url = document.get(name)
    if not isinstance(url, str) or browser_origin(url) is None:
        raise RegistrationRefused(Why.CONFIGURATION_UNREADABLE)
    return url


def _target(url: str) -> Target:
    try:
        return parse_target(url)
    except OutboundRefused:
        raise RegistrationRefused(Why.CONFIGURATION_UNREADABLE) from None


def _endpoint(document: dict[str, object], name: str, home: Target, allowed: AllowList) -> str:
    url = _address(document, name)
    target = _target(url)
    if target != home and not allowed.covers(target.host, target.port):
        raise RegistrationRefused(Why.ENDPOINT_ELSEWHERE)
    if "#" in url:
        raise RegistrationRefused(Why.CONFIGURATION_UNREADABLE)
    return url


def _family(document: dict[str, object]) -> str:
    """Only to say the right things about the platform's own buttons."""
    extension = document.get(PLATFORM)
    family = extension.get("product_family_code") if isinstance(extension, dict) else None
    return family.lower() if isinstance(family, str) and len(family) <= LONGEST_ID else ""


def _identifier(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_ID:
        raise RegistrationRefused(Why.ANSWER_UNREADABLE)
    if not _VISIBLE.fullmatch(value):
        raise RegistrationRefused(Why.ANSWER_UNREADABLE)
    return value
