"""What a request that came to nothing is answered. Part of the roof `web.py`.

Each class of error means one page; what went wrong inside stays in the log, and what was typed is
shown again.
"""

from __future__ import annotations

import re
from contextlib import suppress
from functools import partial
from uuid import UUID

import structlog
from flask import Flask, current_app, g, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from werkzeug.exceptions import HTTPException, SecurityError

from lti_tool.core import http
from lti_tool.core.db import LAUNCH
from lti_tool.core.errors import Conflict, Forbidden, Invalid, NotFound
from lti_tool.launch.guard import CSRF_FIELD, Door
from lti_tool.launch.session import Gone, SessionGone, platform_origins

log = structlog.get_logger(__name__)

NOT_TYPED = frozenset({CSRF_FIELD, "client_key", "new_id", "id_token", "state", "JWT"})
LABEL_LENGTH = 8  # what is shorter is quickly chosen again


def answer_errors(app: Flask) -> None:
    """Each class of error means one answer; what went wrong inside stays in the log."""
    for kind, code, status in (
        (NotFound, "not_found", 404),
        (Forbidden, "forbidden", 403),
        (IntegrityError, "invalid", 409),
        (OperationalError, "unavailable", 503),
        (PoolExhausted, "unavailable", 503),
    ):
        app.register_error_handler(kind, partial(_error_page, code, status))
    app.register_error_handler(Conflict, lambda e: _error_page(e.code, 409, e))
    app.register_error_handler(Invalid, lambda e: _error_page("invalid", 400, e))
    app.register_error_handler(SessionGone, _session_gone)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _surprise)


def _error_page(code: str, status: int, _error: Exception) -> ResponseReturnValue:
    reference = http.new_reference()
    log.info("refused", code=code, status=status, reference=reference, endpoint=request.endpoint)
    answer = _page("error.html", code=code, status=status, reference=reference), status
    if status == 503:
        return (*answer, {"Retry-After": "10"})
    return answer


def _session_gone(gone: SessionGone) -> ResponseReturnValue:
    refused = {Gone.BLOCKED: 403, Gone.LEFT: 403, Gone.PAUSED: 403}
    status = {Gone.OTHER_PERSON: 409, **refused}.get(gone.why, 401)
    # Somebody else is here now: what the first one left unsent in this browser is nobody's.
    owner = "nobody" if gone.why is Gone.OTHER_PERSON else ""
    return _page("session_gone.html", why=gone.why.value, owner=owner), status


def _http_error(error: HTTPException) -> ResponseReturnValue:
    status = error.code or 500
    if isinstance(error, SecurityError):  # a Host that is not ours: there is no page to show
        return "", status
    _let_the_platform_frame_it()
    code = {404: "not_found", 405: "not_found", 413: "too_large", 429: "too_many"}.get(status)
    return _error_page(code or "invalid", status, error)


def _let_the_platform_frame_it() -> None:
    """An address below a session that leads nowhere still stands in its platform's frame."""
    found = re.match(r"/s/([0-9a-f-]{36})/", request.path)
    if found is None or "frame_origins" in g:
        return
    door: Door = current_app.extensions["door"]
    with suppress(ValueError, OperationalError), door.begin(LAUNCH) as db:
        http.may_frame(platform_origins(db, UUID(found[1])))


def _surprise(error: Exception) -> ResponseReturnValue:
    if current_app.testing:
        raise error
    reference = http.new_reference()
    log.error("surprise", kind=type(error).__name__, reference=reference, exc_info=True)
    return _page("error.html", code="surprise", status=500, reference=reference), 500


def _page(template: str, **values: object) -> str:
    """A page for a request that came to nothing; what was typed in it is shown again."""
    return render_template(template, typed=_typed(), **values)


def _typed() -> str:
    """The longer texts of the form that was sent, for whoever would have to write them again."""
    try:
        sent = list(request.form.items(multi=True)) if request.method == "POST" else []
    except HTTPException:  # too large to be read at all
        return ""
    texts = [value.strip() for name, value in sent if name not in NOT_TYPED]
    return "\n\n".join(text for text in texts if len(text) > LABEL_LENGTH)
