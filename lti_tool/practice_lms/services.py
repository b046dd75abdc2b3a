"""What all services share: Moodle's media-type rules, its way of refusing, the practised faults."""

import json
from collections.abc import Callable
from urllib.parse import quote

from flask import Response, request

from .lms import Lms, PageError
from .modes import REFUSALS, Mode

View = Callable[..., Response]
LINE_ITEM = "application/vnd.ims.lis.v2.lineitem+json"
LINE_ITEMS = "application/vnd.ims.lis.v2.lineitemcontainer+json"
SCORE = "application/vnd.ims.lis.v1.score+json"
RESULTS = "application/vnd.ims.lis.v2.resultcontainer+json"
MEMBERS = "application/vnd.ims.lti-nrps.v2.membershipcontainer+json"


class RefusedError(Exception):
    """Answered as Moodle does: the explanation stands in the reason phrase of the status line.

    `body=None` gives Moodle's JSON description of the request, anything else is sent as it is.
    """

    def __init__(self, status: int, reason: str = "", body: str | None = None) -> None:
        super().__init__(f"refused with {status}")
        self.status, self.reason, self.body = status, reason, body


def service(
    lms: Lms, endpoint: str, view: View, note: Callable[[Mode, int], None] | None = None
) -> View:
    """Put a practised fault before `view` and turn `RefusedError` into an answer.

    `note` hears of a request that a fault answered in the place of `view`.
    """

    def run(**path: str) -> Response:
        mode = lms.modes.take(endpoint)
        if mode is None:
            return _answer(view, path)
        if mode.mode == "slow":
            lms.settings.sleep(mode.seconds)
            return _answer(view, path)
        if mode.mode == "store_then_hang":
            done = _answer(view, path)
            lms.settings.sleep(mode.seconds)
            return done
        faulty = _faulty_answer(mode)
        if note:
            note(mode, faulty.status_code)
        if mode.mode == "hang":
            lms.settings.sleep(mode.seconds)
        return faulty

    return run


def _answer(view: View, path: dict[str, str]) -> Response:
    try:
        return view(**path)
    except RefusedError as refused:
        return refusal(refused)
    except PageError as missing:
        return refusal(RefusedError(missing.status))


def _faulty_answer(mode: Mode) -> Response:
    if mode.mode == "garbage":
        return Response(
            "<!doctype html><title>Wartung</title><p>Bitte warten …", 200, mimetype="text/html"
        )
    answer = refusal(RefusedError(REFUSALS.get(mode.mode, 503)))
    if mode.mode == "429":
        answer.headers["Retry-After"] = mode.retry_after or str(int(mode.seconds))
    return answer


def refusal(refused: RefusedError) -> Response:
    is_page = (refused.body or "").startswith("<")
    answer = Response(
        status=refused.status, mimetype="text/html" if is_page else "application/json"
    )
    if refused.reason:
        answer.status = f"{refused.status} {header_text(refused.reason)}"
    described = {
        "status": refused.status,
        "reason": refused.reason or answer.status.partition(" ")[2],
        "request": {"method": request.method, "url": quote(request.full_path.rstrip("?"), "/?&=")},
    }
    answer.set_data(json.dumps(described) if refused.body is None else refused.body)
    return answer


def header_text(text: str) -> str:
    """UTF-8 as WSGI wants it in a header: one latin-1 character per byte, and no line ends."""
    return " ".join(text.split()).encode("utf-8").decode("latin-1")


def json_answer(body: object, media_type: str, status: int = 200) -> Response:
    return Response(json.dumps(body), status, content_type=f"{media_type}; charset=utf-8")


def need_accept(media_type: str, *, or_any: bool = False) -> None:
    """Moodle compares the whole header; only some endpoints take a wildcard.

    Raises `RefusedError`.
    """
    accept = request.headers.get("Accept", "")
    if accept not in ("", media_type) and not (or_any and "*/*" in accept):
        raise RefusedError(400, f"No handler found for {request.path} {accept}")


def need_content(media_type: str) -> None:
    sent = request.headers.get("Content-Type", "")
    if sent != media_type:
        raise RefusedError(400, f"No handler found for {request.path} {sent}")


def number(name: str) -> int:
    """A whole number from the query, 0 when it is missing or something else."""
    return request.args.get(name, 0, type=int)
