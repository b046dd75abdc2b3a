"""What a pupil's browser sends, and what becomes of it."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.core.errors import Invalid
from lti_tool.submissions.drafts import Typed
from lti_tool.submissions.forms import clean, kept, read_answer, read_draft
from lti_tool.submissions.service import Answer

NOW = datetime(2026, 11, 27, 8, 0, tzinfo=UTC)
KEY = "0f2b6a8e-5a0e-4e6e-9a53-0f6b3a3c1d11"
SENT = {"text": "Licht gibt Energie.", "client_key": KEY, "attempt": "2", "version": "3"}


def test_an_answer_is_read_with_its_key_and_its_attempt() -> None:
    assert read_answer(SENT, NOW) == Answer("Licht gibt Energie.", UUID(KEY), 2, 3, NOW)


def test_a_draft_is_read_with_the_version_the_page_knew() -> None:
    assert read_draft(SENT | {"turn": "4"}) == Typed("Licht gibt Energie.", 3, UUID(KEY), 4)


@pytest.mark.parametrize(
    ("typed", "is_kept"),
    [
        ("eins\r\nzwei\rdrei\n", "eins\nzwei\ndrei\n"),
        ("a\tb\x0bc\x1b", "a\tb\x0bc\x1b"),
        ("  Absatz \n\n  eingerückt", "  Absatz \n\n  eingerückt"),
        ("Größe 😀 ½ ﬁ", "Größe 😀 ½ ﬁ"),
        ("u\u0308ber und über", "u\u0308ber und über"),
        ("\u202bשלום\u202c a\u200db", "\u202bשלום\u202c a\u200db"),
    ],
)
def test_only_line_ends_are_what_was_typed_and_not_what_was_sent(typed: str, is_kept: str) -> None:
    assert kept(typed) == is_kept


@pytest.mark.parametrize("typed", ["a\x00b", "a\ud800b"])
def test_what_no_database_can_keep_is_refused_and_the_rest_shown_again(typed: str) -> None:
    with pytest.raises(Invalid, match="unstorable"):
        kept(typed)

    assert clean(typed) == "ab"


@given(st.text(st.characters(codec="utf-8", exclude_characters="\x00\r")))
def test_any_text_comes_out_as_it_was_typed(typed: str) -> None:
    sent = typed.replace("\n", "\r\n")  # as browsers do

    assert kept(sent).encode() == typed.encode()


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"client_key": "kein Schlüssel"}, {"client_key": "not_a_key"}),
        ({"client_key": ""}, {"client_key": "not_a_key"}),
        ({"attempt": "zwei"}, {"attempt": "not_a_number"}),
        ({"attempt": "-1"}, {"attempt": "not_a_number"}),
        ({"attempt": "9" * 400}, {"attempt": "not_a_number"}),
        ({"attempt": "١"}, {"attempt": "not_a_number"}),
    ],
)
def test_a_form_that_is_not_ours_is_refused(
    change: dict[str, str], problem: dict[str, str]
) -> None:
    with pytest.raises(Invalid) as refused:
        read_answer(SENT | change, NOW)

    assert refused.value.problems == problem


def test_a_form_without_its_text_field_never_counts_as_an_empty_text() -> None:
    # It would overwrite a draft.
    with pytest.raises(Invalid) as refused:
        read_draft({"version": "1"})

    assert refused.value.problems == {"text": "missing"}
