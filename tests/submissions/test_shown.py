"""What a page shows of a feedback: whose words, which standing, what changed."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from feedback_engine.contract import VerdictStatus
from lti_tool.core.line import InLine
from lti_tool.submissions import shown
from lti_tool.submissions.models import (
    Author,
    CriterionResult,
    Feedback,
    ReleasedBy,
    Submission,
)
from lti_tool.submissions.shown import Change, Origin, Phase, Standing
from lti_tool.submissions.states import State

FIRST, SECOND = UUID(int=1), UUID(int=2)
PACE = timedelta(seconds=20)


def result(
    criterion_id: UUID = FIRST, level: int | None = 1, quote: str = "Licht"
) -> CriterionResult:
    return CriterionResult(
        criterion_id=criterion_id,
        title="Licht erklärt" if criterion_id == FIRST else "Fachbegriffe",
        level=level,
        levels=3,
        level_text="" if level is None else ("fehlt", "genannt", "erklärt")[level],
        status=VerdictStatus.NOT_ASSESSED if level is None else VerdictStatus.ASSESSED,
        quote=quote,
        reason="Weil …",
    )


def feedback(*results: CriterionResult, **changes: object) -> Feedback:
    values: dict[str, object] = {
        "author": Author.AI,
        "engine": "ollama",
        "model": "klein:1b",
        "strengths": "Gut.",
        "next_step": "Weiter.",
        "question": "Und nachts?",
        "release": ReleasedBy.TASK_RULE,
    }
    return Feedback(**(values | changes), results=list(results))


def submission(state: State = State.RELEASED, given: Feedback | None = None) -> Submission:
    made = Submission(
        id=UUID(int=9),
        attempt=2,
        answer="Licht ist Energie.",
        state=state,
        submitted_at=datetime(2026, 11, 25, tzinfo=UTC),
    )
    # The relationship only reads; a test may fill it without a database.
    made.__dict__["feedback"] = given
    return made


@pytest.mark.parametrize(
    ("author", "engine", "origin"),
    [
        (Author.AI, "ollama", Origin.AI),
        (Author.AI_EDITED, "ollama", Origin.AI_EDITED),
        (Author.AI, "lexical", Origin.NO_MODEL),
        (Author.AI_EDITED, "lexical", Origin.NO_MODEL_EDITED),
        (Author.TEACHER, "lexical", Origin.TEACHER),
        (Author.TEACHER, "", Origin.TEACHER),
    ],
)
def test_the_label_says_whose_words_they_are(author: Author, engine: str, origin: Origin) -> None:
    assert shown.origin_of(feedback(author=author, engine=engine)) is origin


@pytest.mark.parametrize(
    ("level", "levels", "standing"),
    [
        (0, 3, Standing.LOW),
        (1, 3, Standing.MIDDLE),
        (2, 3, Standing.HIGH),
        (1, 2, Standing.HIGH),
        (None, 3, Standing.OPEN),
    ],
)
def test_the_tint_follows_the_place_on_the_scale(
    level: int | None, levels: int, standing: Standing
) -> None:
    assert shown.standing_of(level, levels) is standing


@pytest.mark.parametrize(
    ("state", "line", "phase"),
    [
        (State.HANDED_IN, InLine(2, PACE, None), Phase.IN_LINE),
        (State.HANDED_IN, InLine(None, PACE, None), Phase.AT_WORK),
        (State.HANDED_IN, InLine(None, PACE, None, reading=True), Phase.READING),
        (State.HANDED_IN, InLine(2, PACE, None, reading=True), Phase.IN_LINE),
        (State.HANDED_IN, InLine(0, PACE, "EngineUnavailable"), Phase.LATER),
        # The next try is under way: there is nothing to apologise for yet.
        (State.HANDED_IN, InLine(None, PACE, "EngineFailed"), Phase.AT_WORK),
        (State.HANDED_IN, None, Phase.IN_LINE),
        (State.AWAITING_TEACHER, None, Phase.TEACHER),
        (State.NEEDS_TEACHER, None, Phase.TEACHER),
        (State.RELEASED, None, Phase.READY),
    ],
)
def test_each_state_has_something_to_say(state: State, line: InLine | None, phase: Phase) -> None:
    assert shown.phase_of(state, line) is phase


def test_the_place_counts_from_one() -> None:
    attempt = shown.shown_attempt(submission(State.HANDED_IN), InLine(2, PACE, None))

    assert (attempt.place, attempt.wait) == (3, PACE)


def test_feedback_that_nobody_let_out_is_not_shown_to_its_pupil() -> None:
    held = submission(State.AWAITING_TEACHER, feedback(result()))

    attempt = shown.shown_attempt(held, None)

    assert attempt.feedback is None
    assert not any(piece.marked for piece in attempt.answer)


def test_a_higher_level_than_the_time_before_is_pointed_out() -> None:
    before = submission(given=feedback(result(FIRST, 0), result(SECOND, None)))
    now = submission(given=feedback(result(FIRST, 1), result(SECOND, 2)))

    attempt = shown.shown_attempt(now, None, before)

    assert attempt.feedback is not None
    # From "not assessed" nobody can say whether it rose.
    assert [each.rose for each in attempt.feedback.results] == [True, False]


def test_one_sees_what_the_teacher_changed() -> None:
    engines = feedback(result(level=1), result(SECOND))
    edited = feedback(result(level=2), result(SECOND), next_step="Anders.", author=Author.AI_EDITED)

    attempt = shown.shown_attempt(submission(given=edited), None, versions=[edited, engines])

    assert attempt.feedback is not None
    assert attempt.feedback.changes == (Change("level", "Licht erklärt"), Change("next_step"))


def test_a_criterion_that_was_not_assessed_shows_no_step_reached() -> None:
    seen = shown.shown_feedback(feedback(result(level=None, quote="")), "Licht")

    assert seen.results[0].steps == (False, False, False)
    assert seen.results[0].standing is Standing.OPEN
    assert not seen.results[0].in_text
