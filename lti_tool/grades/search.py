"""Asks the LMS for an activity's column, and has it made where there never was one. HTTP only."""

from __future__ import annotations

from lti_tool.core.outbound import OutboundFailed, OutboundRefused
from lti_tool.grades.ags import AgsClient, AgsRefused, why_refused
from lti_tool.grades.columns import Turn
from lti_tool.grades.messages import FailureReason, NoAnswer, NotSent
from lti_tool.grades.posting import Posting
from lti_tool.people.tokens import TokenEndpoint, TokenRefused

Found = str | NoAnswer | NotSent


def search_column(
    gradebook: AgsClient, endpoint: TokenEndpoint, sending: Posting, turn: Turn
) -> Found:
    """The column's address, or why there is none. NoAnswer with `maybe_arrived`: it may have been
    made, so nobody may make another before the LMS has had the time to show it."""
    if sending.wanted is None:
        return NotSent(FailureReason.COLUMN_GONE)
    try:
        found = gradebook.find_line_item(endpoint, sending.wanted, turn.taken)
    except OutboundFailed as failed:
        return NoAnswer(maybe_arrived=False, retry_after=failed.retry_after)
    except (AgsRefused, TokenRefused, OutboundRefused) as refused:
        return NotSent(why_refused(refused))
    if found is not None:
        return found
    if not turn.may_make:
        return NotSent(FailureReason.COLUMN_GONE)
    return _made(gradebook, endpoint, sending)


def _made(gradebook: AgsClient, endpoint: TokenEndpoint, sending: Posting) -> Found:
    assert sending.wanted is not None  # noqa: S101  # it was just looked for
    try:
        return gradebook.create_line_item(
            endpoint, sending.wanted, label=sending.label, maximum=sending.score.maximum
        )
    except OutboundFailed as failed:
        return NoAnswer(failed.maybe_arrived, failed.retry_after)
    except (AgsRefused, TokenRefused, OutboundRefused) as refused:
        if isinstance(refused, AgsRefused) and refused.status in (403, 404):
            return NotSent(FailureReason.COLUMN_GONE)  # the activity is no more, or the course
        return NotSent(why_refused(refused))
