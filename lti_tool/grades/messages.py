"""What passes between us and a gradebook: a score on its way, what came of it, what stands there.

Pure values and their JSON (AGS 2.0, section 3). Who sends them is in `ags`, what an answer means
in `policy`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum

MOST_DECIMALS = 5  # as many as Moodle keeps
LARGEST_NUMBER = Decimal(10) ** 6


class FailureReason(StrEnum):
    """Why a score will not be sent again by itself. The value is the key of the text to show."""

    OVERRIDDEN = "overridden"  # a teacher changed the grade in the LMS: theirs stands
    LOCKED = "locked"  # the grade or its column is locked
    NOT_GRADABLE = "not_gradable"  # left the course, or is not a pupil there
    NOT_ALLOWED = "not_allowed"  # the tool may not write grades
    NOT_AUTHORISED = "not_authorised"  # the platform does not know our key or client id
    COLUMN_GONE = "column_gone"
    REJECTED = "rejected"  # refused for a reason that no rule of ours explains
    ADDRESS_REFUSED = "address_refused"  # the column's address is not the platform's, or redirects
    CLOCK = "clock"  # ours and theirs differ too much
    GAVE_UP = "gave_up"  # a day of trying


@dataclass(frozen=True)
class Score:
    """One pupil's points. `user_id`: the `sub` of the launch. `timestamp`: of this try, aware.

    Raises ValueError for what no gradebook may ever see. The comment is what the gradebook shows
    beside the points; Moodle deletes an existing one where it is missing, so it never is.
    """

    user_id: str
    given: Decimal
    maximum: Decimal
    comment: str = field(repr=False)
    timestamp: datetime

    def __post_init__(self) -> None:
        if not (_fits(self.given) and _fits(self.maximum)):
            raise ValueError("points are finite, small and have few decimals")
        if not 0 <= self.given <= self.maximum or self.maximum == 0:
            raise ValueError("points lie between 0 and the maximum")
        if not self.user_id or not self.comment.strip():
            raise ValueError("a score has a user and a comment")
        if self.timestamp.tzinfo is None:
            raise ValueError("a score has a moment, not a wall clock")

    def to_json(self) -> bytes:
        """The score message. Always FullyGraded: anything else makes Moodle clear the grade."""
        message = {
            "userId": self.user_id,
            "scoreGiven": json_number(self.given),
            "scoreMaximum": json_number(self.maximum),
            "comment": self.comment,
            "timestamp": self.timestamp.astimezone(UTC).isoformat(timespec="milliseconds"),
            "activityProgress": "Completed",
            "gradingProgress": "FullyGraded",
        }
        return json.dumps(message, allow_nan=False).encode("ascii")


@dataclass(frozen=True)
class Result:
    """What stands in the gradebook, in points of the column, which may differ from ours."""

    score: Decimal | None
    maximum: Decimal | None
    comment: str | None = field(repr=False, default=None)
    timestamp: datetime | None = None


@dataclass(frozen=True)
class ReadBack:
    """An attempt to read the result: `known` is false where it did not succeed, `possible` where
    no attempt ever will, because the platform does not let us read."""

    known: bool
    result: Result | None = None
    possible: bool = True


UNREAD = ReadBack(known=False)
UNREADABLE = ReadBack(known=False, possible=False)


@dataclass(frozen=True)
class Answered:
    """The platform answered. `empty_list`: the body is `[]`, Moodle's way to say no."""

    status: int
    empty_list: bool = False
    retry_after: str | None = None


@dataclass(frozen=True)
class NoAnswer:
    """The network or the platform failed; `maybe_arrived`: the score may have been stored."""

    maybe_arrived: bool
    retry_after: str | None = None


@dataclass(frozen=True)
class NotSent:
    """The score did not leave, and will not until somebody changes something."""

    reason: FailureReason


@dataclass(frozen=True)
class StoodThere:
    """Nothing was sent: an earlier try that nobody answered did arrive."""


PostOutcome = Answered | NoAnswer | NotSent | StoodThere


def json_number(number: Decimal) -> int | float:
    """The number such that JSON shows it as written: 12 and 12.5, never 12.499999.

    The shortest form of a float gives back up to 15 digits exactly; ours are shorter (`_fits`).
    """
    return int(number) if number == number.to_integral_value() else float(number)


def read_result(entry: Mapping[str, object]) -> Result:
    """One entry of a result container. Points that are no number count as not there."""
    comment = entry.get("comment")
    return Result(
        score=_number(entry.get("resultScore")),
        maximum=_number(entry.get("resultMaximum")),
        comment=comment if isinstance(comment, str) else None,
        timestamp=_moment(entry.get("timestamp")),
    )


def _fits(number: Decimal) -> bool:
    if not number.is_finite() or abs(number) > LARGEST_NUMBER:
        return False
    return number == round(number, MOST_DECIMALS)


def _number(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        return None
    try:
        number = Decimal(value)
    except ArithmeticError:
        return None
    return number if number.is_finite() and abs(number) <= LARGEST_NUMBER else None


def _moment(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo else None
