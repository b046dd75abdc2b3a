"""The name of a file as it is shown: nothing is ever stored or opened by it. Pure."""

from __future__ import annotations

import re
import unicodedata

from lti_tool.uploads.limits import NAME_LIMIT

_PATH = re.compile(r"^.*[/\\:]")
# Controls, and signs that make a name read otherwise than it is written (UAX #9).
_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def shown_name(sent: str) -> str:
    """What is left of a name that a browser sent: one line, no folders, at most 120 characters."""
    seen = "".join(c for c in sent if unicodedata.category(c) not in _HIDDEN)
    name = " ".join(_PATH.sub("", seen).split()).strip(" .")
    if len(name) <= NAME_LIMIT:
        return name
    stem, dot, ending = name.rpartition(".")
    if not dot or len(ending) > 8:
        return name[: NAME_LIMIT - 1] + "…"
    return f"{stem[: NAME_LIMIT - len(ending) - 2]}….{ending}"
