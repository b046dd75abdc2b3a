"""What teachers do with feedback: confirm it, edit it, write it, have it worked out once more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from feedback_engine.contract import VerdictStatus
from lti_tool.content.models import Criterion, RegularTask
from lti_tool.core import jobs
from lti_tool.core.db import acting_as, service_of
from lti_tool.core.errors import Conflict, Invalid
from lti_tool.core.jobs import JobKind
from lti_tool.launch.session import LaunchSession
from lti_tool.submissions import transcripts
from lti_tool.submissions.models import Author, CriterionResult, Feedback, ReleasedBy, Submission
from lti_tool.submissions.states import State, move
from lti_tool.submissions.urgency import line_of
from lti_tool.submissions.versions import let_out, new_version, result_of


@dataclass(frozen=True)
class ResultEdit:
    """A teacher's word on one criterion. `level` None: not judged."""

    level: int | None
    quote: str
    reason: str


@dataclass(frozen=True)
class FeedbackEdit:
    """What a teacher made of the feedback; `results` by criterion id. `version` is the one they
    had before them, 0 for none."""

    version: int
    results: Mapping[UUID, ResultEdit]
    strengths: str
    next_step: str
    question: str


def confirm(db: Session, launch: LaunchSession, submission: Submission, version: int) -> None:
    """Let the current feedback out as it is.

    Raises:
        Conflict: "feedback_changed": the page showed another version than the current one.
        Invalid: "feedback": "missing": there is nothing to let out yet.
    """
    feedback = _current(db, submission, version)
    if feedback is None:
        raise Invalid({"feedback": "missing"})
    if feedback.released_at is None:
        let_out(db, submission, feedback, ReleasedBy.TEACHER, launch.person_id)


def edit(
    db: Session,
    launch: LaunchSession,
    submission: Submission,
    change: FeedbackEdit,
    *,
    release: bool,
) -> Feedback:
    """A new version in the teacher's words. What is out already stays out in its new version.

    Raises:
        Conflict: "feedback_changed".
        Invalid: "results": "level": a level the criterion does not have.
    """
    old = _current(db, submission, change.version)
    was_out = old is not None and old.released_at is not None
    author = Author.TEACHER if old is None or old.author is Author.TEACHER else Author.AI_EDITED
    feedback = new_version(db, submission, author)
    if old is not None:
        feedback.engine, feedback.model = old.engine, old.model
        feedback.model_digest, feedback.prompt_version = old.model_digest, old.prompt_version
    feedback.strengths = change.strengths
    feedback.next_step = change.next_step
    feedback.question = change.question
    feedback.results = _edited_results(db, submission, old, change)
    db.flush()
    if release or was_out:
        let_out(db, submission, feedback, ReleasedBy.TEACHER, launch.person_id)
    elif submission.state in (State.HANDED_IN, State.TO_CHECK):
        # The teacher has taken over: what the engine still brings must not replace their words.
        submission.state = move(submission.state, to=State.AWAITING_TEACHER)
        db.flush()
    return feedback


def ask_again(db: Session, launch: LaunchSession, submission: Submission) -> None:
    """Let the engine have another try; what is there stays until a new version comes.

    Raises:
        Conflict: "already_released".
    """
    db.refresh(submission, with_for_update=True)
    if submission.state not in (State.AWAITING_TEACHER, State.NEEDS_TEACHER):
        raise Conflict("already_released")
    submission.state = move(submission.state, to=State.HANDED_IN)
    submission.needs_teacher_reason = None
    db.flush()
    unread = len(transcripts.unread(db, submission.id))
    to_do = JobKind.READ_PAGES if unread else JobKind.GIVE_FEEDBACK
    line = line_of(db, submission, pages=unread, again=True)
    jobs.enqueue(db, to_do, platform_id=launch.platform_id, subject_id=submission.id, line=line)
    with acting_as(db, service_of(launch.platform_id)):
        # Its pupil may have had an hour to look through what was read; they need it no more.
        jobs.bring_forward(db, to_do, submission.id)


def versions(db: Session, submission: Submission) -> Sequence[Feedback]:
    """All versions, newest first."""
    return db.scalars(
        select(Feedback)
        .where(Feedback.submission_id == submission.id)
        .order_by(Feedback.version.desc())
    ).all()


def criteria_of(db: Session, submission: Submission) -> list[Criterion]:
    """What a teacher judges this submission by: the criteria its feedback was given by, or, where
    there is none yet, those of the task today."""
    task = db.get_one(RegularTask, submission.task_id)
    if submission.feedback is None:
        return list(task.criteria)
    order = [result.criterion_id for result in submission.feedback.results]
    found = {c.id: c for c in db.scalars(select(Criterion).where(Criterion.id.in_(order)))}
    return [found[criterion_id] for criterion_id in order if criterion_id in found]


def _current(db: Session, submission: Submission, version: int) -> Feedback | None:
    """The current version, locked. Raises Conflict if it is not the one the page showed."""
    db.refresh(submission, with_for_update=True)
    current = db.scalar(
        select(Feedback).where(
            Feedback.submission_id == submission.id, Feedback.superseded_at.is_(None)
        )
    )
    if (current.version if current else 0) != version:
        raise Conflict("feedback_changed")
    return current


def _edited_results(
    db: Session, submission: Submission, old: Feedback | None, change: FeedbackEdit
) -> list[CriterionResult]:
    before = {r.criterion_id: r for r in old.results} if old else {}
    results = []
    for criterion in criteria_of(db, submission):
        said = change.results.get(criterion.id, ResultEdit(None, "", ""))
        if said.level is not None and not 0 <= said.level < len(criterion.levels):
            raise Invalid({"results": "level"})
        was = before.get(criterion.id)
        status = _status(said, was)
        taken_up = was.taken_up if was else None
        results.append(
            result_of(criterion, status, said.level, said.quote, said.reason, taken_up=taken_up)
        )
    return results


def _status(said: ResultEdit, before: CriterionResult | None) -> VerdictStatus:
    if said.level is None:
        return VerdictStatus.NOT_ASSESSED
    was_nothing = before is not None and before.status is VerdictStatus.NOTHING_FOUND
    if said.level == 0 and not said.quote and (was_nothing or before is None):
        return VerdictStatus.NOTHING_FOUND
    return VerdictStatus.ASSESSED
