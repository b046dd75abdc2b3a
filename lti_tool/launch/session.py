"""One session per launch: found again, or why there is none. See docs/adr/0004.

A session is addressed in the path and proven by a cookie of that path, so that two tabs, two
courses or two pupils at one tablet never meet.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, LiteralString
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from lti_tool.core.db import LAUNCH, Actor, ActorRole, acting_as, became, becoming
from lti_tool.core.errors import ToolError
from lti_tool.core.outbound import origin_of
from lti_tool.core.statements import ask
from lti_tool.launch.models import LaunchSessionRow, SessionEnd
from lti_tool.launch.secrets import Secrets, hashed
from lti_tool.people.models import Platform
from lti_tool.people.roles import Role

SESSION_COOKIE = "gustav_session"
KEPT_FOR = timedelta(days=2)
TOUCH_AFTER = timedelta(minutes=1)  # not every request writes


class Gone(StrEnum):
    """Why there is no session, for the page to say."""

    EXPIRED = "expired"
    OTHER_PERSON = "other_person"
    BLOCKED = "blocked"
    LEFT = "left"  # the LMS no longer lists them in the course
    PAUSED = "paused"


class SessionGone(ToolError):
    """The session is over, or this browser does not hold its key. `origins` may still frame us."""

    def __init__(self, why: Gone, origins: frozenset[str] = frozenset()) -> None:
        super().__init__(why.value)
        self.why = why
        self.origins = origins


@dataclass(frozen=True)
class DeepLinking:
    """What the LMS wants back (Deep Linking 2.0, 4.4.1); `data` goes back byte by byte."""

    return_url: str
    accept_multiple: bool
    data: str | None
    deployment_id: str
    accept_lineitem: bool = True


@dataclass(frozen=True)
class LaunchSession:
    """Who is here, proven by a launch: the argument of every service."""

    id: UUID
    platform_id: UUID
    course_id: UUID
    person_id: UUID
    role: Role
    resource_link_id: UUID | None
    content_id: UUID | None
    deep_linking: DeepLinking | None
    locale: str | None
    return_url: str | None
    in_frame: bool
    course_title: str
    link_title: str
    person_name: str | None
    issuer: str
    client_id: str
    origins: frozenset[str]
    csrf_token: str
    owner: str = ""  # of what this browser keeps; see `Secrets`
    writing_key: str = ""
    trial: bool = False  # somebody who teaches the course looks at it as a pupil does

    @property
    def actor(self) -> Actor:
        return _actor(self.role, self.platform_id, self.course_id, self.person_id)


def find_session(
    db: Session,
    session_id: UUID,
    secret: str | None,
    *,
    secrets: Secrets,
    idle: timedelta,
    life: timedelta,
) -> LaunchSession:
    """The live session, and from here on the transaction acts for its person.

    Raises:
        SessionGone: there is none, it has ended, or the cookie is not its own.
    """
    asked = {"id": session_id, "idle": idle, "life": life, "touch": TOUCH_AFTER}
    found = ask(db, _FIND, asked)
    if not found:
        raise SessionGone(Gone.EXPIRED)
    row = found[0]
    origins = frozenset({origin_of(row.issuer), origin_of(row.auth_url)})
    if not hmac.compare_digest(row.secret_hash, hashed(secret or "")):
        raise SessionGone(Gone.EXPIRED, origins)
    if row.ended or not row.alive or not row.active:
        raise SessionGone(_why(row), origins)
    became(db, _actor(Role(row.role), row.platform_id, row.course_id, row.person_id))
    if row.stale:
        with acting_as(db, LAUNCH):
            ask(db, _TOUCH, {"id": session_id})
    return _in_full(row, origins, secrets)


_ACTS_AS = "CASE s.role WHEN 'instructor' THEN 'instructor' ELSE 'learner' END"
# By hand, because every page begins with it. First the session, which makes the transaction act for
# its person; then, for its row (LATERAL, and so never before), what that person's course, activity
# and membership say of themselves. Whoever does not hold the cookie gets no further than to a
# rollback.
_FIND: LiteralString = f"""
WITH found AS MATERIALIZED (
  SELECT s.id, s.platform_id, s.course_id, s.person_id, s.resource_link_id, s.role, s.locale,
    s.return_url, s.in_frame, s.deep_linking, s.secret_hash, s.end_reason,
    s.ended_at IS NOT NULL AS ended,
    s.seen_at > now() - %(idle)s AND s.created_at > now() - %(life)s AS alive,
    s.seen_at < now() - %(touch)s AS stale,
    p.issuer, p.client_id, p.auth_url, p.state = 'active' AS active,
    {becoming(_ACTS_AS, "s.platform_id", "s.course_id", "s.person_id")}
  FROM launch_sessions s JOIN platforms p ON p.id = s.platform_id
  WHERE s.id = %(id)s
)
SELECT * FROM found LEFT JOIN LATERAL (
  SELECT c.title AS course_title, p.name, p.blocked_at IS NOT NULL AS blocked, l.content_id,
    l.title AS link_title, m.active AS still_here, m.taught_at IS NOT NULL AS has_taught
  FROM courses c JOIN persons p ON p.id = found.person_id
  LEFT JOIN memberships m ON m.course_id = c.id AND m.person_id = p.id
  LEFT JOIN resource_links l ON l.id = found.resource_link_id
  WHERE c.id = found.course_id
  OFFSET 0
) AS said ON true
"""  # noqa: S608  # put together from constants only
_TOUCH = "UPDATE launch_sessions SET seen_at = now() WHERE id = %(id)s"


def platform_origins(db: Session, session_id: UUID) -> frozenset[str]:
    """Where the platform of a session lives, alive or not; it may frame what we say about it."""
    platform = db.scalar(
        select(Platform)
        .join(LaunchSessionRow, LaunchSessionRow.platform_id == Platform.id)
        .where(LaunchSessionRow.id == session_id)
    )
    return _origins(platform) if platform else frozenset()


def _origins(platform: Platform) -> frozenset[str]:
    return frozenset({origin_of(platform.issuer), origin_of(platform.auth_url)})


def forget_old_sessions(db: Session) -> None:
    """Sessions say who was here when; two days after their longest life nobody needs that."""
    db.execute(delete(LaunchSessionRow).where(LaunchSessionRow.created_at < func.now() - KEPT_FOR))


def _in_full(row: Any, origins: frozenset[str], secrets: Secrets) -> LaunchSession:
    if row.blocked:
        raise SessionGone(Gone.BLOCKED, origins)
    if row.still_here is False:
        raise SessionGone(Gone.LEFT, origins)
    return LaunchSession(
        id=row.id,
        platform_id=row.platform_id,
        course_id=row.course_id,
        person_id=row.person_id,
        role=Role(row.role),
        resource_link_id=row.resource_link_id,
        content_id=row.content_id,
        deep_linking=_deep_linking(row.deep_linking),
        locale=row.locale,
        return_url=row.return_url,
        in_frame=row.in_frame,
        course_title=row.course_title,
        link_title=row.link_title or "",
        person_name=row.name,
        issuer=row.issuer,
        client_id=row.client_id,
        origins=origins,
        csrf_token=secrets.csrf(row.id),
        owner=secrets.owner(row.person_id),
        writing_key=secrets.writing_key(row.person_id),
        trial=bool(row.has_taught) and row.role == Role.LEARNER,
    )


def _actor(role: Role, platform_id: UUID, course_id: UUID, person_id: UUID) -> Actor:
    acts_as = ActorRole.INSTRUCTOR if role is Role.INSTRUCTOR else ActorRole.LEARNER
    return Actor(acts_as, platform_id, course_id, person_id)


def _deep_linking(stored: dict[str, Any] | None) -> DeepLinking | None:
    return DeepLinking(**stored) if stored else None


def _why(row: Any) -> Gone:
    if not row.active:
        return Gone.PAUSED
    return Gone.OTHER_PERSON if row.end_reason == SessionEnd.OTHER_PERSON else Gone.EXPIRED
