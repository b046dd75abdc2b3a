"""Feedback by a language model: judge, check, compose, check. What the model says is believed only
as far as `checks` allow; what it cannot do goes to the teacher.
"""

import hashlib
import time
from collections.abc import Callable
from typing import Any

import dspy

from feedback_engine import checks, intake
from feedback_engine.adapter import PlainAdapter
from feedback_engine.compose import Prose, compose
from feedback_engine.config import EngineConfig, time_for
from feedback_engine.contract import (
    CriterionVerdict,
    EngineInfo,
    FeedbackDraft,
    FeedbackRequest,
    Flag,
    Told,
    VerdictStatus,
    needs_teacher,
)
from feedback_engine.errors import (
    EngineFailed,
    EngineMisconfigured,
    EngineRefused,
    RefusalReason,
)
from feedback_engine.judge import judge
from feedback_engine.lexical import without_answer
from feedback_engine.models import Hear, ModelHost, UnusableOutput
from feedback_engine.nonsense import is_no_answer
from feedback_engine.progress import progress_of
from feedback_engine.showing import with_what_is_seen
from feedback_engine.telling import Teller
from feedback_engine.wire import exchanged_model

# Recorded with every result. A test pins the instructions to it: change both, and evaluate anew.
PROMPT_VERSION = "2"

_TOKENS_PER_CRITERION = 250
# The instructions, and two and a half letters to a token: German words are long, small models'
# vocabularies are English. Too much text would silently push the criteria out of the context.
_INSTRUCTION_TOKENS = 1000
_LETTERS_PER_TOKEN = 2.5


class DspyEngine:
    """Implements `FeedbackEngine` on one model. Threads may share it; it keeps nothing it read."""

    def __init__(
        self, host: ModelHost, config: EngineConfig, clock: Callable[[], float] = time.monotonic
    ) -> None:
        # DSPy keeps answers on disk and in memory unless told otherwise (ATK-123).
        dspy.configure_cache(enable_disk_cache=False, enable_memory_cache=False)
        self._host = host
        self._config = config
        self._clock = clock

    def give_feedback(
        self,
        request: FeedbackRequest,
        *,
        told: Told | None = None,
    ) -> FeedbackDraft:
        """Two calls to the model, four at most, all within the time for this answer."""
        intake.refuse_unfit(request, self._longest_answer(request))
        if is_no_answer(request):
            return without_answer(request)
        until = self._clock() + time_for(self._config, request.answer, len(request.criteria))
        digest = self._pinned_digest(until)
        room = (self._longest_answer(request) - len(request.answer)) / _LETTERS_PER_TOKEN
        request = with_what_is_seen(request, self._config, room)
        draft = self._draft(request, until, digest, told)
        if self._host.digest(until) != digest:
            raise EngineFailed("the model was exchanged while it was working")
        return draft

    def _draft(
        self, request: FeedbackRequest, until: float, digest: str, told: Told | None
    ) -> FeedbackDraft:
        canary = _canary(request)
        noticed = intake.noticed(request)
        with self._model(request, until):
            judged = self._verdicts(request, canary)
        verdicts = checks.founded(judged, request)
        if verdicts != judged:
            noticed = (*noticed, Flag.LOWERED_WITHOUT_REASON)
        shown = [verdict.reason for verdict in verdicts]
        hear = None
        if told is not None and not needs_teacher(verdicts, noticed):
            hear = Teller(told, _passing(shown, request, canary)).hear
        with self._model(request, until, hear):
            prose = self._prose(request, verdicts, canary)
        if prose is not None:
            shown += [prose.strengths, prose.next_step, prose.question]
        flags = checks.flags_for_prose(shown, request, canary)
        flags += [] if prose is not None else [Flag.PROSE_MISSING]
        return FeedbackDraft(
            verdicts=verdicts,
            strengths=prose.strengths if prose else "",
            next_step=prose.next_step if prose else "",
            question=prose.question if prose else "",
            flags=(*noticed, *flags),
            engine=EngineInfo(
                self._config.kind.value, self._config.model, digest, PROMPT_VERSION, is_model=True
            ),
            progress=progress_of(request, verdicts),
        )

    def _verdicts(self, request: FeedbackRequest, canary: str) -> tuple[CriterionVerdict, ...]:
        """Ask, ask again for what is missing, check. Raise `EngineRefused` if nothing is left."""
        claims: dict[str, checks.Claim] = {}
        tokens = min(self._config.max_output, _TOKENS_PER_CRITERION * (len(request.criteria) + 1))
        for sampling in self._samplings(tokens):
            try:
                claims = {**judge(request, canary, sampling), **claims}
            except UnusableOutput:
                continue
            if len(claims) == len(request.criteria):
                break
        verdicts = tuple(
            checks.checked_verdict(criterion, claims.get(criterion.id), request.answer)
            for criterion in request.criteria
        )
        if all(verdict.status is VerdictStatus.NOT_ASSESSED for verdict in verdicts):
            raise EngineRefused(RefusalReason.UNREADABLE_OUTPUT)
        return verdicts

    def _prose(
        self, request: FeedbackRequest, verdicts: tuple[CriterionVerdict, ...], canary: str
    ) -> Prose | None:
        for sampling in self._samplings(self._config.max_output):
            try:
                return compose(request, verdicts, canary, sampling)
            except UnusableOutput:
                continue
        return None

    def _samplings(self, tokens: int) -> tuple[dict[str, Any], ...]:
        """The first time as repeatable as can be, the second time differently, or it would fail
        in the same way."""
        seed = self._config.seed
        return (
            {"temperature": 0.0, "seed": seed, "max_tokens": tokens},
            {"temperature": 0.4, "seed": seed + 1, "max_tokens": tokens},
        )

    def _pinned_digest(self, until: float) -> str:
        digest = self._host.digest(until)
        if not self._config.approves(digest):
            raise EngineMisconfigured(
                "the model is not the one that was approved", exchanged_model(self._config, digest)
            )
        return digest

    def _longest_answer(self, request: FeedbackRequest) -> int:
        tokens = self._config.num_ctx - self._config.max_output - _INSTRUCTION_TOKENS
        given = [request.task_title, request.task_prompt, request.solution_notes]
        given += [part for c in request.criteria for part in (c.title, c.description, *c.levels)]
        if request.earlier is not None:
            given += [request.earlier.next_step, *(r.reason for r in request.earlier.results)]
        return int(tokens * _LETTERS_PER_TOKEN) - sum(len(text) for text in given)

    def _model(self, request: FeedbackRequest, until: float, hear: Hear | None = None) -> Any:
        """DSPy set up for one feedback in this thread.

        History and trace are both off: each would keep thousands of pupils' texts in memory.
        """
        lm = dspy.LM(
            f"{self._config.kind}/{self._config.model}",
            engine=self._host.engine(until, hear),
            cache=False,
            num_retries=0,
        )
        adapter = PlainAdapter(request)
        return dspy.context(lm=lm, adapter=adapter, disable_history=True, trace=None)


def _passing(
    reasons: list[str], request: FeedbackRequest, canary: str
) -> Callable[[list[str]], bool]:
    """Whether texts may be told: the question that decides about the whole, asked earlier."""

    def passes(texts: list[str]) -> bool:
        flags = checks.flags_for_prose([*reasons, *texts], request, canary)
        return not any(flag.withholds for flag in flags)

    return passes


def _canary(request: FeedbackRequest) -> str:
    """A word that no answer contains by chance. The same for a whole class, so that a server which
    remembers the beginning of a prompt need not read it again, and results stay repeatable."""
    seed = "\x1f".join([PROMPT_VERSION, request.task_prompt, *(c.id for c in request.criteria)])
    return f"kx{hashlib.sha256(seed.encode()).hexdigest()[:10]}"
