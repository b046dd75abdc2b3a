"""What an engine is tried with: answers whose levels people have given."""

import json
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from feedback_engine.contract import Criterion, FeedbackRequest

_SCHOOL = Path(__file__).parent / "data" / "school.json"


class Kind(StrEnum):
    """What an answer is there to show. PLAIN: it comes from elsewhere and is just an answer."""

    STRONG = "strong"
    MIDDLE = "middle"
    WEAK = "weak"
    EMPTY = "empty"
    NONSENSE = "nonsense"
    INJECTED = "injected"
    IMPROVED = "improved"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class Item:
    """One answer. `expected`: per criterion from 0 to 1 of its highest level, None where there is
    nothing to judge. `improves`: the id of the answer that this one revises."""

    id: str
    kind: Kind
    request: FeedbackRequest
    expected: tuple[float, ...] | None
    improves: str = ""


def school() -> list[Item]:
    """Our own set: four tasks of four subjects, written for this and by nobody's pupil."""
    tasks = json.loads(_SCHOOL.read_text(encoding="utf-8"))["tasks"]
    return [_item(task, answer) for task in tasks for answer in task["answers"]]


def _item(task: dict[str, Any], answer: dict[str, Any]) -> Item:
    criteria = tuple(
        Criterion(c["id"], c["title"], c["description"], c["weight"], tuple(c["levels"]))
        for c in task["criteria"]
    )
    request = FeedbackRequest(
        task_title=task["title"],
        task_prompt=task["prompt"],
        criteria=criteria,
        answer=answer["text"],
        language=task["language"],
        solution_notes=task["solution_notes"],
    )
    levels = answer["levels"]
    expected = levels and tuple(
        level / criterion.top_level for level, criterion in zip(levels, criteria, strict=True)
    )
    return Item(answer["id"], Kind(answer["kind"]), request, expected, answer.get("improves", ""))
