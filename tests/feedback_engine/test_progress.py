"""Where the next step leads."""

import pytest

from feedback_engine.contract import Criterion, CriterionVerdict, EarlierAttempt
from feedback_engine.progress import has_grown, weakest

LEVELS = ("fehlt", "teils", "da")
HEAVY = Criterion("h", "Begründung", "", 3, LEVELS)
LIGHT = Criterion("l", "Beispiel", "", 1, LEVELS)


def at(criterion: Criterion, level: int | None) -> CriterionVerdict:
    if level is None:
        return CriterionVerdict.not_assessed(criterion.id)
    return CriterionVerdict.assessed(criterion.id, level, "Stelle")


@pytest.mark.parametrize(
    ("heavy", "light", "focus"),
    [
        (1, 0, HEAVY),  # half of three is more than the whole of one
        (2, 0, LIGHT),
        (2, 2, None),
        (None, 1, LIGHT),
        (None, None, None),
        (0, 0, HEAVY),
    ],
)
def test_the_next_step_is_where_most_can_be_gained(
    heavy: int | None, light: int | None, focus: Criterion | None
) -> None:
    assert weakest((LIGHT, HEAVY), (at(LIGHT, light), at(HEAVY, heavy))) is focus


def test_of_equals_the_teachers_first_one_comes_first() -> None:
    twin = Criterion("t", "Zwilling", "", 1, LEVELS)

    assert weakest((LIGHT, twin), (at(LIGHT, 1), at(twin, 1))) is LIGHT


@pytest.mark.parametrize(
    ("before", "now", "grown"),
    [(0, 1, True), (1, 1, False), (2, 1, False), (None, 1, False), (1, None, False)],
)
def test_only_a_higher_level_has_grown(before: int | None, now: int | None, grown: bool) -> None:
    earlier = EarlierAttempt("Text", (at(LIGHT, before),), "")

    assert has_grown(at(LIGHT, now), earlier) == grown
    assert not has_grown(at(LIGHT, now), None)
