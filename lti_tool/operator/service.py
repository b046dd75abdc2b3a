"""What the operator does to a platform as a whole: move it, or remove it with all that is its own.

Acts as the operator, and for what belongs to the platform's people in the platform's own name.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from lti_tool.core.db import Actor, ActorRole, acting_as, service_of
from lti_tool.core.errors import Invalid, NotFound
from lti_tool.core.statements import patiently
from lti_tool.grades.models import LineItem
from lti_tool.launch.models import LaunchSessionRow, ResourceLink, SessionEnd
from lti_tool.people.health import PlatformHealth
from lti_tool.people.models import Course, Person, Platform
from lti_tool.people.relocation import Site, move_platform
from lti_tool.people.services import remove_platform
from lti_tool.submissions.models import Submission

# Longer than other pages may take: it is one deed of one operator, and one statement. It takes four
# seconds for 40,000 submissions; where it is too much, `gustav platform remove` has ten minutes.
A_WHOLE_SCHOOL = timedelta(seconds=30)

# Addresses of a platform's services, as launches named them.
SERVICE_URLS: tuple[InstrumentedAttribute[str] | InstrumentedAttribute[str | None], ...] = (
    Course.memberships_url,
    ResourceLink.lineitem_url,
    ResourceLink.lineitems_url,
    LineItem.url,
    LineItem.gone_url,
)


@dataclass(frozen=True)
class Belongings:
    """What came with a platform and would be lost with it."""

    courses: int
    persons: int
    submissions: int


def get_platform(db: Session, platform_id: UUID) -> Platform:
    """Raises NotFound."""
    platform = db.get(Platform, platform_id)
    if platform is None:
        raise NotFound("platform")
    return platform


def belongings(db: Session, platform_id: UUID) -> Belongings:
    with acting_as(db, service_of(platform_id)):
        courses, persons, submissions = (
            db.scalar(select(func.count()).select_from(table)) or 0
            for table in (Course, Person, Submission)
        )
    return Belongings(courses, persons, submissions)


def confirm_name(platform: Platform, typed: str) -> None:
    """Whoever means it can type which platform it is. Raises Invalid: "name"."""
    if " ".join(typed.split()) != " ".join(platform.name.split()):
        raise Invalid({"name": "other"})


def remove(db: Session, platform: Platform) -> Belongings:
    """Returns what went with it."""
    patiently(db, A_WHOLE_SCHOOL)
    lost = belongings(db, platform.id)
    remove_platform(db, platform)
    return lost


def move(db: Session, platform: Platform, to: Site) -> None:
    """The platform has another address. Persons, courses and work hang on our own id and stay;
    sessions and logins end, because they were proven by the old address. Raises Conflict."""
    was = platform.issuer
    move_platform(db, platform, to)
    db.execute(delete(PlatformHealth).where(PlatformHealth.platform_id == platform.id))
    with acting_as(db, Actor(ActorRole.LAUNCH, platform.id)):
        _end_sessions(db, platform.id)
    with acting_as(db, service_of(platform.id)):
        _take_addresses_along(db, platform.id, was, to.issuer)


def _end_sessions(db: Session, platform_id: UUID) -> None:
    row = LaunchSessionRow
    db.execute(
        update(row)
        .where(row.platform_id == platform_id, row.ended_at.is_(None))
        .values(ended_at=func.now(), end_reason=SessionEnd.CLOSED)
    )


def _take_addresses_along(db: Session, platform_id: UUID, was: str, now: str) -> None:
    """Otherwise no score and no roster would find its way before the next launch."""
    for url in SERVICE_URLS:
        table = url.class_
        db.execute(
            update(table)
            .where(table.platform_id == platform_id, url.startswith(f"{was}/", autoescape=True))
            .values({url: func.concat(now, func.substr(url, len(was) + 1))})
        )
