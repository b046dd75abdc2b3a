"""What connecting a platform leaves behind: invitations, and changes that wait for a human."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, func
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.core.tables import Base, Keyed, OfPlatform, within_platform


class Invitation(Keyed, Base):
    """A one-time address with which one school may connect its platform; its secret is kept
    hashed. `platform_id`: a known platform that is to be connected anew; after use, the one that
    was connected. Used ones stay: our key set has its address from them."""

    __tablename__ = "invitations"

    secret_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    school: Mapped[str]
    host: Mapped[str | None]  # host[:port] the platform must have, if the operator named one
    share_names: Mapped[bool]  # whether the school wants names in the tool
    platform_id: Mapped[UUID | None] = mapped_column(ForeignKey("platforms.id", ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime]
    claimed_at: Mapped[datetime | None]  # a registration is under way
    used_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]

    __table_args__ = (CheckConstraint("school <> ''", name="school"),)


class RegistrationChange(OfPlatform, Base):
    """A platform registered anew and now says this of itself. Nothing of it counts before a human
    has compared host and client_id and activated it; our keys for the platform stay the same."""

    __tablename__ = "registration_changes"

    client_id: Mapped[str]
    deployment_id: Mapped[str | None]
    auth_url: Mapped[str]
    token_url: Mapped[str]
    jwks_url: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    decided_at: Mapped[datetime | None]
    activated: Mapped[bool | None]  # None: still waits

    __table_args__ = within_platform(
        CheckConstraint("(decided_at IS NULL) = (activated IS NULL)", name="decided"),
        Index(
            "ix_registration_changes_waiting", "platform_id", postgresql_where="activated IS NULL"
        ),
    )
