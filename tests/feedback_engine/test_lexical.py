"""What the engine without a model makes of the answers of Ada, Ben and others."""

import pytest

from feedback_engine.contract import Criterion, EarlierAttempt, FeedbackEngine, VerdictStatus
from feedback_engine.errors import EngineRefused, RefusalReason
from feedback_engine.lexical import LexicalEngine
from tests.feedback_engine.examples import ADAS_ANSWER, BENS_ANSWER, LIGHT, SUGAR, candle, plants

ENGINE: FeedbackEngine = LexicalEngine()


def test_a_good_answer_is_judged_with_a_sentence_of_its_own_for_each_criterion() -> None:
    draft = ENGINE.give_feedback(plants())

    light, sugar = draft.verdicts
    assert (light.criterion_id, sugar.criterion_id) == (LIGHT.id, SUGAR.id)
    assert light.status is sugar.status is VerdictStatus.ASSESSED
    assert (
        light.quote == "Mit dem Licht wandelt sie das in Energie um, und es entsteht Traubenzucker."
    )
    assert "Sauerstoff" in sugar.quote or "Traubenzucker" in sugar.quote
    assert sugar.quote in ADAS_ANSWER
    assert not draft.needs_teacher


def test_an_english_answer_gets_english_words() -> None:
    draft = ENGINE.give_feedback(candle())

    assert draft.verdicts[0].level == 2
    assert draft.verdicts[0].quote in BENS_ANSWER
    assert "your text" in draft.strengths
    assert draft.question.endswith("?")


def test_nobody_is_told_that_a_model_has_understood_anything() -> None:
    german, english = ENGINE.give_feedback(plants()), ENGINE.give_feedback(candle())

    assert not german.engine.is_model
    assert german.engine.name == "lexical"
    assert "vergleicht nur Wörter" in german.strengths
    assert "only compares words" in english.strengths


def test_more_of_what_counts_is_never_a_lower_level() -> None:
    answers = [
        "Die Pflanze wächst im Garten.",
        "Die Pflanze macht Traubenzucker.",
        "Die Pflanze macht Traubenzucker und Sauerstoff.",
        "Aus Kohlenstoffdioxid und Wasser macht die Pflanze Traubenzucker und Sauerstoff.",
    ]

    levels = [ENGINE.give_feedback(plants(answer)).verdicts[1].level or 0 for answer in answers]

    assert levels == sorted(levels)
    assert (levels[0], levels[-1]) == (0, 2)


@pytest.mark.parametrize("answer", ["keine Ahnung", "Mathe ist schöner als Sport.", "nö", "🌱🌱"])
def test_an_answer_about_something_else_has_nothing_to_find(answer: str) -> None:
    draft = ENGINE.give_feedback(plants(answer))

    assert {verdict.status for verdict in draft.verdicts} == {VerdictStatus.NOTHING_FOUND}
    assert draft.strengths
    assert draft.next_step
    assert draft.question


def test_repeating_the_question_is_no_answer() -> None:
    draft = ENGINE.give_feedback(plants("Die Pflanze braucht Licht. Wozu braucht sie Licht?"))

    assert {verdict.status for verdict in draft.verdicts} == {VerdictStatus.NOTHING_FOUND}


def test_a_blank_answer_is_for_the_teacher() -> None:
    with pytest.raises(EngineRefused) as refused:
        ENGINE.give_feedback(plants("  \n"))

    assert refused.value.reason is RefusalReason.EMPTY_ANSWER


@pytest.mark.parametrize(
    "answer",
    [
        "Es entstehen traubenzucker und SAUERSTOFF.",
        "Es entsteht Traubenzuker und Sauerstof.",
        "Die Traubenzuckerbildung und die Sauerstoffabgabe.",
    ],
)
def test_case_typing_errors_and_compounds_do_not_hide_a_word(answer: str) -> None:
    assert (ENGINE.give_feedback(plants(answer)).verdicts[1].level or 0) >= 1


def test_what_cannot_be_seen_by_counting_words_is_left_to_the_teacher() -> None:
    spelling = Criterion("s", "Rechtschreibung", "Du schreibst fehlerfrei.", 1, ("nein", "ja"))
    wordless = Criterion("w", "Licht", "", 1, ("fehlt", "da"))

    draft = ENGINE.give_feedback(plants(criteria=(spelling, wordless), notes=""))

    assert {verdict.status for verdict in draft.verdicts} == {VerdictStatus.NOT_ASSESSED}
    assert draft.needs_teacher
    assert "Lehrkraft" in draft.next_step


def test_the_next_step_is_about_the_criterion_where_most_can_be_gained() -> None:
    draft = ENGINE.give_feedback(plants("Es entsteht Traubenzucker."))

    assert LIGHT.title in draft.next_step
    assert LIGHT.title in draft.question
    assert "Chlorophyll" not in draft.next_step + draft.strengths + draft.question


def test_when_all_is_there_the_pupil_is_asked_to_think_on() -> None:
    answer = (
        "Das Chlorophyll wandelt Lichtenergie in chemische Energie um. Aus Kohlenstoffdioxid und "
        "Wasser macht die Pflanze Traubenzucker und Sauerstoff."
    )

    draft = ENGINE.give_feedback(plants(answer))

    assert [verdict.level for verdict in draft.verdicts] == [2, 2]
    assert "jemandem vor" in draft.next_step


def test_what_was_taken_up_since_the_last_attempt_is_named() -> None:
    before = ENGINE.give_feedback(plants("Die Pflanze nimmt Wasser auf."))
    earlier = EarlierAttempt("Die Pflanze nimmt Wasser auf.", before.verdicts, before.next_step)

    draft = ENGINE.give_feedback(plants(earlier=earlier))

    assert (
        f"Bei „{SUGAR.title}“ ist seit deinem letzten Versuch etwas dazugekommen."
        in draft.strengths
    )


def test_it_is_fooled_by_a_simple_no_and_this_is_known() -> None:
    """Stated so that nobody believes otherwise; a model has to do better."""
    draft = ENGINE.give_feedback(plants("Es entsteht kein Traubenzucker und kein Sauerstoff."))

    assert draft.verdicts[1].level == 2


def test_the_same_answer_always_gets_the_same_feedback() -> None:
    assert ENGINE.give_feedback(plants()) == ENGINE.give_feedback(plants())
