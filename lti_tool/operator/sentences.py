"""German sentences with their values beside them, so that a page can say them in English too."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from lti_tool.core.speech import Speech

Value = str | int | datetime
Translate = Callable[[str], str]


def N_(text: str) -> str:  # noqa: N802  # the name that translators' tools look for
    """Marks a text that is translated when it is said."""
    return text


@dataclass(frozen=True)
class Sentence:
    """A text with its values still beside it."""

    text: str
    values: Mapping[str, Value] = field(default_factory=dict)

    def said(self, speech: Speech, translate: Translate = N_) -> str:
        """As one says it now, moments included."""
        told = {
            name: speech.moment(value) if isinstance(value, datetime) else value
            for name, value in self.values.items()
        }
        return translate(self.text) % told


def say(text: str, **values: Value) -> Sentence:
    return Sentence(text, values)
