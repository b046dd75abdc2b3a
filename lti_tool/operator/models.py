"""Who may open the operator's pages: a one-time link from the command line, then a session."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import LargeBinary, func
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.core.tables import Base, Keyed


class OperatorLink(Keyed, Base):
    """A one-time address that `gustav operator link` printed. Its secret is kept hashed."""

    __tablename__ = "operator_links"

    secret_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    used_at: Mapped[datetime | None]


class OperatorSession(Keyed, Base):
    """A browser that used such a link up. A session that is over has no row."""

    __tablename__ = "operator_sessions"

    secret_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    seen_at: Mapped[datetime] = mapped_column(server_default=func.now())
