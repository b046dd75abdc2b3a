"""A score on its way to the gradebook, and the column it belongs in."""

from __future__ import annotations

from datetime import datetime
from functools import partial

import structlog
from sqlalchemy.orm import Session

from lti_tool.core import jobs
from lti_tool.core.jobs import Claim
from lti_tool.flows.tools import BETWEEN_TRIES, Tools, jitter, wait_again
from lti_tool.grades import columns, posting
from lti_tool.grades.messages import UNREAD, NoAnswer, PostOutcome, ReadBack
from lti_tool.grades.policy import Attempt, Retry, column_gone, decide
from lti_tool.grades.posting import Posting
from lti_tool.grades.search import Found, search_column
from lti_tool.people import services as people
from lti_tool.people.tokens import TokenEndpoint

log = structlog.get_logger(__name__)


def post_score(shop: Tools, claim: Claim) -> None:
    """Send one score to the gradebook and keep what became of it."""
    try:
        begun = shop.write(claim, partial(_begin, shop, claim))
    except posting.Busy:
        wait_again(shop, claim, posting.Busy.__name__, BETWEEN_TRIES, counts=False)
        return
    if begun is None:
        return
    sending, endpoint = begun
    outcome, read_back = _deliver(shop, claim, endpoint, sending)
    now = shop.clock()
    decision = decide(_attempt(sending, outcome, read_back, claim.attempt, now), now, jitter())

    def keep(db: Session) -> None:
        if isinstance(decision, Retry):
            jobs.wait_again(db, claim, type(outcome).__name__, after=decision.after)
        else:
            jobs.finish(db, claim)
        posting.keep_decision(db, sending.sync_id, outcome, decision, now)

    shop.write(claim, keep)
    log.info("score", sync=sending.sync_id, decision=type(decision).__name__)


def _begin(shop: Tools, claim: Claim, db: Session) -> tuple[Posting, TokenEndpoint] | None:
    """What to send, and with whose leave; None if there is nothing to send any more."""
    sending = posting.begin_posting(db, claim.subject_id, shop.clock())
    if sending is None:
        jobs.finish(db, claim)
        return None
    return sending, people.token_endpoint(db, claim.platform_id, shop.seal)


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


def _deliver(
    shop: Tools, claim: Claim, endpoint: TokenEndpoint, sending: Posting
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
    shop: Tools, endpoint: TokenEndpoint, sending: Posting, url: str
) -> tuple[PostOutcome, ReadBack]:
    return shop.gradebook.deliver(
        endpoint,
        url,
        sending.score,
        look_first=sending.earlier if sending.unsure else None,
        may_read=sending.may_read,
    )


def _column(
    shop: Tools, claim: Claim, endpoint: TokenEndpoint, sending: Posting, missing: str | None
) -> Found:
    """The activity's column: found, or else made; by one worker at a time, so that none is made
    twice. `missing`: the address at which there seems to be none any more."""
    turn = shop.write(claim, lambda db: columns.take_turn(db, sending.link_id))
    if turn is None:
        return NoAnswer(maybe_arrived=False)
    found: Found | None = turn.known if turn.known != missing else None
    if found is None:
        found = search_column(shop.gradebook, endpoint, sending, turn)
    if isinstance(found, NoAnswer) and found.maybe_arrived:
        return NoAnswer(
            maybe_arrived=False
        )  # the turn is kept: nobody makes another before it ends
    shop.write(claim, lambda db: columns.end_turn(db, turn, found, missing))
    return NoAnswer(maybe_arrived=False) if found == missing else found
