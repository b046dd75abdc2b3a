"""The pages of a pupil's draft: files come in, are shown, put in order and taken out again."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from flask import Blueprint, g, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage

from lti_tool.content.opened import says_sie
from lti_tool.core.errors import Invalid
from lti_tool.core.files import FilesUnavailable
from lti_tool.core.http import address_pupil, fetched_by_script, page_speech
from lti_tool.core.retries import in_one
from lti_tool.launch.guard import instructor, learner, learner_apart, member_apart
from lti_tool.launch.session import LaunchSession
from lti_tool.uploads import allowance, pages, phone, service
from lti_tool.uploads.desk import REFUSALS, Refused, TooLate, desk, need_time, refused
from lti_tool.uploads.limits import PART
from lti_tool.uploads.names import shown_name
from lti_tool.uploads.pages import Whose
from lti_tool.uploads.service import Here, Part

bp = Blueprint("pages", __name__, template_folder="templates")


@bp.get("/")
@learner
def listed(db: Session, launch: LaunchSession) -> ResponseReturnValue:
    """The pages of the draft as a part of the pupil's page; 204 while they are as known."""
    there = pages.of_draft(db, launch)
    if request.args.get("seen") == pages.key_of(there):
        return "", 204
    return _list(db, launch)


@bp.post("/")
@learner_apart
def add(here: Here, launch: LaunchSession) -> ResponseReturnValue:
    """Files in one piece, from a browser without scripts."""
    not_taken = take_files(here, launch, request.files.getlist("file"))
    if not_taken:
        return refusals_page(here, launch, not_taken, url_for("start.start"))
    return redirect(url_for("start.start", _anchor="pages"), 303)


@bp.post("/uploads")
@learner_apart
def announce(here: Here, launch: LaunchSession) -> ResponseReturnValue:
    return announced(here, launch)


@bp.route("/uploads/<uuid:upload_id>", methods=["GET", "POST"])
@learner_apart
def part(here: Here, launch: LaunchSession, upload_id: UUID) -> ResponseReturnValue:
    return part_of(here, launch, upload_id)


@bp.post("/uploads/<uuid:upload_id>/finish")
@learner_apart
def finish(here: Here, launch: LaunchSession, upload_id: UUID) -> ResponseReturnValue:
    done = finished(here, launch, upload_id)
    if isinstance(done, Refused):
        return refusal_note(here, launch, done)
    with here() as db:
        closed = desk().closed_at(db, launch, g.began)
        return _list(db, launch, left_out=done.left_out, closed=closed)


@bp.post("/<uuid:page_id>/move")
@learner_apart
def move(here: Here, launch: LaunchSession, page_id: UUID) -> ResponseReturnValue:
    by = {"up": -1, "down": 1}.get(request.form.get("by", ""))
    if by is None:
        raise Invalid({"by": "not_a_direction"})
    in_one(here, lambda db: pages.move(db, launch, page_id, by))
    return _after_change(here, launch)


@bp.post("/<uuid:page_id>/remove")
@learner_apart
def remove(here: Here, launch: LaunchSession, page_id: UUID) -> ResponseReturnValue:
    key = in_one(here, lambda db: pages.remove(db, launch, page_id))
    desk().lab.forget([key])
    return _after_change(here, launch)


@bp.get("/<uuid:page_id>.jpg")
@member_apart
def image(here: Here, launch: LaunchSession, page_id: UUID) -> ResponseReturnValue:
    """The page itself: ours, decoded and made anew; never the bytes that were sent."""
    with here() as db:
        page = pages.find(db, launch, page_id)
    jpeg = desk().lab.files.get(page.key, sha256=page.sha256)
    name = f"seite-{page.position}.jpg"
    return (
        jpeg,
        200,
        {
            "Content-Type": "image/jpeg",
            "Content-Disposition": f'inline; filename="{name}"',
        },
    )


@bp.post("/phone")
@learner
def phone_link(db: Session, launch: LaunchSession) -> ResponseReturnValue:
    """A link for a phone, as a picture to scan. The one before it ends."""
    address_pupil(formal=says_sie(db, launch))
    try:
        need_time(db, launch, g.began)
    except TooLate as late:
        return _no_link(refused("", late))
    link = phone.make_link(db, launch)
    address = url_for("phone.before", link_id=link.id, secret=link.secret)
    return render_template(
        "pages/_phone_link.html" if fetched_by_script() else "pages/phone_link.html",
        address=f"{desk().base_url}{address}",
        picture=phone.picture_of(f"{desk().base_url}{address}"),
        say=page_speech(),
        until=link.expires_at,
    )


@bp.post("/allow-more")
@instructor
def allow_more(db: Session, launch: LaunchSession) -> ResponseReturnValue:
    """The course may send more than usual, for a double lesson."""
    allowance.allow_more(db, launch, desk().lab.clock() + allowance.A_LESSON)
    return redirect(url_for("start.start"), 303)


def take_files(here: Here, launch: Whose, files: list[FileStorage]) -> list[Refused]:
    """Each file for itself: those that can be taken are, the others are listed."""
    not_taken = []
    for file in files:
        name = file.filename or ""
        try:
            with here() as db:
                need_time(db, launch, g.began)
            service.take_whole(desk().lab, here, launch, name, file.stream)
        except REFUSALS as error:
            not_taken.append(refused(shown_name(name), error))
    return not_taken


def announced(here: Here, launch: Whose) -> ResponseReturnValue:
    """A file is going to come in parts: under which id, and how large a part may be."""
    name, size = request.form.get("name", ""), request.form.get("size", "")
    try:
        if not size.isdecimal() or len(size) > 10:
            raise Invalid({"file": "empty_file"})
        with here() as db:
            need_time(db, launch, g.began)
        upload = in_one(
            here, lambda db: service.announce(db, launch, name, int(size), desk().lab.clock())
        )
        return jsonify(id=str(upload.id), part=PART), 201
    except REFUSALS as error:
        return refusal_note(here, launch, refused(shown_name(name), error))


def part_of(here: Here, launch: Whose, upload_id: UUID) -> ResponseReturnValue:
    """How much of a file is there; with POST after one more part."""
    offset = request.args.get("from", "")
    if request.method == "GET":
        with here() as db:
            return jsonify(received=service.find(db, launch, upload_id).received)
    if not offset.isdecimal() or len(offset) > 10:
        raise Invalid({"from": "not_a_number"})
    try:
        received = service.receive(
            desk().lab, here, launch, upload_id, Part(int(offset), request.get_data())
        )
    except FilesUnavailable as error:
        return refusal_note(here, launch, refused("", error))
    return jsonify(received=received)


def finished(here: Here, launch: Whose, upload_id: UUID) -> service.Arrived | Refused:
    with here() as db:
        name = service.find(db, launch, upload_id).name
    try:
        return service.finish(desk().lab, here, launch, upload_id)
    except REFUSALS as error:
        return refused(name, error)


def refusal_note(here: Here, launch: Whose, one: Refused) -> ResponseReturnValue:
    """A single refusal, for a script to show beside the file."""
    with here() as db:
        address_pupil(formal=says_sie(db, launch))
    answer = render_template("pages/_refusal.html", refusals=[one], say=page_speech()), one.status
    return (*answer, {"Retry-After": "3"}) if one.status == 503 else answer


def refusals_page(
    here: Here, launch: Whose, not_taken: list[Refused], back: str
) -> ResponseReturnValue:
    with here() as db:
        address_pupil(formal=says_sie(db, launch))
    html = render_template("pages/refused.html", refusals=not_taken, say=page_speech(), back=back)
    return html, not_taken[0].status


def _no_link(late: Refused) -> ResponseReturnValue:
    shown = "pages/_refusal.html" if fetched_by_script() else "pages/refused.html"
    back = url_for("start.start")
    html = render_template(shown, refusals=[late], say=page_speech(), back=back)
    return html, late.status


def _after_change(here: Here, launch: LaunchSession) -> ResponseReturnValue:
    if not fetched_by_script():
        return redirect(url_for("start.start", _anchor="pages"), 303)
    with here() as db:
        return _list(db, launch)


def _list(
    db: Session, launch: LaunchSession, left_out: int = 0, closed: datetime | None = None
) -> str:
    there = pages.of_draft(db, launch)
    return render_template(
        "pages/_pages.html",
        pages=there,
        pages_key=pages.key_of(there),
        left_out=left_out,
        closed=closed,
        say=page_speech(),
    )
