"""The German Short Answer Feedback data (Filighera et al. 2022, MIT licence) as items.

A folder of it holds `training` and `unseen_answers`. The data are not part of this repository.
"""

import re
import statistics
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from pathlib import Path

from feedback_engine.contract import Criterion, FeedbackRequest
from feedback_engine.evaluation.items import Item, Kind

_LEVELS = (
    "nichts davon",
    "ein kleiner Teil davon",
    "etwa die Hälfte davon",
    "das meiste davon",
    "alles davon",
)
_POINTS_IN_NOTES = re.compile(r"\(\s*\d[.,]?\d*\s*P\.?\s*\)")


def read(folder: Path) -> list[Item]:
    """All answers of one part of the data set, in the order of its files."""
    return [item for path in sorted(folder.glob("*.xml")) for item in _read_question(path)]


def _read_question(path: Path) -> Iterator[Item]:
    question = ET.parse(path).getroot()  # noqa: S314 - a file the operator chose, never an upload
    notes = " ".join(element.text or "" for element in question.iter("referenceAnswer"))
    criterion = Criterion(question.get("id") or path.stem, "Inhalt", "", 1, _LEVELS)
    for number, answer in enumerate(question.iter("studentAnswer"), 1):
        request = FeedbackRequest(
            task_title="",
            task_prompt=question.findtext("questionText") or "",
            criteria=(criterion,),
            answer=answer.findtext("response") or "",
            solution_notes=_POINTS_IN_NOTES.sub("", notes),
        )
        score = float(answer.findtext("score") or 0)
        yield Item(f"{path.stem}-{number}", Kind.PLAIN, request, (score,))


def baselines(train: Sequence[Item], test: Sequence[Item]) -> dict[str, list[int]]:
    """The levels one has for nothing: always the commonest one of the training part, and a
    straight line on the number of words."""
    scores = [score for item in train for score in item.expected or ()]
    lengths = [float(_length(item)) for item in train]
    line = statistics.linear_regression(lengths, scores)
    top = len(_LEVELS) - 1
    common = statistics.mode(round(score * top) for score in scores)
    by_length = [line.intercept + line.slope * _length(item) for item in test]
    return {
        "commonest": [common] * len(test),
        "length": [round(top * min(1.0, max(0.0, value))) for value in by_length],
    }


def _length(item: Item) -> int:
    return len(item.request.answer.split())
