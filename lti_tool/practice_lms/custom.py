"""Custom parameters as Moodle passes them on: keys sometimes twice, variables filled in or not."""

import re
from collections.abc import Mapping

Variables = Mapping[str, str | None]
Pairs = tuple[tuple[str, str], ...]


def custom_claim(of_tool: Pairs, of_activity: Pairs, variables: Variables) -> dict[str, str | None]:
    """The tool's parameters win over the activity's. An unknown `$Variable` stays literal text."""
    claim: dict[str, str | None] = {}
    for key, value in (*of_activity, *of_tool):
        filled = _filled(value, variables)
        claim[key] = filled
        claim[_plain(key)] = filled
    return claim


def _plain(key: str) -> str:
    """Moodle's second spelling: lower case, everything but letters and digits an underscore."""
    return re.sub(r"[^a-z0-9]", "_", key.lower())


def _filled(value: str, variables: Variables) -> str | None:
    name = value[1:]
    return variables[name] if value.startswith("$") and name in variables else value


def kept_pairs(sent: object) -> Pairs:
    """What is kept of a content item's `custom`: text values, cut at the first line end."""
    if not isinstance(sent, dict):
        return ()
    return tuple((str(key), "".join(_text(value).splitlines()[:1])) for key, value in sent.items())


def _text(value: object) -> str:
    return "" if value is None else str(value)
