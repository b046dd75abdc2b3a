"""The web process: puts the contexts together into one Flask application.

A roof: constructs, is imported by nobody, and never loads a model. It alone knows where a launch
leads.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

from flask import Blueprint, Flask, current_app, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import Babel
from markupsafe import Markup
from sqlalchemy.orm import Session

from config.logs import configure_logs
from config.settings import Settings, read_settings
from lti_tool import flows
from lti_tool.content import views as content
from lti_tool.content.deep_linking import Addresses
from lti_tool.core import bell, http
from lti_tool.core.clock import Clock, utc_now
from lti_tool.core.db import WORKER, Database
from lti_tool.core.files import open_store_of
from lti_tool.core.outbound import GuardedTransport, Outbound, OutboundError, origin_of
from lti_tool.core.pictures import Darkroom
from lti_tool.dashboard import deadlines, withdrawing
from lti_tool.dashboard import views as overview
from lti_tool.error_pages import answer_errors
from lti_tool.goals import Goals
from lti_tool.launch.guard import CSRF_FIELD, Door, install_session_paths, member
from lti_tool.launch.keysets import KeySets, KeySetUnavailable
from lti_tool.launch.registration.views import registration_blueprint
from lti_tool.launch.remembered import RememberedRegistrations
from lti_tool.launch.secrets import Secrets
from lti_tool.launch.session import LaunchSession
from lti_tool.launch.views import Entrance
from lti_tool.operator.guard import OperatorDoor
from lti_tool.operator.invitation_views import bp as operator_bp
from lti_tool.people.health import HealthBook
from lti_tool.people.services import KeySeal, signing_key
from lti_tool.people.troubles import Trouble, trouble_with
from lti_tool.submissions import views as work
from lti_tool.submissions.deadlines import closed_at
from lti_tool.uploads.desk import UploadDesk
from lti_tool.uploads.limits import MOST_BYTES
from lti_tool.uploads.phone_views import bp as phone
from lti_tool.uploads.service import Lab
from lti_tool.uploads.views import bp as uploads

FetchKeys = Callable[[str], bytes]

FORM_LIMIT = 512 * 1024  # bytes; an id_token with 64 kB of deep-linking data fits in
# Browsers without scripts send files in one piece: the largest one, and what a form wraps it in.
FORM_LIMITS = dict.fromkeys(("pages.add", "phone.add"), MOST_BYTES + 1024 * 1024)
LANGUAGES = ["de", "en"]
TASK_ICON = "task.png"  # courses keep its address for years: the name stays


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
    house = _House(settings, database, outbound or _way_out(settings), clock)
    app.extensions["door"] = house.door()
    app.extensions["operator"] = house.operator_door()
    app.extensions["uploads"] = house.upload_desk()
    fetch = fetch_keys or partial(_fetch_keys, house.outbound)
    app.register_blueprint(house.entrance(fetch).blueprint())
    app.register_blueprint(house.registration())
    app.register_blueprint(operator_bp)
    app.register_blueprint(phone)
    install_session_paths(app)
    _mount_pages(app, settings, house.seal, house.goals)
    _speak(app, settings)
    answer_errors(app)
    app.register_blueprint(_health(database))
    http.install(app)
    return app


class _House:
    """What the doors share, and the doors."""

    def __init__(
        self, settings: Settings, database: Database, outbound: Outbound, clock: Clock
    ) -> None:
        self.settings = settings
        self.begin = database.begin
        self.outbound = outbound
        self.clock = clock
        key = settings.secret_key.get_secret_value()
        self.secrets, self.seal = Secrets(key), KeySeal(key)
        self.goals = Goals()

    def door(self) -> Door:
        return Door(
            begin=self.begin,
            secrets=self.secrets,
            idle=self.settings.session_idle,
            life=self.settings.session_life,
            origin=origin_of(self.settings.base_url),
        )

    def operator_door(self) -> OperatorDoor:
        return OperatorDoor(self.begin, self.secrets, self.seal, self.settings.base_url)

    def upload_desk(self) -> UploadDesk:
        files = open_store_of(self.settings)
        return UploadDesk(
            lab=Lab(files, Darkroom(), self.clock),
            closed_at=closed_at,
            begin=self.begin,
            secrets=self.secrets,
            base_url=self.settings.base_url,
        )

    def entrance(self, fetch_keys: FetchKeys) -> Entrance:
        return Entrance(
            begin=self.begin,
            secrets=self.secrets,
            seal=self.seal,
            registrations=RememberedRegistrations(self.begin, self.clock),
            keysets=KeySets(fetch_keys, self.clock, HealthBook(self.begin, self.clock).keys),
            base_url=self.settings.base_url,
            clock=self.clock,
            goal=self.goals.after_launch,
        )

    def registration(self) -> Blueprint:
        return registration_blueprint(
            begin=self.begin,
            seal=self.seal,
            outbound=self.outbound,
            allowed=self.settings.outbound_allow,
            base_url=self.settings.base_url,
            clock=self.clock,
        )


def _way_out(settings: Settings) -> Outbound:
    return Outbound(GuardedTransport(allowed=settings.outbound_allow))


def _configuration(settings: Settings) -> dict[str, object]:
    """What Flask and its extensions want to know."""
    base = urlsplit(settings.base_url)
    return {
        "MAX_CONTENT_LENGTH": FORM_LIMIT,
        "FORM_LIMITS": FORM_LIMITS,
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
        ("/pages", uploads),
        ("/work", work.bp),
        ("/overview", overview.bp),
        ("/overview/sheets", withdrawing.bp),
        ("/overview", deadlines.bp),
    ):
        app.register_blueprint(blueprint, url_prefix=f"/s/<uuid:session_id>{path}")


def _health(database: Database) -> Blueprint:
    """For whoever watches the process: is it there, and could it serve? Says nothing else. A
    database that takes as long for next to nothing as a page's statement may, serves nobody."""
    bp = Blueprint("health", __name__, url_prefix="/health")

    @bp.get("/live")
    def live() -> ResponseReturnValue:
        return "ok\n"

    @bp.get("/ready")
    def ready() -> ResponseReturnValue:
        began = time.monotonic()
        with database.begin(WORKER):
            pass
        if time.monotonic() - began > database.statement_limit.total_seconds():
            return "slow\n", 503, {"Retry-After": "10"}
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
            "owner": launch.owner if launch else "",
            "csrf_token": token,
            "csrf_field": lambda: field,
            "language": locale(),
        }


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
