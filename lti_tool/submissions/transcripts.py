"""What a model read on the pages of a submission, and the pupil's word on it.

A page is read once, whatever happens to the others. The pupil has an hour to correct what was read;
then, or as soon as they say so, that is what is judged, for good.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from feedback_engine.contract import PageReading
from lti_tool.content.models import RegularTask
from lti_tool.core import jobs
from lti_tool.core.db import acting_as, service_of
from lti_tool.core.errors import Conflict, Invalid
from lti_tool.core.jobs import Claim, JobKind
from lti_tool.launch.session import LaunchSession
from lti_tool.submissions.models import ANSWER_LIMIT, Submission, Transcript
from lti_tool.submissions.states import State, move
from lti_tool.submissions.urgency import line_after
from lti_tool.uploads import pages
from lti_tool.uploads.models import Attachment

TIME_TO_CHECK = timedelta(hours=1)
MOST_DRAWN_PAGES = 2


@dataclass(frozen=True)
class ReadPage:
    """One page of a submission and what was read on it; None as long as it was not."""

    page: Attachment
    transcript: Transcript | None


def of_submission(db: Session, submission_id: UUID) -> Sequence[ReadPage]:
    """All pages in order, as far as whoever asks may see them."""
    attached = pages.of_submission(db, submission_id)
    if not attached:
        return ()
    found = db.scalars(
        select(Transcript).where(Transcript.attachment_id.in_([page.id for page in attached]))
    )
    read = {transcript.attachment_id: transcript for transcript in found}
    return [ReadPage(page, read.get(page.id)) for page in attached]


def unread(db: Session, submission_id: UUID) -> list[Attachment]:
    """The pages that nobody has read yet."""
    return [
        one.page
        for one in of_submission(db, submission_id)
        if one.transcript is None and one.page.deleted_at is None
    ]


def keep_reading(db: Session, page: Attachment, reading: PageReading | None) -> None:
    """What was read on one page; None: there is nobody here who could read it. Nothing is kept of
    a page that was deleted meanwhile."""
    there = select(Attachment.id).where(Attachment.id == page.id, Attachment.deleted_at.is_(None))
    if db.scalar(there.with_for_update()) is None:
        return
    info = reading.engine if reading else None
    db.add(
        Transcript(
            id=uuid7(),
            platform_id=page.platform_id,
            course_id=page.course_id,
            person_id=page.person_id,
            attachment_id=page.id,
            read_text=reading.text if reading else "",
            unsure=[list(span) for span in reading.unsure] if reading else [],
            drawings=list(reading.drawings) if reading else [],
            engine=info.name if info else "",
            model=info.model if info else "",
            model_digest=info.digest if info else "",
            prompt_version=info.prompt_version if info else "",
        )
    )
    db.flush()


def go_on_when_read(db: Session, read: Claim) -> None:
    """Every page is read: the pupil looks at it, where the task says so, or it is judged."""
    submission = db.get_one(Submission, read.subject_id, with_for_update=True)
    if submission.state is not State.HANDED_IN:
        return  # a teacher was faster
    task = db.get_one(RegularTask, submission.task_id)
    if task.checks_reading:
        submission.state = move(submission.state, to=State.TO_CHECK)
        db.flush()
        _judge(db, submission, read, after=TIME_TO_CHECK)
    else:
        _settle(db, submission)
        _judge(db, submission, read)


def settle_unchecked(db: Session, submission_id: UUID) -> None:
    """Nobody has checked it in time, or a teacher was faster: what was read counts as it stands."""
    submission = db.get_one(Submission, submission_id, with_for_update=True)
    if submission.state is State.TO_CHECK:
        submission.state = move(submission.state, to=State.HANDED_IN)
    if submission.state is State.HANDED_IN and not submission.read_text:
        _settle(db, submission)


def confirm(
    db: Session, launch: LaunchSession, submission: Submission, corrected: Mapping[UUID, str]
) -> None:
    """The pupil's word on each page, by its id; what is not named stays as it was read.

    Raises:
        Conflict: "checked_already": it is being judged by now.
        Invalid: "transcript": "too_long": all in all too much to be judged.
    """
    service = service_of(launch.platform_id)
    with acting_as(db, service):
        db.refresh(submission, with_for_update=True)
    if submission.state is not State.TO_CHECK:
        raise Conflict("checked_already")
    for read in of_submission(db, submission.id):
        said = corrected.get(read.page.id)
        if read.transcript is not None and said is not None and said != read.transcript.read_text:
            read.transcript.corrected = said
    db.flush()
    if len(_written(db, submission)) + len(submission.answer) > ANSWER_LIMIT:
        raise Invalid({"transcript": "too_long"})
    with acting_as(db, service):
        submission.state = move(submission.state, to=State.HANDED_IN)
        _settle(db, submission)
        jobs.bring_forward(db, JobKind.GIVE_FEEDBACK, submission.id)


def forget_page(db: Session, submission: Submission, page: Attachment) -> None:
    """What was read on this page goes, also out of what is judged. The transaction is a service's.

    What was judged already stays as it is: it is the teacher who decides on it.
    """
    db.execute(delete(Transcript).where(Transcript.attachment_id == page.id))
    if submission.read_text:
        _settle(db, submission)


def drawings_of(db: Session, submission_id: UUID) -> tuple[str, ...]:
    """A sentence for each drawing on the pages."""
    read = of_submission(db, submission_id)
    return tuple(said for one in read if one.transcript for said in one.transcript.drawings)


def drawn_pages(db: Session, submission_id: UUID) -> list[Attachment]:
    """The first pages on which something is drawn, for a model that sees. None that a teacher has
    taken out of sight."""
    return [
        one.page
        for one in of_submission(db, submission_id)
        if one.transcript and one.transcript.drawings and one.page.hidden_at is None
    ][:MOST_DRAWN_PAGES]


def _settle(db: Session, submission: Submission) -> None:
    """What the pages say becomes what is judged."""
    submission.read_text = _written(db, submission)
    db.flush()


def _written(db: Session, submission: Submission) -> str:
    read = of_submission(db, submission.id)
    texts = (one.transcript.text.strip() for one in read if one.transcript)
    return "\n\n".join(filter(None, texts))


def _judge(
    db: Session, submission: Submission, read: Claim, after: timedelta = timedelta(0)
) -> None:
    jobs.enqueue(
        db,
        JobKind.GIVE_FEEDBACK,
        platform_id=submission.platform_id,
        subject_id=submission.id,
        after=after,
        line=line_after(read, submission),
    )
