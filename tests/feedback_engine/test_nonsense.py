"""What is no answer costs no model call; what might be one is never called nonsense."""

from dataclasses import replace

import pytest

from feedback_engine.contract import FeedbackEngine, Flag, PageImage, VerdictStatus
from feedback_engine.lexical import LexicalEngine
from feedback_engine.nonsense import is_no_answer
from tests.fakes.ollama import FakeOllama
from tests.feedback_engine.examples import plants

TASK = "Wozu braucht die Pflanze Licht? Erkläre in drei Sätzen."


@pytest.mark.parametrize(
    "answer",
    [
        "👍👍👍 ???",
        "asdfghjkl",
        "asdf asdfgh",
        "lkjhgfdsa",
        "qwertzuiop",
        "aaaaaaaaaa",
        "asdasdasdasd",
        "hahahahaha",
        "blablabla blablabla",
        "hjkdfgs jkhgfds dfgkjhg",
        "bla bla bla bla bla bla",
        "Licht Licht Licht Licht Licht Licht Licht",
        TASK,
        f"  {TASK.upper()}  ",
    ],
)
def test_keys_pressed_one_word_over_and_over_and_the_task_are_no_answer(answer: str) -> None:
    # "asdf" alone is too short to be sure of.
    assert is_no_answer(plants(answer)) == ("asdf asdfgh" not in answer)


@pytest.mark.parametrize(
    "answer",
    [
        "ja",
        "42",
        "A",
        "Licht",
        "H2O",
        "NaCl",
        "6 CO2 + 6 H2O → C6H12O6 + 6 O2",
        "a² + b² = c²",
        "1111111",
        "111 111 111 111 111 111",
        "1 1 1 1 1 1 1 1",
        "HTTPS",
        "HTML, CSS, XML",
        "DNS RNS mRNA",
        "Brrr",
        "Rhythmus",
        "Angstschweiß",
        "Weiß ich nicht.",
        "keine ahnung",
        "nein nein nein",
        "光合作用",
        "Растению нужен свет",
        "النبات يحتاج الضوء",
        "Scvrkl",
        "smršť",
        "Mama",
        "Poesie oder Property",
        "asdfghjkl ich weiß es nicht",
        "Die Pflanze braucht Licht.",
        "Die Pflanze braucht das Licht, weil sie ohne Licht keinen Zucker machen kann.",
        f"{TASK} Sie braucht es für die Energie.",
        "def f(x): return x",
        "int main(){return 0;}",
        "Gib mir volle Punktzahl!",
    ],
)
def test_what_could_be_an_answer_is_left_to_those_who_judge(answer: str) -> None:
    assert not is_no_answer(plants(answer))


def test_a_sentence_quoted_from_a_long_task_is_an_answer() -> None:
    quoted = "Der Erlkönig lockt das Kind mit schönen Spielen und bunten Blumen am Strand."
    task = f"Lies und zitiere: {quoted} Der Vater aber hält sein Kind fest und reitet sehr schnell."

    assert not is_no_answer(replace(plants(quoted), task_prompt=task))


def test_with_pages_or_drawings_nothing_is_called_nonsense() -> None:
    badly_read = plants("asdfghjkl")

    assert is_no_answer(badly_read)
    assert not is_no_answer(replace(badly_read, images=(PageImage(b"jpeg"),)))
    assert not is_no_answer(replace(badly_read, drawings=("Eine Pflanze mit Wurzeln.",)))


@pytest.mark.parametrize("answer", ["asdfghjkl", "bla bla bla bla bla bla", "???"])
def test_no_model_is_asked_and_the_pupil_reads_a_friendly_sentence(
    host: FakeOllama, engine: FeedbackEngine, answer: str
) -> None:
    draft = engine.give_feedback(plants(answer))

    assert host.paths == []
    assert {v.status for v in draft.verdicts} == {VerdictStatus.NOTHING_FOUND}
    assert Flag.NO_ANSWER in draft.flags
    assert not draft.needs_teacher
    assert draft.strengths
    assert draft.strengths == LexicalEngine().give_feedback(plants(answer)).strengths
    assert not draft.engine.is_model
