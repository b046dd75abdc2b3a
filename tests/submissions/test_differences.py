"""What changed between two attempts is shown word by word, and never wrongly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.submissions.differences import Kind, Piece, differences


def marked(older: str, newer: str) -> str:
    """As one might write it down: gone words in [-…-], new ones in {+…+}."""
    signs = {Kind.SAME: "{}", Kind.GONE: "[-{}-]", Kind.NEW: "{{+{}+}}"}
    return "".join(signs[piece.kind].format(piece.text) for piece in differences(older, newer))


@pytest.mark.parametrize(
    ("older", "newer", "seen"),
    [
        ("", "", ""),
        ("Gleich.", "Gleich.", "Gleich."),
        ("", "Neu.", "{+Neu.+}"),
        ("Die Pflanze braucht Licht.", "Die Pflanze nutzt Licht.",
         "Die Pflanze [-braucht-]{+nutzt+} Licht."),
        ("Eins. Zwei. Drei.", "Eins. Drei.", "Eins. [-Zwei. -]Drei."),
        ("Eins.\nZwei.", "Eins.\nNeu.\nZwei.", "Eins.\n{+Neu.\n+}Zwei."),
    ],
)  # fmt: skip
def test_the_smallest_change_a_reader_would_name(older: str, newer: str, seen: str) -> None:
    assert marked(older, newer) == seen


@given(st.text("ab .\n"), st.text("ab .\n"))
def test_both_texts_can_be_read_off_it(older: str, newer: str) -> None:
    pieces = differences(older, newer)

    assert "".join(p.text for p in pieces if p.kind is not Kind.NEW) == older
    assert "".join(p.text for p in pieces if p.kind is not Kind.GONE) == newer


def test_a_place_with_very_many_words_is_replaced_as_a_whole() -> None:
    older, newer = "a b " * 4000, "b a " * 4000

    assert differences(older, newer) == (Piece(Kind.GONE, older), Piece(Kind.NEW, newer))
