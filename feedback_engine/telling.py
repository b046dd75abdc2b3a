"""Prose told while a model still writes it: whole sentences, each checked with all before it.

Half an answer is no JSON yet, so it is read leniently here and nothing is decided by it: only the
whole answer, read strictly, becomes a draft.
"""

from collections.abc import Callable

import pydantic_core

from feedback_engine.checks import clean_prose
from feedback_engine.contract import Told
from feedback_engine.text import finished

_NAMES = ("strengths", "next_step", "question")
# Longer than any prose that is kept; a model that goes on need not be followed piece by piece.
_LONGEST_HEARD = 8000


class Teller:
    """Listens to a model that composes. Says nothing any more once something did not pass.

    `passes` is asked about all texts as they would be told then. When a model begins anew and says
    something else, what was told stays and nothing is added to it.
    """

    def __init__(self, told: Told, passes: Callable[[list[str]], bool]) -> None:
        self._told = told
        self._passes = passes
        self._said: dict[str, str] = {}
        self._is_silent = False

    def hear(self, written: str) -> None:
        """All that the model has written so far, each time a little more."""
        if len(written) <= _LONGEST_HEARD:
            for name, text in _sentences_in(written).items():
                self._tell(name, text)

    def _tell(self, name: str, text: str) -> None:
        before = self._said.get(name, "")
        if self._is_silent or before.startswith(text):
            return
        texts = {**self._said, name: text}
        if text.startswith(before) and self._passes(list(texts.values())):
            self._said = texts
            self._told(name, text)
        else:
            self._is_silent = True


def _sentences_in(written: str) -> dict[str, str]:
    """The texts of half an answer, the one that is being written up to its last full sentence."""
    try:
        read = pydantic_core.from_json(written, allow_partial="trailing-strings")
    except ValueError:
        return {}
    texts = read.get("feedback") if isinstance(read, dict) else None
    if not isinstance(texts, dict):
        return {}
    latest = next(reversed(texts), None)
    return {
        name: clean_prose(finished(text) if name == latest else text)
        for name, text in texts.items()
        if name in _NAMES and isinstance(text, str)
    }
