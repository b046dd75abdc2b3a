"""What a score does to a grade: Moodle's rules, without HTTP. Times are whole seconds since 1970.

Seen on Moodle 4.5: `mod/lti/service/gradebookservices/…/scores.php`, `grade_item` in `lib/grade`.
"""

import json
import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from .store import Grade, LineItem


class BadScoreError(Exception):
    """Something required is missing or has the wrong shape: 400."""


class BrokenUserIdError(Exception):
    """The user id is not a number; Moodle then answers with an invalid status line."""


class StaleScoreError(Exception):
    """The stored grade is not older than the score: 409."""


class LockedGradeError(Exception):
    """The grade or its column is locked: 500."""


@dataclass(frozen=True)
class Score:
    """`given` is None when nothing is to be graded; `maximum` 0 means: do not scale."""

    user_id: str
    given: float | None
    maximum: float
    comment: str | None
    stamp: int


def read_score(body: bytes) -> Score:
    """Raises `BadScoreError` and, only when all else is right, `BrokenUserIdError`."""
    sent = _json_object(body)
    needed = ("userId", "timestamp", "gradingProgress", "activityProgress")
    if any(sent.get(name) is None for name in needed):
        raise BadScoreError
    given, maximum = _number(sent.get("scoreGiven")), _number(sent.get("scoreMaximum"))
    if given is not None and maximum is None:
        raise BadScoreError
    stamp = _stamp(sent["timestamp"])
    user_id = str(sent["userId"])
    if not (user_id.isascii() and user_id.isdigit()):
        raise BrokenUserIdError
    if sent["gradingProgress"] != "FullyGraded":
        given = None
    comment = str(sent.get("comment") or "") or None
    return Score(user_id, given, maximum if maximum is not None else 1.0, comment, stamp)


def record(item: LineItem, old: Grade, score: Score, now: int) -> Grade:
    """The grade after this score. Raises `StaleScoreError` and `LockedGradeError`.

    A score without points clears the grade, one without a comment clears the feedback. On the
    column of an activity the time kept is when a change arrived; a manual column keeps the
    score's own timestamp.
    """
    if old.stored_at is not None and old.stored_at >= score.stamp:
        raise StaleScoreError
    if item.locked or old.locked:
        raise LockedGradeError
    if old.overridden:
        return old
    new = replace(old, points=_scaled(item, score), feedback=score.comment)
    if item.column_of is None:
        return replace(new, stored_at=score.stamp if new.points is not None else now)
    if new.points is None and new.feedback is None:
        return replace(new, stored_at=None)
    return new if new == old else replace(new, stored_at=now)


def override(
    item: LineItem, old: Grade, points: float | None, feedback: str | None, now: int
) -> Grade:
    """The teacher's entry, which wins over later scores but in manual columns.

    Raises `LockedGradeError`.
    """
    if item.locked or old.locked:
        raise LockedGradeError
    clipped = None if points is None else _clip(points, item.maximum)
    return Grade(clipped, feedback, now, overridden=item.column_of is not None)


def rescaled(grade: Grade, old_maximum: float, new_maximum: float) -> Grade:
    """After a new maximum Moodle keeps the percentage, and writes 0 where there was no grade."""
    factor = new_maximum / old_maximum if old_maximum else 0.0
    return replace(grade, points=round((grade.points or 0.0) * factor, 5))


def _scaled(item: LineItem, score: Score) -> float | None:
    if score.given is None:
        return None
    factor = item.maximum / score.maximum if score.maximum else 1.0
    return _clip(score.given * factor, item.maximum)


def _clip(points: float, maximum: float) -> float:
    return round(min(max(points, 0.0), maximum), 5)


def _json_object(body: bytes) -> dict[str, object]:
    try:
        sent = json.loads(body)
    except ValueError as problem:
        raise BadScoreError from problem
    if not isinstance(sent, dict):
        raise BadScoreError
    return sent


def _number(value: object) -> float | None:
    """A number or numeric text, as PHP's is_numeric has it; None stays None."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise BadScoreError
    try:
        number = float(value)
    except (ValueError, OverflowError) as problem:
        raise BadScoreError from problem
    if not math.isfinite(number):
        raise BadScoreError
    return number


def as_number(value: object) -> float | None:
    """The same for line items: None when it is missing or not a number."""
    try:
        return _number(value)
    except BadScoreError:
        return None


def _stamp(value: object) -> int:
    """ISO 8601 to whole seconds; without a zone it counts as UTC."""
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError as problem:
        raise BadScoreError from problem
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
