"""Where most can be gained next, and what has become of the last attempt's advice. Pure."""

from collections.abc import Sequence

from feedback_engine.contract import (
    Criterion,
    CriterionVerdict,
    EarlierAttempt,
    FeedbackRequest,
    Progress,
)
from feedback_engine.text import contains


def weakest(
    criteria: Sequence[Criterion], verdicts: Sequence[CriterionVerdict]
) -> Criterion | None:
    """The criterion with the greatest weighted gap to its highest level; None if nothing is open.

    Of equals the first one, as the teacher put it first. What was not assessed has no gap.
    """
    gaps = [
        (criterion.weight * (1 - verdict.level / criterion.top_level), criterion)
        for criterion, verdict in zip(criteria, verdicts, strict=True)
        if verdict.level is not None and verdict.level < criterion.top_level
    ]
    return max(gaps, key=lambda gap: gap[0])[1] if gaps else None


def has_grown(verdict: CriterionVerdict, earlier: EarlierAttempt | None) -> bool:
    """Whether the criterion stands higher than in the attempt before; False if either is open."""
    before = earlier.result_for(verdict.criterion_id) if earlier else None
    if before is None or before.level is None or verdict.level is None:
        return False
    return verdict.level > before.level


def progress_of(
    request: FeedbackRequest, verdicts: Sequence[CriterionVerdict]
) -> tuple[Progress, ...]:
    """What became of the advice on each criterion; empty for a first attempt.

    Decided here and not asked of a model: it follows from the levels and from where the evidence
    stands, and a pupil can see why.
    """
    earlier = request.earlier
    if earlier is None:
        return ()
    pairs = zip(request.criteria, verdicts, strict=True)
    return tuple(Progress(c.id, _taken_up(c, verdict, earlier)) for c, verdict in pairs)


def _taken_up(
    criterion: Criterion, verdict: CriterionVerdict, earlier: EarlierAttempt
) -> bool | None:
    before = earlier.result_for(criterion.id)
    if before is None or before.level is None or verdict.level is None:
        return None
    if before.level >= criterion.top_level:
        return None
    is_new = verdict.quote != "" and not contains(earlier.answer, verdict.quote)
    return verdict.level > before.level or is_new
