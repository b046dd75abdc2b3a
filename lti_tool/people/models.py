"""Platforms and who they send us: deployments, courses, persons, memberships.

Identity is (platform, `sub`) and nothing else; an e-mail address is never kept.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, Text, UniqueConstraint, func
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.core.db import (
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
    roster_at: Mapped[datetime | None]

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


class Membership(OfPlatform, Base):
    """A person in a course. The role of the last launch; the roster never raises it."""

    __tablename__ = "memberships"

    course_id: Mapped[UUID]
    person_id: Mapped[UUID]
    role: Mapped[Role] = mapped_column(enum_column(Role))
    active: Mapped[bool] = mapped_column(default=True)
    launched_at: Mapped[datetime | None]

    __table_args__ = within_platform(
        UniqueConstraint("course_id", "person_id"),
        same_platform("course_id", "courses"),
        same_platform("person_id", "persons"),
    )
