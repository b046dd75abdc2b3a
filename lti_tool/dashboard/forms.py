"""The teacher's form for one feedback: as it stands, as it was typed, whether the two differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from lti_tool.content.models import Criterion
from lti_tool.core.errors import Invalid
from lti_tool.submissions.forms import clean
from lti_tool.submissions.models import Feedback
from lti_tool.submissions.review import FeedbackEdit, ResultEdit

_NOTHING = ResultEdit(level=None, quote="", reason="")


@dataclass(frozen=True)
class ReviewForm:
    """`version` is the feedback's that the page showed, 0 for none; `results` by criterion id."""

    version: int
    results: Mapping[UUID, ResultEdit]
    strengths: str
    next_step: str
    question: str

    @classmethod
    def of(cls, feedback: Feedback | None, criteria: Iterable[Criterion]) -> ReviewForm:
        """The form as the page shows it first."""
        if feedback is None:
            return cls(0, {c.id: _NOTHING for c in criteria}, "", "", "")
        return cls(
            version=feedback.version,
            results={
                r.criterion_id: ResultEdit(r.level, _tidy(r.quote), _tidy(r.reason))
                for r in feedback.results
            },
            strengths=_tidy(feedback.strengths),
            next_step=_tidy(feedback.next_step),
            question=_tidy(feedback.question),
        )

    @classmethod
    def read(cls, sent: Mapping[str, str], criteria: Iterable[Criterion]) -> ReviewForm:
        """What a browser sent.

        Raises:
            Invalid: "version" or "level": "not_a_number".
        """
        return cls(
            version=_whole(sent.get("version", ""), "version"),
            results={
                c.id: ResultEdit(
                    level=_level(sent.get(f"level-{c.id}", "")),
                    quote=_tidy(sent.get(f"quote-{c.id}", "")),
                    reason=_tidy(sent.get(f"reason-{c.id}", "")),
                )
                for c in criteria
            },
            strengths=_tidy(sent.get("strengths", "")),
            next_step=_tidy(sent.get("next_step", "")),
            question=_tidy(sent.get("question", "")),
        )

    @property
    def edit(self) -> FeedbackEdit:
        return FeedbackEdit(
            self.version, self.results, self.strengths, self.next_step, self.question
        )

    def says_the_same(self, other: ReviewForm) -> bool:
        """Whether both say the same, whatever their versions."""
        mine, theirs = self.edit, other.edit
        return (mine.results, mine.strengths, mine.next_step, mine.question) == (
            theirs.results,
            theirs.strengths,
            theirs.next_step,
            theirs.question,
        )


def _tidy(text: str) -> str:
    return clean(text).strip()


def _level(typed: str) -> int | None:
    return _whole(typed, "level") if typed else None


def _whole(typed: str, field: str) -> int:
    if not (typed.isascii() and typed.isdigit() and len(typed) <= 6):
        raise Invalid({field: "not_a_number"})
    return int(typed)
