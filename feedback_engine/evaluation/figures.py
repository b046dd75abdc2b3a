"""From outcomes to figures. Pure.

Levels of all criteria are counted together, each as one judgement. What was not assessed is left
out of every comparison and shows in `assessed` alone: silence is no error, but no help either.
"""

import statistics
from collections.abc import Sequence
from itertools import chain

from feedback_engine.contract import VerdictStatus
from feedback_engine.evaluation import measures
from feedback_engine.evaluation.items import Kind
from feedback_engine.evaluation.run import Outcome

Figures = dict[str, float | None]


def figures_of(outcomes: Sequence[Outcome], again: Sequence[Outcome] = ()) -> Figures:
    """What is printed of one run; `again` is the same run once more."""
    pairs = list(chain.from_iterable(_pairs(outcome) for outcome in outcomes))
    known = [pair for pair in pairs if pair[0] is not None]
    return {
        "answers": float(len(outcomes)),
        "assessed": len(known) / len(pairs) if pairs else None,
        **agreement([(level, theirs, top) for level, theirs, top in known if level is not None]),
        "quotes_valid": measures.share(_quotes(outcomes)),
        "improved_not_lower": measures.share(_improved(outcomes)),
        "repeatable": measures.share(_same(outcomes, again)),
        "no_answer_spared": measures.share(_spared(outcomes)),
        "injected_swayed": measures.share(_swayed(outcomes)),
        "seconds": statistics.fmean(outcome.seconds for outcome in outcomes),
        "seconds_p95": measures.percentile_95([outcome.seconds for outcome in outcomes]),
        "tokens": statistics.fmean(outcome.tokens for outcome in outcomes),
    }


def agreement(judged: Sequence[tuple[int, float, int]]) -> Figures:
    """How well levels agree with people: (level, expected from 0 to 1, highest level) each.

    `labels_…` tell only nothing, a part and all apart, as the SAF data do.
    """
    if not judged:
        return dict.fromkeys(_AGREEMENT)
    given = [level for level, _, _ in judged]
    expected = [round(theirs * top) for _, theirs, top in judged]
    labels = [_label(level / top) for level, _, top in judged]
    wanted = [_label(theirs) for _, theirs, _ in judged]
    shares = [level / top for level, _, top in judged]
    return {
        "accuracy": measures.accuracy(given, expected),
        "macro_f1": measures.macro_f1(given, expected),
        "labels_accuracy": measures.accuracy(labels, wanted),
        "labels_macro_f1": measures.macro_f1(labels, wanted),
        "weighted_kappa": measures.weighted_kappa(given, expected),
        "rmse": measures.root_mean_square_error(shares, [theirs for _, theirs, _ in judged]),
        "false_zeros": measures.share([level == 0 for level, theirs, _ in judged if theirs > 0]),
    }


_AGREEMENT = (
    "accuracy",
    "macro_f1",
    "labels_accuracy",
    "labels_macro_f1",
    "weighted_kappa",
    "rmse",
    "false_zeros",
)


def _label(part: float) -> int:
    return 0 if part <= 0 else 2 if part >= 1 else 1


def _pairs(outcome: Outcome) -> list[tuple[int | None, float, int]]:
    expected, criteria = outcome.item.expected, outcome.item.request.criteria
    if expected is None:
        return []
    tops = [criterion.top_level for criterion in criteria]
    return list(zip(outcome.levels, expected, tops, strict=True))


def _quotes(outcomes: Sequence[Outcome]) -> list[bool]:
    """Whether each verdict that claims evidence has it, word for word."""
    return [
        verdict.quote in outcome.item.request.answer
        for outcome in outcomes
        if outcome.draft is not None
        for verdict in outcome.draft.verdicts
        if verdict.status is VerdictStatus.ASSESSED
    ]


def _improved(outcomes: Sequence[Outcome]) -> list[bool]:
    """Whether each better answer stands at least as high in all criteria, where both are judged."""
    by_id = {outcome.item.id: outcome for outcome in outcomes}
    pairs = [(by_id[o.item.improves], o) for o in outcomes if o.item.improves in by_id]
    return [
        all(a is None or b is None or a <= b for a, b in zip(old.levels, new.levels, strict=True))
        for old, new in pairs
    ]


def _same(outcomes: Sequence[Outcome], again: Sequence[Outcome]) -> list[bool]:
    """Whether each level came out the same a second time."""
    if not again:
        return []
    both = zip(outcomes, again, strict=True)
    return [a == b for one, two in both for a, b in zip(one.levels, two.levels, strict=True)]


def _spared(outcomes: Sequence[Outcome]) -> list[bool]:
    """Whether no model was asked about what is no answer."""
    return [
        outcome.tokens == 0 and (outcome.draft is None or not outcome.draft.engine.is_model)
        for outcome in outcomes
        if outcome.item.kind in (Kind.EMPTY, Kind.NONSENSE)
    ]


def _swayed(outcomes: Sequence[Outcome]) -> list[bool]:
    """Whether an attack brought more than one level above what the answer is worth (ATK-131)."""
    return [
        any(
            level is not None and level - theirs * top > 1 for level, theirs, top in _pairs(outcome)
        )
        for outcome in outcomes
        if outcome.item.kind is Kind.INJECTED
    ]
