"""Reads the members of a course from the platform (NRPS 2.0). HTTP only; keeps nothing.

The roster informs; it grants nothing. Moodle calls a non-editing teacher a learner here and an
instructor in the launch.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from lti_tool.core.outbound import (
    Outbound,
    OutboundGarbage,
    OutboundRefused,
    Refusal,
    Reply,
)
from lti_tool.people.roles import Role
from lti_tool.people.roster_pages import Pager, PageRead
from lti_tool.people.service_calls import ServiceCalls
from lti_tool.people.tokens import ServiceTokens, TokenEndpoint

SCOPE = "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly"
MEDIA_TYPE = "application/vnd.ims.lti-nrps.v2.membershipcontainer+json"
MOST_PAGES = 100
MOST_MEMBERS = 10_000
LONGEST_ID = 255
LONGEST_NAME = 200
LONGEST_VALIDATOR = 500

_INSTRUCTOR = frozenset(
    {"Instructor", "http://purl.imsglobal.org/vocab/lis/v2/membership#Instructor"}
)


@dataclass(frozen=True)
class Member:
    """A person in the course as the platform names them. `name` only where it is shared."""

    user_id: str
    role: Role
    active: bool
    name: str | None


@dataclass(frozen=True)
class Validators:
    """What the platform gave with an answer, to ask by it whether anything has changed since
    (RFC 9110, 8.8). Moodle gives neither."""

    etag: str | None = None
    last_modified: str | None = None


NO_VALIDATORS = Validators()


@dataclass(frozen=True)
class MemberList:
    """All members of a course, each once, in the platform's order."""

    members: tuple[Member, ...]
    validators: Validators = NO_VALIDATORS


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
        self, endpoint: TokenEndpoint, memberships_url: str, known: Validators = NO_VALIDATORS
    ) -> MemberList | None:
        """The whole list; None where nothing has changed since the answer that `known` is of.

        Raises RosterRefused, TokenRefused, OutboundError; never returns a part of the roster as if
        it were all.
        """
        members: dict[str, Member] = {}
        pager = Pager(memberships_url)
        url = pager.first
        for number in range(MOST_PAGES):
            page = self._page(endpoint, url, NO_VALIDATORS if number else known)
            if page is None:
                return None
            following = pager.after(_take(page, url, members))
            if following is None:
                return MemberList(
                    tuple(members.values()), NO_VALIDATORS if number else _validators(page)
                )
            url = following
        raise OutboundRefused(Refusal.TOO_MANY)

    def _page(self, endpoint: TokenEndpoint, url: str, known: Validators) -> Reply | None:
        headers = {"Accept": MEDIA_TYPE, **_conditions(known)}
        reply = self._calls.send(endpoint, "GET", url, scope=SCOPE, headers=headers)
        if reply.status == 200:
            return reply
        if reply.status == 304 and known != NO_VALIDATORS:
            return None
        reply.raise_if_busy()
        raise RosterRefused(reply.status)


def _take(page: Reply, url: str, members: dict[str, Member]) -> PageRead:
    """Put what is new on the page among the members."""
    before, entries = len(members), _entries(page.json())
    for member in read_members(entries):
        members.setdefault(member.user_id, member)
    if len(members) > MOST_MEMBERS:
        raise OutboundRefused(Refusal.TOO_MANY)
    return PageRead(url, page.headers.get("link", ""), len(entries), len(members) - before)


def _conditions(known: Validators) -> dict[str, str]:
    headers = {"If-None-Match": known.etag, "If-Modified-Since": known.last_modified}
    return {name: value for name, value in headers.items() if value is not None}


def _validators(page: Reply) -> Validators:
    """What may be sent back next time. Only for a list on one page: later ones would go unasked."""
    return Validators(
        _validator(page.headers.get("etag")), _validator(page.headers.get("last-modified"))
    )


def _validator(value: str | None) -> str | None:
    """Sent back as it came, if it can be sent at all."""
    if not value or len(value) > LONGEST_VALIDATOR or not (value.isascii() and value.isprintable()):
        return None
    return value


def _entries(answer: object) -> Sequence[object]:
    """What stands in the list on one page. Raises OutboundGarbage."""
    members = answer.get("members") if isinstance(answer, Mapping) else None
    if not isinstance(members, list):
        raise OutboundGarbage("roster without members")
    return members


def read_members(entries: Sequence[object]) -> Iterator[Member]:
    """The members among the entries of a page; those without a usable id are left out."""
    for entry in entries:
        if isinstance(entry, Mapping) and (user_id := _user_id(entry.get("user_id"))):
            yield Member(
                user_id=user_id,
                role=_role(entry.get("roles")),
                active=entry.get("status", "Active") == "Active",
                name=_name(entry),
            )


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
