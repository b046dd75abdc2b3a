"""What is believed of a model that says what stands on a page."""

import pytest

from feedback_engine.models import UnusableOutput
from feedback_engine.reading import Reading, believed, is_excuse, without_marks
from feedback_engine.text import goes_in_circles

OURS = "Du schreibst ab, was auf einer Seite aus einem Schulheft steht. Du verbesserst nichts."


def read(*lines: str, drawings: tuple[str, ...] = ()) -> Reading:
    return believed({"lines": list(lines), "drawings": list(drawings)}, OURS)


def unsure(reading: Reading) -> list[str]:
    return [reading.text[a:b] for a, b in reading.unsure]


def test_lines_stay_lines_and_mistakes_stay_mistakes() -> None:
    reading = read("Die Fotosyntese", "brauchd Licht.")

    assert reading.text == "Die Fotosyntese\nbrauchd Licht."
    assert reading.unsure == ()


def test_a_line_with_breaks_in_it_is_several_lines() -> None:
    assert read("eins\nzwei", "drei").text == "eins\nzwei\ndrei"


def test_a_marked_word_is_unsure_and_the_mark_is_gone() -> None:
    reading = read("Die Pflanze(?) macht", "„Traubenzuker“(?), und zwar(?).")

    assert reading.text == "Die Pflanze macht\n„Traubenzuker“, und zwar."
    assert unsure(reading) == ["Pflanze", "Traubenzuker", "zwar"]


def test_what_cannot_be_read_at_all_is_a_gap_and_unsure() -> None:
    reading = read("Aus […](?) wird [unleserlich] und Wasser.")

    assert reading.text == "Aus […] wird [unleserlich] und Wasser."
    assert unsure(reading) == ["[…]", "[unleserlich]"]


@pytest.mark.parametrize("text", ["Warum (?) ist das so", "(?) weiß ich nicht", "f(x)(?)(?)"])
def test_no_word_gets_lost_around_odd_marks(text: str) -> None:
    shown, spans = without_marks(text)

    assert shown.replace("(?)", "").split() == text.replace("(?)", "").split()
    assert all(0 <= a < b <= len(shown) for a, b in spans)


def test_a_question_mark_in_brackets_after_a_space_is_the_pupils() -> None:
    assert read("Warum (?) ist das so").text == "Warum (?) ist das so"


def test_ruled_lines_and_the_dots_of_the_example_are_nothing() -> None:
    assert read("Name:", "________________", ". . . . . .", "…").text == "Name:"


def test_an_empty_page_is_read_and_empty() -> None:
    assert read() == Reading("", (), ())


def test_hidden_characters_do_not_come_in() -> None:
    assert read("Li\u200bcht\x00 \u202eda", "b\x07ald").text == "Licht da\nbald"


@pytest.mark.parametrize(
    "answer",
    [
        {"lines": ["Licht"]},
        {"lines": "Licht", "drawings": []},
        {"lines": ["Licht"], "drawings": [], "points": 15},
        {"lines": [{"text": "Licht"}], "drawings": []},
        {"lines": ["Licht", None], "drawings": []},
        {"lines": ["Licht"], "drawings": "keine"},
    ],
)
def test_another_form_is_not_believed(answer: dict[str, object]) -> None:
    """FLT-53: valid JSON is not enough."""
    with pytest.raises(UnusableOutput):
        believed(answer, OURS)


def test_our_own_words_handed_back_are_not_believed() -> None:
    with pytest.raises(UnusableOutput):
        read("Auftrag: du schreibst ab, was auf einer Seite aus einem Schulheft steht")


@pytest.mark.parametrize(
    "lines",
    [
        ("Ich soll lesen.",) * 6,
        ("Licht und Wasser", *(("a", "b") * 60)),
        ("das Licht " * 30,),
    ],
)
def test_the_same_again_and_again_is_not_believed(lines: tuple[str, ...]) -> None:
    with pytest.raises(UnusableOutput):
        read(*lines)


def test_a_refrain_and_a_table_are_believed() -> None:
    poem = ("La la la", "Der Mond", "La la la", "La la la", "Die Nacht", "La la la")
    table = tuple(f"{n} | {n * n} | ja" for n in range(40))

    assert read(*poem).text.count("La la la") == 4
    assert read(*table).text.count("ja") == 40


EXCUSES = [
    "Tut mir leid, aber ich kann das Bild nicht lesen.",
    "Ich kann die Handschrift leider nicht entziffern.",
    "Auf dem Bild ist kein Text zu sehen.",
    "Kein Text erkennbar",
    "Die Seite ist leer.",
    "I'm sorry, but I can't read the text in this image.",
    "I am unable to transcribe this page.",
    "No text visible",
    "As an AI language model I cannot see pictures.",
]
WORK = [
    "Das Bild zeigt ein leeres Blatt im Wind.",
    "Ich kann auf dem Bild erkennen, dass die Pflanze Licht bekommt.",
    "Ich kann nicht lesen, wenn es dunkel ist.",
    "The picture shows a candle under a glass.",
    "I cannot see the stars by day.",
    "Die Seite ist leer, weil Woyzeck nicht schreiben kann.",
    "Sorry, my friend, said the fox.",
]


@pytest.mark.parametrize("excuse", EXCUSES)
def test_a_models_excuse_is_no_transcript(excuse: str) -> None:
    assert is_excuse(excuse)
    assert read(excuse).text == ""


@pytest.mark.parametrize("work", WORK)
def test_a_pupils_words_are_never_taken_for_an_excuse(work: str) -> None:
    assert read(work).text == work


def test_drawings_are_sentences_without_links_and_not_too_many() -> None:
    drawings = ("Ein Baum, siehe https://evil.example/x", "", *["Noch ein Blatt."] * 30)

    shown = read(drawings=drawings).drawings

    assert shown[0] == "Ein Baum, siehe"
    assert len(shown) == 9


@pytest.mark.parametrize(
    ("text", "is_stuck"),
    [
        ('"Licht und Luft",' * 12, True),
        ("Ich kann nicht mehr. " * 10, True),
        ("Ich kann nicht mehr. " * 9, False),
        ("_" * 500, False),
        ("ha" * 20, False),
        ("", False),
    ],
)
def test_going_in_circles(text: str, is_stuck: bool) -> None:
    assert goes_in_circles("Vorher steht etwas anderes. " + text) is is_stuck
