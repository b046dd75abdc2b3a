"""What every page has in common: headers, language, the reference under an error.

One of the few places that know Flask. See docs/adr/0004 for frames and cookies.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from flask import Flask, Request, current_app, g, request
from flask import Response as FlaskResponse
from flask_babel import Domain, get_locale
from werkzeug import Response

from lti_tool.core.clock import utc_now
from lti_tool.core.speech import Speech

SELF, NOBODY = "'self'", "'none'"
_PAGE = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " font-src 'self'; connect-src 'self'; base-uri 'none';"
    " form-action {goals}; frame-ancestors {framers}"
)
# A picture that is opened by itself might be taken for a page (ATK-75).
_PICTURE = "default-src 'none'; frame-ancestors {framers}; sandbox"

_FORMAL = Domain(domain="formal")  # what pupils' pages say in German where they say Sie


def set_cookie(
    response: Response, name: str, value: str, *, path: str, max_age: int | None
) -> None:
    """A cookie that works in the LMS's frame and nowhere else (CHIPS: one jar per framing site)."""
    response.set_cookie(
        name,
        value,
        path=path,
        max_age=max_age,
        httponly=True,
        secure=True,
        samesite="None",
        partitioned=True,
    )


def may_frame(origins: Iterable[str]) -> None:
    """These origins, those of the session's platform, may show this answer in a frame."""
    g.frame_origins = frozenset(origins)


def answer_headers(response: FlaskResponse) -> FlaskResponse:
    """Security headers of every answer (OWASP ASVS 5.0, V3.4)."""
    framers = " ".join(sorted(g.get("frame_origins", frozenset())))
    form_goals = " ".join(filter(None, [SELF, framers]))
    headers = response.headers
    allowed = _PICTURE if (response.mimetype or "").startswith("image/") else _PAGE
    headers["Content-Security-Policy"] = allowed.format(goals=form_goals, framers=framers or NOBODY)
    # With "no-referrer" browsers send `Origin: null` with our own forms (Fetch, "append a request
    # Origin header"), and the guard would refuse them all.
    headers.setdefault("Referrer-Policy", "same-origin")
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Permissions-Policy"] = "geolocation=(), microphone=(), payment=()"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    if current_app.config["HTTPS"]:
        headers["Strict-Transport-Security"] = "max-age=31536000"
    if request.endpoint != "static":
        headers["Cache-Control"] = "private, no-store"
        headers["Vary"] = "Cookie"
    return response


def new_reference() -> str:
    """A short name for one refusal, on the page and in the log, that says nothing by itself."""
    return secrets.token_hex(4).upper()


def single(form_request: Request, name: str) -> str | None:
    """The one value of a parameter, from form or query; None if it is absent.

    A parameter sent twice is nobody's honest request: it reads as absent.
    """
    values = form_request.values.getlist(name)
    return values[0] if len(values) == 1 else None


def page_speech() -> Speech:
    """Moments and waits in the language of this page, as of now."""
    locale = get_locale()
    return Speech(locale.language if locale else "de", utc_now())


def address_pupil(*, formal: bool) -> None:
    """From here on this answer speaks to its pupil as the task wants it. What teachers are told is
    in no such catalogue, and other languages than German know one way only."""
    if formal and page_speech().language == "de":
        _FORMAL.as_default()


def fetched_by_script() -> bool:
    """Whether htmx or our own script asked, and wants a fragment or a status, not a page."""
    return "HX-Request" in request.headers


def note_beginning() -> None:
    """When this request began: what it sends may take its time, and deadlines must not."""
    g.began = utc_now()


def form_first() -> None:
    """A form is here before its page is asked for: on bad Wi-Fi it takes its time, and a page holds
    one of few connections to the database. Few pages take large ones (`FORM_LIMITS`)."""
    if request.method not in ("GET", "HEAD"):
        # The server takes the end of a broken connection for the end of the form. Without this word
        # of its, Werkzeug counts for itself, and refuses what is shorter than was announced.
        request.environ.pop("wsgi.input_terminated", None)
        request.max_content_length = current_app.config["FORM_LIMITS"].get(
            request.endpoint, current_app.config["MAX_CONTENT_LENGTH"]
        )
        _ = request.form


def install(app: Flask) -> None:
    """What holds for every request and every answer."""
    app.before_request(note_beginning)
    app.before_request(form_first)
    app.after_request(answer_headers)
