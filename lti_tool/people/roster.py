"""Who is in a course, as the LMS says (NRPS): kept so that a teacher sees who is missing.

Only informative. A role read here never lets anyone in: Moodle calls a non-editing teacher a
learner in its roster.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from lti_tool.core import jobs
from lti_tool.people import services
from lti_tool.people.models import Course, Membership
from lti_tool.people.roster_client import Member

FRESH_FOR = timedelta(minutes=10)


def refresh_if_old(db: Session, course_id: UUID) -> None:
    """Have the worker ask the LMS again, if the last answer is old and there is whom to ask."""
    old = select(Course.platform_id).where(
        Course.id == course_id,
        Course.memberships_url.is_not(None),
        func.coalesce(Course.roster_at < func.now() - FRESH_FOR, True),
    )
    platform_id = db.scalar(old)
    if platform_id is not None:
        jobs.enqueue(db, jobs.JobKind.REFRESH_ROSTER, platform_id=platform_id, subject_id=course_id)


def memberships_url(db: Session, course_id: UUID) -> str | None:
    return db.get_one(Course, course_id).memberships_url


def keep(db: Session, platform_id: UUID, course_id: UUID, members: Iterable[Member]) -> None:
    """Write the roster down. Who is no longer on it stays, inactive: their work is still there."""
    present = set()
    for member in members:
        if not member.active:
            continue
        person_id, _ = services.know_person(db, platform_id, member.user_id, member.name)
        present.add(person_id)
        new = insert(Membership).values(
            id=uuid7(),
            platform_id=platform_id,
            course_id=course_id,
            person_id=person_id,
            role=member.role,
            active=True,
        )
        db.execute(
            new.on_conflict_do_update(
                index_elements=["course_id", "person_id"], set_={"active": True}
            )
        )
    db.execute(
        update(Membership)
        .where(Membership.course_id == course_id, Membership.person_id.not_in(present))
        .values(active=False)
    )
    db.get_one(Course, course_id).roster_at = func.now()
    db.flush()
