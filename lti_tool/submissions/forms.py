"""What a pupil's form sends, read into values. Of the text nothing is changed but line ends, which
browsers send as CRLF whatever was typed; no normal form is forced, no space taken off. What no
database could keep is refused, not dropped in silence."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from lti_tool.core.errors import Invalid
from lti_tool.submissions.drafts import Typed
from lti_tool.submissions.service import Answer

_LINE_END = re.compile(r"\r\n?")
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")  # PostgreSQL: no NUL; UTF-8: no lone surrogates
_WHOLE = re.compile(r"[0-9]{1,9}")
_VERSION = re.compile(r"[0-9]{1,18}")  # a bigint, whatever is sent


def read_draft(sent: Mapping[str, str]) -> Typed:
    """The text, and which page says so on which version of the draft.

    Raises:
        Invalid: "text": "missing" or "unstorable"; "version", "turn": "not_a_number".
    """
    try:
        page = UUID(sent.get("client_key", ""))
    except ValueError:
        page = None  # of an older version of this page
    return Typed(_written(sent), read_version(sent), page, _number(sent, "turn", "0"))


def read_version(sent: Mapping[str, str]) -> int:
    """The version of the draft that a page knows; 0 for none. Raises Invalid."""
    return _number(sent, "version", "0", _VERSION)


def read_answer(sent: Mapping[str, str], began: datetime) -> Answer:
    """The answer, its key and the attempt it was meant as. `began`: when the request did.

    Raises:
        Invalid: "text": "missing" or "unstorable"; "client_key": "not_a_key"; "attempt",
            "version": "not_a_number".
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
        began=began,
    )


def clean(text: str) -> str:
    """What of the text can be kept."""
    return _UNSTORABLE.sub("", _LINE_END.sub("\n", text))


def kept(text: str) -> str:
    """The text as it is kept, with the line ends that were typed. Raises Invalid: "unstorable"."""
    if _UNSTORABLE.search(text):
        raise Invalid({"text": "unstorable"})
    return clean(text)


def _written(sent: Mapping[str, str]) -> str:
    if "text" not in sent:
        raise Invalid({"text": "missing"})
    return kept(sent["text"])


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
