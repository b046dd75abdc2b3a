"""Platforms and who they send us: deployments, courses, persons, memberships.

Identity is (platform, `sub`) and nothing else; an e-mail address is never kept.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, FetchedValue, Index, Text, UniqueConstraint, func
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.core.tables import (
    Base,
    Keyed,
    OfPlatform,
    enum_column,
    same_platform,
    within_platform,
)
from lti_tool.people.roles import Role


class PlatformState(StrEnum):
    ACTIVE = "active"
    PAUSED = "paused"
    WAITING = "waiting"  # connected, not yet activated by the operator


class DeploymentState(StrEnum):
    ACTIVE = "active"
    WAITING = "waiting"  # met in a launch, not yet allowed by an admin


class Platform(Keyed, Base):
    """One registration of ours at an LMS: LTI issuer + client_id."""

    __tablename__ = "platforms"

    name: Mapped[str]
    issuer: Mapped[str]
    client_id: Mapped[str] = mapped_column(unique=True)
    auth_url: Mapped[str]
    token_url: Mapped[str]
    jwks_url: Mapped[str]
    state: Mapped[PlatformState] = mapped_column(
        enum_column(PlatformState), default=PlatformState.ACTIVE
    )
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class PlatformKey(OfPlatform, Base):
    """Our key pair for one platform only, so that no platform can use it against another."""

    __tablename__ = "platform_keys"

    kid: Mapped[str] = mapped_column(unique=True)
    private_pem: Mapped[str]  # PKCS #8, encrypted with the tool's secret key
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    retired_at: Mapped[datetime | None]  # in the key set until then; none: the one that signs


class Deployment(OfPlatform, Base):
    """Where the LMS put the tool; launches of one that is not active are refused."""

    __tablename__ = "deployments"

    deployment_id: Mapped[str]
    state: Mapped[DeploymentState] = mapped_column(enum_column(DeploymentState))
    seen_at: Mapped[datetime] = mapped_column(server_default=func.now())

    __table_args__ = within_platform(UniqueConstraint("platform_id", "deployment_id"))


class Course(OfPlatform, Base):
    """An LTI context of one deployment. A launch without a context gets a space of its own."""

    __tablename__ = "courses"

    deployment_id: Mapped[UUID]
    context_id: Mapped[str]
    title: Mapped[str] = mapped_column(default="")
    history: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)  # context ids it was
    # copied from, nearest first, where the platform says so ($Context.id.history)
    memberships_url: Mapped[str | None]

    __table_args__ = within_platform(
        UniqueConstraint("platform_id", "deployment_id", "context_id"),
        same_platform("deployment_id", "deployments"),
    )


class Person(OfPlatform, Base):
    """A pupil or teacher, as the platform names them. `name` only where the platform shares it."""

    __tablename__ = "persons"

    sub: Mapped[str]
    name: Mapped[str | None]
    blocked_at: Mapped[datetime | None]

    __table_args__ = within_platform(
        UniqueConstraint("platform_id", "sub"),
        CheckConstraint("length(sub) BETWEEN 1 AND 255", name="sub_length"),
    )


class RosterFailure(StrEnum):
    """Why there is no new list of members; each has its sentence on the teacher's page."""

    NOT_ALLOWED = "not_allowed"  # the service is not switched on for this tool
    NOT_RECOGNISED = "not_recognised"  # client id, key or clock
    GONE = "gone"  # no such course or no such service
    REFUSED = "refused"  # any other no
    ADDRESS = "address"  # the list lies somewhere we do not go
    TOO_MANY = "too_many"
    UNREACHABLE = "unreachable"
    UNREADABLE = "unreadable"
    DOUBTFUL = "doubtful"  # suddenly so few that a fault is likelier than a farewell
    UNFORESEEN = "unforeseen"


class Roster(OfPlatform, Base):
    """How the list of a course's members came last, and when it is due again. Moments and codes
    only, so that the worker may look over all platforms for what is due."""

    __tablename__ = "rosters"

    course_id: Mapped[UUID]
    asked_at: Mapped[datetime | None]
    kept_at: Mapped[datetime | None]  # when the list was last taken over, or found unchanged
    due_at: Mapped[datetime | None]  # none: nobody has come here for long
    failure: Mapped[RosterFailure | None] = mapped_column(enum_column(RosterFailure))
    failures: Mapped[int] = mapped_column(default=0)  # in a row
    doubted_since: Mapped[datetime | None]
    etag: Mapped[str | None]
    last_modified: Mapped[str | None]
    digest: Mapped[str | None]  # who was in the course once the list with this etag was kept

    __table_args__ = within_platform(
        UniqueConstraint("course_id"),
        same_platform("course_id", "courses"),
        CheckConstraint("failures >= 0", name="failures"),
        Index("ix_rosters_due", "due_at"),
    )


class Membership(OfPlatform, Base):
    """A person in a course. The role of the last launch; the roster gives one only to those who
    never launched. Inactive: has left, and all there is of them stays.

    `number` is given once by the database and names those whose name the platform keeps back.
    `taught_at`: the last launch as a teacher. Whoever has taught here is no pupil of the course any
    more, even if they look at it as one ("switch role to" in Moodle): what they hand in is a trial
    run.
    """

    __tablename__ = "memberships"

    course_id: Mapped[UUID]
    person_id: Mapped[UUID]
    role: Mapped[Role] = mapped_column(enum_column(Role))
    active: Mapped[bool] = mapped_column(default=True)
    launched_at: Mapped[datetime | None]
    taught_at: Mapped[datetime | None]
    number: Mapped[int] = mapped_column(server_default=FetchedValue())

    __table_args__ = within_platform(
        UniqueConstraint("course_id", "person_id"),
        UniqueConstraint("course_id", "number"),
        same_platform("course_id", "courses"),
        same_platform("person_id", "persons"),
    )
