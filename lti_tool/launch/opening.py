"""Opening the session of a launch, and ending those that it puts an end to.

One statement by hand, as in `people.arrivals`, and for the same reason.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from uuid import UUID

from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from lti_tool.core.statements import ask
from lti_tool.launch.secrets import hashed, new_secret
from lti_tool.launch.session import DeepLinking
from lti_tool.people.roles import Role


@dataclass(frozen=True)
class Where:
    """Our own ids of what a launch came for."""

    platform_id: UUID
    course_id: UUID
    person_id: UUID
    deployment_id: UUID


@dataclass(frozen=True)
class Activity:
    """What the launch says of the activity. Addresses it leaves out stay as they are known: Moodle
    leaves `lineitem` out once a second one hangs on the link. A review may come with other custom
    parameters than the activity's own (Submission Review 1.0, §3.3); then it may not take the name
    of the task out of the activity."""

    link_id: str
    title: str
    named_id: UUID | None
    may_unname: bool
    lineitem_url: str | None
    lineitems_url: str | None
    ags_scopes: Sequence[str]


@dataclass(frozen=True)
class Opening:
    """Everything a new session is made of. Its `id` is that of the login, so that no login makes
    two sessions; without `activity` it is for deep linking."""

    id: UUID
    where: Where
    activity: Activity | None
    role: Role
    browser: str
    locale: str | None
    return_url: str | None
    in_frame: bool
    deep_linking: DeepLinking | None


@dataclass(frozen=True)
class OpenedActivity:
    """Our ids of the activity, and of what it opens in its course."""

    id: UUID
    content_id: UUID | None


@dataclass(frozen=True)
class Opened:
    """The secret for the new session's cookie, and its activity."""

    secret: str
    activity: OpenedActivity | None


def open_session(db: Session, opening: Opening) -> Opened | None:
    """The session, once: None if this login has made one already.

    Sessions of another person in this browser end, and so do this person's sessions in the course
    that were opened in another role.
    """
    secret = new_secret()
    (row,) = ask(db, _OPEN, _values(opening, secret))
    if not row.opened:
        return None
    return Opened(secret, OpenedActivity(row.link, row.content) if row.link else None)


def _values(opening: Opening, secret: str) -> dict[str, object]:
    activity, where = opening.activity, opening.where
    deep_linking = json.dumps(asdict(opening.deep_linking)) if opening.deep_linking else None
    return {
        "id": opening.id,
        "platform": where.platform_id,
        "course": where.course_id,
        "person": where.person_id,
        "deployment": where.deployment_id,
        "secret": hashed(secret),
        "browser": hashed(opening.browser),
        "role": opening.role.value,
        "locale": opening.locale,
        "return_url": opening.return_url,
        "in_frame": opening.in_frame,
        "deep_linking": deep_linking,
        "new_link": uuid7(),
        "link": activity.link_id if activity else None,
        "title": activity.title if activity else "",
        "named": activity.named_id if activity else None,
        "may_unname": activity.may_unname if activity else False,
        "lineitem": activity.lineitem_url if activity else None,
        "lineitems": activity.lineitems_url if activity else None,
        "scopes": list(activity.ags_scopes) if activity else [],
    }


_OPEN = """
WITH known_link AS (
  SELECT l.id, l.content_id FROM resource_links l
  WHERE l.course_id = %(course)s AND l.link_id = cast(%(link)s AS text) AND l.title = %(title)s
    AND (l.named_id IS NOT DISTINCT FROM cast(%(named)s AS uuid)
         OR (cast(%(named)s AS uuid) IS NULL AND NOT %(may_unname)s))
    AND l.lineitem_url IS NOT DISTINCT FROM coalesce(cast(%(lineitem)s AS text), l.lineitem_url)
    AND l.lineitems_url IS NOT DISTINCT FROM coalesce(cast(%(lineitems)s AS text), l.lineitems_url)
    AND l.ags_scopes = cast(%(scopes)s AS text[])
),
new_link AS (
  INSERT INTO resource_links AS l (id, platform_id, course_id, link_id, title, named_id,
    content_id, lineitem_url, lineitems_url, ags_scopes)
  SELECT %(new_link)s, %(platform)s, %(course)s, cast(%(link)s AS text), %(title)s,
    cast(%(named)s AS uuid), opened_in(%(course)s, cast(%(named)s AS uuid)),
    cast(%(lineitem)s AS text), cast(%(lineitems)s AS text), cast(%(scopes)s AS text[])
  WHERE cast(%(link)s AS text) IS NOT NULL AND NOT EXISTS (SELECT FROM known_link)
  ON CONFLICT (course_id, link_id) DO UPDATE
  SET title = excluded.title,
    named_id = CASE WHEN %(may_unname)s THEN excluded.named_id
                    ELSE coalesce(excluded.named_id, l.named_id) END,
    -- What a name opens is settled when it first comes; then only a teacher changes it.
    content_id = CASE WHEN excluded.named_id IS NOT DISTINCT FROM l.named_id
                        OR (excluded.named_id IS NULL AND NOT %(may_unname)s)
                      THEN l.content_id ELSE excluded.content_id END,
    lineitem_url = coalesce(excluded.lineitem_url, l.lineitem_url),
    lineitems_url = coalesce(excluded.lineitems_url, l.lineitems_url),
    ags_scopes = excluded.ags_scopes
  RETURNING l.id, l.content_id
),
link AS (SELECT * FROM known_link UNION ALL SELECT * FROM new_link),
of_others AS (
  UPDATE launch_sessions SET ended_at = now(), end_reason = 'other_person'
  WHERE browser_hash = %(browser)s AND person_id <> %(person)s AND ended_at IS NULL
),
in_another_role AS (
  UPDATE launch_sessions SET ended_at = now(), end_reason = 'role_changed'
  WHERE person_id = %(person)s AND course_id = %(course)s AND role <> %(role)s AND ended_at IS NULL
),
opened AS (
  INSERT INTO launch_sessions (id, platform_id, course_id, person_id, deployment_id,
    resource_link_id, secret_hash, browser_hash, role, locale, return_url, in_frame, deep_linking)
  SELECT %(id)s, %(platform)s, %(course)s, %(person)s, %(deployment)s, (SELECT id FROM link),
    %(secret)s, %(browser)s, %(role)s, cast(%(locale)s AS text), cast(%(return_url)s AS text),
    %(in_frame)s, cast(%(deep_linking)s AS jsonb)
  ON CONFLICT (id) DO NOTHING
  RETURNING id
)
SELECT EXISTS (SELECT FROM opened) AS opened, (SELECT id FROM link) AS link,
  (SELECT content_id FROM link) AS content
"""
