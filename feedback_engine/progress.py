"""Where most can be gained next, and what has grown since the last attempt. Pure."""

from collections.abc import Sequence

from feedback_engine.contract import Criterion, CriterionVerdict, EarlierAttempt


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
    if earlier is None or verdict.level is None:
        return False
    levels = {result.criterion_id: result.level for result in earlier.results}
    before = levels.get(verdict.criterion_id)
    return before is not None and verdict.level > before
