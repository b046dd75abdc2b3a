"""A phone's few pages: open the link, take photos, done. It sees nothing of the pupil's work."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from functools import partial, wraps
from typing import Any
from uuid import UUID

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lti_tool.content.opened import says_sie
from lti_tool.core.db import LAUNCH
from lti_tool.core.errors import Forbidden, NotFound
from lti_tool.core.http import address_pupil, page_speech
from lti_tool.core.outbound import origin_of
from lti_tool.core.retries import in_one
from lti_tool.launch.guard import CSRF_FIELD, CSRF_HEADER
from lti_tool.uploads import pages, phone
from lti_tool.uploads.desk import Refused, TooLate, desk, need_time, refused
from lti_tool.uploads.phone import PhoneVisit
from lti_tool.uploads.service import Here
from lti_tool.uploads.views import (
    announced,
    finished,
    part_of,
    refusal_note,
    refusals_page,
    take_files,
)

PHONE_COOKIE = "gustav_phone"
bp = Blueprint("phone", __name__, url_prefix="/phone", template_folder="templates")
View = Callable[..., ResponseReturnValue]


def visitor(view: View) -> View:
    """Only for the browser that opened the link. The view gets `(here, visit, …)`."""

    @wraps(view)
    def wrapper(link_id: UUID, **values: Any) -> ResponseReturnValue:
        try:
            with desk().begin(LAUNCH) as db:
                visit = phone.visit(db, link_id, request.cookies.get(PHONE_COOKIE))
        except NotFound:
            return _over()
        if request.method not in ("GET", "HEAD"):
            _check_form_is_ours(visit)
        return view(partial(desk().begin, visit.actor), visit, **values)

    wrapper.for_phone = True  # type: ignore[attr-defined]  # read by the matrix test
    return wrapper


@bp.get("/<uuid:link_id>/open/<secret>")
def before(link_id: UUID, secret: str) -> ResponseReturnValue:
    """One button. Whoever only looks, a preview for instance, does not use the link up."""
    return render_template("pages/phone_open.html", link_id=link_id, secret=secret)


@bp.post("/<uuid:link_id>/open/<secret>")
def enter(link_id: UUID, secret: str) -> ResponseReturnValue:
    _check_origin()
    try:
        browser = in_one(partial(desk().begin, LAUNCH), lambda db: phone.claim(db, link_id, secret))
    except NotFound:
        return _over()
    answer = redirect(url_for(".show", link_id=link_id), 303)
    answer.set_cookie(
        PHONE_COOKIE,
        browser,
        path=f"/phone/{link_id}",
        secure=True,
        httponly=True,
        samesite="Strict",
        max_age=int(phone.LIFE.total_seconds()),
    )
    return answer


@bp.get("/<uuid:link_id>/")
@visitor
def show(here: Here, visit: PhoneVisit) -> ResponseReturnValue:
    return _show(here, visit)


@bp.post("/<uuid:link_id>/")
@visitor
def add(here: Here, visit: PhoneVisit) -> ResponseReturnValue:
    """Files in one piece, from a browser without scripts."""
    not_taken = take_files(here, visit, request.files.getlist("file"))
    if not_taken:
        return refusals_page(here, visit, not_taken, url_for(".show", link_id=visit.id))
    return redirect(url_for(".show", link_id=visit.id), 303)


@bp.post("/<uuid:link_id>/uploads")
@visitor
def announce(here: Here, visit: PhoneVisit) -> ResponseReturnValue:
    return announced(here, visit)


@bp.route("/<uuid:link_id>/uploads/<uuid:upload_id>", methods=["GET", "POST"])
@visitor
def part(here: Here, visit: PhoneVisit, upload_id: UUID) -> ResponseReturnValue:
    return part_of(here, visit, upload_id)


@bp.post("/<uuid:link_id>/uploads/<uuid:upload_id>/finish")
@visitor
def finish(here: Here, visit: PhoneVisit, upload_id: UUID) -> ResponseReturnValue:
    done = finished(here, visit, upload_id)
    if isinstance(done, Refused):
        return refusal_note(here, visit, done)
    with here() as db:
        address_pupil(formal=says_sie(db, visit))
        count = len(pages.of_draft(db, visit))
        closed = desk().closed_at(db, visit, g.began)
    return render_template(
        "pages/_phone_count.html",
        count=count,
        left_out=done.left_out,
        closed=closed,
        say=page_speech(),
    )


def _show(here: Here, visit: PhoneVisit) -> str:
    late = _late(here, visit)
    with here() as db:
        address_pupil(formal=says_sie(db, visit))
        count = len(pages.of_draft(db, visit))
    return render_template(
        "pages/phone.html",
        visit=visit,
        refusals=late,
        count=count,
        csrf=desk().secrets.csrf(visit.id),
        say=page_speech(),
    )


def _late(here: Here, visit: PhoneVisit) -> list[Refused]:
    try:
        with here() as db:
            need_time(db, visit, g.began)
    except TooLate as late:
        return [refused("", late)]
    return []


def _over() -> ResponseReturnValue:
    return render_template("pages/phone_over.html"), 404


def _check_form_is_ours(visit: PhoneVisit) -> None:
    """Cross-site request forgery: the token of this visit, and no foreign Origin."""
    sent = request.form.get(CSRF_FIELD) or request.headers.get(CSRF_HEADER, "")
    if not hmac.compare_digest(sent.encode(), desk().secrets.csrf(visit.id).encode()):
        raise Forbidden("csrf")
    _check_origin()


def _check_origin() -> None:
    ours = origin_of(desk().base_url)
    if request.headers.get("Origin", ours) != ours:
        raise Forbidden("origin")
