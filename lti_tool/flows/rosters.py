"""Who is in a course, asked of the LMS."""

from __future__ import annotations

from datetime import timedelta

import structlog
from sqlalchemy.orm import Session

from lti_tool.core import jobs
from lti_tool.core.db import WORKER, Begin, service_of
from lti_tool.core.jobs import Claim
from lti_tool.core.outbound import OutboundError
from lti_tool.flows.tools import Tools
from lti_tool.grades.policy import retry_after
from lti_tool.people import roster
from lti_tool.people import services as people
from lti_tool.people.models import RosterFailure
from lti_tool.people.roster_client import RosterRefused
from lti_tool.people.roster_rules import failure_of
from lti_tool.people.tokens import TokenRefused

log = structlog.get_logger(__name__)


def refresh_roster(shop: Tools, claim: Claim) -> None:
    """Ask the LMS who is in a course (NRPS). Without an answer all stays as it was."""
    if claim.attempt > shop.attempts:
        _keep_no_roster(shop, claim, RosterFailure.UNFORESEEN)
        return
    with shop.begin(service_of(claim.platform_id)) as db:
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

    def keep(db: Session) -> None:
        jobs.finish(db, claim)
        roster.keep(db, claim.platform_id, claim.subject_id, asked.asked_at, answer)

    shop.write(claim, keep)


def _keep_no_roster(
    shop: Tools, claim: Claim, failure: RosterFailure, wait: timedelta | None = None
) -> None:
    """The job is done; when there is another one, the roster itself says."""

    def keep(db: Session) -> None:
        jobs.finish(db, claim)
        roster.keep_failure(db, claim.platform_id, claim.subject_id, failure, wait)

    shop.write(claim, keep)
    log.info("no roster", course=claim.subject_id, failure=failure.value)


def ask_for_due_rosters(begin: Begin) -> None:
    """Start what is due: at night, or another try. Safe in any number of workers at once, and
    after any time without one: each turn is taken once, and missed nights are not made up for."""
    with begin(WORKER) as db:
        due = roster.due(db)
    for platform_id, course_id in due:
        with begin(service_of(platform_id)) as db:
            roster.take_turn(db, platform_id, course_id)
