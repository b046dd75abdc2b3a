"""Feedback and attempts as pages show them: finished values, so that templates only fill in.

No sentence is here, only which one fits. Pure: time and place in line come in as values.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from feedback_engine.contract import VerdictStatus
from lti_tool.core.line import InLine
from lti_tool.submissions.differences import Piece, differences
from lti_tool.submissions.marks import Segment, find, segments
from lti_tool.submissions.models import (
    Author,
    CriterionResult,
    Feedback,
    ReleasedBy,
    Submission,
)
from lti_tool.submissions.prose import Prose
from lti_tool.submissions.states import State

WITHOUT_MODEL = "lexical"  # the engine that compares words only


class Origin(StrEnum):
    """Whose words a feedback is; each has its own label."""

    AI = "ai"
    AI_EDITED = "ai_edited"
    NO_MODEL = "no_model"
    NO_MODEL_EDITED = "no_model_edited"
    TEACHER = "teacher"


class Standing(StrEnum):
    """Where a level lies on its scale; chooses a tint that only repeats the level's words."""

    LOW = "low"
    MIDDLE = "middle"
    HIGH = "high"
    OPEN = "open"


class Phase(StrEnum):
    """What a pupil is told about an attempt."""

    IN_LINE = "in_line"
    READING = "reading"  # a model reads the photos
    AT_WORK = "at_work"
    TO_CHECK = "to_check"  # the pupil looks whether the photos were read right
    LATER = "later"  # kept, but the model does not answer just now
    TEACHER = "teacher"
    READY = "ready"


@dataclass(frozen=True)
class ShownResult:
    """One criterion. `steps`: per level whether it is reached; `rose`: higher than
    the time before; `taken_up`: what became of the advice, None where there was none."""

    number: int
    title: str
    level_text: str
    standing: Standing
    steps: tuple[bool, ...]
    status: VerdictStatus
    quote: str
    in_text: bool
    reason: str
    rose: bool
    taken_up: bool | None

    @property
    def elsewhere(self) -> bool:
        """Its quote is not, or no longer, in the text."""
        return bool(self.quote) and not self.in_text


@dataclass(frozen=True)
class Change:
    """What a newer version has otherwise: a criterion by its title, or one of the three texts."""

    what: str  # level | quote | reason | strengths | next_step | question
    title: str = ""


@dataclass(frozen=True)
class ShownFeedback:
    """`changes`: what a teacher made different from the engine's words, as far as one may see."""

    results: tuple[ShownResult, ...]
    strengths: str
    next_step: str
    question: str
    origin: Origin
    model: str
    by_rule: bool
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class ShownAttempt:
    """One attempt. `place` in line from 1; `wait`: how long it will probably take; `told`: what may
    be read of its feedback while that is being written."""

    id: UUID
    number: int
    phase: Phase
    place: int | None
    wait: timedelta | None
    submitted_at: datetime
    answer: tuple[Segment, ...]
    feedback: ShownFeedback | None
    told: Prose | None = None


def origin_of(feedback: Feedback) -> Origin:
    """Whose words these are."""
    if feedback.author is Author.TEACHER:
        return Origin.TEACHER
    without = feedback.engine == WITHOUT_MODEL
    if feedback.author is Author.AI_EDITED:
        return Origin.NO_MODEL_EDITED if without else Origin.AI_EDITED
    return Origin.NO_MODEL if without else Origin.AI


def standing_of(level: int | None, levels: int) -> Standing:
    """The lowest level is low, the highest is high, whatever lies between is the middle."""
    if level is None:
        return Standing.OPEN
    if level == 0:
        return Standing.LOW
    return Standing.HIGH if level == levels - 1 else Standing.MIDDLE


def phase_of(state: State, line: InLine | None) -> Phase:
    """What to say about an attempt; `line` is where its job stands, None without an open one."""
    if state is State.RELEASED:
        return Phase.READY
    if state is State.TO_CHECK:
        return Phase.TO_CHECK
    if state is not State.HANDED_IN:
        return Phase.TEACHER
    if line is None:
        return Phase.IN_LINE
    if line.ahead is None:
        return Phase.READING if line.reading else Phase.AT_WORK
    return Phase.LATER if line.last_error else Phase.IN_LINE


def shown_attempt(
    submission: Submission,
    line: InLine | None,
    before: Submission | None = None,
    versions: Sequence[Feedback] = (),
) -> ShownAttempt:
    """An attempt as its pupil sees it. `before`: the one it followed; `versions`: of its feedback,
    newest first, as far as they may be seen."""
    phase = phase_of(submission.state, line)
    feedback = submission.feedback if phase is Phase.READY else None
    earlier = before.feedback if before else None
    engines = next((v for v in versions if v.author is Author.AI), None)
    return ShownAttempt(
        id=submission.id,
        number=submission.attempt,
        phase=phase,
        place=line.ahead + 1 if line and line.ahead is not None else None,
        wait=line.wait if line else None,
        submitted_at=submission.submitted_at,
        answer=marked(submission.text, feedback),
        feedback=(
            shown_feedback(feedback, submission.text, earlier, engines) if feedback else None
        ),
    )


def shown_feedback(
    feedback: Feedback,
    answer: str,
    earlier: Feedback | None = None,
    engines: Feedback | None = None,
) -> ShownFeedback:
    """`earlier`: that of the attempt before; `engines`: the version before a teacher changed it."""
    reached = {r.criterion_id: r.level for r in earlier.results} if earlier else {}
    return ShownFeedback(
        results=tuple(
            _result(number, result, answer, reached.get(result.criterion_id))
            for number, result in enumerate(feedback.results, 1)
        ),
        strengths=feedback.strengths,
        next_step=feedback.next_step,
        question=feedback.question,
        origin=origin_of(feedback),
        model=feedback.model,
        by_rule=feedback.release is ReleasedBy.TASK_RULE,
        changes=tuple(changes(engines, feedback)) if engines and engines is not feedback else (),
    )


def changed(submission: Submission, attempts: Sequence[Submission]) -> tuple[Piece, ...]:
    """What is otherwise than in the attempt before, word by word; nothing for the first."""
    before = next((one for one in attempts if one.attempt == submission.attempt - 1), None)
    return differences(before.text, submission.text) if before else ()


def marked(answer: str, feedback: Feedback | None) -> tuple[Segment, ...]:
    """The answer with the passages that the feedback quotes."""
    results = feedback.results if feedback else []
    return segments(answer, ((number, r.quote) for number, r in enumerate(results, 1)))


def changes(before: Feedback, after: Feedback) -> Iterator[Change]:
    """What `after` says otherwise than `before`."""
    old = {result.criterion_id: result for result in before.results}
    for new in after.results:
        was = old.get(new.criterion_id)
        for what in ("level", "quote", "reason"):
            if was is None or getattr(was, what) != getattr(new, what):
                yield Change(what, new.title)
    for what in ("strengths", "next_step", "question"):
        if getattr(before, what) != getattr(after, what):
            yield Change(what)


def _result(
    number: int, result: CriterionResult, answer: str, level_before: int | None
) -> ShownResult:
    level = result.level
    return ShownResult(
        number=number,
        title=result.title,
        level_text=result.level_text,
        standing=standing_of(level, result.levels),
        steps=tuple(level is not None and step <= level for step in range(result.levels)),
        status=result.status,
        quote=result.quote,
        in_text=find(answer, result.quote) is not None,
        reason=result.reason,
        rose=level is not None and level_before is not None and level > level_before,
        taken_up=result.taken_up,
    )
