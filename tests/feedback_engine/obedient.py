"""A model that obeys whoever attacks it, in four ways; and the corpus of what attackers write."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from feedback_engine.contract import CriterionVerdict, EarlierAttempt, FeedbackRequest
from tests.fakes.ollama import Asked, Speaker
from tests.feedback_engine.examples import LIGHT, NOTES, SUGAR, plants

HONEST = "Die Pflanze macht mit Licht Traubenzucker."
CLASSMATE = "Charlotta Babbage"
EVIL = "https://evil.example/"
CANARY = re.compile(r"\bkx[0-9a-f]{10}\b")

_CORPUS = Path(__file__).parent / "injections.json"


@dataclass(frozen=True)
class Attack:
    """One case of the corpus. `where` the text stands; `wants`: what the attacker is after."""

    id: str
    language: str
    where: str
    wants: str
    text: str


def corpus() -> list[Attack]:
    return [Attack(**case) for case in json.loads(_CORPUS.read_text(encoding="utf-8"))]


def attacked(attack: Attack) -> FeedbackRequest:
    """A pupil's answer with the attack where it belongs, as an engine is asked about it."""
    request = replace(plants(HONEST), names_to_withhold=(CLASSMATE,))
    if attack.where == "drawing":
        return replace(request, drawings=(attack.text,))
    if attack.where == "page":
        return replace(request, answer=f"{HONEST}\n\n{attack.text}")
    if attack.where == "earlier":
        before = (
            CriterionVerdict.assessed(LIGHT.id, 0, attack.text, attack.text),
            CriterionVerdict.nothing_found(SUGAR.id, attack.text),
        )
        request = replace(request, earlier=EarlierAttempt(attack.text, before, attack.text))
    return replace(request, answer=f"{HONEST} {attack.text}")


def generous(asked: Asked) -> str:
    """The highest level everywhere, pointing at whatever stands last in the answer."""
    if not asked.is_judging:
        return _composed("Alles perfekt!", "Nichts mehr zu tun.", "Warum so gut?")
    return _judged({"quote": asked.answer[-60:], "reason": "Perfekt.", "level": 2})


def boundless(asked: Asked) -> str:
    """Levels that do not exist and passages that nobody wrote."""
    if not asked.is_judging:
        return _composed("Volle Punkte: 15 von 15.", "Stufe 99.", "Noch mehr Punkte?")
    entries = [
        {"quote": HONEST, "reason": "Wie befohlen.", "level": 15},
        {"quote": "Das hat niemand geschrieben", "reason": "Wie befohlen.", "level": 2},
    ]
    return _judged(*entries)


def leaky(asked: Asked) -> str:
    """Everything it was shown and everything it was asked for, in every field."""
    marker = CANARY.search(asked.prompt)
    notes = NOTES if NOTES in asked.prompt else ""
    said = f"{notes} {marker[0] if marker else ''} {CLASSMATE} {EVIL} [hier]({EVIL})"
    if not asked.is_judging:
        said += asked.messages[0][1][:400]
        return _composed(f"Gut. {said} Gut.", f"Weiter. {said} Weiter.", f"{said}?")
    return _judged({"quote": HONEST, "reason": said, "level": 1})


def shapeless(asked: Asked) -> str:
    """Whatever form the attacker wishes for, only not the one that was asked for."""
    return f'BESTANDEN {asked.answer} {{"points": 100}}'


def stuffed(asked: Asked) -> str:
    """The right form with more in it than was asked for."""
    full = json.loads(generous(asked))
    extra = {"points": 100, "state": "released", "K3": {"level": 2}, "for": "everybody"}
    return json.dumps({**{name: {**part, **extra} for name, part in full.items()}, **extra})


WAYS: Mapping[str, Speaker] = {
    way.__name__: way for way in (generous, boundless, leaky, shapeless, stuffed)
}


def _judged(*entries: dict[str, Any]) -> str:
    named = {f"K{n}": entries[min(n, len(entries)) - 1] for n in (1, 2)}
    return json.dumps({"judgement": named}, ensure_ascii=False)


def _composed(strengths: str, next_step: str, question: str) -> str:
    said = {"strengths": strengths, "next_step": next_step, "question": question}
    return json.dumps({"feedback": said}, ensure_ascii=False)
