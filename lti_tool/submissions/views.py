"""The pupil's pages of one task: write, hand in, wait, read the feedback, look back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID, uuid4

from flask import Blueprint, g, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from lti_tool.content.opened import opened_task
from lti_tool.core.errors import Conflict, Invalid
from lti_tool.core.http import address_pupil, fetched_by_script, page_speech
from lti_tool.core.markdown import trusted
from lti_tool.core.speech import Speech
from lti_tool.launch.guard import learner
from lti_tool.launch.session import LaunchSession
from lti_tool.submissions import drafts, forms, prose, review, service, transcripts
from lti_tool.submissions.models import ANSWER_LIMIT, Author, Submission
from lti_tool.submissions.reading import checked_page
from lti_tool.submissions.service import Work
from lti_tool.submissions.shown import Phase, ShownAttempt, changed, shown_attempt
from lti_tool.uploads import pages

bp = Blueprint("work", __name__, template_folder="templates")


@dataclass(frozen=True)
class Field:
    """The answer field: what stands in it, and the key and the attempt it is for."""

    text: str
    version: int
    client_key: UUID
    attempt: int
    last: bool


@bp.get("/")
@learner
def task(db: Session, launch: LaunchSession) -> ResponseReturnValue:
    """The task, and where this pupil's work on it stands."""
    return _page(db, _work(db, launch), writing="revise" in request.args)


@bp.post("/")
@learner
def hand_in(db: Session, launch: LaunchSession) -> ResponseReturnValue:
    try:
        answer = forms.read_answer(request.form, g.began)
        handed = service.hand_in(db, launch, opened_task(db, launch), answer)
    except Invalid as invalid:
        return _not_taken(db, launch, invalid)
    if handed.problem is not None:
        return _page(db, _work(db, launch), problem=handed.problem.value), 409
    return redirect(url_for(".task"), 303)


@bp.post("/draft")
@learner
def draft(db: Session, launch: LaunchSession) -> ResponseReturnValue:
    """Keep what is being typed: by itself every few seconds, or by the button without scripts."""
    try:
        kept = drafts.save(db, launch, forms.read_draft(request.form))
    except Invalid as invalid:
        return _not_taken(db, launch, invalid)
    if fetched_by_script():
        return jsonify(
            version=str(kept.version),
            time=page_speech().time(kept.saved_at),
            overtook=kept.overtook,
        )
    return redirect(url_for(".older" if kept.overtook else ".task"), 303)


@bp.get("/draft/newer")
@learner
def newer(db: Session, launch: LaunchSession) -> ResponseReturnValue:
    """For a page that was looked away from: what was written elsewhere since; 204 if nothing."""
    attempt = service.last_attempt(db, launch)
    handed_in = request.args.get("attempt") == str(attempt)
    found = drafts.newer(db, launch, forms.read_version(request.args))
    if handed_in or found is None:
        return jsonify(handed_in=True) if handed_in else ("", 204)
    time = page_speech().time(found.saved_at)
    return jsonify(handed_in=False, text=found.text, version=str(found.version), time=time)


@bp.get("/older")
@learner
def older(db: Session, launch: LaunchSession) -> ResponseReturnValue:
    """Texts that a newer one of another device has displaced."""
    work = _work(db, launch)
    return render_template(
        "work/older.html",
        work=work,
        unit_title=work.task.unit_title,
        versions=drafts.older(db, launch),
        say=page_speech(),
    )


@bp.post("/older/<uuid:version_id>/restore")
@learner
def restore(db: Session, launch: LaunchSession, version_id: UUID) -> ResponseReturnValue:
    """Go on with an older text; the present one is put aside in its place."""
    drafts.restore(db, launch, version_id)
    return redirect(url_for(".task", revise=1, _anchor="answer"), 303)


@bp.get("/state")
@learner
def state(db: Session, launch: LaunchSession) -> ResponseReturnValue:
    """What the page asks for while it waits; 204 as long as there is nothing new to say."""
    work, speech = _work(db, launch), page_speech()
    if work.newest is None:
        return "", 204
    shown = _shown(db, work, work.newest)
    if _key(shown, speech) == request.args.get("seen"):
        return "", 204
    return render_template(
        "work/_arriving.html",
        work=work,
        attempt=shown,
        key=_key(shown, speech),
        say=speech,
        may_revise=work.may_write and "writing" not in request.args,
        field="writing" in request.args,
        words_first="told" in request.args,
    )


@bp.post("/attempts/<uuid:submission_id>/reading")
@learner
def confirm_reading(db: Session, launch: LaunchSession, submission_id: UUID) -> ResponseReturnValue:
    """What the photos say, in the pupil's own words now."""
    submission = service.find(db, launch, submission_id)
    try:
        transcripts.confirm(db, launch, submission, forms.read_corrections(request.form))
    except Invalid as invalid:
        return _not_taken(db, launch, invalid)
    except Conflict:
        pass  # it is being judged by now, and the page says so
    return redirect(url_for(".task"), 303)


@bp.get("/attempts/<uuid:submission_id>")
@learner
def attempt(db: Session, launch: LaunchSession, submission_id: UUID) -> ResponseReturnValue:
    """An attempt to look back at."""
    submission = service.find(db, launch, submission_id)
    work = _work(db, launch)
    return render_template(
        "work/attempt.html",
        work=work,
        unit_title=work.task.unit_title,
        attempt=_shown(db, work, submission),
        changed=changed(submission, work.submissions),
        read=transcripts.of_submission(db, submission.id),
        say=page_speech(),
    )


def _work(db: Session, launch: LaunchSession) -> Work:
    task = opened_task(db, launch)
    address_pupil(formal=task.formal)
    return service.open_work(db, launch, task, g.began)


def _page(
    db: Session, work: Work, *, writing: bool = False, problem: str = "", typed: str | None = None
) -> str:
    shown, speech = work.newest and _shown(db, work, work.newest), page_speech()
    field = None
    if work.may_write and (writing or typed or work.draft or work.pages or work.newest is None):
        field = _field(work, typed)
    return render_template(
        "work/task.html",
        work=work,
        unit_title=work.task.unit_title,
        prompt=trusted(work.task.prompt_html),
        attempt=shown,
        key=shown and _key(shown, speech),
        field=field,
        kept=None if field else typed or (work.draft and work.draft.text),
        problem=problem,
        say=speech,
        may_revise=work.may_write and field is None,
        limit=ANSWER_LIMIT,
        takes_pages=field is not None and work.task.takes_pages,
        pages=work.pages,
        pages_key=pages.key_of(work.pages),
        read=work.read,
        checks=[checked_page(one) for one in work.read if one.page.hidden_at is None],
    )


def _not_taken(db: Session, launch: LaunchSession, invalid: Invalid) -> ResponseReturnValue:
    """The page again, with what was typed and what is wrong with it."""
    code = next(iter(invalid.problems.values()))
    typed = forms.clean(request.form.get("text", ""))
    return _page(db, _work(db, launch), writing=True, problem=code, typed=typed), 400


def _field(work: Work, typed: str | None) -> Field:
    text = work.newest.text if work.newest else ""
    if work.draft is not None:
        text = work.draft.text
    return Field(
        text=text if typed is None else typed,
        version=work.draft.version if work.draft else 0,
        client_key=uuid4(),
        attempt=work.next_attempt,
        last=work.attempts_left == 1,
    )


def _shown(db: Session, work: Work, submission: Submission) -> ShownAttempt:
    before = next((s for s in work.submissions if s.attempt == submission.attempt - 1), None)
    feedback, edited = submission.feedback, False
    if feedback is not None:
        edited = feedback.author is Author.AI_EDITED
    shown = shown_attempt(
        submission,
        work.line if submission is work.newest else None,
        before,
        review.versions(db, submission) if edited else (),
    )
    if shown.phase is Phase.AT_WORK:
        return replace(shown, told=prose.told_of(db, submission.id))
    return shown


def _key(shown: ShownAttempt, speech: Speech) -> str:
    """Names what a page says about an attempt, so that it can ask whether there is news."""
    wait = speech.wait(shown.wait) if shown.wait else ""
    told = shown.told.length if shown.told else ""
    return f"{shown.number}-{shown.phase.value}-{shown.place or ''}-{wait}-{told}"
