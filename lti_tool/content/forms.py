"""The task editor's form: what was typed, kept as it was typed, and checked into a `TaskSpec`.

Knows nothing of the database; whether a unit exists is the service's question.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Self
from uuid import UUID

from lti_tool.content.models import Mode, RegularTask, Section
from lti_tool.content.spec import (
    ATTEMPTS,
    CRITERIA,
    CRITERION_LIMIT,
    DESCRIPTION_LIMIT,
    LEVEL_LIMIT,
    LEVELS,
    NOTES_LIMIT,
    PROMPT_LIMIT,
    SCORE_MAXIMA,
    TITLE_LIMIT,
    WEIGHTS,
    CriterionSpec,
    TaskSpec,
)
from lti_tool.core.errors import Invalid

NEW_UNIT = "new"
LEVEL_FIELDS = LEVELS[-1]

_MOST_ROWS = 20  # more than any page of ours sends
_ROW = re.compile(r"criterion-([0-9]{1,3})-title")
_NUMBER = re.compile(r"[0-9]{1,4}")
_ACTION = re.compile(r"(remove|raise)-criterion-([0-9]{1,2})")
# PostgreSQL stores neither NUL nor lone surrogates; other control characters only hide things.
_UNSTORABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_MISLEADING = re.compile(r"[\u202a-\u202e\u2066-\u2069]")  # they make a title read otherwise

Problem = tuple[str, str]


@dataclass(frozen=True)
class CriterionRow:
    """One row as typed; `id` is empty for a new one. Always `LEVEL_FIELDS` levels, some blank."""

    title: str = ""
    description: str = ""
    weight: str = "1"
    levels: tuple[str, ...] = ()
    id: str = ""

    @property
    def filled_levels(self) -> tuple[str, ...]:
        return tuple(filter(None, self.levels))


@dataclass(frozen=True)
class TaskForm:
    """The whole page as typed. `offered_levels` are the words a new row begins with."""

    offered_levels: tuple[str, ...]
    rows: tuple[CriterionRow, ...]
    title: str = ""
    prompt: str = ""
    solution_notes: str = ""
    score_maximum: str = "10"
    max_attempts: str = "3"
    mode: str = Mode.PRACTICE.value
    reports_score: bool = False
    takes_pages: bool = True
    checks_reading: bool = True
    formal: bool = False
    unit: str = NEW_UNIT
    unit_title: str = ""
    section: str = ""
    version: str = ""

    @classmethod
    def blank(cls, offered_levels: tuple[str, ...], unit: str, unit_title: str) -> Self:
        """The page of a task that is yet to be written."""
        row = CriterionRow(levels=_six(offered_levels))
        return cls(offered_levels, (row, row), unit=unit, unit_title=unit_title)

    @classmethod
    def of(cls, task: RegularTask, section: Section, offered_levels: tuple[str, ...]) -> Self:
        """The page of a stored task, and of the section it stands in."""
        return cls(
            offered_levels,
            rows=tuple(
                CriterionRow(
                    c.title, c.description, str(c.weight), _six(tuple(c.levels)), str(c.id)
                )
                for c in task.criteria
            ),
            title=task.title,
            prompt=task.prompt,
            solution_notes=task.solution_notes,
            score_maximum=str(task.score_maximum),
            max_attempts=str(task.max_attempts),
            mode=task.mode.value,
            reports_score=task.reports_score,
            takes_pages=task.takes_pages,
            checks_reading=task.checks_reading,
            formal=task.formal,
            unit=str(section.unit_id),
            section=section.title,
            version=str(task.version),
        )

    @classmethod
    def read(cls, sent: Mapping[str, str], offered_levels: tuple[str, ...]) -> Self:
        """What a browser sent; anything missing is empty. Spaces at the ends are not kept."""
        numbers = {int(found[1]) for name in sent if (found := _ROW.fullmatch(name))}
        rows = [_read_row(sent, number) for number in sorted(numbers)[:_MOST_ROWS]]
        return cls(
            offered_levels,
            tuple(rows),
            title=_line(sent, "title"),
            prompt=_text(sent, "prompt"),
            solution_notes=_text(sent, "solution_notes"),
            score_maximum=_line(sent, "score_maximum"),
            max_attempts=_line(sent, "max_attempts"),
            mode=_line(sent, "mode"),
            reports_score="reports_score" in sent,
            takes_pages="takes_pages" in sent,
            checks_reading="checks_reading" in sent,
            formal="formal" in sent,
            unit=_line(sent, "unit") or NEW_UNIT,
            unit_title=_line(sent, "unit_title"),
            section=_line(sent, "section"),
            version=_line(sent, "version"),
        )

    def followed_by(self, unit_id: UUID) -> Self:
        """The page of the next one in a row: as empty as a blank one, but in the same place and
        with the same rules."""
        blank = self.blank(self.offered_levels, str(unit_id), "")
        return replace(
            blank,
            section=self.section,
            mode=self.mode,
            reports_score=self.reports_score,
            takes_pages=self.takes_pages,
            checks_reading=self.checks_reading,
            formal=self.formal,
            score_maximum=self.score_maximum,
            max_attempts=self.max_attempts,
        )

    @property
    def seen_version(self) -> int:
        """The version of the task that this page began with; 0 if it does not say."""
        return int(self.version) if _NUMBER.fullmatch(self.version) else 0

    def changed_by(self, action: str) -> Self:
        """The same page after one of the buttons for rows; other actions change nothing."""
        rows = list(self.rows)
        if action == "add-criterion" and len(rows) < CRITERIA[-1]:
            rows.append(CriterionRow(levels=_six(self.offered_levels)))
        found = _ACTION.fullmatch(action)
        if found and int(found[2]) < len(rows):
            row = rows.pop(int(found[2]))
            if found[1] == "raise":
                rows.insert(max(0, int(found[2]) - 1), row)
        return replace(self, rows=tuple(rows))

    def check(self) -> TaskSpec:
        """The task as it may be stored.

        Raises:
            Invalid: field name → code, for all fields at once.
        """
        problems = dict(self._problems())
        if problems:
            raise Invalid(problems)
        return self._spec()

    def _problems(self) -> Iterator[Problem]:
        yield from _wanted("title", self.title, TITLE_LIMIT)
        yield from _wanted("prompt", self.prompt, PROMPT_LIMIT)
        yield from _not_too_long("solution_notes", self.solution_notes, NOTES_LIMIT)
        yield from _whole("score_maximum", self.score_maximum, SCORE_MAXIMA)
        yield from _whole("max_attempts", self.max_attempts, ATTEMPTS)
        if self.mode not in set(Mode):
            yield "mode", "mode"
        yield from self._problems_of_unit()
        yield from self._problems_of_criteria()

    def _problems_of_unit(self) -> Iterator[Problem]:
        if self.unit == NEW_UNIT:
            yield from _wanted("unit_title", self.unit_title, TITLE_LIMIT)
        elif _uuid(self.unit) is None:
            yield "unit", "unit"
        yield from _not_too_long("section", self.section, TITLE_LIMIT)

    def _problems_of_criteria(self) -> Iterator[Problem]:
        used = [(number, row) for number, row in enumerate(self.rows) if not self._untouched(row)]
        if len(used) < CRITERIA[0]:
            yield "criteria", "too_few"
        if len(used) > CRITERIA[-1]:
            yield "criteria", "too_many"
        for number, row in used:
            yield from _problems_of_row(f"criterion-{number}", row)

    def _untouched(self, row: CriterionRow) -> bool:
        typed = row.title or row.description or row.id
        return not typed and row.filled_levels in ((), self.offered_levels)

    def _spec(self) -> TaskSpec:
        new_unit, mode = self.unit == NEW_UNIT, Mode(self.mode)
        return TaskSpec(
            title=self.title,
            prompt=self.prompt,
            criteria=tuple(_criterion(row) for row in self.rows if not self._untouched(row)),
            solution_notes=self.solution_notes,
            score_maximum=int(self.score_maximum),
            max_attempts=int(self.max_attempts),
            mode=mode,
            reports_score=self.reports_score and mode is Mode.PRACTICE,
            takes_pages=self.takes_pages,
            checks_reading=self.checks_reading,
            formal=self.formal,
            unit_id=None if new_unit else _uuid(self.unit),
            unit_title=self.unit_title if new_unit else "",
            section_title=self.section,
        )


def _read_row(sent: Mapping[str, str], number: int) -> CriterionRow:
    name = f"criterion-{number}"
    return CriterionRow(
        _line(sent, f"{name}-title"),
        _text(sent, f"{name}-description"),
        _line(sent, f"{name}-weight"),
        tuple(_line(sent, f"{name}-level-{level}") for level in range(LEVEL_FIELDS)),
        _line(sent, f"{name}-id"),
    )


def _problems_of_row(name: str, row: CriterionRow) -> Iterator[Problem]:
    yield from _wanted(f"{name}-title", row.title, CRITERION_LIMIT)
    yield from _not_too_long(f"{name}-description", row.description, DESCRIPTION_LIMIT)
    yield from _whole(f"{name}-weight", row.weight, WEIGHTS)
    if len(row.filled_levels) < LEVELS[0]:
        yield f"{name}-levels", "too_few"
    for level, words in enumerate(row.levels):
        yield from _not_too_long(f"{name}-level-{level}", words, LEVEL_LIMIT)


def _criterion(row: CriterionRow) -> CriterionSpec:
    return CriterionSpec(
        row.title, row.description, int(row.weight), row.filled_levels, _uuid(row.id)
    )


def _wanted(field: str, value: str, limit: int) -> Iterator[Problem]:
    if not value:
        yield field, "missing"
    yield from _not_too_long(field, value, limit)


def _not_too_long(field: str, value: str, limit: int) -> Iterator[Problem]:
    if len(value) > limit:
        yield field, "too_long"


def _whole(field: str, value: str, allowed: range) -> Iterator[Problem]:
    if not _NUMBER.fullmatch(value) or int(value) not in allowed:
        yield field, "not_in_range"


def _text(sent: Mapping[str, str], field: str) -> str:
    """Paragraphs. Browsers send CRLF, whatever was typed."""
    return _UNSTORABLE.sub("", sent.get(field, "").replace("\r\n", "\n")).strip()


def _line(sent: Mapping[str, str], field: str) -> str:
    """One line; white space of any kind and length is one space."""
    return " ".join(_MISLEADING.sub("", _text(sent, field)).split())


def _six(levels: tuple[str, ...]) -> tuple[str, ...]:
    return (*levels, *[""] * (LEVEL_FIELDS - len(levels)))


def _uuid(value: str) -> UUID | None:
    try:
        return UUID(value)
    except ValueError:
        return None
