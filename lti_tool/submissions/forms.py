"""What a pupil's form sends, read into values. Nothing of the text is changed but what no
database could keep and line ends, which browsers send as CRLF whatever was typed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from uuid import UUID

from lti_tool.core.errors import Invalid
from lti_tool.submissions.drafts import Typed
from lti_tool.submissions.service import Answer

_LINE_END = re.compile(r"\r\n?")
# PostgreSQL stores neither NUL nor lone surrogates; no keyboard types the other control characters.
_UNSTORABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_WHOLE = re.compile(r"[0-9]{1,9}")
_VERSION = re.compile(r"[0-9]{1,18}")  # a bigint, whatever is sent


def read_draft(sent: Mapping[str, str]) -> Typed:
    """The text, and which page says so on which version of the draft.

    Raises:
        Invalid: "text": "missing"; "version", "turn": "not_a_number".
    """
    try:
        page = UUID(sent.get("client_key", ""))
    except ValueError:
        page = None  # of an older version of this page
    return Typed(_written(sent), read_version(sent), page, _number(sent, "turn", "0"))


def read_version(sent: Mapping[str, str]) -> int:
    """The version of the draft that a page knows; 0 for none. Raises Invalid."""
    return _number(sent, "version", "0", _VERSION)


def read_answer(sent: Mapping[str, str]) -> Answer:
    """The answer, its key and the attempt it was meant as.

    Raises:
        Invalid: "text": "missing"; "client_key": "not_a_key"; "attempt", "version": "not_a_number".
    """
    try:
        key = UUID(sent.get("client_key", ""))
    except ValueError:
        raise Invalid({"client_key": "not_a_key"}) from None
    return Answer(
        text=_written(sent),
        client_key=key,
        attempt=_number(sent, "attempt"),
        version=read_version(sent),
    )


def clean(text: str) -> str:
    """The text as it is kept."""
    return _UNSTORABLE.sub("", _LINE_END.sub("\n", text))


def _written(sent: Mapping[str, str]) -> str:
    if "text" not in sent:
        raise Invalid({"text": "missing"})
    return clean(sent["text"])


def _number(
    sent: Mapping[str, str], field: str, absent: str = "", shape: re.Pattern[str] = _WHOLE
) -> int:
    typed = sent.get(field, absent)
    if not shape.fullmatch(typed):
        raise Invalid({field: "not_a_number"})
    return int(typed)


def read_corrections(sent: Mapping[str, str]) -> dict[UUID, str]:
    """What the pupil made of each page, by the page's id. Raises Invalid: "page": "not_a_key"."""
    try:
        return {
            UUID(name.removeprefix("page-")): clean(text)
            for name, text in sent.items()
            if name.startswith("page-")
        }
    except ValueError:
        raise Invalid({"page": "not_a_key"}) from None
