"""Columns in the LMS's gradebook and the scores on their way there."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Numeric, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from lti_tool.core.tables import Base, OfPlatform, enum_column, same_platform, within_platform
from lti_tool.submissions.models import ReleasedBy


class SyncState(StrEnum):
    PLANNED = "planned"
    POSTING = "posting"
    POSTED = "posted"
    FAILED = "failed"  # `reason` says why; the page says what to do
    OVERRIDDEN = "overridden"  # a teacher changed it in the LMS: theirs stands
    SUPERSEDED = "superseded"  # a newer version took its place before it left


OPEN = (SyncState.PLANNED, SyncState.POSTING)

MOVES: frozenset[tuple[SyncState, SyncState]] = frozenset(
    {
        (SyncState.PLANNED, SyncState.POSTING),
        (SyncState.PLANNED, SyncState.SUPERSEDED),
        (SyncState.POSTING, SyncState.PLANNED),  # another try later
        (SyncState.POSTING, SyncState.POSTED),
        (SyncState.POSTING, SyncState.FAILED),
        (SyncState.POSTING, SyncState.OVERRIDDEN),
        (SyncState.POSTING, SyncState.SUPERSEDED),
        (SyncState.FAILED, SyncState.PLANNED),  # a teacher sends it again
        (SyncState.OVERRIDDEN, SyncState.PLANNED),  # a teacher wants ours back, having read why not
        (SyncState.POSTED, SyncState.PLANNED),  # a teacher wants it in a new column
    }
)


class LineItem(OfPlatform, Base):
    """What we know of the gradebook column of one activity beyond its launches (AGS).

    `url`: looked up, or made by us. `gone_url`: a column that was there and is no more; from then
    on none is made but by a teacher's act (`renew`). `token` grows with each turn to look for the
    column and fences off a worker whose turn ran out (`looking_until`).
    """

    __tablename__ = "line_items"

    resource_link_id: Mapped[UUID]
    url: Mapped[str | None]
    gone_url: Mapped[str | None]
    renew: Mapped[bool] = mapped_column(default=False)
    looking_until: Mapped[datetime | None]
    token: Mapped[int] = mapped_column(default=0)
    found_at: Mapped[datetime] = mapped_column(server_default=func.now())

    __table_args__ = within_platform(
        UniqueConstraint("resource_link_id"), same_platform("resource_link_id", "resource_links")
    )


class GradeSync(OfPlatform, Base):
    """One version of a result on its way to the gradebook. Exists only by a teacher's act: a
    trigger compares each new row with the release it comes from, and lets that never change."""

    __tablename__ = "grade_syncs"

    course_id: Mapped[UUID]
    person_id: Mapped[UUID]
    resource_link_id: Mapped[UUID]
    submission_id: Mapped[UUID]
    feedback_id: Mapped[UUID]
    authority: Mapped[ReleasedBy] = mapped_column(enum_column(ReleasedBy))
    decided_by: Mapped[UUID | None]
    score: Mapped[Decimal] = mapped_column(Numeric(6, 2))
    score_maximum: Mapped[int]
    comment: Mapped[str]
    state: Mapped[SyncState] = mapped_column(enum_column(SyncState), default=SyncState.PLANNED)
    reason: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    planned_at: Mapped[datetime] = mapped_column(server_default=func.now())  # sending starts here
    sent_at: Mapped[datetime | None]  # the timestamp the tries carry
    restamped: Mapped[bool] = mapped_column(default=False)  # a 409 has cost the first timestamp
    posted_at: Mapped[datetime | None]
    unsure: Mapped[bool] = mapped_column(default=False)  # a try without an answer: look first
    insisted: Mapped[bool] = mapped_column(default=False)  # a teacher asked for it once more

    __table_args__ = within_platform(
        UniqueConstraint("feedback_id"),
        same_platform("course_id", "courses"),
        same_platform("person_id", "persons"),
        same_platform("resource_link_id", "resource_links"),
        same_platform("submission_id", "submissions"),
        same_platform("feedback_id", "feedbacks"),
        same_platform("decided_by", "persons", ondelete="SET NULL (decided_by)"),
        CheckConstraint("score BETWEEN 0 AND score_maximum", name="score"),
        CheckConstraint("comment <> ''", name="comment"),
        CheckConstraint("(state = 'failed') = (reason IS NOT NULL)", name="reason"),
        CheckConstraint("state <> 'posted' OR posted_at IS NOT NULL", name="posted"),
        Index("scores_of_submission", "platform_id", "submission_id"),
        Index(
            "one_open_sync_per_pupil",
            "resource_link_id",
            "person_id",
            unique=True,
            postgresql_where=text("state IN ('planned', 'posting')"),
        ),
    )
