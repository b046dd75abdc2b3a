"""AGS scores in, results out, with Moodle's status codes and reason phrases."""

import json
from datetime import UTC, datetime
from typing import NoReturn

from flask import Response, request

from .grading import (
    BadScoreError,
    BrokenUserIdError,
    LockedGradeError,
    StaleScoreError,
    read_score,
    record,
)
from .ledger import Received
from .line_items import find
from .lms import Lms
from .modes import Mode
from .services import RESULTS, SCORE, RefusedError, json_answer, need_accept, need_content, number
from .settings import Role
from .store import Grade
from .tokens import RESULT_SCOPE, SCORE_SCOPE, need_token


def receive(lms: Lms, course_id: str, item_id: str) -> Response:
    """POST …/lineitem/scores: 200 with an empty body; every attempt goes to the ledger."""
    try:
        stored = _receive(lms, course_id, item_id)
    except RefusedError as refused:
        note(lms, item_id, refused.status, stored=False)
        raise
    note(lms, item_id, 200, stored=stored)
    return Response("", 200, content_type=f"{SCORE}; charset=utf-8")


def _receive(lms: Lms, course_id: str, item_id: str) -> bool:
    """Whether the gradebook took it: beside a teacher's own grade it says 200 and does not."""
    need_content(SCORE)
    need_token(lms, SCORE_SCOPE)
    course = lms.course(course_id)
    try:
        score = read_score(request.get_data())
    except BadScoreError:
        find(lms, course_id, item_id)
        _refuse_score()
    except BrokenUserIdError:
        find(lms, course_id, item_id)
        raise RefusedError(0, "", body="[]") from None
    with lms.store.changing() as state:
        item = find(lms, course_id, item_id)
        if course.role_of(score.user_id) is not Role.PUPIL:
            _refuse_score()
        old = state.grades.get((item_id, score.user_id), Grade())
        try:
            state.grades[item_id, score.user_id] = record(item, old, score, lms.seconds())
        except StaleScoreError:
            which = f"item {item_id} and user {score.user_id}"
            reason = f"Refusing score with an earlier timestamp for {which}"
            raise RefusedError(409, reason, body="[]") from None
        except LockedGradeError:
            raise RefusedError(500, body="[]") from None
    return not old.overridden


def _refuse_score() -> NoReturn:
    """Moodle quotes the whole body in the reason phrase."""
    quoted = request.get_data().decode("utf-8", "replace")
    raise RefusedError(400, f"Incorrect score received{quoted}", body="[]") from None


def note(lms: Lms, item_id: str, status: int, *, stored: bool, mode: str | None = None) -> None:
    try:
        body = json.loads(request.get_data())
    except ValueError:
        body = None
    sent = body if isinstance(body, dict) else {}
    names = ("userId", "scoreGiven", "scoreMaximum", "comment", "gradingProgress", "timestamp")
    user, given, maximum, comment, progress, timestamp = map(sent.get, names)
    time = lms.now().isoformat()
    lms.ledger.note(
        Received(
            time, item_id, user, given, maximum, comment, progress, timestamp, status, stored, mode
        )
    )


def note_fault(lms: Lms, mode: Mode, status: int) -> None:
    """A practised fault answered in the place of `receive`."""
    item_id = (request.view_args or {}).get("item_id", "")
    note(lms, item_id, status, stored=False, mode=mode.mode)


def results(lms: Lms, course_id: str, item_id: str) -> Response:
    """GET …/lineitem/results; only cells that were ever changed are listed."""
    need_accept(RESULTS)
    need_token(lms, RESULT_SCOPE)
    lms.course(course_id)
    limit, start, user_id = number("limit"), number("from"), number("user_id")
    if limit and "type_id" in request.args:
        raise RefusedError(404, body="<!doctype html><title>Error</title>")  # Moodle crashes here.
    with lms.store.reading() as state:
        item = find(lms, course_id, item_id)
        cells = [
            (user, grade)
            for (of_item, user), grade in state.grades.items()
            if of_item == item_id and grade.stored_at and user_id in (0, int(user))
        ]
    url = lms.item_url(course_id, item_id)
    page = cells[start : start + limit] if limit > 0 else cells
    return json_answer(
        [_result(lms, url, user, grade, item.maximum) for user, grade in page], RESULTS
    )


def _result(lms: Lms, url: str, user_id: str, grade: Grade, maximum: float) -> dict[str, object]:
    """A cleared grade comes with nothing but its id and user, even when there is feedback."""
    type_id = lms.tool.deployment_id
    result: dict[str, object] = {
        "id": f"{url}/results?type_id={type_id}&user_id={user_id}",
        "userId": user_id,
    }
    if grade.points is None or grade.stored_at is None:
        return result
    result |= {"resultScore": grade.points, "resultMaximum": maximum}
    if grade.feedback:
        result["comment"] = grade.feedback
    moment = datetime.fromtimestamp(grade.stored_at, UTC).isoformat(timespec="seconds")
    return result | {"scoreOf": f"{url}?type_id={type_id}", "timestamp": moment}
