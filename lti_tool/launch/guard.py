"""The door of every page of a session: who is here, may they, is the form ours.

A guarded view gets `(db, launch, …)` inside one transaction that acts for the session's person;
it commits when the view has answered and rolls back when the view raises. If PostgreSQL ends it for
the sake of another one, the view is asked again (`core.retries`): the form has been read by then
and stays, and such a view does nothing outside of its transaction. What keeps files or is slow is
a view `apart`, which is asked once, and says by itself which of its transactions are begun anew.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial, wraps
from typing import Any
from uuid import UUID

from flask import Flask, current_app, g, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from lti_tool.core.db import LAUNCH, Begin
from lti_tool.core.errors import Forbidden
from lti_tool.core.http import may_frame
from lti_tool.core.retries import in_one
from lti_tool.launch.secrets import Secrets
from lti_tool.launch.session import SESSION_COOKIE, LaunchSession, SessionGone, find_session
from lti_tool.people.roles import Role

CSRF_FIELD = "csrf"
CSRF_HEADER = "X-CSRF"

View = Callable[..., ResponseReturnValue]
Entered = tuple[Session, LaunchSession]


@dataclass(frozen=True)
class Door:
    """What the guard needs, put into the application by `web.py`."""

    begin: Begin
    secrets: Secrets
    idle: timedelta
    life: timedelta
    origin: str

    @contextmanager
    def enter(self, session_id: UUID) -> Iterator[Entered]:
        """A transaction of the session's person. Raises SessionGone."""
        with self.begin(LAUNCH) as db:
            try:
                launch = find_session(
                    db,
                    session_id,
                    request.cookies.get(SESSION_COOKIE),
                    secrets=self.secrets,
                    idle=self.idle,
                    life=self.life,
                )
            except SessionGone as gone:
                may_frame(gone.origins)
                raise
            may_frame(launch.origins)
            g.launch = launch
            yield db, launch


def _guarded(view: View, *roles: Role) -> View:
    @wraps(view)
    def wrapper(**values: Any) -> ResponseReturnValue:
        door: Door = current_app.extensions["door"]

        def answer(entered: Entered) -> ResponseReturnValue:
            db, launch = entered
            _check_may(door, launch, roles)
            return view(db, launch, **values)

        return in_one(partial(door.enter, g.session_id), answer)

    wrapper.roles = frozenset(roles)  # type: ignore[attr-defined]  # read by the matrix test
    return wrapper


def _guarded_apart(view: View, *roles: Role) -> View:
    @wraps(view)
    def wrapper(**values: Any) -> ResponseReturnValue:
        door: Door = current_app.extensions["door"]

        def allowed(entered: Entered) -> LaunchSession:
            _check_may(door, entered[1], roles)
            return entered[1]

        launch = in_one(partial(door.enter, g.session_id), allowed)
        return view(partial(door.begin, launch.actor), launch, **values)

    wrapper.roles = frozenset(roles)  # type: ignore[attr-defined]  # read by the matrix test
    return wrapper


def learner_apart(view: View) -> View:
    """Only for pupils. The view does slow things, and gets `(here, launch, …)`: `here()` opens a
    transaction of the session's person, and none is open between them."""
    return _guarded_apart(view, Role.LEARNER)


def instructor_apart(view: View) -> View:
    """The same for teachers."""
    return _guarded_apart(view, Role.INSTRUCTOR)


def member_apart(view: View) -> View:
    """The same for everybody who launched."""
    return _guarded_apart(view, Role.LEARNER, Role.INSTRUCTOR)


def learner(view: View) -> View:
    """Only for pupils."""
    return _guarded(view, Role.LEARNER)


def instructor(view: View) -> View:
    """Only for teachers of the session's course."""
    return _guarded(view, Role.INSTRUCTOR)


def member(view: View) -> View:
    """For everybody who launched."""
    return _guarded(view, Role.LEARNER, Role.INSTRUCTOR)


def _check_may(door: Door, launch: LaunchSession, roles: tuple[Role, ...]) -> None:
    if launch.role not in roles:
        raise Forbidden(launch.role.value)
    if request.method not in ("GET", "HEAD"):
        _check_form_is_ours(door, launch)


def _check_form_is_ours(door: Door, launch: LaunchSession) -> None:
    """Cross-site request forgery: the token of this session, and no foreign Origin."""
    sent = request.form.get(CSRF_FIELD) or request.headers.get(CSRF_HEADER, "")
    if not hmac.compare_digest(sent.encode(), launch.csrf_token.encode()):
        raise Forbidden("csrf")
    if request.headers.get("Origin", door.origin) != door.origin:
        raise Forbidden("origin")


def install_session_paths(app: Flask) -> None:
    """Pages below `/s/<id>`: the id is taken out of each address and put into each new one."""

    @app.url_value_preprocessor
    def take_session_id(_endpoint: str | None, values: dict[str, Any] | None) -> None:
        if values and "session_id" in values:
            g.session_id = values.pop("session_id")

    @app.url_defaults
    def give_session_id(endpoint: str, values: dict[str, Any]) -> None:
        if "session_id" in g and app.url_map.is_endpoint_expecting(endpoint, "session_id"):
            values.setdefault("session_id", g.session_id)
