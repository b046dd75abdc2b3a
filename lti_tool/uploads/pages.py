"""The pages of a draft or of what was handed in: listed, ordered, removed, handed over, read."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Protocol
from uuid import UUID

from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session

from lti_tool.core.errors import NotFound
from lti_tool.core.statements import in_single_file
from lti_tool.uploads.models import Attachment


class Whose(Protocol):
    """A pupil at an activity: a launch's session, or a phone that was let in."""

    @property
    def platform_id(self) -> UUID: ...
    @property
    def course_id(self) -> UUID: ...
    @property
    def person_id(self) -> UUID: ...
    @property
    def resource_link_id(self) -> UUID | None: ...


def of_draft(db: Session, whose: Whose) -> Sequence[Attachment]:
    """What would be handed in now, in order."""
    return db.scalars(_draft(whose).order_by(Attachment.position)).all()


def of_submission(db: Session, submission_id: UUID) -> Sequence[Attachment]:
    """The pages of one attempt, in order, as far as whoever asks may see them."""
    wanted = select(Attachment).where(Attachment.submission_id == submission_id)
    return db.scalars(wanted.order_by(Attachment.position)).all()


def key_of(pages: Sequence[Attachment]) -> str:
    """Names these pages in this order, so that a page can ask whether there is news."""
    named = "".join(page.id.hex for page in pages)
    return sha256(named.encode()).hexdigest()[:12]


def find(db: Session, whose: Whose, page_id: UUID) -> Attachment:
    """A page that this person may see: their own, or one handed in in the course they teach; none
    that was hidden.

    Raises:
        NotFound: there is none, or not for them.
    """
    found = db.scalar(
        select(Attachment).where(
            Attachment.id == page_id,
            Attachment.resource_link_id == whose.resource_link_id,
            Attachment.hidden_at.is_(None),
        )
    )
    if found is None:
        raise NotFound("page")
    return found


def remove(db: Session, whose: Whose, page_id: UUID) -> str:
    """Take a page out of the draft. Returns the key of its file, for after the commit.

    Raises:
        NotFound: the draft has no such page.
    """
    page = _own(db, whose, page_id)
    db.delete(page)
    db.flush()
    return page.key


def move(db: Session, whose: Whose, page_id: UUID, by: int) -> None:
    """One place earlier (-1) or later (1); at an end it stays. Raises NotFound."""
    in_single_file(db, whose.resource_link_id, whose.person_id)
    page = _own(db, whose, page_id)
    order = list(of_draft(db, whose))
    at = order.index(page)
    order.insert(min(max(0, at + by), len(order) - 1), order.pop(at))
    for number, page in enumerate(order, start=1):
        page.position = number
    db.flush()


def hand_over(db: Session, whose: Whose, submission_id: UUID) -> int:
    """The draft's pages become those of a submission, for good. Returns how many."""
    handed = db.execute(
        update(Attachment)
        .where(
            Attachment.resource_link_id == whose.resource_link_id,
            Attachment.person_id == whose.person_id,
            Attachment.submission_id.is_(None),
        )
        .values(submission_id=submission_id)
        .returning(Attachment.id)
    )
    return len(handed.all())


def _own(db: Session, whose: Whose, page_id: UUID) -> Attachment:
    page = db.scalar(_draft(whose).where(Attachment.id == page_id))
    if page is None:
        raise NotFound("page")
    return page


def _draft(whose: Whose) -> Select[Attachment]:
    return select(Attachment).where(
        Attachment.resource_link_id == whose.resource_link_id,
        Attachment.person_id == whose.person_id,
        Attachment.submission_id.is_(None),
    )
