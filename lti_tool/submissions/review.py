"""Feedback on a submission: kept when the engine has worked it out, edited, let out by a teacher.

A version is never overwritten; each change makes a new one and the old stays readable.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from feedback_engine import contract
from feedback_engine.contract import VerdictStatus
from lti_tool.content.models import Criterion, Mode, RegularTask
from lti_tool.core import jobs
from lti_tool.core.db import publish
from lti_tool.core.errors import Conflict, Invalid
from lti_tool.core.markdown import plain
from lti_tool.launch.session import LaunchSession
from lti_tool.submissions.models import Author, CriterionResult, Feedback, ReleasedBy, Submission
from lti_tool.submissions.states import ForbiddenMove, State, move


@dataclass(frozen=True)
class FeedbackReleased:
    """A version of feedback was let out. Published in the transaction that let it out."""

    submission_id: UUID
    feedback_id: UUID


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


def request_for(db: Session, submission_id: UUID) -> contract.FeedbackRequest:
    """What the engine is told: the task and the answer, nobody's name, no course, no id."""
    submission = db.get_one(Submission, submission_id)
    task = db.get_one(RegularTask, submission.task_id)
    return contract.FeedbackRequest(
        task_title=task.title,
        task_prompt=plain(task.prompt),
        criteria=tuple(
            contract.Criterion(
                id=str(c.id),
                title=c.title,
                description=c.description,
                weight=c.weight,
                levels=tuple(c.levels),
            )
            for c in task.criteria
        ),
        answer=submission.answer,
        language="en" if submission.language == "en" else "de",
        solution_notes=task.solution_notes,
        earlier=_earlier(db, submission),
    )


def keep_feedback(db: Session, submission_id: UUID, draft: contract.FeedbackDraft) -> None:
    """Keep what the engine proposes; the task's mode says who lets it out.

    Raises:
        ForbiddenMove: a teacher has finished this submission in the meantime.
    """
    submission = db.get_one(Submission, submission_id, with_for_update=True)
    if submission.state is not State.HANDED_IN:
        raise ForbiddenMove("a teacher was faster")
    task = db.get_one(RegularTask, submission.task_id)
    feedback = _new_version(db, submission, Author.AI)
    feedback.engine = draft.engine.name
    feedback.model = draft.engine.model
    feedback.model_digest = draft.engine.digest
    feedback.prompt_version = draft.engine.prompt_version
    feedback.strengths = draft.strengths
    feedback.next_step = draft.next_step
    feedback.question = draft.question
    feedback.flags = " ".join(flag.value for flag in draft.flags)
    criteria = {str(c.id): c for c in task.criteria}
    feedback.results = [
        _result(criteria[v.criterion_id], v.status, v.level, v.quote, v.reason)
        for v in draft.verdicts
        if v.criterion_id in criteria
    ]
    db.flush()
    if draft.needs_teacher:
        _ask_teacher(db, submission, "engine_unsure")
    elif task.mode is Mode.PRACTICE:
        _release(db, submission, feedback, ReleasedBy.TASK_RULE, None)
    else:
        submission.state = move(submission.state, to=State.AWAITING_TEACHER)
        db.flush()


def hand_to_teacher(db: Session, submission_id: UUID, reason: str) -> None:
    """No feedback came about; `reason` is a code that the teacher's page explains."""
    submission = db.get_one(Submission, submission_id, with_for_update=True)
    if submission.state is State.HANDED_IN:
        _ask_teacher(db, submission, reason)


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
        _release(db, submission, feedback, ReleasedBy.TEACHER, launch.person_id)


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
    feedback = _new_version(db, submission, author)
    if old is not None:
        feedback.engine, feedback.model = old.engine, old.model
        feedback.model_digest, feedback.prompt_version = old.model_digest, old.prompt_version
    feedback.strengths = change.strengths
    feedback.next_step = change.next_step
    feedback.question = change.question
    feedback.results = _edited_results(db, submission, old, change)
    db.flush()
    if release or was_out:
        _release(db, submission, feedback, ReleasedBy.TEACHER, launch.person_id)
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
    jobs.enqueue(
        db,
        jobs.JobKind.GIVE_FEEDBACK,
        platform_id=launch.platform_id,
        subject_id=submission.id,
    )


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


def _new_version(db: Session, submission: Submission, author: Author) -> Feedback:
    newest = db.scalar(
        select(Feedback)
        .where(Feedback.submission_id == submission.id)
        .order_by(Feedback.version.desc())
        .limit(1)
    )
    if newest is not None and newest.superseded_at is None:
        newest.superseded_at = func.now()
        db.flush()
    feedback = Feedback(
        id=uuid7(),
        platform_id=submission.platform_id,
        course_id=submission.course_id,
        person_id=submission.person_id,
        submission_id=submission.id,
        version=newest.version + 1 if newest else 1,
        author=author,
    )
    db.add(feedback)
    return feedback


def _release(
    db: Session,
    submission: Submission,
    feedback: Feedback,
    rule: ReleasedBy,
    teacher_id: UUID | None,
) -> None:
    feedback.released_at, feedback.release, feedback.released_by = func.now(), rule, teacher_id
    if submission.state is not State.RELEASED:
        submission.state = move(submission.state, to=State.RELEASED)
        submission.needs_teacher_reason = None
    db.flush()
    publish(db, FeedbackReleased(submission.id, feedback.id))


def _ask_teacher(db: Session, submission: Submission, reason: str) -> None:
    submission.state = move(submission.state, to=State.NEEDS_TEACHER)
    submission.needs_teacher_reason = reason
    db.flush()


def _result(
    criterion: Criterion,
    status: VerdictStatus,
    level: int | None,
    quote: str,
    reason: str,
) -> CriterionResult:
    return CriterionResult(
        platform_id=criterion.platform_id,
        criterion_id=criterion.id,
        position=criterion.position,
        title=criterion.title,
        weight=criterion.weight,
        levels=len(criterion.levels),
        level=level,
        level_text="" if level is None else criterion.levels[level],
        status=status,
        quote=quote,
        reason=reason,
    )


def _edited_results(
    db: Session, submission: Submission, old: Feedback | None, change: FeedbackEdit
) -> list[CriterionResult]:
    before = {r.criterion_id: r for r in old.results} if old else {}
    results = []
    for criterion in criteria_of(db, submission):
        said = change.results.get(criterion.id, ResultEdit(None, "", ""))
        if said.level is not None and not 0 <= said.level < len(criterion.levels):
            raise Invalid({"results": "level"})
        status = _status(said, before.get(criterion.id))
        results.append(_result(criterion, status, said.level, said.quote, said.reason))
    return results


def _status(said: ResultEdit, before: CriterionResult | None) -> VerdictStatus:
    if said.level is None:
        return VerdictStatus.NOT_ASSESSED
    was_nothing = before is not None and before.status is VerdictStatus.NOTHING_FOUND
    if said.level == 0 and not said.quote and (was_nothing or before is None):
        return VerdictStatus.NOTHING_FOUND
    return VerdictStatus.ASSESSED


def _earlier(db: Session, submission: Submission) -> contract.EarlierAttempt | None:
    """The attempt before this one, with the feedback its pupil has seen."""
    before = db.scalar(
        select(Submission).where(
            Submission.resource_link_id == submission.resource_link_id,
            Submission.task_id == submission.task_id,
            Submission.person_id == submission.person_id,
            Submission.attempt == submission.attempt - 1,
        )
    )
    seen = before.feedback if before else None
    if before is None or seen is None or seen.released_at is None:
        return None
    return contract.EarlierAttempt(
        answer=before.answer,
        results=tuple(
            contract.CriterionVerdict(str(r.criterion_id), r.status, r.level, r.quote, r.reason)
            for r in seen.results
        ),
        next_step=seen.next_step,
    )
