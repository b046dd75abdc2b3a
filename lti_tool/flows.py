"""What happens when: the steps of each job, and the effects of released feedback, in order.

Each job is three thoughts: claim in a short transaction, work with none open, keep the result in a
short transaction that fails if somebody else holds the job by now. Errors become retry, wait or
give-up here and nowhere else.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from feedback_engine.contract import FeedbackDraft, FeedbackEngine, PageImage, PageReader
from feedback_engine.errors import EngineFailed, EngineRefused, EngineUnavailable
from lti_tool.content.copies import UnitCopied
from lti_tool.core import jobs
from lti_tool.core.clock import Clock
from lti_tool.core.db import WORKER, Begin, Handler, service_of
from lti_tool.core.files import FilesError, FileStore, FilesUnavailable
from lti_tool.core.hosts import LaneBook
from lti_tool.core.jobs import Claim, JobKind
from lti_tool.core.leases import Leases
from lti_tool.core.moves import ForbiddenMove
from lti_tool.core.outbound import OutboundError
from lti_tool.grades import columns, posting
from lti_tool.grades import service as grades
from lti_tool.grades.ags import AgsClient
from lti_tool.grades.messages import UNREAD, NoAnswer, PostOutcome, ReadBack
from lti_tool.grades.policy import Attempt, Retry, column_gone, decide, retry_after
from lti_tool.grades.posting import Posting
from lti_tool.grades.search import Found, search_column
from lti_tool.people import roster
from lti_tool.people import services as people
from lti_tool.people.models import RosterFailure
from lti_tool.people.roster_client import RosterClient, RosterRefused
from lti_tool.people.roster_rules import failure_of
from lti_tool.people.services import KeySeal
from lti_tool.people.tokens import TokenEndpoint, TokenRefused
from lti_tool.submissions import assessment, copies, prose, transcripts
from lti_tool.submissions.urgency import PAGE
from lti_tool.submissions.versions import FeedbackReleased
from lti_tool.uploads.models import Attachment

log = structlog.get_logger(__name__)

WAIT_FOR_ENGINE = timedelta(seconds=30)
BETWEEN_TRIES = timedelta(seconds=5)
PATIENCE = timedelta(hours=24)  # so long a pupil waits for an engine before a teacher is asked


@dataclass(frozen=True)
class Workshop:
    """What a worker works with. The roof builds it."""

    begin: Begin
    engine: FeedbackEngine
    reader: PageReader | None  # None: no model here can read
    files: FileStore
    gradebook: AgsClient
    rosters: RosterClient
    seal: KeySeal
    clock: Clock
    leases: Leases
    lane: LaneBook  # of the host whose engine and reader these are
    attempts: int
    patience: timedelta = WAIT_FOR_ENGINE  # before a job is offered again that its host failed at

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
        transcripts.settle_unchecked(db, claim.subject_id)
        request = assessment.request_for(db, claim.subject_id)
        told = prose.telling(db, shop.begin, claim)
        drawn = transcripts.drawn_pages(db, claim.subject_id)
    with _engine_troubles(shop, claim):
        request = replace(request, images=tuple(_image_of(shop, page) for page in drawn))
        with _measured(shop, claim):
            draft = shop.engine.give_feedback(request, told=told)
        with shop.begin(actor) as db:
            jobs.finish(db, claim)
            _keep(db, claim, draft)


def read_pages(shop: Workshop, claim: Claim) -> None:
    """Let the reader read the photos of one submission, page by page; each one is kept at once."""
    actor = service_of(claim.platform_id)
    if claim.attempt > shop.attempts:
        _hand_over(shop, claim, "pages_unread")
        return
    with shop.begin(actor) as db:
        about = assessment.request_for(db, claim.subject_id)
        unread = transcripts.unread(db, claim.subject_id)
    with _engine_troubles(shop, claim):
        for page in unread:
            reading = None
            if shop.reader is not None:
                image = _image_of(shop, page)
                with _measured(shop, claim, PAGE):
                    reading = shop.reader.read_page(
                        image, task=about.task_prompt, language=about.language
                    )
            with shop.begin(actor) as db:
                jobs.renew(db, claim, lease=shop.leases.lease)
                transcripts.keep_reading(db, page, reading)
        with shop.begin(actor) as db:
            jobs.finish(db, claim)
            transcripts.go_on_when_read(db, claim.subject_id)


def _image_of(shop: Workshop, page: Attachment) -> PageImage:
    return PageImage(shop.files.get(page.key, sha256=page.sha256))


@contextmanager
def _measured(shop: Workshop, claim: Claim, size: int = 0) -> Iterator[None]:
    """How long the model takes for a job, or for a part of it of `size` characters."""
    began = time.monotonic()
    yield
    shop.lane.answered(claim.kind, size or claim.size, time.monotonic() - began)


@contextmanager
def _engine_troubles(shop: Workshop, claim: Claim) -> Iterator[None]:
    """What becomes of the job where a model, or what it needs, does not do its part."""
    try:
        yield
    except (EngineUnavailable, FilesUnavailable) as error:
        if isinstance(error, EngineUnavailable):
            shop.lane.silent(claim.kind)
        if claim.waited > PATIENCE:
            _hand_over(shop, claim, "engine_unavailable")
        else:
            _wait(shop, claim, type(error).__name__, shop.patience, counts=False)
    except EngineFailed as error:
        _wait(shop, claim, type(error).__name__, BETWEEN_TRIES * claim.attempt, counts=True)
    except EngineRefused as refused:
        _hand_over(shop, claim, refused.reason.value)
    except FilesError:
        _hand_over(shop, claim, "page_lost")


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
    try:
        with shop.begin(actor) as db:
            sending = posting.begin_posting(db, claim.subject_id, shop.clock())
            if sending is None:
                jobs.finish(db, claim)
                return
            endpoint = people.token_endpoint(db, claim.platform_id, shop.seal)
    except posting.Busy:
        _wait(shop, claim, posting.Busy.__name__, BETWEEN_TRIES, counts=False)
        return
    outcome, read_back = _deliver(shop, claim, endpoint, sending)
    now = shop.clock()
    decision = decide(_attempt(sending, outcome, read_back, claim.attempt, now), now, _jitter())
    with shop.begin(actor) as db:
        if isinstance(decision, Retry):
            jobs.wait_again(db, claim, type(outcome).__name__, after=decision.after)
        else:
            jobs.finish(db, claim)
        posting.keep_decision(db, sending.sync_id, outcome, decision, now)
    log.info("score", sync=sending.sync_id, decision=type(decision).__name__)


def _attempt(
    sending: Posting, outcome: PostOutcome, read_back: ReadBack, number: int, now: datetime
) -> Attempt:
    return Attempt(
        outcome=outcome,
        ours=sending.score,
        last_posted=sending.last_posted,
        earlier=sending.earlier,
        read_back=read_back,
        number=number,
        age=now - sending.planned_at,
        restamped=sending.restamped,
        unsure=sending.unsure,
        insisted=sending.insisted,
    )


def _jitter() -> float:
    return random.random()  # noqa: S311  # spreads retries, guards nothing


def _deliver(
    shop: Workshop, claim: Claim, endpoint: TokenEndpoint, sending: Posting
) -> tuple[PostOutcome, ReadBack]:
    """Post to the known column; where none is known, or it is there no more, look for it."""
    url = sending.line_item_url
    if url is not None:
        outcome, read_back = _send(shop, endpoint, sending, url)
        if not column_gone(outcome):
            return outcome, read_back
    found = _column(shop, claim, endpoint, sending, missing=url)
    return _send(shop, endpoint, sending, found) if isinstance(found, str) else (found, UNREAD)


def _send(
    shop: Workshop, endpoint: TokenEndpoint, sending: Posting, url: str
) -> tuple[PostOutcome, ReadBack]:
    return shop.gradebook.deliver(
        endpoint,
        url,
        sending.score,
        look_first=sending.earlier if sending.unsure else None,
        may_read=sending.may_read,
    )


def _column(
    shop: Workshop, claim: Claim, endpoint: TokenEndpoint, sending: Posting, missing: str | None
) -> Found:
    """The activity's column: found, or else made; by one worker at a time, so that none is made
    twice. `missing`: the address at which there seems to be none any more."""
    actor = service_of(claim.platform_id)
    with shop.begin(actor) as db:
        turn = columns.take_turn(db, sending.link_id)
    if turn is None:
        return NoAnswer(maybe_arrived=False)
    found: Found | None = turn.known if turn.known != missing else None
    if found is None:
        found = search_column(shop.gradebook, endpoint, sending, turn)
    if isinstance(found, NoAnswer) and found.maybe_arrived:
        return NoAnswer(
            maybe_arrived=False
        )  # the turn is kept: nobody makes another before it ends
    with shop.begin(actor) as db:
        columns.end_turn(db, turn, found, missing)
    return NoAnswer(maybe_arrived=False) if found == missing else found


def refresh_roster(shop: Workshop, claim: Claim) -> None:
    """Ask the LMS who is in a course (NRPS). Without an answer all stays as it was."""
    if claim.attempt > shop.attempts:
        _keep_no_roster(shop, claim, RosterFailure.UNFORESEEN)
        return
    actor = service_of(claim.platform_id)
    with shop.begin(actor) as db:
        asked = roster.question(db, claim.subject_id)
        endpoint = people.token_endpoint(db, claim.platform_id, shop.seal)
        if asked.url is None:
            jobs.finish(db, claim)
            return
    try:
        answer = shop.rosters.fetch_members(endpoint, asked.url, asked.known)
    except (OutboundError, TokenRefused, RosterRefused) as error:
        wait = retry_after(getattr(error, "retry_after", None), shop.clock())
        _keep_no_roster(shop, claim, failure_of(error), wait)
        return
    with shop.begin(actor) as db:
        jobs.finish(db, claim)
        roster.keep(db, claim.platform_id, claim.subject_id, asked.asked_at, answer)


def _keep_no_roster(
    shop: Workshop, claim: Claim, failure: RosterFailure, wait: timedelta | None = None
) -> None:
    """The job is done; when there is another one, the roster itself says."""
    with shop.begin(service_of(claim.platform_id)) as db:
        jobs.finish(db, claim)
        roster.keep_failure(db, claim.platform_id, claim.subject_id, failure, wait)
    log.info("no roster", course=claim.subject_id, failure=failure.value)


def ask_for_due_rosters(begin: Begin) -> None:
    """Start what is due: at night, or another try. Safe in any number of workers at once, and
    after any time without one: each turn is taken once, and missed nights are not made up for."""
    with begin(WORKER) as db:
        due = roster.due(db)
    for platform_id, course_id in due:
        with begin(service_of(platform_id)) as db:
            roster.take_turn(db, platform_id, course_id)


def _wait(shop: Workshop, claim: Claim, error: str, after: timedelta, *, counts: bool) -> None:
    with shop.begin(service_of(claim.platform_id)) as db:
        # Not to the second, so that those who failed together do not come back together.
        jobs.wait_again(db, claim, error, after=after * (1 + _jitter() / 2), counts=counts)


_STEPS: dict[JobKind, Callable[[Workshop, Claim], None]] = {
    JobKind.READ_PAGES: read_pages,
    JobKind.GIVE_FEEDBACK: give_feedback,
    JobKind.POST_SCORE: post_score,
    JobKind.REFRESH_ROSTER: refresh_roster,
}
