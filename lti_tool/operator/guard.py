"""The door of the operator's pages: is this the operator, and is the form ours.

To everybody else these pages are not there. A guarded view gets `(db, …)` inside one transaction
that acts as the operator and commits when the view has answered; it is asked again if that had to
give way to another one (`core.retries`).
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import Any

from flask import current_app, g, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug import Response
from werkzeug.exceptions import NotFound as NoSuchPage

from lti_tool.core.db import ADMIN, ENTRY, Begin, become
from lti_tool.core.errors import Forbidden
from lti_tool.core.outbound import origin_of
from lti_tool.core.retries import in_one
from lti_tool.launch.guard import CSRF_FIELD
from lti_tool.launch.secrets import Secrets
from lti_tool.operator.entry import find_session
from lti_tool.people.services import KeySeal

View = Callable[..., ResponseReturnValue]


@dataclass(frozen=True)
class OperatorDoor:
    """What the operator's pages need, put into the application by `web.py`."""

    begin: Begin
    secrets: Secrets
    seal: KeySeal
    base_url: str

    @property
    def cookie(self) -> str:
        """Only our own host, by https, can set a cookie of this name (RFC 6265bis, 4.1.3.2). A
        demo without https must do without."""
        secure = self.base_url.startswith("https://")
        return "__Host-gustav_operator" if secure else "gustav_operator"

    @contextmanager
    def enter(self) -> Iterator[Session]:
        """A transaction of the operator. Raises SessionOver, NoSuchPage."""
        secret = request.cookies.get(self.cookie)
        if secret is None:
            raise NoSuchPage
        with self.begin(ENTRY) as db:
            g.operator = find_session(db, secret, self.secrets)
            become(db, ADMIN)
            yield db

    def check_origin(self) -> None:
        """A form of another site is nobody's honest wish. Raises Forbidden."""
        ours = origin_of(self.base_url)
        if request.headers.get("Origin", ours) != ours:
            raise Forbidden("origin")

    def give(self, response: Response, secret: str) -> Response:
        """The cookie of a session; the server says when it ends."""
        response.set_cookie(
            self.cookie, secret, path="/", secure=True, httponly=True, samesite="Strict"
        )
        return response


def door() -> OperatorDoor:
    found: OperatorDoor = current_app.extensions["operator"]
    return found


def operator(view: View) -> View:
    """Only for the operator."""

    @wraps(view)
    def wrapper(**values: Any) -> ResponseReturnValue:
        def answer(db: Session) -> ResponseReturnValue:
            if request.method not in ("GET", "HEAD"):
                _check_form_is_ours()
            return view(db, **values)

        return in_one(door().enter, answer)

    wrapper.for_operator = True  # type: ignore[attr-defined]  # read by the matrix test
    return wrapper


def _check_form_is_ours() -> None:
    """Cross-site request forgery: the token of this session, and no foreign Origin."""
    sent = request.form.get(CSRF_FIELD, "")
    if not hmac.compare_digest(sent.encode(), g.operator.csrf_token.encode()):
        raise Forbidden("csrf")
    door().check_origin()
