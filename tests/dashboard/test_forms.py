"""The teacher's form: what was typed, and whether it says anything else than what stands."""

from uuid import UUID

import pytest

from feedback_engine.contract import VerdictStatus
from lti_tool.content.models import Criterion
from lti_tool.core.errors import Invalid
from lti_tool.dashboard.forms import ReviewForm
from lti_tool.submissions.models import CriterionResult, Feedback
from lti_tool.submissions.review import ResultEdit

LIGHT = Criterion(id=UUID(int=1), title="Licht", levels=["fehlt", "genannt", "erklärt"])
WORDS = Criterion(id=UUID(int=2), title="Wörter", levels=["fehlt", "da"])
BOTH = [LIGHT, WORDS]
STORED = Feedback(
    version=2,
    strengths="Gut. ",
    next_step="Erste Zeile\nzweite Zeile",
    question="",
    results=[
        CriterionResult(
            criterion_id=LIGHT.id,
            level=1,
            quote="Licht",
            reason="Weil …",
            status=VerdictStatus.ASSESSED,
        ),
        CriterionResult(
            criterion_id=WORDS.id,
            level=None,
            quote="",
            reason="",
            status=VerdictStatus.NOT_ASSESSED,
        ),
    ],
)
SENT = {
    "version": "2",
    f"level-{LIGHT.id}": "1",
    f"quote-{LIGHT.id}": "Licht",
    f"reason-{LIGHT.id}": "Weil …",
    f"level-{WORDS.id}": "",
    f"quote-{WORDS.id}": "",
    f"reason-{WORDS.id}": "",
    "strengths": "Gut.",
    "next_step": "Erste Zeile\r\nzweite Zeile",
    "question": "",
}


def test_a_form_sent_back_untouched_says_the_same() -> None:
    # Browsers turn line breaks into CRLF; that is nobody's change.
    assert ReviewForm.read(SENT, BOTH).says_the_same(ReviewForm.of(STORED, BOTH))


@pytest.mark.parametrize(
    "change",
    [
        {f"level-{LIGHT.id}": "2"},
        {f"level-{LIGHT.id}": ""},
        {f"level-{WORDS.id}": "0"},
        {f"quote-{LIGHT.id}": "gibt Licht"},
        {f"reason-{WORDS.id}": "Fehlt."},
        {"strengths": ""},
        {"next_step": "Anders"},
        {"question": "Und nachts?"},
    ],
)
def test_every_field_can_make_a_difference(change: dict[str, str]) -> None:
    assert not ReviewForm.read(SENT | change, BOTH).says_the_same(ReviewForm.of(STORED, BOTH))


def test_without_feedback_the_form_begins_with_nothing_judged() -> None:
    form = ReviewForm.of(None, BOTH)

    assert form.version == 0
    assert set(form.results.values()) == {ResultEdit(None, "", "")}
    assert set(form.results) == {LIGHT.id, WORDS.id}


def test_fields_for_criteria_that_are_not_of_the_task_are_not_read() -> None:
    form = ReviewForm.read(SENT | {f"level-{UUID(int=3)}": "1"}, BOTH)

    assert set(form.results) == {LIGHT.id, WORDS.id}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"version": ""}, {"version": "not_a_number"}),
        ({"version": "-1"}, {"version": "not_a_number"}),
        ({f"level-{LIGHT.id}": "viel"}, {"level": "not_a_number"}),
        ({f"level-{LIGHT.id}": "²"}, {"level": "not_a_number"}),
    ],
)
def test_what_is_no_number_is_refused(change: dict[str, str], problem: dict[str, str]) -> None:
    with pytest.raises(Invalid) as refused:
        ReviewForm.read(SENT | change, BOTH)

    assert refused.value.problems == problem
