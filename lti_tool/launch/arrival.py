"""What a proven launch leaves behind, in one transaction: person, course, activity, session.

Two statements, of `people.arrivals` and of `opening`, and for teachers now and then a third.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from lti_tool.launch.claims import LaunchClaims, LaunchRefused, MessageType, Reason
from lti_tool.launch.oidc import PendingLogin
from lti_tool.launch.opening import (
    Activity,
    OpenedActivity,
    Opening,
    Where,
    open_session,
)
from lti_tool.launch.session import DeepLinking
from lti_tool.people import arrivals, roster
from lti_tool.people import services as people
from lti_tool.people.arrivals import Coming, Unknown
from lti_tool.people.roles import Role

HISTORY_KEY = "context_history"  # asked for as $Context.id.history
MOST_ANCESTORS = 20
CONTENT_KEY = "task"  # our own id in the link's custom parameters; survives copies and backups


@dataclass(frozen=True)
class Arrived:
    """The new session: its id for the path, its secret for the cookie, and what decides where it
    leads. There is no activity in deep linking. `for_person`: whose work the launch wants to see,
    of nobody's id where the course has no such person."""

    session_id: UUID
    secret: str
    role: Role
    activity: OpenedActivity | None
    for_person: UUID | None


@dataclass(frozen=True)
class Goal:
    """A page below the session: its endpoint, and what else stands in its address."""

    endpoint: str
    values: Mapping[str, Any] = field(default_factory=dict)


def arrive(
    db: Session, login: PendingLogin, claims: LaunchClaims, browser: str
) -> Arrived | Reason:
    """Let a proven launch in. A Reason means: not let in, and what was noted must be committed.

    Raises:
        LaunchRefused: the login was used in the meantime, or its registration changed or paused.
    """
    if claims.deep_linking is not None and claims.role is not Role.INSTRUCTOR:
        return Reason.DEEP_LINKING_FORBIDDEN
    known = arrivals.know(db, login.registration, _coming(claims))
    if known is Unknown.REGISTRATION:
        raise LaunchRefused(Reason.STATE_UNKNOWN)
    if known is Unknown.DEPLOYMENT:
        people.note_deployment(db, login.platform_id, claims.deployment_id)
        return Reason.UNKNOWN_DEPLOYMENT
    if known.blocked:
        return Reason.PERSON_BLOCKED
    if claims.role is Role.INSTRUCTOR or not known.roster_has_turn:
        roster.refresh_at_launch(db, known.course_id, claims.role)
    where = Where(login.platform_id, known.course_id, known.person_id, known.deployment_id)
    opened = open_session(db, _opening(login, where, claims, browser))
    if opened is None:
        raise LaunchRefused(Reason.NONCE_USED)
    for_person = _for_person(db, where, claims)
    return Arrived(login.id, opened.secret, claims.role, opened.activity, for_person)


def _coming(claims: LaunchClaims) -> Coming:
    """Without a context each activity is a space of its own, never "all"."""
    context, link = claims.context, claims.resource_link
    if context is not None:
        context_id, title = context.id, context.title or context.label or ""
    else:
        context_id, title = f"link:{link.id if link else ''}", ""
    return Coming(
        deployment_id=claims.deployment_id,
        context_id=context_id,
        title=title,
        memberships_url=claims.nrps.context_memberships_url if claims.nrps else None,
        history=_history(claims),
        sub=claims.subject,
        name=claims.name,
        role=claims.role,
    )


def _opening(login: PendingLogin, where: Where, claims: LaunchClaims, browser: str) -> Opening:
    return Opening(
        id=login.id,
        where=where,
        activity=_activity(claims),
        role=claims.role,
        browser=browser,
        locale=claims.locale,
        return_url=claims.presentation.return_url,
        in_frame=claims.presentation.document_target in (None, "iframe"),
        deep_linking=_deep_linking(claims),
    )


def _history(claims: LaunchClaims) -> list[str]:
    """Ids of the courses this one was copied from, nearest first. A platform that does not know
    the variable sends its name back."""
    told = claims.custom.get(HISTORY_KEY, "")
    if told.startswith("$"):
        return []
    return [part.strip() for part in told.split(",") if part.strip()][:MOST_ANCESTORS]


def _activity(claims: LaunchClaims) -> Activity | None:
    link, ags = claims.resource_link, claims.ags
    if link is None:
        return None
    return Activity(
        link_id=link.id,
        title=link.title or "",
        named_id=_named_id(claims),
        may_unname=claims.message_type is not MessageType.SUBMISSION_REVIEW,
        lineitem_url=ags.lineitem if ags else None,
        lineitems_url=ags.lineitems if ags else None,
        ags_scopes=sorted(ags.scopes) if ags else [],
    )


def _for_person(db: Session, where: Where, claims: LaunchClaims) -> UUID | None:
    """Whose work a teacher wants to see. Somebody the course does not know becomes an id of
    nobody, so that a stranger and a pupil of another course are answered alike."""
    if claims.for_user is None or claims.role is not Role.INSTRUCTOR:
        return None
    found = people.person_in_course(db, where.platform_id, where.course_id, claims.for_user)
    return found or uuid7()


def _named_id(claims: LaunchClaims) -> UUID | None:
    try:
        return UUID(claims.custom.get(CONTENT_KEY, ""))
    except ValueError:
        return None


def _deep_linking(claims: LaunchClaims) -> DeepLinking | None:
    settings = claims.deep_linking
    if settings is None:
        return None
    return DeepLinking(
        return_url=settings.deep_link_return_url,
        accept_multiple=settings.accept_multiple,
        data=settings.data,
        deployment_id=claims.deployment_id,
        accept_lineitem=settings.accept_lineitem,
    )
