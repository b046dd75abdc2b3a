"""Handing in: drafts, attempts, and where a piece of work stands. The pupil's half; what teachers
and the model do with it is in `review.py`.

Nothing that a pupil typed is lost: whatever cannot be taken as an attempt is kept as the draft.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from lti_tool.content.opened import OpenedTask
from lti_tool.core import jobs
from lti_tool.core.clock import utc_now
from lti_tool.core.errors import Invalid, NotFound
from lti_tool.core.line import InLine, in_line
from lti_tool.core.statements import ask
from lti_tool.launch.session import LaunchSession
from lti_tool.submissions import drafts, transcripts
from lti_tool.submissions.deadlines import is_over
from lti_tool.submissions.drafts import SavedDraft, Typed
from lti_tool.submissions.models import Submission
from lti_tool.submissions.states import State
from lti_tool.submissions.transcripts import ReadPage
from lti_tool.submissions.urgency import line_of
from lti_tool.uploads import pages
from lti_tool.uploads.models import Attachment


class Problem(StrEnum):
    """Why an answer was not taken as an attempt; its text is in the draft."""

    ATTEMPTS_USED = "attempts_used"
    OTHER_TAB = "other_tab"  # another attempt was handed in since the page was drawn
    TOO_LATE = "too_late"  # the deadline and its grace were over when the request began
    HANDED_IN_ALREADY = "handed_in_already"  # same key, other text: a page gone back to


@dataclass(frozen=True)
class Answer:
    """What the form sends. `client_key` is made once per page; `attempt` is what it promised;
    `version` that of the draft it knew, 0 for none; `began`: when its request did."""

    text: str
    client_key: UUID
    attempt: int
    version: int = 0
    began: datetime = field(default_factory=utc_now)

    @property
    def typed(self) -> Typed:
        """The same as a draft."""
        return Typed(self.text, self.version, self.client_key)


@dataclass(frozen=True)
class HandedIn:
    """Either the receipt, or why not."""

    submission: Submission | None = None
    problem: Problem | None = None


@dataclass(frozen=True)
class Work:
    """Everything a pupil's page shows. `submissions` newest first; `line` while feedback is being
    worked out for the newest one; `pages` of the draft; `read`: those of the newest submission;
    `older`: how many texts another device's have displaced; `until`: the deadline; `closed`: it and
    its grace are over."""

    task: OpenedTask
    submissions: Sequence[Submission]
    draft: SavedDraft | None
    line: InLine | None
    pages: Sequence[Attachment] = ()
    read: Sequence[ReadPage] = ()
    older: int = 0
    until: datetime | None = None
    closed: bool = False

    @property
    def newest(self) -> Submission | None:
        return self.submissions[0] if self.submissions else None

    @property
    def next_attempt(self) -> int:
        return self.newest.attempt + 1 if self.newest else 1

    @property
    def attempts_left(self) -> int:
        return max(0, self.attempts_allowed - self.next_attempt + 1)

    @property
    def attempts_allowed(self) -> int:
        """As many as the task says, and one more for each that failed for a technical reason."""
        return self.task.max_attempts + self.not_counted

    @property
    def not_counted(self) -> int:
        return sum(not submission.counts for submission in self.submissions)

    @property
    def may_write(self) -> bool:
        """An attempt is left, and time. Whoever waits for feedback may hand in a better text."""
        return self.attempts_left > 0 and not self.closed


def open_work(
    db: Session, launch: LaunchSession, task: OpenedTask, began: datetime | None = None
) -> Work:
    """What this pupil has done on the task of this activity. `began`: when the request did."""
    (begun,) = ask(db, _BEGUN, _who_works(launch) | {"task": task.id})
    draft = SavedDraft(begun.text, begun.version, begun.saved_at) if begun.saved_at else None
    submissions = _submissions(db, launch, task) if begun.handed_in else []
    newest = submissions[0] if submissions else None
    line = _in_line(db, newest) if newest else None
    read = transcripts.of_submission(db, newest.id) if begun.has_pages and newest else ()
    return Work(
        task,
        submissions,
        draft,
        line,
        pages=pages.of_draft(db, launch) if begun.has_pages else (),
        read=read,
        older=begun.older,
        until=begun.until,
        closed=is_over(begun.until, began or utc_now()),
    )


def _in_line(db: Session, submission: Submission) -> InLine | None:
    if submission.state is not State.HANDED_IN:
        return None
    return in_line(db, submission.id)


def find(db: Session, launch: LaunchSession, submission_id: UUID) -> Submission:
    """A submission this person may see: their own, or in their course if they teach it. NotFound
    otherwise, as for one that does not exist."""
    found = db.scalar(
        select(Submission).where(
            Submission.id == submission_id,
            Submission.resource_link_id == launch.resource_link_id,
        )
    )
    if found is None:
        raise NotFound("submission")
    return found


def hand_in(db: Session, launch: LaunchSession, task: OpenedTask, answer: Answer) -> HandedIn:
    """Take an answer as the next attempt; a resend finds its first sending.

    Parallel calls of one pupil wait for one another, so the limit holds under any number of them.

    Raises:
        Invalid: "answer": "empty" or "too_long".
    """
    drafts.check_length(answer.text)
    drafts.lock(db, launch)
    work = open_work(db, launch, task, answer.began)
    sent = next((s for s in work.submissions if s.client_key == answer.client_key), None)
    if sent is not None and sent.answer == answer.text:
        return HandedIn(sent)
    if not answer.text.strip() and not work.pages:
        raise Invalid({"answer": "empty"})
    problem = _problem(work, answer, sent)
    if problem is not None:
        drafts.save(db, launch, answer.typed)
        return HandedIn(problem=problem)
    return HandedIn(_write(db, launch, task, answer))


def _problem(work: Work, answer: Answer, sent: Submission | None) -> Problem | None:
    if sent is not None:
        return Problem.HANDED_IN_ALREADY
    if work.closed:
        return Problem.TOO_LATE
    if work.attempts_left == 0:
        return Problem.ATTEMPTS_USED
    if answer.attempt != work.next_attempt:
        return Problem.OTHER_TAB
    return None


def _write(db: Session, launch: LaunchSession, task: OpenedTask, answer: Answer) -> Submission:
    submission = Submission(
        id=uuid7(),
        platform_id=launch.platform_id,
        course_id=launch.course_id,
        resource_link_id=launch.resource_link_id,
        task_id=task.id,
        person_id=launch.person_id,
        attempt=answer.attempt,
        client_key=answer.client_key,
        answer=answer.text,
        language="en" if (launch.locale or "").startswith("en") else "de",
    )
    db.add(submission)
    db.flush()
    handed_over = pages.hand_over(db, launch, submission.id)
    drafts.forget(db, launch, answer.typed)
    jobs.enqueue(
        db,
        jobs.JobKind.READ_PAGES if handed_over else jobs.JobKind.GIVE_FEEDBACK,
        platform_id=launch.platform_id,
        subject_id=submission.id,
        line=line_of(db, submission, pages=handed_over),
    )
    return submission


def last_attempt(db: Session, launch: LaunchSession) -> int:
    """The number of the newest attempt at this activity; 0 for none."""
    last = select(func.max(Submission.attempt)).where(
        Submission.resource_link_id == launch.resource_link_id,
        Submission.person_id == launch.person_id,
    )
    return db.scalar(last) or 0


def _submissions(db: Session, launch: LaunchSession, task: OpenedTask) -> Sequence[Submission]:
    return db.scalars(
        select(Submission)
        .where(
            Submission.resource_link_id == launch.resource_link_id,
            Submission.task_id == task.id,
            Submission.person_id == launch.person_id,
        )
        .order_by(Submission.attempt.desc())
    ).all()


def _who_works(launch: LaunchSession) -> dict[str, UUID | None]:
    return {"link": launch.resource_link_id, "person": launch.person_id}


# By hand, because all pupils of a class ask for them in the same minute.
_BEGUN = """
SELECT d.text, d.version, d.saved_at, EXISTS (
    SELECT FROM submissions s
    WHERE s.resource_link_id = %(link)s AND s.task_id = %(task)s AND s.person_id = %(person)s
  ) AS handed_in,
  EXISTS (
    SELECT FROM attachments a WHERE a.resource_link_id = %(link)s AND a.person_id = %(person)s
  ) AS has_pages,
  (
    SELECT count(*) FROM draft_versions v
    WHERE v.resource_link_id = %(link)s AND v.person_id = %(person)s
  ) AS older,
  (
    SELECT l.until FROM deadlines l
    WHERE l.resource_link_id = %(link)s AND (l.person_id = %(person)s OR l.person_id IS NULL)
    ORDER BY l.person_id NULLS LAST LIMIT 1
  ) AS until
FROM (SELECT) AS always
LEFT JOIN drafts d ON d.resource_link_id = %(link)s AND d.person_id = %(person)s
"""
