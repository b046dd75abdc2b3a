"""Feedback while it is being written: sentences that a pupil may read before the whole is there.

Words only, never a level. They are nobody's feedback yet: they live as long as the work on the job
(a trigger takes them away with it), and only what is kept then counts.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from uuid import UUID

import structlog
from sqlalchemy import delete, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from feedback_engine.contract import Told
from lti_tool.content.models import Mode, RegularTask
from lti_tool.core.db import Begin, service_of
from lti_tool.core.jobs import Claim
from lti_tool.core.statements import ask
from lti_tool.submissions.models import Submission, ToldProse

EVERY = 0.4  # seconds between two writings; eyes follow no faster

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Prose:
    """What may be read so far of each text; empty where nothing is there yet."""

    strengths: str = ""
    next_step: str = ""
    question: str = ""

    @property
    def length(self) -> int:
        return len(self.strengths) + len(self.next_step) + len(self.question)


def told_of(db: Session, submission_id: UUID) -> Prose | None:
    """What there is to read of feedback that is being written; None if nothing is."""
    row = db.scalar(select(ToldProse).where(ToldProse.submission_id == submission_id))
    return Prose(row.strengths, row.next_step, row.question) if row else None


def telling(db: Session, begin: Begin, held: Claim) -> Told | None:
    """For an engine that writes piece by piece; None where the pupil sees nothing before a teacher
    has. What an earlier try has told is gone."""
    db.execute(delete(ToldProse).where(ToldProse.submission_id == held.subject_id))
    submission = db.get_one(Submission, held.subject_id)
    if db.get_one(RegularTask, submission.task_id).mode is not Mode.PRACTICE:
        return None
    return Telling(lambda prose: _keep(begin, held, prose))


class Telling:
    """Collects what an engine tells and keeps it, not more often than eyes follow. What is told in
    between comes with the next sentence, or with the feedback itself."""

    def __init__(
        self, keep: Callable[[Prose], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._keep = keep
        self._clock = clock
        self._prose = Prose()
        self._again_at = clock()

    def __call__(self, name: str, text: str) -> None:
        self._prose = replace(self._prose, **{name: text})
        if self._clock() >= self._again_at:
            self._keep(self._prose)
            self._again_at = self._clock() + EVERY


def _keep(begin: Begin, held: Claim, prose: Prose) -> None:
    """Only while the job is still held by whoever tells. The feedback does not fail with it."""
    values = {
        "id": uuid7(),
        "submission": held.subject_id,
        "job": held.job_id,
        "token": held.token,
        "strengths": prose.strengths,
        "next_step": prose.next_step,
        "question": prose.question,
    }
    try:
        with begin(service_of(held.platform_id)) as db:
            ask(db, _KEEP, values)
    except SQLAlchemyError as error:
        log.warning("not told", submission=held.subject_id, kind=type(error).__name__)


_KEEP = """
INSERT INTO told_prose (id, platform_id, course_id, person_id, submission_id, strengths, next_step,
  question)
SELECT %(id)s, s.platform_id, s.course_id, s.person_id, s.id, %(strengths)s, %(next_step)s,
  %(question)s
FROM submissions s JOIN jobs j ON j.subject_id = s.id
WHERE s.id = %(submission)s AND s.state = 'handed_in'
  AND j.id = %(job)s AND j.token = %(token)s AND j.state = 'working'
ON CONFLICT (submission_id) DO UPDATE SET strengths = excluded.strengths,
  next_step = excluded.next_step, question = excluded.question
"""
