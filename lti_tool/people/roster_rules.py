"""When to ask for a roster again, and what to believe of it. Pure: the moment comes as a value."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from lti_tool.core.outbound import OutboundError, OutboundGarbage, OutboundRefused, Refusal
from lti_tool.people.models import RosterFailure
from lti_tool.people.roster_client import RosterRefused
from lti_tool.people.tokens import TokenRefusal, TokenRefused

WALL = ZoneInfo("Europe/Berlin")
NIGHT = time(1, 0)
NIGHT_LASTS = timedelta(hours=4)  # each course has its own minute in it, so that a platform
# is not asked for all of them at once
PAUSES = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15), timedelta(hours=1))
LONGEST_PAUSE = timedelta(hours=1)
IN_DOUBT = timedelta(hours=1)
BELIEVED_AFTER = timedelta(hours=6)
FEW = 10  # of a smaller course half may well leave in one day

_PASSING = frozenset(
    {RosterFailure.UNREACHABLE, RosterFailure.UNREADABLE, RosterFailure.UNFORESEEN}
)


def next_turn(now: datetime, course_id: UUID) -> datetime:
    """The next of the moments, one each night, at which this course is asked for."""
    offset = timedelta(seconds=course_id.int % int(NIGHT_LASTS.total_seconds()))
    today = now.astimezone(WALL).date()
    turns = (
        datetime.combine(today + timedelta(days=days), NIGHT, WALL).astimezone(now.tzinfo) + offset
        for days in (0, 1)
    )
    return next(turn for turn in turns if turn > now)


def next_try(
    failure: RosterFailure,
    failures: int,
    now: datetime,
    course_id: UUID,
    asked_to_wait: timedelta | None = None,
) -> datetime:
    """When to ask again after this failure, the n-th in a row.

    What passes by itself is tried again soon, then later, then at night like everything else; for
    a plain no the next night is soon enough.
    """
    night = next_turn(now, course_id)
    if failure is RosterFailure.DOUBTFUL:
        return min(now + IN_DOUBT, night)
    if failure not in _PASSING or failures > len(PAUSES):
        return night
    pause = max(PAUSES[max(failures, 1) - 1], asked_to_wait or timedelta())
    return min(now + min(pause, LONGEST_PAUSE), night)


def is_doubtful(listed: int, pupils: int, leaving: int) -> bool:
    """Whether so many pupils missing at once look like a fault of the platform.

    A list with nobody on it, or without more than half of a class, is what a broken plugin, a
    restored database or a half-finished enrolment sync sends. Believing it would turn a class out
    in the middle of a lesson; waiting lets somebody in for some hours more who has left.
    """
    return leaving > 0 and (listed == 0 or (pupils >= FEW and 2 * leaving > pupils))


def failure_of(error: OutboundError | TokenRefused | RosterRefused) -> RosterFailure:
    """What went wrong, as the teacher's page has a sentence for it."""
    if isinstance(error, RosterRefused):
        return _NO.get(error.status, RosterFailure.REFUSED)
    if isinstance(error, TokenRefused):
        switched_off = error.reason is TokenRefusal.SCOPE
        return RosterFailure.NOT_ALLOWED if switched_off else RosterFailure.NOT_RECOGNISED
    if isinstance(error, OutboundRefused):
        too_many = error.reason is Refusal.TOO_MANY
        return RosterFailure.TOO_MANY if too_many else RosterFailure.ADDRESS
    unreadable = isinstance(error, OutboundGarbage)
    return RosterFailure.UNREADABLE if unreadable else RosterFailure.UNREACHABLE


_NO = {
    401: RosterFailure.NOT_RECOGNISED,
    403: RosterFailure.NOT_ALLOWED,
    404: RosterFailure.GONE,
    410: RosterFailure.GONE,
}
