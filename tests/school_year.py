"""The next school year: courses copied in Moodle, as the tool meets them at their first launch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from sqlalchemy import func, select
from uuid_utils.compat import uuid7

from lti_tool.content import copies
from lti_tool.content.access import task_here
from lti_tool.content.models import RegularTask, UseDecision
from lti_tool.content.service import unit_of
from lti_tool.core.db import ADMIN, Actor, ActorRole, Database
from lti_tool.launch.models import ResourceLink
from lti_tool.launch.session import LaunchSession
from lti_tool.people.models import Course, Deployment, DeploymentState, Membership
from lti_tool.people.roles import Role
from tests.school import School, launch_of


def new_course(
    database: Database,
    school: School,
    title: str = "Bio 8b im neuen Jahr",
    *,
    history: Sequence[str] = (),
    deployment: UUID | None = None,
) -> UUID:
    """A course that launched for the first time; `history`: contexts it was copied from."""
    with database.begin(_arrival(school)) as db:
        row = Course(
            id=uuid7(),
            platform_id=school.platform_id,
            deployment_id=deployment or school.deployment,
            context_id=title,
            title=title,
            history=list(history),
        )
        db.add(row)
        return row.id


def second_deployment(database: Database, school: School) -> UUID:
    with database.begin(ADMIN) as db:
        row = Deployment(
            id=uuid7(),
            platform_id=school.platform_id,
            deployment_id="8",
            state=DeploymentState.ACTIVE,
        )
        db.add(row)
        return row.id


def enrol(database: Database, school: School, course_id: UUID, person_id: UUID, role: Role) -> None:
    with database.begin(_arrival(school)) as db:
        db.add(
            Membership(
                platform_id=school.platform_id, course_id=course_id, person_id=person_id, role=role
            )
        )


def activity_in(database: Database, school: School, course_id: UUID, named: UUID) -> UUID:
    """An activity whose custom parameter names a task, at its first launch."""
    with database.begin(_arrival(school)) as db:
        row = ResourceLink(
            id=uuid7(),
            platform_id=school.platform_id,
            course_id=course_id,
            link_id=str(uuid7()),
            named_id=named,
            content_id=db.scalar(select(func.opened_in(course_id, named))),
        )
        db.add(row)
        return row.id


def at(
    database: Database,
    school: School,
    person_id: UUID,
    link_id: UUID,
    role: Role = Role.INSTRUCTOR,
) -> LaunchSession:
    """Somebody's launch of an activity."""
    with database.begin(_arrival(school)) as db:
        link = db.get_one(ResourceLink, link_id)
    launch = launch_of(school, person_id, link.course_id, role)
    return replace(launch, resource_link_id=link_id, content_id=link.content_id)


def again(database: Database, launch: LaunchSession) -> LaunchSession:
    """The same session, as its next request finds it."""
    with database.begin(Actor(ActorRole.LAUNCH, launch.platform_id)) as db:
        link = db.get_one(ResourceLink, launch.resource_link_id)
    return replace(launch, content_id=link.content_id)


def opened(database: Database, launch: LaunchSession) -> RegularTask:
    """The task that this activity opens now."""
    now = again(database, launch)
    with database.begin(now.actor) as db:
        return task_here(db, now)


def asked(database: Database, launch: LaunchSession) -> copies.Borrowed | None:
    now = again(database, launch)
    with database.begin(now.actor) as db:
        return copies.borrowed(db, now, unit_of(db, task_here(db, now)))


def shares(database: Database, launch: LaunchSession) -> UseDecision:
    now = again(database, launch)
    with database.begin(now.actor) as db:
        return copies.share(db, now, unit_of(db, task_here(db, now)))


def copies_it(database: Database, launch: LaunchSession) -> UseDecision:
    now = again(database, launch)
    with database.begin(now.actor) as db:
        return copies.copy(db, now, unit_of(db, task_here(db, now)))


def _arrival(school: School) -> Actor:
    return Actor(ActorRole.LAUNCH, school.platform_id)
