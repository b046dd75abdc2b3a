"""What a teacher wants a task to be, as one frozen value that has been checked. Pure shapes."""

from dataclasses import dataclass, field
from uuid import UUID

from lti_tool.content.models import Mode

TITLE_LIMIT = 255  # characters, here and below; Moodle's limit for the name of an activity
PROMPT_LIMIT = 10_000
NOTES_LIMIT = 10_000
CRITERION_LIMIT = 200
DESCRIPTION_LIMIT = 1_000
LEVEL_LIMIT = 300

CRITERIA = range(2, 8)
LEVELS = range(2, 7)
WEIGHTS = range(1, 11)
SCORE_MAXIMA = range(1, 101)
ATTEMPTS = range(1, 21)


@dataclass(frozen=True)
class CriterionSpec:
    """`levels` from the lowest to the highest. `id` names the criterion this one replaces."""

    title: str
    description: str
    weight: int
    levels: tuple[str, ...]
    id: UUID | None = None


@dataclass(frozen=True)
class TaskSpec:
    """Everything the editor asks for. Either `unit_id` names a unit or `unit_title` a new one.
    `section_title` names a section of the unit, old or new; empty: the task stands in none.

    `prompt` and `solution_notes` are Markdown. `reports_score`: in practice mode the score goes to
    the gradebook without a further act of the teacher. `takes_pages`: photos and PDF are answers,
    too; `checks_reading`: then the pupil first sees what was read in them. `formal`: feedback says
    Sie to the pupil, not du.
    """

    title: str
    prompt: str
    criteria: tuple[CriterionSpec, ...]
    solution_notes: str = field(repr=False)
    score_maximum: int
    max_attempts: int
    mode: Mode
    reports_score: bool
    takes_pages: bool = True
    checks_reading: bool = True
    formal: bool = False
    unit_id: UUID | None = None
    unit_title: str = ""
    section_title: str = ""
