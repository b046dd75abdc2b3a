"""Tasks as Frau Curie would write them, and what her browser would send."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lti_tool.content.models import Mode
from lti_tool.content.spec import CriterionSpec, TaskSpec

OFFERED = ("noch nicht", "teilweise", "weitgehend", "voll")

LIGHT = CriterionSpec(
    title="Die Rolle des Lichts ist erklärt",
    description="Licht liefert die Energie.",
    weight=3,
    levels=("fehlt", "genannt", "erklärt"),
)
WORDS = CriterionSpec(title="Fachbegriffe", description="", weight=1, levels=OFFERED)
FOTOSYNTHESE = TaskSpec(
    title="Wozu braucht die Pflanze Licht?",
    prompt="Erkläre in **eigenen** Worten, wozu eine Pflanze Licht braucht.",
    criteria=(LIGHT, WORDS),
    solution_notes="Lichtenergie wird zu chemischer Energie.",
    score_maximum=10,
    max_attempts=3,
    mode=Mode.PRACTICE,
    reports_score=True,
    unit_title="Fotosynthese",
)


def spec(**changes: Any) -> TaskSpec:
    return replace(FOTOSYNTHESE, **changes)


def sent_for(wanted: TaskSpec) -> dict[str, str]:
    """The form that a browser sends for a task."""
    sent = {
        "title": wanted.title,
        "prompt": wanted.prompt.replace("\n", "\r\n"),
        "solution_notes": wanted.solution_notes.replace("\n", "\r\n"),
        "score_maximum": str(wanted.score_maximum),
        "max_attempts": str(wanted.max_attempts),
        "mode": wanted.mode.value,
        "unit": str(wanted.unit_id or "new"),
        "unit_title": wanted.unit_title,
        "section": wanted.section_title,
    }
    for name in ("reports_score", "takes_pages", "checks_reading", "formal"):
        if getattr(wanted, name):
            sent[name] = "on"
    for number, criterion in enumerate(wanted.criteria):
        sent |= _sent_for_row(f"criterion-{number}", criterion)
    return sent


def _sent_for_row(name: str, criterion: CriterionSpec) -> Mapping[str, str]:
    levels = [*criterion.levels, "", "", "", ""][:6]
    return {
        f"{name}-id": str(criterion.id or ""),
        f"{name}-title": criterion.title,
        f"{name}-description": criterion.description,
        f"{name}-weight": str(criterion.weight),
    } | {f"{name}-level-{level}": words for level, words in enumerate(levels)}
