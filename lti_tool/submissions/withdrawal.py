"""A photo that should not be here: taken out of sight, or deleted, by a teacher, at once.

Nobody looks at pictures by machine for this; a person does, and decides (ATK-80).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.core.db import acting_as, service_of
from lti_tool.core.errors import NotFound
from lti_tool.launch.session import LaunchSession
from lti_tool.submissions import transcripts
from lti_tool.submissions.models import Feedback, Submission
from lti_tool.uploads.models import Attachment

log = structlog.get_logger(__name__)


def hide(db: Session, launch: LaunchSession, page_id: UUID, now: datetime) -> UUID:
    """From now on nobody is shown this page, the teacher neither. Its file stays, as evidence.

    Returns the submission that it belongs to. Raises NotFound.
    """
    page = _handed_in(db, launch, page_id)
    with acting_as(db, service_of(launch.platform_id)):
        _hide(page, launch, now)
    return _submission_of(page)


def show_again(db: Session, launch: LaunchSession, page_id: UUID) -> UUID:
    """It was hidden by mistake. What was deleted stays so. Returns and raises as `hide` does."""
    page = _handed_in(db, launch, page_id)
    with acting_as(db, service_of(launch.platform_id)):
        if page.deleted_at is None:
            page.hidden_at = page.hidden_by = None
            log.warning("page shown again", page=page.id, submission=page.submission_id)
    return _submission_of(page)


def delete(db: Session, launch: LaunchSession, page_id: UUID, now: datetime) -> tuple[UUID, str]:
    """Hide it, and forget what was read on it. That there was a page, who took it away and when
    stays known. Returns the submission, and the key of the file to be deleted after the commit.

    Raises:
        NotFound: there is no such page for this teacher.
    """
    page = _handed_in(db, launch, page_id)
    submission_id = _submission_of(page)
    with acting_as(db, service_of(launch.platform_id)):
        _hide(page, launch, now)
        if page.deleted_at is None:
            page.deleted_at = now
            db.flush()
            submission = db.get_one(Submission, submission_id, with_for_update=True)
            transcripts.forget_page(db, submission, page)
            log.warning("page deleted", page=page.id, submission=submission_id)
    return submission_id, page.key


def may_be_quoted(feedback: Feedback | None, pages: Iterable[Attachment]) -> bool:
    """Whether this was written before one of the pages was deleted: words of it may be left there.
    A newer version says what its author, who saw that page no more, has left standing."""
    return feedback is not None and any(
        page.deleted_at is not None and page.deleted_at > feedback.created_at for page in pages
    )


def _hide(page: Attachment, launch: LaunchSession, now: datetime) -> None:
    if page.hidden_at is None:
        page.hidden_at, page.hidden_by = now, launch.person_id
        log.warning("page hidden", page=page.id, submission=page.submission_id)


def _handed_in(db: Session, launch: LaunchSession, page_id: UUID) -> Attachment:
    found = db.scalar(
        select(Attachment).where(
            Attachment.id == page_id,
            Attachment.resource_link_id == launch.resource_link_id,
            Attachment.submission_id.is_not(None),
        )
    )
    if found is None:
        raise NotFound("page")
    return found


def _submission_of(page: Attachment) -> UUID:
    if page.submission_id is None:
        raise NotFound("submission")
    return page.submission_id
