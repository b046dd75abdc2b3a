"""What a gradebook's answer means: posted, try again, or stop and tell the teacher. Pure rules.

Moodle's real behaviour, which these rules are made for: a score that is not newer than the last
change is refused (409), also when that change was an earlier try of ours that did arrive; a
teacher's own grade stands although the answer is 200; a locked grade answers 500 with `[]`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import parsedate_to_datetime

from lti_tool.grades.messages import (
    UNREAD,
    Answered,
    FailureReason,
    NoAnswer,
    NotSent,
    PostOutcome,
    ReadBack,
    Result,
    Score,
    StoodThere,
)

GIVE_UP_AFTER = timedelta(hours=24)
LONGEST_WAIT = timedelta(hours=1)
FIRST_WAIT = timedelta(seconds=10)
RESTAMP_WAIT = timedelta(seconds=2)
STEP = timedelta(seconds=1)  # Moodle compares whole seconds
FURTHEST_AHEAD = timedelta(minutes=15)

_FINEST = Decimal("0.00001")  # what Moodle keeps of a grade
_COARSEST = Decimal("0.005")  # half of what a platform with two decimals keeps

_NOTHING = Result(score=None, maximum=None)

_FINAL: Mapping[int, FailureReason] = {
    400: FailureReason.NOT_GRADABLE,  # Moodle: not enrolled, or in a role without grades
    401: FailureReason.NOT_AUTHORISED,  # after a new token was tried
    403: FailureReason.NOT_ALLOWED,
    404: FailureReason.COLUMN_GONE,
    410: FailureReason.COLUMN_GONE,
    422: FailureReason.NOT_GRADABLE,
}
_BUSY = frozenset({408, 425, 429})


@dataclass(frozen=True)
class Attempt:
    """One try to post `ours`, and all that is known about it.

    `last_posted`: the score of ours that the gradebook held before, if any; `earlier`: all others
    for this pupil that ever left. `number`: 1 for the first try. `age`: since the score was
    planned. `restamped`: this try already carried a second timestamp after a 409. `unsure`: an
    earlier try may have arrived. `insisted`: a teacher has seen why it failed and asked for it
    again. `read_back`: what was read afterwards, see `must_read_back`.
    """

    outcome: PostOutcome
    ours: Score
    last_posted: Score | None = None
    read_back: ReadBack = UNREAD
    number: int = 1
    age: timedelta = timedelta()
    restamped: bool = False
    earlier: tuple[Score, ...] = ()
    unsure: bool = False
    insisted: bool = False

    @property
    def others(self) -> tuple[Score, ...]:
        """All other scores of ours that may stand in the gradebook."""
        return (*self.earlier, self.last_posted) if self.last_posted else self.earlier


@dataclass(frozen=True)
class Posted:
    """It stands in the gradebook. `verified`: seen there, not only promised."""

    verified: bool


@dataclass(frozen=True)
class Retry:
    """Post again after so long: as it was, or, if `restamp`, with a timestamp from `stamp`.

    `newer_than`: the moment the gradebook gives for what stands there, for `stamp`.
    """

    after: timedelta
    restamp: bool = False
    newer_than: datetime | None = None


@dataclass(frozen=True)
class Final:
    """Stop, and show the reason with what to do."""

    reason: FailureReason


Decision = Posted | Retry | Final


def must_read_back(outcome: PostOutcome) -> bool:
    """Whether the answer alone does not say what stands in the gradebook now."""
    return isinstance(outcome, Answered) and (_accepted(outcome) or outcome.status == 409)


def column_gone(outcome: PostOutcome) -> bool:
    """Whether there is nothing at the column's address any more."""
    return isinstance(outcome, Answered) and _FINAL.get(outcome.status) == FailureReason.COLUMN_GONE


def decide(attempt: Attempt, now: datetime, jitter: float) -> Decision:
    """What to do after a try. `jitter`: random, 0 <= jitter < 1."""
    outcome = attempt.outcome
    if isinstance(outcome, StoodThere):
        return Posted(verified=True)
    if isinstance(outcome, NotSent):
        return Final(outcome.reason)
    if isinstance(outcome, NoAnswer):
        return _later(attempt, outcome.retry_after, now, jitter)
    if _accepted(outcome):
        return _after_acceptance(attempt)
    if outcome.status == 409:
        return _after_conflict(attempt, now, jitter)
    return _after_refusal(attempt, outcome, now, jitter)


def may_have_arrived(outcome: PostOutcome) -> bool:
    """Whether the score may stand in the gradebook although this try did not say so. A server
    error is no proof of the contrary: a proxy may have lost patience after Moodle had stored it."""
    if isinstance(outcome, Answered):
        return outcome.status >= 500 and not _says_locked(outcome)
    return isinstance(outcome, NoAnswer) and outcome.maybe_arrived


def arrived(result: Result | None, ours: Score, others: Sequence[Score] = ()) -> bool:
    """Whether this very score stands there, and not an older one of ours with equal points."""
    if result is None or not same_score(result, ours):
        return False
    return not _is_an_older(result, ours, others)


def retry_delay(attempt: int, jitter: float) -> timedelta:
    """10 s, 20 s, 40 s … up to an hour, less up to half of it at random so that tries spread."""
    longest: timedelta = min(FIRST_WAIT * 2 ** min(max(attempt, 1) - 1, 20), LONGEST_WAIT)
    return longest * (1 - jitter / 2)


def retry_after(header: str | None, now: datetime) -> timedelta | None:
    """The wait that a Retry-After header asks for (RFC 9110, 10.2.3), at most an hour; or None."""
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        return min(timedelta(seconds=min(int(text[:9]), 10**6)), LONGEST_WAIT)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max(moment - now, timedelta()), LONGEST_WAIT)


def stamp(now: datetime, last: datetime | None, stored: datetime | None = None) -> datetime:
    """The timestamp for a try: now, but at least a second after the last one of this pupil.

    `stored`: the moment the gradebook itself gives for what it holds; it wins over a clock of ours
    that is slow, unless it is so far ahead that it cannot be meant.
    """
    if stored and stored > now + FURTHEST_AHEAD:
        stored = None
    return max([now, *(moment + STEP for moment in (last, stored) if moment)])


def same_score(result: Result, score: Score) -> bool:
    """Whether the gradebook shows these points, on whatever scale its column has.

    The tolerance covers rounding by the gradebook (two or more decimals) and always stays below
    half of a tenth of a point of ours, so that no real difference hides in it.
    """
    if result.score is None:
        return False
    scale = result.maximum / score.maximum if result.maximum else Decimal(1)
    tolerance = max(min(_COARSEST, scale * Decimal("0.025")), _FINEST)
    return abs(result.score - score.given * scale) <= tolerance


def overridden(
    result: Result, last_posted: Score | None, ours: Score, earlier: Sequence[Score] = ()
) -> bool:
    """Whether what stands there is by nobody of us: neither this score nor one before it.

    Every score that left counts, also one that a newer version overtook while nobody answered.
    """
    if result.score is None:
        return last_posted is not None  # somebody took our grade away
    known = (ours, *earlier, *((last_posted,) if last_posted else ()))
    return not any(same_score(result, score) for score in known)


def _after_acceptance(attempt: Attempt) -> Decision:
    """200 is only a promise: beside a teacher's own grade Moodle accepts ours and drops it."""
    result = attempt.read_back.result
    if result is None:
        return Posted(verified=False)
    if same_score(result, attempt.ours):
        return Posted(verified=True)
    return Final(FailureReason.OVERRIDDEN)


def _after_conflict(attempt: Attempt, now: datetime, jitter: float) -> Decision:
    """409: an earlier try did arrive, or a teacher was faster, or a clock is slow."""
    if not attempt.read_back.known:
        return _after_blind_conflict(attempt, now, jitter)
    result = attempt.read_back.result or _NOTHING
    if arrived(result, attempt.ours, attempt.others):
        return Posted(verified=True)
    theirs = overridden(result, attempt.last_posted, attempt.ours, attempt.earlier)
    if theirs and not (attempt.insisted and not attempt.restamped):
        return Final(FailureReason.OVERRIDDEN)
    if attempt.restamped:
        return Final(FailureReason.CLOCK)
    return Retry(RESTAMP_WAIT, restamp=True, newer_than=result.timestamp)


def _after_blind_conflict(attempt: Attempt, now: datetime, jitter: float) -> Decision:
    """409, and nobody knows what stands there. A later timestamp is never tried blindly."""
    if attempt.read_back.possible:
        return _later(attempt, None, now, jitter)
    return Posted(verified=False) if attempt.unsure else Final(FailureReason.REJECTED)


def _after_refusal(attempt: Attempt, outcome: Answered, now: datetime, jitter: float) -> Decision:
    if _says_locked(outcome):
        return Final(FailureReason.LOCKED)
    if outcome.status >= 500 or outcome.status in _BUSY:
        return _later(attempt, outcome.retry_after, now, jitter)
    return Final(_FINAL.get(outcome.status, FailureReason.REJECTED))


def _is_an_older(result: Result, ours: Score, others: Sequence[Score]) -> bool:
    """Equal points, but under the comment of an older score: the new comment has not arrived."""
    if result.comment is None or _words(result.comment) == _words(ours.comment):
        return False
    return any(
        same_score(result, other) and _words(result.comment) == _words(other.comment)
        for other in others
    )


def _later(
    attempt: Attempt, retry_after_header: str | None, now: datetime, jitter: float
) -> Decision:
    asked = retry_after(retry_after_header, now) or timedelta()
    after = max(asked, retry_delay(attempt.number, jitter))
    if attempt.age + after > GIVE_UP_AFTER:
        return Final(FailureReason.GAVE_UP)
    return Retry(after)


def _says_locked(outcome: Answered) -> bool:
    return outcome.status == 500 and outcome.empty_list


def _accepted(outcome: Answered) -> bool:
    return 200 <= outcome.status < 300


def _words(text: str) -> list[str]:
    """A comment without its line breaks and spaces, which gradebooks rearrange."""
    return text.split()
