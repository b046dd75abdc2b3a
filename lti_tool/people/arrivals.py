"""What a proven launch says about people, written down in one statement.

By hand, because a class comes through here at the ring of a bell. Rows that already say the same
are left alone: an UPDATE that changes nothing would make all launches of a course wait in line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from lti_tool.core.statements import ask
from lti_tool.people.roles import Role


@dataclass(frozen=True)
class Registration:
    """A platform as a login and its launch have to know it."""

    platform_id: UUID
    issuer: str
    client_id: str
    auth_url: str
    token_url: str
    jwks_url: str


@dataclass(frozen=True)
class Coming:
    """Who comes in which role, from which deployment, into which course. `memberships_url`: None
    where this launch does not say; the known one stays good. `name`: None where the platform does
    not share it (any more); then it is forgotten."""

    deployment_id: str
    context_id: str
    title: str
    memberships_url: str | None
    history: Sequence[str]
    sub: str = field(repr=False)
    name: str | None = field(repr=False)
    role: Role


class Unknown(StrEnum):
    """Why nothing was written."""

    REGISTRATION = "registration"  # the platform is not active, or not as it was
    DEPLOYMENT = "deployment"  # nobody has allowed it


@dataclass(frozen=True)
class Known:
    """Our own ids of who comes where. `roster_has_turn`: the course's list of members comes by
    itself, so that a pupil's launch need not ask for it."""

    deployment_id: UUID
    course_id: UUID
    person_id: UUID
    blocked: bool
    roster_has_turn: bool


def active_registrations(db: Session, issuer: str, client_id: str | None) -> list[Registration]:
    """Those that a login may mean: one, or of an issuer that is registered twice two."""
    rows = ask(db, _ACTIVE, {"issuer": issuer, "client": client_id})
    return [Registration(*row) for row in rows]


def registered_addresses(db: Session, issuer: str, client_id: str | None) -> list[str]:
    """Where the platforms live that a login may mean, in whatever state they are."""
    rows = ask(db, _REGISTERED, {"issuer": issuer, "client": client_id})
    return [address for row in rows for address in row]


def know(db: Session, registration: Registration, coming: Coming) -> Known | Unknown:
    """Write down what is new about the course, the person, and the person in the course. Of
    somebody blocked it is only the name."""
    (row,) = ask(
        db,
        _KNOW,
        {
            "platform": registration.platform_id,
            "issuer": registration.issuer,
            "client": registration.client_id,
            "auth_url": registration.auth_url,
            "token_url": registration.token_url,
            "jwks_url": registration.jwks_url,
            "deployment": coming.deployment_id,
            "context": coming.context_id,
            "title": coming.title,
            "memberships_url": coming.memberships_url,
            "history": list(coming.history),
            "sub": coming.sub,
            "name": coming.name,
            "role": coming.role.value,
            "new_course": uuid7(),
            "new_person": uuid7(),
            "new_membership": uuid7(),
        },
    )
    if not row.registered:
        return Unknown.REGISTRATION
    if row.deployment is None:
        return Unknown.DEPLOYMENT
    return Known(row.deployment, row.course, row.person, row.blocked, row.roster_has_turn)


_ACTIVE = """
SELECT id, issuer, client_id, auth_url, token_url, jwks_url FROM platforms
WHERE issuer = %(issuer)s AND client_id = coalesce(cast(%(client)s AS text), client_id)
  AND state = 'active'
LIMIT 2
"""

_REGISTERED = """
SELECT issuer, auth_url FROM platforms
WHERE issuer = %(issuer)s AND client_id = coalesce(cast(%(client)s AS text), client_id)
"""

_KNOW = """
WITH platform AS (
  SELECT id FROM platforms
  WHERE id = %(platform)s AND state = 'active'
    AND (issuer, client_id, auth_url, token_url, jwks_url)
      = (%(issuer)s, %(client)s, %(auth_url)s, %(token_url)s, %(jwks_url)s)
),
deployment AS (
  SELECT d.id FROM deployments d JOIN platform ON platform.id = d.platform_id
  WHERE d.deployment_id = %(deployment)s AND d.state = 'active'
),
known_course AS (
  SELECT c.id FROM courses c JOIN deployment ON deployment.id = c.deployment_id
  WHERE c.platform_id = %(platform)s AND c.context_id = %(context)s AND c.title = %(title)s
    AND c.memberships_url IS NOT DISTINCT FROM
        coalesce(cast(%(memberships_url)s AS text), c.memberships_url)
    AND (cardinality(c.history) > 0 OR cardinality(cast(%(history)s AS text[])) = 0)
),
new_course AS (
  INSERT INTO courses (id, platform_id, deployment_id, context_id, title, memberships_url, history)
  SELECT %(new_course)s, %(platform)s, id, %(context)s, %(title)s, %(memberships_url)s,
    cast(%(history)s AS text[])
  FROM deployment
  WHERE NOT EXISTS (SELECT FROM known_course)
  ON CONFLICT (platform_id, deployment_id, context_id) DO UPDATE
  SET title = excluded.title,
      memberships_url = coalesce(excluded.memberships_url, courses.memberships_url),
      -- Known from the first launch that tells it; where a course comes from does not change.
      history = CASE cardinality(courses.history) WHEN 0 THEN excluded.history
                                                  ELSE courses.history END
  RETURNING id
),
course AS (SELECT id FROM known_course UNION ALL SELECT id FROM new_course),
known_person AS (
  SELECT p.id, p.blocked_at FROM persons p JOIN deployment ON true
  WHERE p.platform_id = %(platform)s AND p.sub = %(sub)s
    AND p.name IS NOT DISTINCT FROM cast(%(name)s AS text)
),
new_person AS (
  INSERT INTO persons (id, platform_id, sub, name)
  SELECT %(new_person)s, %(platform)s, %(sub)s, %(name)s FROM deployment
  WHERE NOT EXISTS (SELECT FROM known_person)
  ON CONFLICT (platform_id, sub) DO UPDATE SET name = excluded.name
  RETURNING id, blocked_at
),
person AS (SELECT * FROM known_person UNION ALL SELECT * FROM new_person),
membership AS (
  INSERT INTO memberships AS m
    (id, platform_id, course_id, person_id, role, active, launched_at, taught_at)
  SELECT %(new_membership)s, %(platform)s, course.id, person.id, cast(%(role)s AS text), true,
    now(), CASE cast(%(role)s AS text) WHEN 'instructor' THEN now() END
  FROM course, person WHERE person.blocked_at IS NULL
  ON CONFLICT (course_id, person_id) DO UPDATE
  SET role = excluded.role, active = true, launched_at = excluded.launched_at,
      taught_at = coalesce(excluded.taught_at, m.taught_at)
)
SELECT EXISTS (SELECT FROM platform) AS registered,
  (SELECT id FROM deployment) AS deployment,
  (SELECT id FROM course) AS course,
  (SELECT id FROM person) AS person,
  (SELECT blocked_at IS NOT NULL FROM person) AS blocked,
  EXISTS (SELECT FROM rosters r JOIN course ON course.id = r.course_id
          WHERE r.due_at IS NOT NULL) AS roster_has_turn
"""
