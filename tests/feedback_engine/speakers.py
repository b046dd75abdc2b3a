"""Models that say what a test wants them to say."""

import json
from collections.abc import Callable
from typing import Any

from tests.fakes.ollama import Asked, fitting_answer

K1 = {"quote": "Mit dem Licht wandelt sie", "reason": "Du nennst es.", "level": 1}
K2 = {"quote": "es entsteht Traubenzucker", "reason": "Ein Produkt nennst du.", "level": 1}


def judging(text: str) -> Callable[[Asked], str]:
    """A model that judges in these words, whatever it is asked, and composes properly."""
    return lambda asked: text if asked.is_judging else fitting_answer(asked)


def judgement(**entries: Any) -> Callable[[Asked], str]:
    return judging(json.dumps({"judgement": entries}, ensure_ascii=False))


def composing(**texts: str) -> Callable[[Asked], str]:
    def say(asked: Asked) -> str:
        proper = fitting_answer(asked)
        if asked.is_judging:
            return proper
        return json.dumps({"feedback": json.loads(proper)["feedback"] | texts}, ensure_ascii=False)

    return say
