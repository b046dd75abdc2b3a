"""How urgent a submission's job is, decided when the job is written. See docs/adr/0012.

A lesson is recognised by what a lesson looks like: several pupils of one course hand in within
minutes. Nobody has to say so, and no timetable is asked.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lti_tool.core import jobs
from lti_tool.core.db import acting_as, service_of
from lti_tool.core.jobs import Claim, Line
from lti_tool.core.lanes import Urgency
from lti_tool.submissions.models import Submission

LESSON = timedelta(minutes=15)
A_CLASS = 3  # pupils who hand in within that time, the newest included
PROMPTS = 2_000  # characters: about what task, criteria and the feedback itself cost beside it
PAGE = 1_500  # characters on one page of handwriting, with what its picture costs


def urgency_of(handed_in: int, *, again: bool = False) -> Urgency:
    """`handed_in`: so many pupils of the course within the last minutes; `again`: a teacher wants
    another try at what has been judged."""
    if again:
        return Urgency.REGENERATION
    return Urgency.LIVE if handed_in >= A_CLASS else Urgency.HOMEWORK


def line_of(db: Session, submission: Submission, *, pages: int = 0, again: bool = False) -> Line:
    """Where its job stands. Once a lesson is recognised, those who began it are in it, too."""
    with acting_as(db, service_of(submission.platform_id)):
        urgency = urgency_of(_pupils(db, submission), again=again)
        if urgency is Urgency.LIVE:
            jobs.hurry(db, submission.course_id)
    size = pages * PAGE if pages else PROMPTS + len(submission.text)
    return Line(urgency, submission.course_id, size)


def line_after(read: Claim, submission: Submission) -> Line:
    """Where judging stands once pages are read: as urgent as that was, and its person waits as
    long. They do not go to the end of the line once more."""
    return Line(read.urgency, submission.course_id, PROMPTS + len(submission.text), read.since)


def _pupils(db: Session, submission: Submission) -> int:
    pupils = select(func.count(Submission.person_id.distinct())).where(
        Submission.course_id == submission.course_id,
        Submission.submitted_at > func.now() - LESSON,
    )
    return db.scalar(pupils) or 0
