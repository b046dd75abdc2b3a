"""From the levels reached to points: one pure rule, in exact numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

_HALF = Fraction(1, 2)


@dataclass(frozen=True)
class CriterionLevel:
    """The level reached in one criterion, 0..top_level; None where it was not assessed."""

    weight: int
    level: int | None
    top_level: int

    def __post_init__(self) -> None:
        if self.weight < 0 or self.top_level < 1:
            raise ValueError("weight is at least 0, top_level at least 1")
        if self.level is not None and not 0 <= self.level <= self.top_level:
            raise ValueError("level lies between 0 and top_level")


def score_of(levels: Sequence[CriterionLevel], maximum: int) -> Decimal | None:
    """The weighted mean of level / top_level, in points of `maximum`, with one decimal.

    None where a criterion was not assessed, or where nothing has any weight: a model's failure
    is never a score. Tenths, halves rounded up, as it is taught at school: coarser steps (half
    points) would hide that a better answer got better, finer ones would claim a precision that
    levels do not have; and up, because in doubt it is for the pupil. A teacher who counts in half
    points types the number. 0 and `maximum` are reached exactly and never passed.
    """
    if maximum < 1:
        raise ValueError("maximum is at least 1")
    weight = sum(level.weight for level in levels)
    if weight == 0:
        return None
    reached = Fraction(0)
    for each in levels:
        if each.level is None:
            return None
        reached += Fraction(each.weight * each.level, each.top_level)
    tenths = reached / weight * maximum * 10
    return Decimal((tenths + _HALF).__floor__()).scaleb(-1)
