"""What a launch leaves behind: the activity, the session, what was refused."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, Text, UniqueConstraint, func
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
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


class SessionEnd(StrEnum):
    """Why a session ended before its time."""

    OTHER_PERSON = "other_person"  # somebody else launched in this browser
    ROLE_CHANGED = "role_changed"
    CLOSED = "closed"


class ResourceLink(OfPlatform, Base):
    """An activity in a course. `named_id` is our own id that the LMS carries in `custom`, in copies
    too; `content_id` is what it opens in this course: the same, or the course's own copy of it.
    This floor does not know what they name. The AGS addresses are those of the last launch that
    had them, because Moodle leaves `lineitem` out once a second one exists."""

    __tablename__ = "resource_links"

    course_id: Mapped[UUID]
    link_id: Mapped[str]
    title: Mapped[str] = mapped_column(default="")
    named_id: Mapped[UUID | None]
    content_id: Mapped[UUID | None]
    lineitem_url: Mapped[str | None]
    lineitems_url: Mapped[str | None]
    ags_scopes: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)

    __table_args__ = within_platform(
        UniqueConstraint("course_id", "link_id"),
        same_platform("course_id", "courses"),
        Index("ix_resource_links_content", "content_id"),
    )


class LaunchSessionRow(OfPlatform, Base):
    """One launch, one session: who, in which role, where. The cookie's secret is kept hashed. The
    key is that of the login, so that no login makes two."""

    __tablename__ = "launch_sessions"

    secret_hash: Mapped[bytes] = mapped_column(LargeBinary)
    browser_hash: Mapped[bytes] = mapped_column(LargeBinary)
    course_id: Mapped[UUID]
    person_id: Mapped[UUID]
    resource_link_id: Mapped[UUID | None]  # none in deep linking
    deployment_id: Mapped[UUID]
    role: Mapped[Role] = mapped_column(enum_column(Role))
    locale: Mapped[str | None]
    return_url: Mapped[str | None]
    in_frame: Mapped[bool] = mapped_column(default=True)
    deep_linking: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    seen_at: Mapped[datetime] = mapped_column(server_default=func.now())
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[SessionEnd | None] = mapped_column(enum_column(SessionEnd))

    __table_args__ = within_platform(
        same_platform("course_id", "courses"),
        same_platform("person_id", "persons"),
        same_platform("resource_link_id", "resource_links"),
        same_platform("deployment_id", "deployments"),
        Index("ix_launch_sessions_browser", "browser_hash"),
        Index("ix_launch_sessions_person", "person_id", "course_id"),
    )


class SecurityEvent(Keyed, Base):
    """A refusal: reason code, platform if known, the reference shown on the page. No person."""

    __tablename__ = "security_events"

    platform_id: Mapped[UUID | None] = mapped_column(ForeignKey("platforms.id", ondelete="CASCADE"))
    reason: Mapped[str]
    reference: Mapped[str]
    at: Mapped[datetime] = mapped_column(server_default=func.now())

    __table_args__ = (
        Index("ix_security_events_platform_id_at", "platform_id", "at"),
        Index("ix_security_events_at", "at"),
    )
