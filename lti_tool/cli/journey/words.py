"""What the people of the journey type. Invented, and simple enough for every engine to judge."""

from __future__ import annotations

from collections.abc import Mapping

LEVELS = ("noch nicht", "in Ansätzen", "überzeugend")

TASK: Mapping[str, str] = {
    "prompt": "Erkläre, **warum** eine Pflanze ohne Licht nicht wachsen kann.",
    "solution_notes": "Licht liefert die Energie für die Fotosynthese; dabei entsteht Zucker.",
    "score_maximum": "10",
    "max_attempts": "2",
    "unit": "new",
    "unit_title": "Fotosynthese",
    "criterion-0-title": "Du erklärst, wofür die Pflanze das Licht braucht.",
    "criterion-0-description": "Licht liefert Energie für die Fotosynthese.",
    "criterion-0-weight": "2",
    "criterion-1-title": "Du nennst den Zucker, aus dem die Pflanze wächst.",
    "criterion-1-description": "Bei der Fotosynthese entsteht Zucker.",
    "criterion-1-weight": "1",
} | {f"criterion-{row}-level-{n}": words for row in (0, 1) for n, words in enumerate(LEVELS)}

DRAFT = "Die Pflanze braucht das Licht."
FIRST = "Die Pflanze braucht das Licht, weil es die Energie für die Fotosynthese liefert."
SECOND = f"{FIRST} Bei der Fotosynthese entsteht Zucker, und aus dem Zucker wächst die Pflanze."
TEACHERS_WORDS = "Schön begründet. Denk beim nächsten Mal auch an das Wasser."
