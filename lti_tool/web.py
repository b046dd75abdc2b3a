"""The web process: puts the contexts together into one Flask application.

A roof: constructs, is imported by nobody, and never loads a model. It alone knows where a launch
leads, and maps each kind of error to one answer.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import psycopg
import structlog
from flask import Blueprint, Flask, current_app, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import Babel
from markupsafe import Markup
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from sqlalchemy.orm import Session
from werkzeug.exceptions import HTTPException, SecurityError

from config.logs import configure_logs
from config.settings import Settings, read_settings
from lti_tool import flows
from lti_tool.content import views as content
from lti_tool.content.deep_linking import Addresses
from lti_tool.core import bell, http
from lti_tool.core.clock import Clock, utc_now
from lti_tool.core.db import LAUNCH, WORKER, Database
from lti_tool.core.errors import Conflict, Forbidden, Invalid, NotFound
from lti_tool.core.outbound import GuardedTransport, Outbound, OutboundError, origin_of
from lti_tool.dashboard import views as overview
from lti_tool.goals import Goals
from lti_tool.launch.guard import CSRF_FIELD, Door, install_session_paths, member
from lti_tool.launch.keysets import KeySets, KeySetUnavailable
from lti_tool.launch.registration.views import registration_blueprint
from lti_tool.launch.registrations import Registrations
from lti_tool.launch.secrets import Secrets
from lti_tool.launch.session import Gone, LaunchSession, SessionGone, platform_origins
from lti_tool.launch.views import Entrance
from lti_tool.operator.guard import OperatorDoor
from lti_tool.operator.invitation_views import bp as operator_bp
from lti_tool.people.health import HealthBook
from lti_tool.people.services import KeySeal, signing_key
from lti_tool.people.troubles import Trouble, trouble_with
from lti_tool.submissions import views as work

log = structlog.get_logger(__name__)

FetchKeys = Callable[[str], bytes]

FORM_LIMIT = 512 * 1024  # bytes; an id_token with 64 kB of deep-linking data fits in
LANGUAGES = ["de", "en"]
NOT_TYPED = frozenset({CSRF_FIELD, "client_key", "new_id", "id_token", "state", "JWT"})
TASK_ICON = "task.png"  # courses keep its address for years: the name stays
LABEL_LENGTH = 8  # what is shorter is quickly chosen again


def build() -> Flask:
    """The application from the environment, for a WSGI server."""
    settings = read_settings()
    sys.setswitchinterval(0.02)  # seconds; a page takes less, and changing threads costs
    configure_logs(settings.log_format)
    return create_app(settings, build_database(settings))


def build_database(settings: Settings) -> Database:
    """The database as the application's role, with the flows that follow from events."""
    return Database(
        settings.database_url.get_secret_value(),
        handlers=flows.HANDLERS,
        ring=bell.ringer(settings.redis_url),
    )


def create_app(
    settings: Settings,
    database: Database,
    fetch_keys: FetchKeys | None = None,
    outbound: Outbound | None = None,
    clock: Clock = utc_now,
) -> Flask:
    """The whole tool as one WSGI application. `fetch_keys` in place of the guarded client for
    launches, `outbound` in place of the one that is built from the settings, `clock` for what
    launches and key sets are measured by."""
    app = Flask(__name__)
    app.config.update(_configuration(settings))
    secrets = Secrets(settings.secret_key.get_secret_value())
    seal = KeySeal(settings.secret_key.get_secret_value())
    app.extensions["door"] = Door(
        begin=database.begin,
        secrets=secrets,
        idle=settings.session_idle,
        life=settings.session_life,
        origin=origin_of(settings.base_url),
    )
    outbound = outbound or Outbound(GuardedTransport(allowed=settings.outbound_allow))
    goals = Goals()
    entrance = Entrance(
        begin=database.begin,
        secrets=secrets,
        seal=seal,
        registrations=Registrations(database.begin, clock),
        keysets=KeySets(
            fetch_keys or partial(_fetch_keys, outbound),
            clock,
            HealthBook(database.begin, clock).keys,
        ),
        base_url=settings.base_url,
        clock=clock,
        goal=goals.after_launch,
    )
    app.register_blueprint(entrance.blueprint())
    app.register_blueprint(
        registration_blueprint(
            begin=database.begin,
            seal=seal,
            outbound=outbound,
            allowed=settings.outbound_allow,
            base_url=settings.base_url,
            clock=clock,
        )
    )
    app.extensions["operator"] = OperatorDoor(database.begin, secrets, seal, settings.base_url)
    app.register_blueprint(operator_bp)
    install_session_paths(app)
    _mount_pages(app, settings, seal, goals)
    _speak(app, settings)
    _answer_errors(app)
    app.register_blueprint(_health(database))
    http.install_headers(app)
    return app


def _configuration(settings: Settings) -> dict[str, object]:
    """What Flask and its extensions want to know."""
    base = urlsplit(settings.base_url)
    return {
        "MAX_CONTENT_LENGTH": FORM_LIMIT,
        "MAX_FORM_MEMORY_SIZE": FORM_LIMIT,
        "MAX_FORM_PARTS": 400,
        "TRUSTED_HOSTS": [base.hostname],
        "HTTPS": base.scheme == "https",
        "BABEL_DEFAULT_LOCALE": settings.language,
        "BABEL_TRANSLATION_DIRECTORIES": str(Path(__file__).parent / "translations"),
        "BABEL_DEFAULT_TIMEZONE": "Europe/Berlin",
        "SEND_FILE_MAX_AGE_DEFAULT": 86_400,
    }


def _mount_pages(app: Flask, settings: Settings, seal: KeySeal, goals: Goals) -> None:
    editor = content.blueprint(
        lambda db, platform_id: signing_key(db, platform_id, seal),
        Addresses(f"{settings.base_url}/lti/launch", f"{settings.base_url}/static/{TASK_ICON}"),
    )
    for path, blueprint in (
        ("", _start_page(goals)),
        ("/content", editor),
        ("/work", work.bp),
        ("/overview", overview.bp),
    ):
        app.register_blueprint(blueprint, url_prefix=f"/s/<uuid:session_id>{path}")


def _health(database: Database) -> Blueprint:
    """For whoever watches the process: is it there, and could it serve? Says nothing else."""
    bp = Blueprint("health", __name__, url_prefix="/health")

    @bp.get("/live")
    def live() -> ResponseReturnValue:
        return "ok\n"

    @bp.get("/ready")
    def ready() -> ResponseReturnValue:
        with database.begin(WORKER):
            return "ok\n"

    @bp.get("/cookie")
    def cookie() -> ResponseReturnValue:
        """For the doctor, who looks whether it arrives by the public address as it was sent."""
        answer = current_app.make_response("ok\n")
        http.set_cookie(answer, "gustav_probe", "ok", path="/health/cookie", max_age=1)
        return answer

    return bp


def _start_page(goals: Goals) -> Blueprint:
    bp = Blueprint("start", __name__)

    @bp.get("/")
    @member
    def start(db: Session, launch: LaunchSession) -> ResponseReturnValue:
        goal = goals.of(db, launch, request.args.get("for", type=UUID))
        return redirect(url_for(goal.endpoint, **goal.values), 303)

    return bp


def _speak(app: Flask, settings: Settings) -> None:
    """Language of the page: the launch's, else the browser's, else the house's."""

    def locale() -> str:
        launch: LaunchSession | None = g.get("launch")
        told = (launch.locale or "")[:2].lower() if launch else ""
        if told in LANGUAGES:
            return told
        return request.accept_languages.best_match(LANGUAGES) or settings.language

    Babel(app, locale_selector=locale)

    @app.context_processor
    def of_every_page() -> dict[str, object]:
        launch: LaunchSession | None = g.get("launch")
        token = launch.csrf_token if launch else ""
        field = Markup('<input type="hidden" name="{}" value="{}">').format(CSRF_FIELD, token)
        return {
            "launch": launch,
            "csrf_token": token,
            "csrf_field": lambda: field,
            "language": locale(),
        }


def _answer_errors(app: Flask) -> None:
    """Each class of error means one answer; what went wrong inside stays in the log."""
    for kind, code, status in (
        (NotFound, "not_found", 404),
        (Forbidden, "forbidden", 403),
        (IntegrityError, "invalid", 409),
        (OperationalError, "unavailable", 503),
        (psycopg.IntegrityError, "invalid", 409),  # of `core.db.ask`
        (psycopg.OperationalError, "unavailable", 503),
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
    return _page("session_gone.html", why=gone.why.value), status


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


def _fetch_keys(outbound: Outbound, url: str) -> bytes:
    """A platform's key set. Raises KeySetUnavailable."""
    try:
        reply = outbound.get(url)
        reply.raise_if_busy()
    except OutboundError as error:
        raise KeySetUnavailable(trouble_with(error)) from None
    if reply.status != 200:
        raise KeySetUnavailable(Trouble.NO_KEYS)
    return reply.body
