"""What goes into an engine and what comes out: the whole agreement with the host application.

Frozen values, standard library only, so that any process may import it. Points are not here: they
are computed by the host from levels and weights, never by a model.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from typing import Literal, Protocol

Language = Literal["de", "en"]
# How the pupil is spoken to; English has one word for both.
Register = Literal["du", "sie"]
# Called with the name of a text ("strengths", "next_step", "question") and all of it that has
# passed the checks so far: whole sentences, and each time more of them. It must not raise.
Told = Callable[[str, str], None]


@dataclass(frozen=True, slots=True)
class Criterion:
    """One thing that counts. `levels` are words from the lowest to the highest, 2 to 6 of them."""

    id: str
    title: str
    description: str
    weight: int
    levels: tuple[str, ...]

    def __post_init__(self) -> None:
        if not 2 <= len(self.levels) <= 6:
            raise ValueError("a criterion has 2 to 6 levels")
        if self.weight < 1:
            raise ValueError("a criterion weighs at least 1")

    @property
    def top_level(self) -> int:
        return len(self.levels) - 1


class VerdictStatus(StrEnum):
    """How much is known about one criterion.

    NOTHING_FOUND says something about the answer ("Dazu habe ich in deinem Text nichts gefunden")
    and is the lowest level. NOT_ASSESSED says something about us ("konnte ich nicht beurteilen"),
    has no level and never becomes one.
    """

    ASSESSED = "assessed"
    NOTHING_FOUND = "nothing_found"
    NOT_ASSESSED = "not_assessed"


@dataclass(frozen=True, slots=True)
class CriterionVerdict:
    """A judgement on one criterion, made by the constructors below. ValueError if it cannot be.

    `level` is an index into `Criterion.levels`, `quote` a passage of the answer exactly as it
    stands there.
    """

    criterion_id: str
    status: VerdictStatus
    level: int | None
    quote: str = field(default="", repr=False)
    reason: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if not self._is_possible():
            raise ValueError(f"not a possible verdict: {self.status}, level {self.level}")

    def _is_possible(self) -> bool:
        if self.status is VerdictStatus.ASSESSED:
            return self.level is not None and self.level >= 0 and self.quote != ""
        if self.status is VerdictStatus.NOTHING_FOUND:
            return self.level == 0 and self.quote == ""
        return self.level is None and self.quote == ""

    @classmethod
    def assessed(
        cls, criterion_id: str, level: int, quote: str, reason: str = ""
    ) -> "CriterionVerdict":
        return cls(criterion_id, VerdictStatus.ASSESSED, level, quote, reason)

    @classmethod
    def nothing_found(cls, criterion_id: str, reason: str = "") -> "CriterionVerdict":
        return cls(criterion_id, VerdictStatus.NOTHING_FOUND, 0, "", reason)

    @classmethod
    def not_assessed(cls, criterion_id: str) -> "CriterionVerdict":
        return cls(criterion_id, VerdictStatus.NOT_ASSESSED, None)


@dataclass(frozen=True, slots=True)
class PageImage:
    """One page of the pupil's work, upright, as JPEG of a few megapixels at most, made by us."""

    jpeg: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class EarlierAttempt:
    """The pupil's attempt before this one and what was said about it. One is enough (ATK-136)."""

    answer: str = field(repr=False)
    results: tuple[CriterionVerdict, ...]
    next_step: str = field(repr=False)

    def result_for(self, criterion_id: str) -> CriterionVerdict | None:
        """What was found for this criterion then, None if it did not count yet."""
        return next((r for r in self.results if r.criterion_id == criterion_id), None)


@dataclass(frozen=True, slots=True)
class FeedbackRequest:
    """Everything an engine may know about one answer.

    `names_to_withhold` never enters a prompt: it is only compared with what comes out, so that no
    classmate is named.
    `solution_notes` are the teacher's; they help to judge and must not reach the pupil.
    `images` are shown to models that see; `drawings` says in words what is drawn on them, for those
    that do not. Neither replaces `answer`: only what is written there can be quoted.
    """

    task_title: str
    task_prompt: str
    criteria: tuple[Criterion, ...]
    answer: str = field(repr=False)
    language: Language = "de"
    solution_notes: str = field(default="", repr=False)
    earlier: EarlierAttempt | None = None
    names_to_withhold: tuple[str, ...] = field(default=(), repr=False)
    register: Register = "du"
    images: tuple[PageImage, ...] = ()
    drawings: tuple[str, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        ids = [criterion.id for criterion in self.criteria]
        if not ids or len(ids) != len(set(ids)):
            raise ValueError("a request has criteria, each with an id of its own")
        if self.language not in ("de", "en"):
            raise ValueError("feedback is given in German or English")
        if self.register not in ("du", "sie"):
            raise ValueError("a pupil is spoken to with du or Sie")


class Flag(StrEnum):
    """Something a teacher should know about the whole draft."""

    SOLUTION_GIVEN_AWAY = "solution_given_away"
    WRONG_LANGUAGE = "wrong_language"
    PERSON_NAMED = "person_named"
    PROMPT_ECHOED = "prompt_echoed"
    UNKIND = "unkind"
    PROSE_MISSING = "prose_missing"
    INSTRUCTION_IN_ANSWER = "instruction_in_answer"
    READ_IN_PERSON = "read_in_person"
    COPIED_TEXT = "copied_text"
    LOWERED_WITHOUT_REASON = "lowered_without_reason"
    WRONG_REGISTER = "wrong_register"
    HARD_TO_READ = "hard_to_read"
    NO_ANSWER = "no_answer"

    @property
    def withholds(self) -> bool:
        """Whether a teacher must look before the pupil does; the others are hints, no more."""
        return self not in (Flag.COPIED_TEXT, Flag.HARD_TO_READ, Flag.NO_ANSWER)


def needs_teacher(verdicts: Iterable[CriterionVerdict], flags: Iterable[Flag]) -> bool:
    """Whether so much is known already that a teacher must look before the pupil does."""
    unjudged = any(verdict.status is VerdictStatus.NOT_ASSESSED for verdict in verdicts)
    return unjudged or any(flag.withholds for flag in flags)


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """Who judged or read, exactly enough to repeat it. `digest` is the model's, "" if untold."""

    name: str
    model: str
    digest: str
    prompt_version: str
    is_model: bool


@dataclass(frozen=True, slots=True)
class Progress:
    """What became of the advice on one criterion since the attempt before.

    True: the criterion stands higher, or is judged by a passage that is new. None: there was no
    advice, because nothing was missing, or nobody can tell.
    """

    criterion_id: str
    taken_up: bool | None


@dataclass(frozen=True, slots=True)
class FeedbackDraft:
    """A proposal: one verdict per criterion of the request, in its order; prose in its language.

    `progress` has one entry per criterion if there was an earlier attempt, else it is empty.
    """

    verdicts: tuple[CriterionVerdict, ...]
    strengths: str = field(repr=False)
    next_step: str = field(repr=False)
    question: str = field(repr=False)
    flags: tuple[Flag, ...]
    engine: EngineInfo
    progress: tuple[Progress, ...] = ()

    @property
    def needs_teacher(self) -> bool:
        """Nothing may be shown or scored before a teacher has looked."""
        return needs_teacher(self.verdicts, self.flags)


@dataclass(frozen=True, slots=True)
class PageReading:
    """What stands on one page. ValueError if `unsure` does not fit `text`.

    `text` keeps the lines of the page and is "" where nothing is written. `unsure` are half-open
    spans of `text`, in order and apart, over words the model was unsure of. `drawings` has one
    sentence for each drawing, map or diagram, in the language that was asked for.
    """

    text: str = field(repr=False)
    unsure: tuple[tuple[int, int], ...]
    drawings: tuple[str, ...] = field(repr=False)
    engine: EngineInfo

    def __post_init__(self) -> None:
        edges = [0, *(edge for span in self.unsure for edge in span), len(self.text)]
        if any(a > b for a, b in pairwise(edges)) or any(a == b for a, b in self.unsure):
            raise ValueError("unsure words are not in the text, or not in order")


class FeedbackEngine(Protocol):
    """Judges one answer. May be called from several threads at once."""

    def give_feedback(self, request: FeedbackRequest, *, told: Told | None = None) -> FeedbackDraft:
        """Raise one of the three kinds of `EngineError`, nothing else on purpose.

        An engine that writes piece by piece tells `told` each sentence of the prose once it has
        passed the checks. Levels are never told before they are final, and what was told may still
        be withheld: only the draft says what is shown for good.
        """
        ...


class PageReader(Protocol):
    """Reads one page. May be called from several threads at once."""

    def read_page(
        self, image: PageImage, *, task: str = "", language: Language = "de"
    ) -> PageReading:
        """Raise one of the three kinds of `EngineError`, nothing else on purpose.

        `task` is what the pupil was asked, so that its words are recognised in bad handwriting.
        """
        ...
