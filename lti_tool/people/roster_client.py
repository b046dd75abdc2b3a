"""Reads the members of a course from the platform (NRPS 2.0). HTTP only; keeps nothing.

The roster informs; it grants nothing. Moodle calls a non-editing teacher a learner here and an
instructor in the launch.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urljoin

from lti_tool.core.outbound import (
    Outbound,
    OutboundGarbage,
    OutboundRefused,
    Refusal,
    Reply,
    origin_of,
)
from lti_tool.people.roles import Role
from lti_tool.people.service_calls import ServiceCalls, with_query
from lti_tool.people.tokens import ServiceTokens, TokenEndpoint

SCOPE = "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly"
MEDIA_TYPE = "application/vnd.ims.lti-nrps.v2.membershipcontainer+json"
PAGE_SIZE = 200
MOST_PAGES = 100
MOST_MEMBERS = 10_000
LONGEST_ID = 255
LONGEST_NAME = 200

_INSTRUCTOR = frozenset(
    {"Instructor", "http://purl.imsglobal.org/vocab/lis/v2/membership#Instructor"}
)
_LINK = re.compile(r'<([^>]*)>((?:\s*;\s*[\w*-]+\s*=\s*(?:"[^"]*"|[^\s",;]+))*)')
_REL = re.compile(r';\s*rel\s*=\s*(?:"([^"]*)"|([^\s",;]+))', re.IGNORECASE)


@dataclass(frozen=True)
class Member:
    """A person in the course as the platform names them. `name` only where it is shared."""

    user_id: str
    role: Role
    active: bool
    name: str | None


class RosterRefused(Exception):
    """The platform does not give us the members of this course. Final until a setting changes."""

    def __init__(self, status: int) -> None:
        super().__init__(f"roster answered {status}")
        self.status = status


class RosterClient:
    """Reads rosters. Thread-safe."""

    def __init__(self, outbound: Outbound, tokens: ServiceTokens) -> None:
        self._calls = ServiceCalls(outbound, tokens)

    def fetch_members(
        self, endpoint: TokenEndpoint, memberships_url: str, resource_link_id: str | None = None
    ) -> tuple[Member, ...]:
        """All members, each once, in the platform's order.

        With `resource_link_id` only those who may see that activity. Raises RosterRefused,
        TokenRefused, OutboundError; never returns a part of the roster as if it were all.
        """
        members: dict[str, Member] = {}
        for page in self._pages(endpoint, _first_page(memberships_url, resource_link_id)):
            for member in read_members(page.json()):
                members.setdefault(member.user_id, member)
            if len(members) > MOST_MEMBERS:
                raise OutboundRefused(Refusal.TOO_MANY)
        return tuple(members.values())

    def _pages(self, endpoint: TokenEndpoint, first: str) -> Iterator[Reply]:
        url: str | None = first
        for _ in range(MOST_PAGES):
            if url is None:
                return
            page = self._page(endpoint, url)
            yield page
            url = next_page(page.headers.get("link", ""), url)
        if url is not None:
            raise OutboundRefused(Refusal.TOO_MANY)

    def _page(self, endpoint: TokenEndpoint, url: str) -> Reply:
        reply = self._calls.send(endpoint, "GET", url, scope=SCOPE, headers={"Accept": MEDIA_TYPE})
        if reply.status == 200:
            return reply
        reply.raise_if_busy()
        raise RosterRefused(reply.status)


def read_members(answer: object) -> Iterator[Member]:
    """The members on one page; entries without a usable id are left out. Raises OutboundGarbage."""
    members = answer.get("members") if isinstance(answer, Mapping) else None
    if not isinstance(members, list):
        raise OutboundGarbage("roster without members")
    for entry in members:
        if isinstance(entry, Mapping) and (user_id := _user_id(entry.get("user_id"))):
            yield Member(
                user_id=user_id,
                role=_role(entry.get("roles")),
                active=entry.get("status", "Active") == "Active",
                name=_name(entry),
            )


def next_page(link: str, current: str) -> str | None:
    """The address in a Link header (RFC 8288) with rel=next, letter for letter.

    Raises OutboundRefused if it leads away from the origin of the current page.
    """
    for found in _LINK.finditer(link):
        rel = _REL.search(found[2])
        if rel and "next" in (rel[1] or rel[2] or "").lower().split():
            return _same_origin(found[1], current)
    return None


def _same_origin(link: str, current: str) -> str:
    try:
        url: str = urljoin(current, link)
    except ValueError:
        raise OutboundRefused(Refusal.URL) from None
    if origin_of(url) != origin_of(current):
        raise OutboundRefused(Refusal.ORIGIN)
    return url


def _first_page(url: str, resource_link_id: str | None) -> str:
    wishes = {"limit": str(PAGE_SIZE)}
    if resource_link_id is not None:
        wishes["rlid"] = resource_link_id
    return with_query(url, **wishes)


def _user_id(value: object) -> str | None:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not 0 < len(text) <= LONGEST_ID or not text.isprintable():
        return None
    return text


def _role(roles: object) -> Role:
    """Instructor if the list says so, in the short or the full form; else a learner."""
    named = [role for role in roles if isinstance(role, str)] if isinstance(roles, list) else []
    return Role.INSTRUCTOR if _INSTRUCTOR.intersection(named) else Role.LEARNER


def _name(entry: Mapping[str, object]) -> str | None:
    """The name as the platform writes it, else put together; one line and not too long."""
    whole = entry.get("name") or " ".join(
        part for key in ("given_name", "family_name") if isinstance(part := entry.get(key), str)
    )
    if not isinstance(whole, str):
        return None
    visible = "".join(sign if sign.isprintable() else " " for sign in whole[: 2 * LONGEST_NAME])
    return " ".join(visible.split())[:LONGEST_NAME].rstrip() or None
