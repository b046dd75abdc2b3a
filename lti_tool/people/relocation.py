"""A platform that lives at another address from now on: the same people, courses and work.

An operator's act, never a launch's: whoever names the new address decides whose signatures count.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import Self

from sqlalchemy.orm import Session

from lti_tool.core.errors import Conflict, Invalid
from lti_tool.core.outbound import OutboundRefused
from lti_tool.core.outbound.addresses import parse_target
from lti_tool.people.models import Platform

LONGEST_ADDRESS = 300


@dataclass(frozen=True)
class Site:
    """Where a platform is: its name for itself, and the three addresses we use."""

    issuer: str
    auth_url: str
    token_url: str
    jwks_url: str

    @classmethod
    def of_moodle(cls, address: str) -> Self:
        """The four addresses of a Moodle follow from its own."""
        base = address.rstrip("/")
        return cls(
            issuer=base,
            auth_url=f"{base}/mod/lti/auth.php",
            token_url=f"{base}/mod/lti/token.php",
            jwks_url=f"{base}/mod/lti/certs.php",
        )


@dataclass(frozen=True)
class Change:
    """One address, as it is and as it would be."""

    name: str
    now: str
    then: str


def moodle_site(address: str) -> Site:
    """A Moodle's addresses, derived from its own. Raises Invalid: "moodle"."""
    site = address.strip().rstrip("/")
    try:
        parse_target(site)
    except OutboundRefused:
        raise Invalid({"moodle": "invalid"}) from None
    if len(site) > LONGEST_ADDRESS or "?" in site or "#" in site:
        raise Invalid({"moodle": "invalid"})
    return Site.of_moodle(site)


def site_of(platform: Platform) -> Site:
    return Site(platform.issuer, platform.auth_url, platform.token_url, platform.jwks_url)


def changes(now: Site, then: Site) -> list[Change]:
    """What would change, for a human to compare."""
    names = Site.__dataclass_fields__
    pairs = zip(names, astuple(now), astuple(then), strict=True)
    return [Change(*pair) for pair in pairs if pair[1] != pair[2]]


def move_platform(db: Session, platform: Platform, to: Site) -> None:
    """From now on the platform is there. Its client_id, which no other has, and our keys stay.

    Raises:
        Conflict: "same_place": it is there already.
    """
    if to == site_of(platform):
        raise Conflict("same_place")
    platform.issuer = to.issuer
    platform.auth_url = to.auth_url
    platform.token_url = to.token_url
    platform.jwks_url = to.jwks_url
    db.flush()
