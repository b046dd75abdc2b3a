"""The values at the border refuse what cannot be."""

import pytest

from feedback_engine.contract import (
    Criterion,
    CriterionVerdict,
    EngineInfo,
    FeedbackDraft,
    FeedbackRequest,
    Flag,
    PageImage,
    PageReading,
    VerdictStatus,
)
from feedback_engine.errors import (
    EngineError,
    EngineFailed,
    EngineMisconfigured,
    EngineRefused,
    EngineUnavailable,
)
from tests.feedback_engine.examples import LIGHT, plants

INFO = EngineInfo("ollama", "gemma3:12b", "a" * 64, "1", is_model=True)


def draft(*verdicts: CriterionVerdict, flags: tuple[Flag, ...] = ()) -> FeedbackDraft:
    return FeedbackDraft(verdicts, "Gut.", "Weiter so.", "Warum?", flags, INFO)


@pytest.mark.parametrize(
    ("status", "level", "quote"),
    [
        (VerdictStatus.ASSESSED, None, "Licht"),
        (VerdictStatus.ASSESSED, 1, ""),
        (VerdictStatus.ASSESSED, -1, "Licht"),
        (VerdictStatus.NOTHING_FOUND, None, ""),
        (VerdictStatus.NOTHING_FOUND, 1, ""),
        (VerdictStatus.NOTHING_FOUND, 0, "Licht"),
        (VerdictStatus.NOT_ASSESSED, 0, ""),
        (VerdictStatus.NOT_ASSESSED, None, "Licht"),
    ],
)
def test_a_verdict_that_cannot_be_is_refused(
    status: VerdictStatus, level: int | None, quote: str
) -> None:
    with pytest.raises(ValueError, match="not a possible verdict"):
        CriterionVerdict("k", status, level, quote)


def test_what_was_not_assessed_has_no_level_and_needs_a_teacher() -> None:
    verdict = CriterionVerdict.not_assessed("k")

    assert verdict.level is None
    assert draft(CriterionVerdict.assessed("a", 1, "Licht"), verdict).needs_teacher


def test_nothing_found_is_the_lowest_level_and_needs_no_teacher() -> None:
    verdict = CriterionVerdict.nothing_found("k")

    assert verdict.level == 0
    assert not draft(verdict).needs_teacher


@pytest.mark.parametrize("flag", list(Flag))
def test_every_flag_withholds_except_those_that_are_only_hints(flag: Flag) -> None:
    flagged = draft(CriterionVerdict.assessed("a", 1, "Licht"), flags=(flag,))

    assert flagged.needs_teacher == (
        flag not in (Flag.COPIED_TEXT, Flag.HARD_TO_READ, Flag.NO_ANSWER)
    )


@pytest.mark.parametrize("levels", [("nur eine",), tuple("abcdefg")])
def test_a_criterion_has_two_to_six_levels(levels: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="2 to 6 levels"):
        Criterion("k", "Titel", "", 1, levels)


def test_a_criterion_without_weight_is_refused() -> None:
    with pytest.raises(ValueError, match="weighs"):
        Criterion("k", "Titel", "", 0, ("fehlt", "da"))


@pytest.mark.parametrize("criteria", [(), (LIGHT, LIGHT)])
def test_a_request_has_criteria_with_ids_of_their_own(criteria: tuple[Criterion, ...]) -> None:
    with pytest.raises(ValueError, match="an id of its own"):
        plants(criteria=criteria)


def test_a_language_that_no_engine_speaks_is_refused() -> None:
    with pytest.raises(ValueError, match="German or English"):
        FeedbackRequest("t", "p", (LIGHT,), "Antwort", language="fr")  # type: ignore[arg-type]


def test_a_register_that_no_engine_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="du or Sie"):
        FeedbackRequest("t", "p", (LIGHT,), "Antwort", register="ihr")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "unsure",
    [((0, 0),), ((3, 2),), ((-1, 2),), ((0, 6),), ((2, 4), (0, 1)), ((0, 3), (2, 4))],
    ids=str,
)
def test_unsure_words_lie_in_the_text_in_order_and_apart(
    unsure: tuple[tuple[int, int], ...],
) -> None:
    with pytest.raises(ValueError, match="unsure"):
        PageReading("Licht", unsure, (), INFO)


def test_a_page_may_have_unsure_words_side_by_side_or_no_words_at_all() -> None:
    assert PageReading("Licht", ((0, 2), (2, 5)), (), INFO).unsure
    assert PageReading("", (), ("Eine Pflanze.",), INFO).text == ""


def test_a_printed_page_shows_neither_picture_nor_text() -> None:
    reading = PageReading("Mein Geheimnis", (), ("Ein Haus.",), INFO)

    assert "Geheimnis" not in repr(reading)
    assert "Haus" not in repr(reading)
    assert "xyz" not in repr(PageImage(b"xyz"))


def test_a_printed_request_or_draft_shows_nothing_a_pupil_wrote() -> None:
    request = plants("Mein Geheimnis steht hier.", names=("Ada Lovelace",))
    printed = repr(request) + repr(draft(CriterionVerdict.assessed("a", 1, "Mein Geheimnis")))

    assert "Geheimnis" not in printed
    assert "Lovelace" not in printed
    assert "Chlorophyll" not in printed


def test_each_error_class_is_one_reaction() -> None:
    waiting = EngineMisconfigured("status 404", "fehlt: ollama pull gemma3:12b")

    assert isinstance(waiting, EngineUnavailable)
    assert not issubclass(EngineFailed, EngineUnavailable)
    assert not issubclass(EngineRefused, EngineUnavailable | EngineFailed)
    assert issubclass(EngineUnavailable, EngineError)
