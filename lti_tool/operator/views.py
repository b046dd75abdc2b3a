"""The operator's pages: the way in, all platforms, one platform. Invitations are next door."""

from __future__ import annotations

from functools import partial
from uuid import UUID

import structlog
from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from markupsafe import Markup
from sqlalchemy.orm import Session

from lti_tool.core.db import ENTRY
from lti_tool.core.errors import Conflict, Forbidden, Invalid, NotFound
from lti_tool.core.http import new_reference, page_speech
from lti_tool.core.retries import in_one
from lti_tool.launch.guard import CSRF_FIELD
from lti_tool.launch.refusals import note_refusal
from lti_tool.launch.registration import changes
from lti_tool.operator import entry, queries, service
from lti_tool.operator.entry import LinkRefused, SessionOver
from lti_tool.operator.findings import KnownPlatform, findings
from lti_tool.operator.guard import door, operator
from lti_tool.people import relocation
from lti_tool.people import services as people
from lti_tool.people.health import Errand
from lti_tool.people.models import Platform, PlatformState

bp = Blueprint("operator", __name__, url_prefix="/operator", template_folder="templates")
log = structlog.get_logger(__name__)

DONE = frozenset(
    {"activated", "paused", "resumed", "removed", "rotated", "allowed", "moved", "rejected"}
)


@bp.get("/enter/<secret>")
def before(secret: str) -> ResponseReturnValue:
    """One button. Whoever only looks, a mail scanner or a preview, does not use the link up."""
    return render_template("operator/enter.html", secret=secret)


@bp.post("/enter/<secret>")
def enter(secret: str) -> ResponseReturnValue:
    """The link becomes a session, once."""
    door().check_origin()
    session = in_one(partial(door().begin, ENTRY), lambda db: entry.enter(db, secret))
    return door().give(redirect(url_for(".platforms"), 303), session)


@bp.post("/leave")
@operator
def leave(db: Session) -> ResponseReturnValue:
    entry.leave(db, g.operator.session_id)
    del g.operator
    answer = render_template("operator/left.html"), 200
    return (*answer, {"Clear-Site-Data": '"cache", "cookies", "storage"'})


@bp.get("/")
@operator
def platforms(db: Session) -> ResponseReturnValue:
    """What waits for a human, then everybody."""
    known = queries.known_platforms(db, door().seal)
    by_id = {platform.id: platform for platform, _ in known}
    return render_template(
        "operator/platforms.html",
        platforms=[(platform, facts, _findings(facts)) for platform, facts in known],
        changes=[
            (
                by_id[change.platform_id],
                change,
                changes.differences(by_id[change.platform_id], change),
            )
            for change in changes.waiting_changes(db)
        ],
        newcomers=[platform for platform, _ in known if platform.state is PlatformState.WAITING],
        done=_done(),
    )


@bp.get("/platforms/<uuid:platform_id>")
@operator
def platform(db: Session, platform_id: UUID) -> ResponseReturnValue:
    found = service.get_platform(db, platform_id)
    facts = queries.known_platform(db, found, door().seal)
    return render_template(
        "operator/platform.html",
        platform=found,
        facts=facts,
        findings=_findings(facts),
        deployments=people.deployments(db, found.id),
        keys=queries.our_keys(db, found.id),
        base_url=door().base_url,
        done=_done(),
    )


@bp.post("/platforms/<uuid:platform_id>/activate")
@operator
def activate(db: Session, platform_id: UUID) -> ResponseReturnValue:
    changes.activate_platform(db, platform_id)
    return _back(platform_id, "activated")


@bp.post("/platforms/<uuid:platform_id>/pause")
@operator
def pause(db: Session, platform_id: UUID) -> ResponseReturnValue:
    _put(db, platform_id, PlatformState.PAUSED)
    return _back(platform_id, "paused")


@bp.post("/platforms/<uuid:platform_id>/resume")
@operator
def resume(db: Session, platform_id: UUID) -> ResponseReturnValue:
    _put(db, platform_id, PlatformState.ACTIVE)
    return _back(platform_id, "resumed")


@bp.post("/platforms/<uuid:platform_id>/allow")
@operator
def allow(db: Session, platform_id: UUID) -> ResponseReturnValue:
    found = service.get_platform(db, platform_id)
    deployment_id = request.form.get("deployment_id", "").strip()
    if not 0 < len(deployment_id) <= 255:
        raise Invalid({"deployment_id": "missing"})
    people.allow_deployment(db, found, deployment_id)
    return _back(platform_id, "allowed")


@bp.post("/platforms/<uuid:platform_id>/rotate")
@operator
def rotate(db: Session, platform_id: UUID) -> ResponseReturnValue:
    people.rotate_key(db, service.get_platform(db, platform_id), door().seal)
    return _back(platform_id, "rotated")


@bp.get("/platforms/<uuid:platform_id>/remove")
@operator
def removing(db: Session, platform_id: UUID) -> ResponseReturnValue:
    return _removing(db, service.get_platform(db, platform_id))


@bp.post("/platforms/<uuid:platform_id>/remove")
@operator
def remove(db: Session, platform_id: UUID) -> ResponseReturnValue:
    """Only with the platform's name typed: a click alone deletes nothing."""
    found = service.get_platform(db, platform_id)
    try:
        service.confirm_name(found, request.form.get("name", ""))
    except Invalid as no:
        return _removing(db, found, no.problems), 400
    service.remove(db, found)
    return redirect(url_for(".platforms", done="removed"), 303)


@bp.get("/platforms/<uuid:platform_id>/move")
@operator
def moving(db: Session, platform_id: UUID) -> ResponseReturnValue:
    """Asks for the new address; once it is there, shows what would change."""
    found = service.get_platform(db, platform_id)
    address = request.args.get("moodle", "")
    try:
        site = relocation.moodle_site(address) if address else None
    except Invalid as no:
        return _moving(db, found, address, problems=no.problems), 400
    return _moving(db, found, address, site)


@bp.post("/platforms/<uuid:platform_id>/move")
@operator
def move(db: Session, platform_id: UUID) -> ResponseReturnValue:
    found = service.get_platform(db, platform_id)
    address = request.form.get("moodle", "")
    site = None
    try:
        site = relocation.moodle_site(address)
        service.confirm_name(found, request.form.get("name", ""))
    except Invalid as no:
        return _moving(db, found, address, site, no.problems), 400
    service.move(db, found, site)
    return _back(platform_id, "moved")


@bp.post("/changes/<uuid:change_id>/activate")
@operator
def activate_change(db: Session, change_id: UUID) -> ResponseReturnValue:
    return _back(changes.activate_change(db, change_id).id, "activated")


@bp.post("/changes/<uuid:change_id>/reject")
@operator
def reject_change(db: Session, change_id: UUID) -> ResponseReturnValue:
    changes.reject_change(db, change_id)
    return redirect(url_for(".platforms", done="rejected"), 303)


@bp.errorhandler(LinkRefused)
def link_refused(_refused: LinkRefused) -> ResponseReturnValue:
    reference = new_reference()
    with door().begin(ENTRY) as db:
        note_refusal(db, None, "operator_link", reference)
    log.warning("operator link refused", reference=reference)
    return render_template("operator/no_entry.html", over=False, reference=reference), 403


@bp.errorhandler(SessionOver)
def session_over(_over: SessionOver) -> ResponseReturnValue:
    return render_template("operator/no_entry.html", over=True), 401


@bp.errorhandler(NotFound)
@bp.errorhandler(Conflict)
@bp.errorhandler(Forbidden)
@bp.errorhandler(Invalid)
def not_done(error: NotFound | Conflict | Forbidden | Invalid) -> ResponseReturnValue:
    """What did not work, in the operator's words; nothing has changed."""
    status = {NotFound: 404, Conflict: 409, Forbidden: 403, Invalid: 400}[type(error)]
    code = error.code if isinstance(error, Conflict) else str(status)
    return render_template("operator/not_done.html", code=code), status


@bp.context_processor
def of_every_page() -> dict[str, object]:
    here = g.get("operator")
    token = here.csrf_token if here else ""
    field = Markup('<input type="hidden" name="{}" value="{}">').format(CSRF_FIELD, token)
    return {
        "operator": here,
        "csrf_field": lambda: field,
        "say": page_speech(),
        "translate": gettext,
        "Errand": Errand,
    }


def _put(db: Session, platform_id: UUID, state: PlatformState) -> None:
    """A platform that waits is activated by its own button, after somebody has looked at it."""
    found = service.get_platform(db, platform_id)
    if found.state is PlatformState.WAITING:
        raise Conflict("waiting")
    people.set_state(db, found, state)


def _removing(db: Session, found: Platform, problems: dict[str, str] | None = None) -> str:
    return render_template(
        "operator/remove.html",
        platform=found,
        belongings=service.belongings(db, found.id),
        problems=problems or {},
    )


def _moving(
    db: Session,
    found: Platform,
    address: str,
    site: relocation.Site | None = None,
    problems: dict[str, str] | None = None,
) -> str:
    return render_template(
        "operator/move.html",
        platform=found,
        address=address,
        site=site,
        changes=relocation.changes(relocation.site_of(found), site) if site else [],
        neighbours=[
            other.name
            for other in people.list_platforms(db)
            if site and other.issuer == site.issuer and other.id != found.id
        ],
        problems=problems or {},
    )


def _findings(facts: KnownPlatform) -> list[tuple[bool, str, str]]:
    """Whether it is well, what there is to say, and what to do."""
    speech = page_speech()
    return [
        (found.ok, found.told(speech, gettext), found.advice(speech, gettext))
        for found in findings(facts)
    ]


def _back(platform_id: UUID, done: str) -> ResponseReturnValue:
    return redirect(url_for("operator.platform", platform_id=platform_id, done=done), 303)


def _done() -> str:
    """What has just been done, to be said once at the top; only words of ours."""
    told = request.args.get("done", "")
    return told if told in DONE else ""
