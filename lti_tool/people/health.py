"""How we get on with a platform behind the browser's back: the last token, the last key set.

Written beside the work and never in its way: what came of an errand is noted in a short transaction
of its own, the same outcome at most once a minute, and nobody fails or waits because of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from threading import Lock
from uuid import UUID

import structlog
from sqlalchemy import CheckConstraint, Text, UniqueConstraint, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Mapped, Session, mapped_column
from uuid_utils.compat import uuid7

from lti_tool.core.clock import Clock
from lti_tool.core.db import Begin, service_of
from lti_tool.core.tables import Base, OfPlatform, enum_column, within_platform

log = structlog.get_logger(__name__)

AGAIN_AFTER = timedelta(minutes=1)
_HURRY = text("SET LOCAL lock_timeout = '500ms'")


class Errand(StrEnum):
    """What we ask a platform for by ourselves."""

    TOKEN = "token"  # noqa: S105  # the name of an errand
    KEYS = "keys"


class PlatformHealth(OfPlatform, Base):
    """What came of an errand when it was last run. Both moments stay, so that one sees whether it
    has worked before. `unusable`: why keys in the platform's key set may not verify a launch."""

    __tablename__ = "platform_health"

    errand: Mapped[Errand] = mapped_column(enum_column(Errand))
    succeeded_at: Mapped[datetime | None]
    failed_at: Mapped[datetime | None]
    error: Mapped[str | None]  # code of the last failure
    unusable: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)

    __table_args__ = within_platform(
        UniqueConstraint("platform_id", "errand"),
        CheckConstraint("(failed_at IS NULL) = (error IS NULL)", name="error"),
    )


class HealthBook:
    """One per process, thread-safe: what tokens and key sets report to."""

    def __init__(self, begin: Begin, clock: Clock) -> None:
        self._begin = begin
        self._clock = clock
        self._lock = Lock()
        self._noted: dict[tuple[UUID, Errand], tuple[object, datetime]] = {}

    def token(self, platform_id: UUID, error: str | None) -> None:
        """A token was asked for; `error` is None if there is one now."""
        self._note(platform_id, Errand.TOKEN, error, ())

    def keys(self, platform_id: UUID, error: str | None, unusable: Sequence[str]) -> None:
        """The key set was asked for; `error` is None if it came."""
        self._note(platform_id, Errand.KEYS, error, unusable)

    def _note(
        self, platform_id: UUID, errand: Errand, error: str | None, unusable: Sequence[str]
    ) -> None:
        if self._is_known(platform_id, errand, (error, tuple(unusable))):
            return
        try:
            with self._begin(service_of(platform_id)) as db:
                db.execute(_HURRY)
                note(db, platform_id, errand, error, unusable)
        except SQLAlchemyError as problem:
            code = getattr(getattr(problem, "orig", None), "sqlstate", type(problem).__name__)
            log.warning("health not noted", platform=platform_id, code=code)

    def _is_known(self, platform_id: UUID, errand: Errand, outcome: object) -> bool:
        now = self._clock()
        with self._lock:
            before, at = self._noted.get((platform_id, errand), (None, now))
            if before == outcome and timedelta() <= now - at < AGAIN_AFTER:
                return True
            self._noted[platform_id, errand] = (outcome, now)
        return False


def note(
    db: Session, platform_id: UUID, errand: Errand, error: str | None, unusable: Sequence[str]
) -> None:
    """Write down what came of one errand; what is known of its opposite stays."""
    outcome: dict[str, object] = (
        {"succeeded_at": func.now(), "unusable": sorted(set(unusable))}
        if error is None
        else {"failed_at": func.now(), "error": error}
    )
    new = insert(PlatformHealth).values(
        {"id": uuid7(), "platform_id": platform_id, "errand": errand, "unusable": []} | outcome
    )
    db.execute(new.on_conflict_do_update(index_elements=["platform_id", "errand"], set_=outcome))


def health_of(db: Session, platform_id: UUID) -> dict[Errand, PlatformHealth]:
    """What is known of each errand that was ever run."""
    rows = db.scalars(select(PlatformHealth).where(PlatformHealth.platform_id == platform_id))
    return {row.errand: row for row in rows}
