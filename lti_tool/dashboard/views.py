"""The teacher's pages of an activity: what came in, and the work of one pupil to decide on."""

from __future__ import annotations

import zlib
from dataclasses import replace
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from lti_tool.content import copies
from lti_tool.content.access import may_edit, task_here
from lti_tool.content.models import RegularTask
from lti_tool.content.service import unit_of
from lti_tool.core.clock import utc_now
from lti_tool.core.errors import Conflict, Invalid, NotFound
from lti_tool.core.http import address_pupil, page_speech
from lti_tool.dashboard import deadlines, queries, transfers
from lti_tool.dashboard.desk import Desk, history, open_desk
from lti_tool.dashboard.forms import ReviewForm
from lti_tool.grades import service as grades
from lti_tool.launch.guard import instructor
from lti_tool.launch.session import LaunchSession
from lti_tool.people import roster
from lti_tool.submissions import review, transcripts
from lti_tool.submissions.shown import (
    changed,
    marked,
    shown_feedback,
)
from lti_tool.submissions.withdrawal import may_be_quoted
from lti_tool.uploads.allowance import allowed_until

bp = Blueprint("overview", __name__, template_folder="templates")

SAID_OF_WORK = {"released", "saved", "again"}
SAID_OF_GRADES = {"sent", "sent_already", "column"}
SAID_OF_UNIT = {"shared", "copied", "later"}
DONE = frozenset({"asked"} | SAID_OF_WORK | SAID_OF_GRADES | SAID_OF_UNIT)


@bp.get("/")
@instructor
def activity(db: Session, launch: LaunchSession) -> ResponseReturnValue:
    """Numbers, then what went wrong, then everybody."""
    return _overview(db, launch, task_here(db, launch))


@bp.get("/pupils/<uuid:person_id>")
@instructor
def pupil(db: Session, launch: LaunchSession, person_id: UUID) -> ResponseReturnValue:
    """From the LMS's gradebook to what this pupil handed in last (LtiSubmissionReviewRequest)."""
    task = task_here(db, launch)
    try:
        person = queries.person_here(db, launch, person_id)
    except NotFound:
        return render_template("overview/nobody.html", task=task), 404
    newest = queries.newest_of(db, launch, task, person_id)
    if newest is None:
        return _overview(db, launch, task, without=person)
    return redirect(url_for(".work", submission_id=newest.id), 303)


@bp.post("/unit")
@instructor
def decide(db: Session, launch: LaunchSession) -> ResponseReturnValue:
    """Share the unit with the course it comes from, or have a copy of it for this one."""
    unit = unit_of(db, task_here(db, launch))
    act = {"shared": copies.share, "copied": copies.copy}.get(request.form.get("use", ""))
    if act is None:
        raise Invalid({"use": "unknown"})
    try:
        with db.begin_nested():
            done = act(db, launch, unit).value
    except Conflict:
        done = "later"
    return redirect(url_for(".activity", done=done), 303)


@bp.get("/now")
@instructor
def now(db: Session, launch: LaunchSession) -> ResponseReturnValue:
    """What the overview asks for every few seconds; 204 as long as nothing has changed."""
    task = task_here(db, launch)
    current = queries.activity(db, launch, task)
    if _digest(current) == request.args.get("seen"):
        return "", 204
    return render_template(
        "overview/_activity.html",
        task=task,
        activity=current,
        seen=_digest(current),
        next_id=queries.next_for_teacher(db, launch, task),
        say=page_speech(),
    )


@bp.get("/work/<uuid:submission_id>")
@instructor
def work(db: Session, launch: LaunchSession, submission_id: UUID) -> ResponseReturnValue:
    return _page(db, launch, open_desk(db, launch, submission_id))


@bp.post("/work/<uuid:submission_id>/confirm")
@instructor
def confirm(db: Session, launch: LaunchSession, submission_id: UUID) -> ResponseReturnValue:
    """Let the feedback out: as it is, or as the teacher has changed it on the page."""
    desk = open_desk(db, launch, submission_id)
    try:
        typed = ReviewForm.read(request.form, desk.criteria)
        if "strengths" not in request.form or typed.says_the_same(desk.stored):
            review.confirm(db, launch, desk.submission, typed.version)
        else:
            review.edit(db, launch, desk.submission, typed.edit, release=True)
    except (Conflict, Invalid) as no:
        return _not_taken(db, launch, desk, no)
    return _on(db, launch, desk, "released")


@bp.post("/work/<uuid:submission_id>/edit")
@instructor
def edit(db: Session, launch: LaunchSession, submission_id: UUID) -> ResponseReturnValue:
    """Keep the teacher's words without letting them out."""
    desk = open_desk(db, launch, submission_id)
    try:
        typed = ReviewForm.read(request.form, desk.criteria)
        if not typed.says_the_same(desk.stored):
            review.edit(db, launch, desk.submission, typed.edit, release=False)
    except (Conflict, Invalid) as no:
        return _not_taken(db, launch, desk, no)
    return redirect(url_for(".work", submission_id=submission_id, done="saved"), 303)


@bp.post("/work/<uuid:submission_id>/again")
@instructor
def again(db: Session, launch: LaunchSession, submission_id: UUID) -> ResponseReturnValue:
    """Have the engine judge it once more."""
    desk = open_desk(db, launch, submission_id)
    review.ask_again(db, launch, desk.submission)
    return redirect(url_for(".work", submission_id=submission_id, done="again"), 303)


@bp.post("/grades/<uuid:sync_id>/send")
@instructor
def send(db: Session, launch: LaunchSession, sync_id: UUID) -> ResponseReturnValue:
    """Try once more to bring a score to the gradebook."""
    grades.send_again(db, launch, sync_id, utc_now())
    return redirect(url_for(".activity", done="sent"), 303)


@bp.post("/grades/send")
@instructor
def send_all(db: Session, launch: LaunchSession) -> ResponseReturnValue:
    """Try once more with every score of the activity that failed."""
    task_here(db, launch)
    sent = grades.send_all_again(db, launch, utc_now())
    return redirect(url_for(".activity", done="sent" if sent else "sent_already"), 303)


@bp.post("/grades/column")
@instructor
def new_column(db: Session, launch: LaunchSession) -> ResponseReturnValue:
    """Have a new gradebook column made in the place of one that is gone."""
    task_here(db, launch)
    grades.make_new_column(db, launch, utc_now())
    return redirect(url_for(".activity", done="column"), 303)


@bp.post("/roster")
@instructor
def refresh_roster(db: Session, launch: LaunchSession) -> ResponseReturnValue:
    """Ask the platform again who is in the course."""
    roster.refresh_now(db, launch.course_id)
    return redirect(url_for(".activity", done="asked"), 303)


def _overview(
    db: Session, launch: LaunchSession, task: RegularTask, without: queries.Row | None = None
) -> str:
    """The activity at a glance. `without`: the pupil asked for, who has handed in nothing yet."""
    now, unit = queries.activity(db, launch, task), unit_of(db, task)
    return render_template(
        "overview/activity.html",
        task=task,
        unit_title=unit.title,
        borrowed=copies.borrowed(db, launch, unit),
        may_edit=may_edit(db, launch, task),
        activity=now,
        without=without,
        deadlines=deadlines.shown(db, launch),
        uploads_until=allowed_until(db, launch.course_id),
        seen=_digest(now),
        next_id=queries.next_for_teacher(db, launch, task),
        done=_done(),
        say=page_speech(),
    )


def _page(
    db: Session,
    launch: LaunchSession,
    desk: Desk,
    typed: ReviewForm | None = None,
    problem: str = "",
) -> str:
    address_pupil(formal=desk.task.formal)  # the headings are those that the pupil will read
    submission = desk.submission
    feedback = submission.feedback
    shown = feedback and shown_feedback(feedback, submission.text)
    attempts = queries.attempts(db, submission)
    read = transcripts.of_submission(db, submission.id)
    return render_template(
        "overview/work.html",
        task=desk.task,
        unit_title=unit_of(db, desk.task).title,
        pupil=queries.pupil_of(db, submission),
        submission=submission,
        criteria=desk.criteria,
        read=read,
        deleted=may_be_quoted(feedback, (one.page for one in read)),
        answer=marked(submission.text, feedback),
        feedback=shown,
        not_there=[one.title for one in shown.results if one.elsewhere] if shown else [],
        form=typed or desk.stored,
        typed=typed is not None,
        problem=problem,
        flags=feedback.flags.split() if feedback else [],
        points=feedback and grades.points_of(desk.task, feedback),
        attempts=attempts,
        changed=changed(submission, attempts),
        history=history(review.versions(db, submission)),
        transfer=transfers.transfer_of(db, submission),
        next_id=queries.next_for_teacher(db, launch, desk.task, after=submission),
        done=_done(),
        say=page_speech(),
    )


def _not_taken(
    db: Session, launch: LaunchSession, desk: Desk, no: Conflict | Invalid
) -> ResponseReturnValue:
    """The page with what the teacher typed, and what is in its way. Sending it again replaces the
    version that is now shown beside it."""
    db.refresh(desk.submission)
    fresh = open_desk(db, launch, desk.submission.id)
    try:
        typed = ReviewForm.read(request.form, fresh.criteria)
    except Invalid:
        typed = fresh.stored
    typed = replace(typed, version=fresh.stored.version)
    if isinstance(no, Conflict):
        return _page(db, launch, fresh, typed, no.code), 409
    return _page(db, launch, fresh, typed, "incomplete"), 400


def _on(db: Session, launch: LaunchSession, desk: Desk, done: str) -> ResponseReturnValue:
    """To the next submission that waits, or back to the overview."""
    next_id = queries.next_for_teacher(db, launch, desk.task, after=desk.submission)
    if next_id is None:
        return redirect(url_for(".activity", done=done), 303)
    return redirect(url_for(".work", submission_id=next_id, done=done), 303)


def _done() -> str:
    """What has just been done, to be said once at the top; only words of ours."""
    told = request.args.get("done", "")
    return told if told in DONE else ""


def _digest(now: queries.Activity) -> str:
    return f"{zlib.crc32(repr(now).encode()):08x}"
