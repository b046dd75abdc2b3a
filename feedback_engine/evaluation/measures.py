"""How close one row of numbers is to another. Pure; standard library only."""

import math
import statistics
from collections.abc import Sequence


def root_mean_square_error(given: Sequence[float], expected: Sequence[float]) -> float:
    return math.sqrt(statistics.fmean((a - b) ** 2 for a, b in zip(given, expected, strict=True)))


def accuracy(given: Sequence[int], expected: Sequence[int]) -> float:
    """The share of pairs that are equal."""
    return statistics.fmean(a == b for a, b in zip(given, expected, strict=True))


def macro_f1(given: Sequence[int], expected: Sequence[int]) -> float:
    """The mean of the F1 of every class that occurs on either side: rare classes count in full."""
    return statistics.fmean(_f1(label, given, expected) for label in {*given, *expected})


def _f1(label: int, given: Sequence[int], expected: Sequence[int]) -> float:
    pairs = list(zip(given, expected, strict=True))
    right = sum(a == b == label for a, b in pairs)
    return 2 * right / (sum(a == label for a, _ in pairs) + sum(b == label for _, b in pairs))


def weighted_kappa(given: Sequence[int], expected: Sequence[int]) -> float:
    """Quadratic weighted kappa (Cohen 1968): 1 is full agreement, 0 is chance."""
    pairs = list(zip(given, expected, strict=True))
    seen = sum((a - b) ** 2 for a, b in pairs) * len(pairs)
    by_chance = sum((a - b) ** 2 for a in given for b in expected)
    return 1 - seen / by_chance if by_chance else 0.0


def share(truths: Sequence[bool]) -> float | None:
    """How many of them are true, from 0 to 1; None of nothing."""
    return statistics.fmean(truths) if truths else None


def percentile_95(values: Sequence[float]) -> float:
    """The smallest value that 95 of 100 do not pass."""
    return sorted(values)[math.ceil(0.95 * len(values)) - 1]
