"""Feedback and what it needs: reading photos, judging, and what becomes of it where that fails."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial

import structlog
from sqlalchemy.orm import Session

from feedback_engine.contract import FeedbackDraft, FeedbackRequest, PageImage, PageReading, Told
from feedback_engine.errors import EngineFailed, EngineRefused, EngineUnavailable
from lti_tool.core import jobs
from lti_tool.core.db import service_of
from lti_tool.core.files import FilesError, FilesUnavailable
from lti_tool.core.jobs import Claim
from lti_tool.core.moves import ForbiddenMove
from lti_tool.flows.tools import BETWEEN_TRIES, Tools, wait_again
from lti_tool.submissions import assessment, prose, transcripts
from lti_tool.submissions.urgency import PAGE
from lti_tool.uploads.models import Attachment

log = structlog.get_logger(__name__)

PATIENCE = timedelta(hours=24)  # so long a pupil waits for an engine before a teacher is asked


def give_feedback(shop: Tools, claim: Claim) -> None:
    """Let the engine judge one submission."""
    if claim.attempt > shop.attempts:
        _hand_over(shop, claim, "engine_failed")
        return
    request, told, drawn = shop.write(claim, partial(_asked, shop, claim))
    with _engine_troubles(shop, claim):
        request = replace(request, images=tuple(_image_of(shop, page) for page in drawn))
        with _measured(shop, claim):
            draft = shop.engine.give_feedback(request, told=told)
        shop.write(claim, partial(_keep, claim, draft))


def read_pages(shop: Tools, claim: Claim) -> None:
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
            shop.write(claim, partial(_keep_page, shop, claim, page, reading))
        shop.write(claim, partial(_all_read, claim))


def _image_of(shop: Tools, page: Attachment) -> PageImage:
    return PageImage(shop.files.get(page.key, sha256=page.sha256))


@contextmanager
def _measured(shop: Tools, claim: Claim, size: int = 0) -> Iterator[None]:
    """How long the model takes for a job, or for a part of it of `size` characters."""
    began = time.monotonic()
    yield
    shop.lane.answered(claim.kind, size or claim.size, time.monotonic() - began)


@contextmanager
def _engine_troubles(shop: Tools, claim: Claim) -> Iterator[None]:
    """What becomes of the job where a model, or what it needs, does not do its part."""
    try:
        yield
    except (EngineUnavailable, FilesUnavailable) as error:
        if isinstance(error, EngineUnavailable):
            shop.lane.silent(claim.kind)
        if claim.waited > PATIENCE:
            _hand_over(shop, claim, "engine_unavailable")
        else:
            wait_again(shop, claim, type(error).__name__, shop.patience, counts=False)
    except EngineFailed as error:
        wait_again(shop, claim, type(error).__name__, BETWEEN_TRIES * claim.attempt, counts=True)
    except EngineRefused as refused:
        _hand_over(shop, claim, refused.reason.value)
    except FilesError:
        _hand_over(shop, claim, "page_lost")


def _hand_over(shop: Tools, claim: Claim, reason: str) -> None:
    """No feedback by the engine: the teacher sees the submission, and why."""

    def hand_over(db: Session) -> None:
        jobs.give_up(db, claim, reason)
        assessment.hand_to_teacher(db, claim.subject_id, reason)

    shop.write(claim, hand_over)


def _asked(
    shop: Tools, claim: Claim, db: Session
) -> tuple[FeedbackRequest, Told | None, Sequence[Attachment]]:
    """What the engine needs: the work, whom to tell meanwhile, and pages with drawings on them."""
    transcripts.settle_unchecked(db, claim.subject_id)
    return (
        assessment.request_for(db, claim.subject_id),
        prose.telling(db, shop.begin, claim),
        transcripts.drawn_pages(db, claim.subject_id),
    )


def _keep_page(
    shop: Tools, claim: Claim, page: Attachment, reading: PageReading | None, db: Session
) -> None:
    jobs.renew(db, claim, lease=shop.leases.lease)
    transcripts.keep_reading(db, page, reading)


def _all_read(claim: Claim, db: Session) -> None:
    jobs.finish(db, claim)
    transcripts.go_on_when_read(db, claim)


def _keep(claim: Claim, draft: FeedbackDraft, db: Session) -> None:
    jobs.finish(db, claim)
    try:
        with db.begin_nested():
            assessment.keep_feedback(db, claim.subject_id, draft)
    except ForbiddenMove:
        log.info("feedback came after the teacher's", submission=claim.subject_id)
