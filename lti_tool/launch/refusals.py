"""Notes of who was not let in: a code and a reference, for the admin who asks why. No person."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, func
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from lti_tool.core.statements import ask
from lti_tool.launch.models import SecurityEvent

KEPT_FOR = timedelta(days=90)
MOST_PER_MINUTE = 600  # of all processes; migration 0017 counts no further


def note_refusal(db: Session, platform_id: UUID | None, reason: str, reference: str) -> None:
    """One row per refusal, with the reference the page shows; in a flood the log alone knows the
    rest. The platform may have been removed since the login began."""
    said = {"platform": platform_id, "reason": reason, "reference": reference}
    ask(db, _NOTE, said | {"id": uuid7(), "most": MOST_PER_MINUTE})


def forget_old_refusals(db: Session) -> None:
    db.execute(delete(SecurityEvent).where(SecurityEvent.at < func.now() - KEPT_FOR))


_NOTE = """
INSERT INTO security_events (id, platform_id, reason, reference)
SELECT %(id)s, (SELECT id FROM platforms WHERE id = cast(%(platform)s AS uuid)),
  %(reason)s, %(reference)s
WHERE refused_lately() < %(most)s
"""
