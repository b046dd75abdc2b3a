"""What a proven launch leaves behind, in one transaction: person, course, activity, session."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from lti_tool.launch.claims import LaunchClaims, MessageType, Reason
from lti_tool.launch.models import ResourceLink, SecurityEvent
from lti_tool.launch.oidc import PendingLogin, use_login
from lti_tool.launch.session import DeepLinking, Opening, Where, open_session
from lti_tool.people import roster
from lti_tool.people import services as people
from lti_tool.people.models import Deployment, DeploymentState
from lti_tool.people.roles import Role

HISTORY_KEY = "context_history"  # asked for as $Context.id.history
MOST_ANCESTORS = 20
CONTENT_KEY = "task"  # our own id in the link's custom parameters; survives copies and backups


@dataclass(frozen=True)
class Arrived:
    """The new session: its id for the path, its secret for the cookie. `for_person`: whose work
    the launch wants to see, of nobody's id where the course has no such person."""

    session_id: UUID
    secret: str
    for_person: UUID | None = None


def arrive(
    db: Session, login: PendingLogin, claims: LaunchClaims, browser: str
) -> Arrived | Reason:
    """Let a proven launch in. A Reason means: not let in, and what was noted must be committed.

    Raises:
        LaunchRefused: the login was used in the meantime.
    """
    use_login(db, login)
    deployment = db.scalar(
        select(Deployment.id).where(
            Deployment.platform_id == login.platform_id,
            Deployment.deployment_id == claims.deployment_id,
            Deployment.state == DeploymentState.ACTIVE,
        )
    )
    if deployment is None:
        people.note_deployment(db, login.platform_id, claims.deployment_id)
        return Reason.UNKNOWN_DEPLOYMENT
    if claims.deep_linking is not None and claims.role is not Role.INSTRUCTOR:
        return Reason.DEEP_LINKING_FORBIDDEN
    course_id = _course(db, login, claims, deployment)
    person_id, blocked = people.know_person(db, login.platform_id, claims.subject, claims.name)
    if blocked:
        return Reason.PERSON_BLOCKED
    people.know_membership(db, login.platform_id, course_id, person_id, claims.role)
    roster.refresh_at_launch(db, course_id, claims.role)
    link_id = _resource_link(db, login, claims, course_id)
    where = Where(login.platform_id, course_id, person_id, link_id, deployment)
    session_id, secret = open_session(db, _opening(where, claims, browser))
    return Arrived(session_id, secret, _for_person(db, login, claims, course_id))


def _opening(where: Where, claims: LaunchClaims, browser: str) -> Opening:
    return Opening(
        where=where,
        role=claims.role,
        browser=browser,
        locale=claims.locale,
        return_url=claims.presentation.return_url,
        in_frame=claims.presentation.document_target in (None, "iframe"),
        deep_linking=_deep_linking(claims),
    )


def note_refusal(db: Session, platform_id: UUID | None, reason: str, reference: str) -> None:
    """One row per refusal, for the admin: a code and the reference the page shows, no person."""
    db.execute(
        insert(SecurityEvent).values(
            id=uuid7(), platform_id=platform_id, reason=reason, reference=reference
        )
    )


def _course(db: Session, login: PendingLogin, claims: LaunchClaims, deployment: UUID) -> UUID:
    """The launch's course. Without a context each activity is a space of its own, never "all"."""
    context, link = claims.context, claims.resource_link
    if context is not None:
        context_id, title = context.id, context.title or context.label or ""
    else:
        context_id, title = f"link:{link.id if link else ''}", ""
    return people.know_course(
        db,
        login.platform_id,
        deployment,
        context_id=context_id,
        title=title,
        memberships_url=claims.nrps.context_memberships_url if claims.nrps else None,
        history=_history(claims),
    )


def _history(claims: LaunchClaims) -> list[str]:
    """Ids of the courses this one was copied from, nearest first. A platform that does not know
    the variable sends its name back."""
    told = claims.custom.get(HISTORY_KEY, "")
    if told.startswith("$"):
        return []
    return [part.strip() for part in told.split(",") if part.strip()][:MOST_ANCESTORS]


def _resource_link(
    db: Session, login: PendingLogin, claims: LaunchClaims, course_id: UUID
) -> UUID | None:
    link, ags = claims.resource_link, claims.ags
    if link is None:
        return None
    named_id = _named_id(claims)
    new = insert(ResourceLink).values(
        id=uuid7(),
        platform_id=login.platform_id,
        course_id=course_id,
        link_id=link.id,
        title=link.title or "",
        named_id=named_id,
        content_id=func.opened_in(course_id, named_id),
        lineitem_url=ags.lineitem if ags else None,
        lineitems_url=ags.lineitems if ags else None,
        ags_scopes=sorted(ags.scopes) if ags else [],
    )
    latest = new.excluded
    named_now: ColumnElement[UUID | None] = latest.named_id
    if claims.message_type is MessageType.SUBMISSION_REVIEW:
        # It may come with other custom parameters than the activity's own (Submission Review 1.0,
        # §3.3); it never takes the task out of the activity.
        named_now = func.coalesce(latest.named_id, ResourceLink.named_id)
    same_name = ResourceLink.named_id.is_not_distinct_from(named_now)
    statement = new.on_conflict_do_update(
        index_elements=["course_id", "link_id"],
        set_={
            "title": latest.title,
            "named_id": named_now,
            # What a name opens is settled when it first comes; then only a teacher changes it.
            "content_id": case((same_name, ResourceLink.content_id), else_=latest.content_id),
            # Moodle leaves `lineitem` out once a second one hangs on the link.
            "lineitem_url": func.coalesce(latest.lineitem_url, ResourceLink.lineitem_url),
            "lineitems_url": func.coalesce(latest.lineitems_url, ResourceLink.lineitems_url),
            "ags_scopes": latest.ags_scopes,
        },
    )
    return db.execute(statement.returning(ResourceLink.id)).scalar_one()


def _for_person(
    db: Session, login: PendingLogin, claims: LaunchClaims, course_id: UUID
) -> UUID | None:
    """Whose work a teacher wants to see. Somebody the course does not know becomes an id of
    nobody, so that a stranger and a pupil of another course are answered alike."""
    if claims.for_user is None or claims.role is not Role.INSTRUCTOR:
        return None
    found = people.person_in_course(db, login.platform_id, course_id, claims.for_user)
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
