"""A small school: two courses, their teachers, a pupil, and what a launch of each would say."""

from dataclasses import dataclass
from uuid import UUID

from uuid_utils.compat import uuid7

from lti_tool.core.db import ADMIN, Actor, ActorRole, Database
from lti_tool.launch.models import ResourceLink
from lti_tool.launch.session import DeepLinking, LaunchSession
from lti_tool.people.models import Course, Deployment, DeploymentState, Person, Platform
from lti_tool.people.roles import Role

RETURN_URL = "https://moodle.schule.example/mod/lti/contentitem_return.php?sesskey=abc"
CHOOSING_MANY = DeepLinking(RETURN_URL, accept_multiple=True, data=None, deployment_id="7")


@dataclass(frozen=True)
class School:
    """`bio` is Frau Curie's course, with the pupil Ada; `physics` is Herr Planck's."""

    platform_id: UUID
    issuer: str
    deployment: UUID
    bio: UUID
    physics: UUID
    curie: UUID
    planck: UUID
    ada: UUID


def found_school(database: Database, issuer: str) -> School:
    made = School(uuid7(), issuer, *(uuid7() for _ in range(6)))
    with database.begin(ADMIN) as db:
        db.add(
            Platform(
                id=made.platform_id,
                name="Schule am Park",
                issuer=issuer,
                client_id=f"client of {issuer}",
                auth_url=f"{issuer}/auth",
                token_url=f"{issuer}/token",
                jwks_url=f"{issuer}/jwks",
            )
        )
        db.flush()
        db.add(
            Deployment(
                id=made.deployment,
                platform_id=made.platform_id,
                deployment_id="7",
                state=DeploymentState.ACTIVE,
            )
        )
    with database.begin(_arrival(made)) as db:
        for course_id, title in ((made.bio, "Bio 8b"), (made.physics, "Physik 9a")):
            row = Course(id=course_id, deployment_id=made.deployment, context_id=title, title=title)
            row.platform_id = made.platform_id
            db.add(row)
        for person_id, sub in ((made.curie, "2"), (made.planck, "3"), (made.ada, "4")):
            db.add(Person(id=person_id, platform_id=made.platform_id, sub=sub))
    return made


def link(database: Database, school: School, course_id: UUID, content_id: UUID | None) -> UUID:
    """An activity in a course; returns the id of the resource link."""
    with database.begin(_arrival(school)) as db:
        row = ResourceLink(
            id=uuid7(),
            platform_id=school.platform_id,
            course_id=course_id,
            link_id=str(uuid7()),
            named_id=content_id,
            content_id=content_id,
        )
        db.add(row)
        return row.id


def launch_of(
    school: School,
    person_id: UUID,
    course_id: UUID,
    role: Role = Role.INSTRUCTOR,
    *,
    content_id: UUID | None = None,
    deep_linking: DeepLinking | None = None,
) -> LaunchSession:
    return LaunchSession(
        id=uuid7(),
        platform_id=school.platform_id,
        course_id=course_id,
        person_id=person_id,
        role=role,
        resource_link_id=None,
        content_id=content_id,
        deep_linking=deep_linking,
        locale="de",
        return_url=None,
        in_frame=True,
        course_title="Bio 8b",
        link_title="",
        person_name=None,
        issuer=school.issuer,
        client_id="client-1",
        origins=frozenset({school.issuer}),
        csrf_token="t",
    )


def _arrival(school: School) -> Actor:
    return Actor(ActorRole.LAUNCH, school.platform_id)
