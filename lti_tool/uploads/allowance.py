"""How much one pupil may send now, by what is there already and by what a teacher allows."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from lti_tool.core.errors import ToolError
from lti_tool.uploads import pages
from lti_tool.uploads.limits import HOUR, Refusal, Sent, refusal
from lti_tool.uploads.models import Upload, UploadAllowance
from lti_tool.uploads.pages import Whose

A_LESSON = timedelta(minutes=90)


class TooMuchSent(ToolError):
    """A limit stands in the way of this file; the others, and the text, are kept."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.why.value)
        self.refusal = refusal


def check_room(db: Session, whose: Whose, size: int, now: datetime) -> None:
    """Whether a file of so many bytes may come. Raises TooMuchSent."""
    there = pages.of_draft(db, whose)
    stop = refusal(
        size,
        pages=len(there),
        stored=sum(page.size for page in there),
        hour=_last_hour(db, whose),
        lifted=allowed_until(db, whose.course_id) is not None,
        now=now,
    )
    if stop is not None:
        raise TooMuchSent(stop)


def allow_more(db: Session, whose: Whose, until: datetime) -> None:
    """A teacher lets the course send as much as it likes in an hour, for a lesson."""
    found = db.scalar(select(UploadAllowance).where(UploadAllowance.course_id == whose.course_id))
    if found is None:
        found = UploadAllowance(
            id=uuid7(), platform_id=whose.platform_id, course_id=whose.course_id, until=until
        )
        db.add(found)
    found.until = until
    db.flush()


def allowed_until(db: Session, course_id: UUID) -> datetime | None:
    """Until when the course may send more; None if it may not."""
    return db.scalar(
        select(UploadAllowance.until).where(
            UploadAllowance.course_id == course_id, UploadAllowance.until > func.now()
        )
    )


def _last_hour(db: Session, whose: Whose) -> list[Sent]:
    """What this pupil sent in the last hour, refused files too: looking at them costs as much."""
    rows = db.execute(
        select(Upload.created_at, Upload.size).where(
            Upload.person_id == whose.person_id, Upload.created_at > func.now() - HOUR
        )
    )
    return [Sent(at, size) for at, size in rows]
