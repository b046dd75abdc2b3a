"""From the laptop to the phone: a link that can only add pages to one draft.

It is good for five minutes and for the browser that opens it first; its secret is kept as a hash.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import segno
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from lti_tool.core.db import Actor, ActorRole
from lti_tool.core.errors import NotFound
from lti_tool.launch.secrets import hashed, new_secret
from lti_tool.launch.session import LaunchSession
from lti_tool.uploads.models import PhoneLink

LIFE = timedelta(minutes=5)


@dataclass(frozen=True)
class NewLink:
    id: UUID
    secret: str
    expires_at: datetime


@dataclass(frozen=True)
class PhoneVisit:
    """A phone that may add pages to one draft, and nothing else."""

    id: UUID
    platform_id: UUID
    course_id: UUID
    person_id: UUID
    resource_link_id: UUID
    expires_at: datetime

    @property
    def actor(self) -> Actor:
        return Actor(ActorRole.LEARNER, self.platform_id, self.course_id, self.person_id)


def make_link(db: Session, launch: LaunchSession) -> NewLink:
    """A link to this draft; the pupil's earlier ones end. Raises NotFound without an activity."""
    if launch.resource_link_id is None:
        raise NotFound("activity")
    db.execute(delete(PhoneLink).where(PhoneLink.person_id == launch.person_id))
    secret = new_secret()
    link = PhoneLink(
        id=uuid7(),
        platform_id=launch.platform_id,
        course_id=launch.course_id,
        resource_link_id=launch.resource_link_id,
        person_id=launch.person_id,
        secret_hash=hashed(secret),
        expires_at=func.now() + LIFE,
    )
    db.add(link)
    db.flush()
    db.refresh(link)
    return NewLink(link.id, secret, link.expires_at)


def claim(db: Session, link_id: UUID, secret: str) -> str:
    """The secret for the cookie of the browser that opened the link first.

    The transaction acts for the way in. Raises NotFound: it has run out, was opened already, or
    never was; all alike.
    """
    browser = new_secret()
    claimed = db.execute(
        update(PhoneLink)
        .where(
            PhoneLink.id == link_id,
            PhoneLink.secret_hash == hashed(secret),
            PhoneLink.browser_hash.is_(None),
            PhoneLink.expires_at > func.now(),
        )
        .values(browser_hash=hashed(browser))
        .returning(PhoneLink.id)
    )
    if claimed.scalar() is None:
        raise NotFound("phone link")
    return browser


def visit(db: Session, link_id: UUID, browser: str | None) -> PhoneVisit:
    """Whose draft this browser may add to. The transaction acts for the way in. Raises NotFound."""
    link = db.scalar(
        select(PhoneLink).where(PhoneLink.id == link_id, PhoneLink.expires_at > func.now())
    )
    known = link.browser_hash if link else None
    if link is None or known is None or not hmac.compare_digest(known, hashed(browser or "")):
        raise NotFound("phone link")
    return PhoneVisit(
        id=link.id,
        platform_id=link.platform_id,
        course_id=link.course_id,
        person_id=link.person_id,
        resource_link_id=link.resource_link_id,
        expires_at=link.expires_at,
    )


def picture_of(address: str) -> str:
    """The address as a QR code, for the `src` of an image."""
    code = segno.make(address, error="m", micro=False)
    return str(code.svg_data_uri(scale=4, border=4, dark="#000", light="#fff"))
