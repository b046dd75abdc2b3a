"""Quoted passages found again in the answer, and the answer cut into pieces at them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.submissions.marks import Segment, find, segments

ANSWER = "Licht gibt Energie. Mit Chlorophyll\nfängt die Pflanze es ein."


def test_the_quoted_passage_is_marked_and_the_rest_is_not() -> None:
    assert segments(ANSWER, [(1, "gibt Energie")]) == (
        Segment("Licht ", marked=False),
        Segment("gibt Energie", marked=True, begins=(1,)),
        Segment(". Mit Chlorophyll\nfängt die Pflanze es ein.", marked=False),
    )


def test_passages_may_overlap_and_each_begins_where_it_begins() -> None:
    cut = segments("abc def ghi", [(1, "abc def"), (2, "def ghi"), (3, "abc")])

    assert cut == (
        Segment("abc", marked=True, begins=(1, 3)),
        Segment(" ", marked=True),
        Segment("def", marked=True, begins=(2,)),
        Segment(" ghi", marked=True),
    )


@pytest.mark.parametrize(
    ("quote", "found"),
    [
        ("Mit Chlorophyll fängt die Pflanze", "Mit Chlorophyll\nfängt die Pflanze"),
        ("  gibt   Energie. ", "gibt Energie."),
        ("Chlorofyll", None),
        ("licht", None),
        ("", None),
        ("   ", None),
        ("Energie. Mit (.*)", None),
    ],
)
def test_only_white_space_may_differ(quote: str, found: str | None) -> None:
    span = find(ANSWER, quote)

    assert (span and ANSWER[slice(*span)]) == found


def test_markup_in_an_answer_stays_text() -> None:
    answer = "<script>alert(1)</script> & Licht"

    cut = segments(answer, [(1, "<script>alert(1)</script>")])

    assert [piece.text for piece in cut] == ["<script>alert(1)</script>", " & Licht"]


@given(
    st.text(max_size=60), st.lists(st.tuples(st.integers(0, 50), st.integers(0, 12)), max_size=5)
)
def test_no_character_is_lost_or_doubled(answer: str, places: list[tuple[int, int]]) -> None:
    quotes = [(n, answer[start : start + length]) for n, (start, length) in enumerate(places)]

    cut = segments(answer, quotes)

    assert "".join(piece.text for piece in cut) == answer
    assert all(piece.text for piece in cut)
