"""Lets an engine judge a set of answers, one after the other, as the tool would."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from feedback_engine.contract import EarlierAttempt, FeedbackDraft, FeedbackEngine, FeedbackRequest
from feedback_engine.errors import EngineFailed, EngineRefused
from feedback_engine.evaluation.items import Item


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one answer. `draft` None: refused or failed. `tokens`: read and written by a
    model, as far as its server tells."""

    item: Item
    draft: FeedbackDraft | None
    seconds: float
    tokens: int

    @property
    def levels(self) -> tuple[int | None, ...]:
        """One for each criterion; None where it was not assessed."""
        if self.draft is None:
            return (None,) * len(self.item.request.criteria)
        return tuple(verdict.level for verdict in self.draft.verdicts)


def run(
    engine: FeedbackEngine,
    items: Sequence[Item],
    tokens: Callable[[], int] = lambda: 0,
    clock: Callable[[], float] = time.perf_counter,
) -> list[Outcome]:
    """All outcomes in order. `tokens` says how many there have been so far.

    Raise `EngineUnavailable` where the host is not there: then there is nothing to measure.
    """
    outcomes: dict[str, Outcome] = {}
    for item in items:
        request = _following(item, outcomes.get(item.improves))
        began, before = clock(), tokens()
        draft = _judged(engine, request)
        outcomes[item.id] = Outcome(item, draft, clock() - began, tokens() - before)
    return list(outcomes.values())


def _judged(engine: FeedbackEngine, request: FeedbackRequest) -> FeedbackDraft | None:
    try:
        return engine.give_feedback(request)
    except (EngineRefused, EngineFailed):
        return None


def _following(item: Item, first: Outcome | None) -> FeedbackRequest:
    """The request of a second attempt knows the first one and its feedback."""
    if first is None or first.draft is None:
        return item.request
    earlier = EarlierAttempt(first.item.request.answer, first.draft.verdicts, first.draft.next_step)
    return replace(item.request, earlier=earlier)
