"""Drafts, submissions, feedback. What a pupil handed in is never changed; feedback is versioned."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, Text, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from feedback_engine.contract import VerdictStatus
from lti_tool.core.tables import Base, OfPlatform, enum_column, same_platform, within_platform
from lti_tool.submissions.states import State

ANSWER_LIMIT = 20_000  # characters; about eight pages
# Why a teacher has to take over although there is nothing wrong with the answer.
TECHNICAL = frozenset(
    {"engine_failed", "engine_unavailable", "pages_unread", "page_lost", "unreadable_output"}
)


class Author(StrEnum):
    """Who wrote a feedback; always shown."""

    AI = "ai"
    AI_EDITED = "ai_edited"
    TEACHER = "teacher"


class ReleasedBy(StrEnum):
    """The teacher's act that let feedback out: the rule on the task, or a confirmation."""

    TASK_RULE = "task_rule"
    TEACHER = "teacher"


class Draft(OfPlatform, Base):
    """What a pupil is typing, one per activity. `version` grows with each save; `client_key` is the
    page that saved last, and `turn` how many times it had."""

    __tablename__ = "drafts"

    course_id: Mapped[UUID]
    resource_link_id: Mapped[UUID]
    person_id: Mapped[UUID]
    text: Mapped[str]
    version: Mapped[int] = mapped_column(BigInteger, default=1)
    client_key: Mapped[UUID | None]
    turn: Mapped[int] = mapped_column(default=0, server_default="0")
    saved_at: Mapped[datetime] = mapped_column(server_default=func.now())

    __table_args__ = within_platform(
        UniqueConstraint("resource_link_id", "person_id"),
        same_platform("course_id", "courses"),
        same_platform("resource_link_id", "resource_links"),
        same_platform("person_id", "persons"),
    )


class DraftVersion(OfPlatform, Base):
    """A text that another device's newer one has displaced. `saved_at`: when it was the draft."""

    __tablename__ = "draft_versions"

    course_id: Mapped[UUID]
    resource_link_id: Mapped[UUID]
    person_id: Mapped[UUID]
    client_key: Mapped[UUID | None]  # the page that wrote it
    text: Mapped[str]
    saved_at: Mapped[datetime]

    __table_args__ = within_platform(
        same_platform("course_id", "courses"),
        same_platform("resource_link_id", "resource_links"),
        same_platform("person_id", "persons"),
        Index("ix_draft_versions_draft", "resource_link_id", "person_id"),
        Index("ix_draft_versions_saved_at", "saved_at"),
    )


class Deadline(OfPlatform, Base):
    """Until when an activity takes answers: from all, or from one pupil, which outweighs that."""

    __tablename__ = "deadlines"

    course_id: Mapped[UUID]
    resource_link_id: Mapped[UUID]
    person_id: Mapped[UUID | None]
    until: Mapped[datetime]

    __table_args__ = within_platform(
        UniqueConstraint("resource_link_id", "person_id", postgresql_nulls_not_distinct=True),
        same_platform("course_id", "courses"),
        same_platform("resource_link_id", "resource_links"),
        same_platform("person_id", "persons"),
    )


class Submission(OfPlatform, Base):
    """One attempt. `client_key` is made in the browser's form: a resend finds its first sending."""

    __tablename__ = "submissions"

    course_id: Mapped[UUID]
    resource_link_id: Mapped[UUID]
    task_id: Mapped[UUID]
    person_id: Mapped[UUID]
    attempt: Mapped[int]
    client_key: Mapped[UUID]
    answer: Mapped[str]  # what was typed; empty where there are only pages
    # What its pages say, once that is settled.
    read_text: Mapped[str] = mapped_column(default="", server_default=text("''"))
    language: Mapped[str] = mapped_column(default="de")
    state: Mapped[State] = mapped_column(enum_column(State), default=State.HANDED_IN)
    needs_teacher_reason: Mapped[str | None]
    submitted_at: Mapped[datetime] = mapped_column(server_default=func.now())

    feedback: Mapped[Feedback | None] = relationship(
        primaryjoin="and_(Submission.id == Feedback.submission_id,"
        " Feedback.superseded_at.is_(None))",
        foreign_keys="Feedback.submission_id",
        uselist=False,
        lazy="selectin",
        viewonly=True,
    )

    @property
    def counts(self) -> bool:
        """Whether it uses up an attempt. Where the machine failed and no teacher has answered yet,
        it does not."""
        return self.needs_teacher_reason not in TECHNICAL

    @property
    def text(self) -> str:
        """What is judged: what was typed, and then what the pages say."""
        return "\n\n".join(filter(None, (self.answer, self.read_text)))

    __table_args__ = within_platform(
        UniqueConstraint("resource_link_id", "task_id", "person_id", "attempt"),
        UniqueConstraint("resource_link_id", "person_id", "client_key"),
        same_platform("course_id", "courses"),
        same_platform("resource_link_id", "resource_links"),
        same_platform("task_id", "tasks"),
        same_platform("person_id", "persons"),
        CheckConstraint("attempt >= 1", name="attempt"),
        CheckConstraint(f"length(answer) <= {ANSWER_LIMIT}", name="answer"),
        CheckConstraint(
            "(state = 'needs_teacher') = (needs_teacher_reason IS NOT NULL)", name="reason"
        ),
        Index("ix_submissions_lately", "course_id", "submitted_at"),
    )


class SubmissionEvent(OfPlatform, Base):
    """Append-only: each move of a submission. Written by a trigger, so that none is missed."""

    __tablename__ = "submission_events"

    submission_id: Mapped[UUID]
    from_state: Mapped[State | None] = mapped_column(enum_column(State, "from_state"))
    to_state: Mapped[State] = mapped_column(enum_column(State))
    at: Mapped[datetime] = mapped_column(server_default=func.now())

    __table_args__ = within_platform(
        same_platform("submission_id", "submissions"),
        Index("ix_submission_events_submission", "submission_id", "at"),
    )


class Transcript(OfPlatform, Base):
    """What a model read on one page, and what its pupil made of it. `unsure`: half-open spans into
    `read_text` of words that the model was not sure of."""

    __tablename__ = "transcripts"

    course_id: Mapped[UUID]
    person_id: Mapped[UUID]  # the pupil, so that the row policy needs no join
    attachment_id: Mapped[UUID]
    read_text: Mapped[str]
    unsure: Mapped[list[list[int]]] = mapped_column(JSONB)
    drawings: Mapped[list[str]] = mapped_column(ARRAY(Text))
    engine: Mapped[str] = mapped_column(default="")  # empty: there was none that can read
    model: Mapped[str] = mapped_column(default="")
    model_digest: Mapped[str] = mapped_column(default="")
    prompt_version: Mapped[str] = mapped_column(default="")
    read_at: Mapped[datetime] = mapped_column(server_default=func.now())
    corrected: Mapped[str | None]  # None: the pupil left it as it was read

    @property
    def text(self) -> str:
        """What counts."""
        return self.read_text if self.corrected is None else self.corrected

    __table_args__ = within_platform(
        same_platform("course_id", "courses"),
        same_platform("person_id", "persons"),
        same_platform("attachment_id", "attachments"),
        UniqueConstraint("attachment_id"),
    )


class Feedback(OfPlatform, Base):
    """One version of the feedback on one submission; at most one is current."""

    __tablename__ = "feedbacks"

    course_id: Mapped[UUID]
    person_id: Mapped[UUID]  # the pupil, so that the row policy needs no join
    submission_id: Mapped[UUID]
    version: Mapped[int]
    author: Mapped[Author] = mapped_column(enum_column(Author))
    engine: Mapped[str] = mapped_column(default="")  # empty: no engine had a part in it
    model: Mapped[str] = mapped_column(default="")
    model_digest: Mapped[str] = mapped_column(default="")
    prompt_version: Mapped[str] = mapped_column(default="")
    strengths: Mapped[str] = mapped_column(default="")
    next_step: Mapped[str] = mapped_column(default="")
    question: Mapped[str] = mapped_column(default="")
    flags: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    released_at: Mapped[datetime | None]
    release: Mapped[ReleasedBy | None] = mapped_column(enum_column(ReleasedBy))
    released_by: Mapped[UUID | None]
    superseded_at: Mapped[datetime | None]

    results: Mapped[list[CriterionResult]] = relationship(
        order_by="CriterionResult.position",
        primaryjoin="Feedback.id == CriterionResult.feedback_id",
        foreign_keys="CriterionResult.feedback_id",
        lazy="selectin",
        cascade="all",
    )

    __table_args__ = within_platform(
        UniqueConstraint("submission_id", "version"),
        same_platform("course_id", "courses"),
        same_platform("person_id", "persons"),
        same_platform("submission_id", "submissions"),
        same_platform("released_by", "persons", ondelete="SET NULL (released_by)"),
        CheckConstraint("(released_at IS NULL) = (release IS NULL)", name="release"),
        Index(
            "one_current_feedback_per_submission",
            "submission_id",
            unique=True,
            postgresql_where=text("superseded_at IS NULL"),
        ),
    )


class CriterionResult(OfPlatform, Base):
    """What was found for one criterion, with the criterion's words as they were that day."""

    __tablename__ = "criterion_results"

    feedback_id: Mapped[UUID]
    criterion_id: Mapped[UUID]
    position: Mapped[int]
    title: Mapped[str]
    weight: Mapped[int]
    levels: Mapped[int]  # how many the criterion had
    level: Mapped[int | None]  # 0 is the lowest; None: not assessed
    level_text: Mapped[str] = mapped_column(default="")
    status: Mapped[VerdictStatus] = mapped_column(enum_column(VerdictStatus))
    quote: Mapped[str] = mapped_column(default="")
    reason: Mapped[str] = mapped_column(default="")
    # What became of the advice on it since the attempt before; None: there was none.
    taken_up: Mapped[bool | None]

    __table_args__ = within_platform(
        UniqueConstraint("feedback_id", "position"),
        same_platform("feedback_id", "feedbacks"),
        same_platform("criterion_id", "criteria"),
        CheckConstraint("(level IS NULL) = (status = 'not_assessed')", name="level"),
        CheckConstraint("level BETWEEN 0 AND levels - 1", name="level_range"),
    )


class ToldProse(OfPlatform, Base):
    """What may be read of feedback that is still being written. Gone with the work on it."""

    __tablename__ = "told_prose"

    course_id: Mapped[UUID]
    person_id: Mapped[UUID]  # the pupil, so that the row policy needs no join
    submission_id: Mapped[UUID]
    strengths: Mapped[str]
    next_step: Mapped[str]
    question: Mapped[str]

    __table_args__ = within_platform(
        UniqueConstraint("submission_id"),
        same_platform("course_id", "courses"),
        same_platform("person_id", "persons"),
        same_platform("submission_id", "submissions"),
    )
