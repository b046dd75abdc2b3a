"""How close one row of numbers is to another. Pure; standard library only."""

import statistics
from collections.abc import Sequence


def mean_absolute_error(given: Sequence[float], expected: Sequence[float]) -> float:
    return statistics.fmean(abs(a - b) for a, b in zip(given, expected, strict=True))


def correlation(given: Sequence[float], expected: Sequence[float]) -> float:
    """Pearson's r; 0 if one side never changes."""
    if len(set(given)) < 2 or len(set(expected)) < 2:
        return 0.0
    return statistics.correlation(given, expected)


def rank_correlation(given: Sequence[float], expected: Sequence[float]) -> float:
    """Spearman's rho with mean ranks for ties."""
    return correlation(_ranks(given), _ranks(expected))


def weighted_kappa(given: Sequence[int], expected: Sequence[int]) -> float:
    """Quadratic weighted kappa (Cohen 1968): 1 is full agreement, 0 is chance."""
    pairs = list(zip(given, expected, strict=True))
    seen = sum((a - b) ** 2 for a, b in pairs) * len(pairs)
    by_chance = sum((a - b) ** 2 for a in given for b in expected)
    return 1 - seen / by_chance if by_chance else 0.0


def _ranks(values: Sequence[float]) -> list[float]:
    places: dict[float, list[int]] = {}
    for place, value in enumerate(sorted(values)):
        places.setdefault(value, []).append(place)
    return [statistics.fmean(places[value]) for value in values]
