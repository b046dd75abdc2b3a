"""Du or Sie as the task says, and sentences that can be followed."""

from dataclasses import replace

import pytest

from feedback_engine.contract import FeedbackEngine, Flag, Register
from feedback_engine.lexical import LexicalEngine
from feedback_engine.manner import is_hard_to_read, is_wrong_register
from tests.fakes.ollama import FakeOllama
from tests.feedback_engine.examples import plants
from tests.feedback_engine.speakers import composing

LONG = "Du schreibst, " + "und dann auch noch dies, " * 8 + "was schön ist."


@pytest.mark.parametrize(
    ("text", "register", "wrong"),
    [
        ("Lesen Sie Ihren Text noch einmal.", "du", True),
        ("Das gelingt Ihnen gut.", "du", True),
        ("Das ist gut, Ihre Idee trägt.", "du", True),
        ("Die Pflanze wächst. Sie braucht Licht. Ihre Blätter sind grün.", "du", False),
        ("Deine Pflanze\nSie braucht Licht.", "du", False),
        ("Lies, was sie ihnen und ihrem Hund sagt.", "du", False),
        ("Du schreibst: „Nehmen Sie Platz“, und das passt.", "du", False),
        ("Lies deinen Text noch einmal.", "sie", True),
        ("Dein Satz ist klar.", "sie", True),
        ("Das ist dir gelungen.", "sie", True),
        ("Lesen Sie Ihren Text noch einmal.", "sie", False),
        ("Sie schreiben „du bist hier“. Das passt.", "sie", False),
        ("Die Industrie und das Individuum.", "sie", False),
    ],
)
def test_the_other_way_to_say_you_is_noticed(text: str, register: Register, wrong: bool) -> None:
    assert is_wrong_register(text, "de", register) == wrong


def test_english_has_one_word_for_both() -> None:
    assert not is_wrong_register("You see, Sie and du are German.", "en", "sie")


def test_a_long_sentence_is_hard_to_read_and_many_short_ones_are_not() -> None:
    assert is_hard_to_read(LONG)
    assert not is_hard_to_read("Das ist gut. " * 20)


@pytest.mark.parametrize(
    ("register", "text", "flags"),
    [
        ("du", "Lies deinen Text noch einmal.", ()),
        ("du", "Lesen Sie Ihren Text noch einmal.", (Flag.WRONG_REGISTER,)),
        ("sie", "Lies deinen Text noch einmal.", (Flag.WRONG_REGISTER,)),
        ("du", LONG, (Flag.HARD_TO_READ,)),
    ],
)
def test_a_teacher_is_told_and_only_the_wrong_word_keeps_it_from_the_pupil(
    host: FakeOllama,
    engine: FeedbackEngine,
    register: Register,
    text: str,
    flags: tuple[Flag, ...],
) -> None:
    plain = "Das ist gelungen."
    host.says = composing(strengths=plain, next_step=text, question="Und nachts?")
    request = replace(plants(), register=register)

    draft = engine.give_feedback(request)

    # What the patient model says of each criterion is in the familiar form.
    spoken = (*flags, Flag.WRONG_REGISTER) if register == "sie" and not flags else flags
    assert draft.flags == spoken
    assert draft.needs_teacher == (Flag.WRONG_REGISTER in spoken)


@pytest.mark.parametrize(("register", "word"), [("du", "„du“"), ("sie", "„Sie“")])
def test_both_questions_say_how_the_pupil_is_addressed(
    host: FakeOllama, engine: FeedbackEngine, register: Register, word: str
) -> None:
    engine.give_feedback(replace(plants(), register=register))

    assert all(word in asked.prompt for asked in host.asked)
    assert all("$address" not in asked.prompt for asked in host.asked)


@pytest.mark.parametrize("answer", ["Die Pflanze braucht Licht und macht Zucker.", "???", "asdfgh"])
@pytest.mark.parametrize("register", ["du", "sie"])
def test_without_a_model_the_register_is_kept(register: Register, answer: str) -> None:
    draft = LexicalEngine().give_feedback(replace(plants(answer), register=register))
    said = [draft.strengths, draft.next_step, draft.question]
    said += [verdict.reason for verdict in draft.verdicts]

    # A criterion's own words are the teacher's and stay as they are.
    text = " ".join(said)
    for criterion in plants().criteria:
        text = text.replace(criterion.description, "")
    assert not is_wrong_register(text, "de", register)
