"""Until when an activity takes answers, by the server's clock: for the course, or for one pupil."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from lti_tool.launch.session import LaunchSession
from lti_tool.submissions.models import Deadline
from lti_tool.uploads.pages import Whose

GRACE = timedelta(seconds=60)  # said on the page; for slow networks and clocks that differ


def is_over(until: datetime | None, began: datetime) -> bool:
    """Whether a request that began then comes too late."""
    return until is not None and began > until + GRACE


def closed_at(db: Session, whose: Whose, began: datetime) -> datetime | None:
    """The deadline, if a request of this pupil that began then comes too late; else None."""
    until = db.scalar(
        select(Deadline.until)
        .where(
            Deadline.resource_link_id == whose.resource_link_id,
            or_(Deadline.person_id == whose.person_id, Deadline.person_id.is_(None)),
        )
        .order_by(Deadline.person_id.nulls_last())
        .limit(1)
    )
    return until if is_over(until, began) else None


def of_activity(db: Session, launch: LaunchSession) -> Sequence[Deadline]:
    """That of the course, and those of single pupils; the course's first."""
    return db.scalars(
        select(Deadline)
        .where(Deadline.resource_link_id == launch.resource_link_id)
        .order_by(Deadline.person_id.nulls_first())
    ).all()


def set_deadline(
    db: Session, launch: LaunchSession, until: datetime | None, person_id: UUID | None = None
) -> None:
    """From now on this is the time; None: there is no such deadline any more."""
    db.execute(
        delete(Deadline).where(
            Deadline.resource_link_id == launch.resource_link_id,
            Deadline.person_id.is_not_distinct_from(person_id),
        )
    )
    if until is None:
        return
    db.add(
        Deadline(
            id=uuid7(),
            platform_id=launch.platform_id,
            course_id=launch.course_id,
            resource_link_id=launch.resource_link_id,
            person_id=person_id,
            until=until,
        )
    )
    db.flush()
