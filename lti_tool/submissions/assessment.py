"""What the engine is told about a submission, and what is kept of its answer."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from feedback_engine import contract
from feedback_engine.contract import VerdictStatus
from lti_tool.content.models import Mode, RegularTask
from lti_tool.core.markdown import plain
from lti_tool.core.moves import ForbiddenMove
from lti_tool.submissions import transcripts
from lti_tool.submissions.models import Author, CriterionResult, ReleasedBy, Submission
from lti_tool.submissions.states import State, move
from lti_tool.submissions.versions import ask_teacher, let_out, new_version, result_of


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
        answer=submission.text,
        language="en" if submission.language == "en" else "de",
        register="sie" if task.formal else "du",
        solution_notes=task.solution_notes,
        earlier=_earlier(db, submission),
        drawings=transcripts.drawings_of(db, submission_id),
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
    feedback = new_version(db, submission, Author.AI)
    feedback.engine = draft.engine.name
    feedback.model = draft.engine.model
    feedback.model_digest = draft.engine.digest
    feedback.prompt_version = draft.engine.prompt_version
    feedback.strengths = draft.strengths
    feedback.next_step = draft.next_step
    feedback.question = draft.question
    feedback.flags = " ".join(flag.value for flag in draft.flags)
    criteria = {str(c.id): c for c in task.criteria}
    taken_up = {became.criterion_id: became.taken_up for became in draft.progress}
    feedback.results = [
        result_of(
            criteria[v.criterion_id],
            v.status,
            v.level,
            v.quote,
            v.reason,
            taken_up=taken_up.get(v.criterion_id),
        )
        for v in draft.verdicts
        if v.criterion_id in criteria
    ]
    db.flush()
    if draft.needs_teacher:
        ask_teacher(db, submission, "engine_unsure")
    elif task.mode is Mode.PRACTICE:
        let_out(db, submission, feedback, ReleasedBy.TASK_RULE, None)
    else:
        submission.state = move(submission.state, to=State.AWAITING_TEACHER)
        db.flush()


def hand_to_teacher(db: Session, submission_id: UUID, reason: str) -> None:
    """No feedback came about; `reason` is a code that the teacher's page explains."""
    submission = db.get_one(Submission, submission_id, with_for_update=True)
    if submission.state is State.HANDED_IN:
        ask_teacher(db, submission, reason)


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
        answer=before.text,
        results=tuple(_verdict(result, before.text) for result in seen.results),
        next_step=seen.next_step,
    )


def _verdict(result: CriterionResult, answer: str) -> contract.CriterionVerdict:
    """What was found, as the engine knows it. A teacher may judge without quoting: then the whole
    answer is what they judged."""
    criterion_id = str(result.criterion_id)
    if result.level is None:
        return contract.CriterionVerdict.not_assessed(criterion_id)
    if result.status is VerdictStatus.NOTHING_FOUND:
        return contract.CriterionVerdict.nothing_found(criterion_id, result.reason)
    return contract.CriterionVerdict.assessed(
        criterion_id, result.level, result.quote or answer, result.reason
    )
