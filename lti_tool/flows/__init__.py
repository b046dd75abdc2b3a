"""What happens when: the steps of each job, and the effects of released feedback, in order.

Each job is three thoughts: claim in a short transaction, work with none open, keep the result in a
short transaction that fails if somebody else holds the job by now. Errors become retry, wait or
give-up here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from lti_tool.content.copies import UnitCopied
from lti_tool.core import jobs
from lti_tool.core.db import WORKER, Handler
from lti_tool.core.jobs import Claim, JobKind
from lti_tool.flows.feedback import give_feedback, read_pages
from lti_tool.flows.rosters import ask_for_due_rosters, refresh_roster
from lti_tool.flows.scores import post_score
from lti_tool.flows.tools import BETWEEN_TRIES, Tools, wait_again
from lti_tool.grades import service as grades
from lti_tool.submissions import copies
from lti_tool.submissions.versions import FeedbackReleased

__all__ = ["HANDLERS", "Workshop", "ask_for_due_rosters"]

log = structlog.get_logger(__name__)

_STEPS: Mapping[JobKind, Callable[[Tools, Claim], None]] = {
    JobKind.READ_PAGES: read_pages,
    JobKind.GIVE_FEEDBACK: give_feedback,
    JobKind.POST_SCORE: post_score,
    JobKind.REFRESH_ROSTER: refresh_roster,
}


class Workshop(Tools):
    """Where a worker does its jobs."""

    def do(self, job_id: UUID) -> None:
        """Claim and do one job, if it is still to be done. Safe to call twice, or from anywhere."""
        with self.begin(WORKER) as db:
            claim = jobs.claim(db, job_id, lease=self.leases.lease)
        if claim is not None:
            self.work(claim)

    def work(self, claim: Claim) -> None:
        """Do what is claimed. What nothing foresaw is raised, and the job waits again."""
        try:
            with self.leases.holding(claim):
                _STEPS[claim.kind](self, claim)
        except jobs.LeaseLost:
            log.warning("lease lost", job=claim.job_id, kind=claim.kind.value)
        except Exception as error:
            # Nothing foresaw this: try again later rather than when the lease has run out.
            later = BETWEEN_TRIES * claim.attempt
            wait_again(self, claim, type(error).__name__, later, counts=True)
            raise
        else:
            log.info("job done", job=claim.job_id, kind=claim.kind.value, attempt=claim.attempt)


def on_feedback_released(db: Session, event: FeedbackReleased) -> None:
    """Effects of feedback that was let out, in the transaction that let it out."""
    grades.plan(db, event.submission_id, event.feedback_id)


def on_unit_copied(db: Session, event: UnitCopied) -> None:
    """What a course has handed in so far goes along to its copy, in the transaction that made it.

    Raises:
        Conflict: not at this moment; nothing is copied then.
    """
    copies.follow(db, event.course_id, event.tasks, event.criteria)


HANDLERS: Mapping[type, Handler] = {
    FeedbackReleased: on_feedback_released,
    UnitCopied: on_unit_copied,
}
