"""What a pupil's browser sends, and what becomes of it."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.core.errors import Invalid
from lti_tool.submissions.drafts import Typed
from lti_tool.submissions.forms import clean, read_answer, read_draft
from lti_tool.submissions.service import Answer

KEY = "0f2b6a8e-5a0e-4e6e-9a53-0f6b3a3c1d11"
SENT = {"text": "Licht gibt Energie.", "client_key": KEY, "attempt": "2", "version": "3"}


def test_an_answer_is_read_with_its_key_and_its_attempt() -> None:
    assert read_answer(SENT) == Answer("Licht gibt Energie.", UUID(KEY), 2, version=3)


def test_a_draft_is_read_with_the_version_the_page_knew() -> None:
    assert read_draft(SENT | {"turn": "4"}) == Typed("Licht gibt Energie.", 3, UUID(KEY), 4)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("eins\r\nzwei\rdrei\n", "eins\nzwei\ndrei\n"),
        ("a\x00b", "ab"),
        ("a\ud800b", "ab"),
        ("a\tb\x0bc\x1b", "a\tbc"),
        ("  Absatz \n\n  eingerückt", "  Absatz \n\n  eingerückt"),
        ("Größe 😀 ½ ﬁ", "Größe 😀 ½ ﬁ"),
    ],
)
def test_only_what_cannot_be_kept_is_taken_out(typed: str, kept: str) -> None:
    assert clean(typed) == kept


@given(st.text(st.characters(codec=None, exclude_categories=[])))
def test_any_text_can_be_kept_and_is_kept_the_same_the_second_time(typed: str) -> None:
    once = clean(typed)

    once.encode("utf-8")
    assert "\x00" not in once
    assert "\r" not in once
    assert clean(once) == once


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
        read_answer(SENT | change)

    assert refused.value.problems == problem


def test_a_form_without_its_text_field_never_counts_as_an_empty_text() -> None:
    # It would overwrite a draft.
    with pytest.raises(Invalid) as refused:
        read_draft({"version": "1"})

    assert refused.value.problems == {"text": "missing"}
