"""What happens when: the steps of each job, and the effects of released feedback, in order.

Each job is three thoughts: claim in a short transaction, work with none open, keep the result in a
short transaction that fails if somebody else holds the job by now. Errors become retry, wait or
give-up here and nowhere else.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from feedback_engine.contract import FeedbackDraft, FeedbackEngine
from feedback_engine.errors import EngineFailed, EngineRefused, EngineUnavailable
from lti_tool.content.copies import UnitCopied
from lti_tool.core import jobs
from lti_tool.core.clock import Clock
from lti_tool.core.db import WORKER, Begin, Handler, service_of
from lti_tool.core.jobs import Claim, JobKind
from lti_tool.core.moves import ForbiddenMove
from lti_tool.core.outbound import OutboundError
from lti_tool.grades import service as grades
from lti_tool.grades.ags import AgsClient, AgsRefused
from lti_tool.grades.messages import UNREAD, FailureReason, NoAnswer, NotSent, PostOutcome, ReadBack
from lti_tool.grades.policy import Attempt, Retry, decide
from lti_tool.people import roster
from lti_tool.people import services as people
from lti_tool.people.roster_client import RosterClient, RosterRefused
from lti_tool.people.services import KeySeal
from lti_tool.people.tokens import TokenEndpoint, TokenRefused
from lti_tool.submissions import assessment, copies
from lti_tool.submissions.versions import FeedbackReleased

log = structlog.get_logger(__name__)

WAIT_FOR_ENGINE = timedelta(seconds=30)
BETWEEN_TRIES = timedelta(seconds=5)
PATIENCE = timedelta(hours=24)  # so long a pupil waits for an engine before a teacher is asked


@dataclass(frozen=True)
class Workshop:
    """What a worker works with. The roof builds it."""

    begin: Begin
    engine: FeedbackEngine
    gradebook: AgsClient
    rosters: RosterClient
    seal: KeySeal
    clock: Clock
    lease: timedelta
    attempts: int

    def do(self, job_id: UUID) -> None:
        """Claim and do one job, if it is still to be done. Safe to call twice, or from anywhere."""
        with self.begin(WORKER) as db:
            claim = jobs.claim(db, job_id, lease=self.lease)
        if claim is None:
            return
        try:
            _STEPS[claim.kind](self, claim)
        except jobs.LeaseLost:
            log.warning("lease lost", job=claim.job_id, kind=claim.kind.value)
        except Exception as error:
            # Nothing foresaw this: try again later rather than when the lease has run out.
            _wait(self, claim, type(error).__name__, BETWEEN_TRIES * claim.attempt, counts=True)
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


def give_feedback(shop: Workshop, claim: Claim) -> None:
    """Let the engine judge one submission."""
    actor = service_of(claim.platform_id)
    if claim.attempt > shop.attempts:
        _hand_over(shop, claim, "engine_failed")
        return
    with shop.begin(actor) as db:
        request = assessment.request_for(db, claim.subject_id)
    try:
        draft = shop.engine.give_feedback(request)
    except EngineUnavailable as error:
        if claim.waited > PATIENCE:
            _hand_over(shop, claim, "engine_unavailable")
        else:
            _wait(shop, claim, type(error).__name__, WAIT_FOR_ENGINE, counts=False)
    except EngineFailed as error:
        _wait(shop, claim, type(error).__name__, BETWEEN_TRIES * claim.attempt, counts=True)
    except EngineRefused as refused:
        _hand_over(shop, claim, refused.reason.value)
    else:
        with shop.begin(actor) as db:
            jobs.finish(db, claim)
            _keep(db, claim, draft)


def _hand_over(shop: Workshop, claim: Claim, reason: str) -> None:
    """No feedback by the engine: the teacher sees the submission, and why."""
    with shop.begin(service_of(claim.platform_id)) as db:
        jobs.give_up(db, claim, reason)
        assessment.hand_to_teacher(db, claim.subject_id, reason)


def _keep(db: Session, claim: Claim, draft: FeedbackDraft) -> None:
    try:
        with db.begin_nested():
            assessment.keep_feedback(db, claim.subject_id, draft)
    except ForbiddenMove:
        log.info("feedback came after the teacher's", submission=claim.subject_id)


def post_score(shop: Workshop, claim: Claim) -> None:
    """Send one score to the gradebook and keep what became of it."""
    actor = service_of(claim.platform_id)
    with shop.begin(actor) as db:
        posting = grades.begin_posting(db, claim.subject_id, shop.clock())
        if posting is None:
            jobs.finish(db, claim)
            return
        endpoint = people.token_endpoint(db, claim.platform_id, shop.seal)
    outcome, read_back = _deliver(shop, claim, endpoint, posting)
    now = shop.clock()
    decision = decide(
        Attempt(
            outcome=outcome,
            ours=posting.score,
            last_posted=posting.last_posted,
            read_back=read_back,
            number=claim.attempt,
            age=now - posting.planned_at,
            restamped=posting.restamped,
        ),
        now,
        random.random(),  # noqa: S311  # spreads retries, guards nothing
    )
    with shop.begin(actor) as db:
        if isinstance(decision, Retry):
            jobs.wait_again(db, claim, type(outcome).__name__, after=decision.after)
        else:
            jobs.finish(db, claim)
        grades.keep_decision(db, posting.sync_id, decision, now)
    log.info("score", sync=posting.sync_id, decision=type(decision).__name__)


def _deliver(
    shop: Workshop, claim: Claim, endpoint: TokenEndpoint, posting: grades.Posting
) -> tuple[PostOutcome, ReadBack]:
    try:
        url = posting.line_item_url or _column(shop, claim, endpoint, posting)
    except OutboundError:
        return NoAnswer(maybe_arrived=False), UNREAD
    except (AgsRefused, TokenRefused):
        return NotSent(FailureReason.NOT_ALLOWED), UNREAD
    if url is None:
        return NotSent(FailureReason.COLUMN_GONE), UNREAD
    return shop.gradebook.deliver(endpoint, url, posting.score)


def _column(
    shop: Workshop, claim: Claim, endpoint: TokenEndpoint, posting: grades.Posting
) -> str | None:
    """The activity's column: found, or else made. Looked up first, so that none is made twice."""
    if posting.lineitems_url is None:
        return None
    url = shop.gradebook.find_line_item(endpoint, posting.lineitems_url, posting.lms_link_id)
    if url is None and posting.may_create:
        url = shop.gradebook.create_line_item(
            endpoint,
            posting.lineitems_url,
            label=posting.label or "GUSTAV",
            maximum=Decimal(posting.score.maximum),
            resource_link_id=posting.lms_link_id,
            resource_id=str(posting.task_id),
        )
    if url is not None:
        with shop.begin(service_of(claim.platform_id)) as db:
            grades.remember_line_item(db, posting, claim.platform_id, url)
    return url


def refresh_roster(shop: Workshop, claim: Claim) -> None:
    """Ask the LMS who is in a course (NRPS). Only informative: no answer is no harm."""
    actor = service_of(claim.platform_id)
    with shop.begin(actor) as db:
        url = roster.memberships_url(db, claim.subject_id)
        endpoint = people.token_endpoint(db, claim.platform_id, shop.seal)
    try:
        members = shop.rosters.fetch_members(endpoint, url) if url else ()
    except (OutboundError, TokenRefused, RosterRefused) as error:
        with shop.begin(actor) as db:
            jobs.give_up(db, claim, type(error).__name__)
        return
    with shop.begin(actor) as db:
        jobs.finish(db, claim)
        roster.keep(db, claim.platform_id, claim.subject_id, members)


def _wait(shop: Workshop, claim: Claim, error: str, after: timedelta, *, counts: bool) -> None:
    with shop.begin(service_of(claim.platform_id)) as db:
        jobs.wait_again(db, claim, error, after=after, counts=counts)


_STEPS: dict[JobKind, Callable[[Workshop, Claim], None]] = {
    JobKind.GIVE_FEEDBACK: give_feedback,
    JobKind.POST_SCORE: post_score,
    JobKind.REFRESH_ROSTER: refresh_roster,
}
