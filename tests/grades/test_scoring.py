"""From levels to points: the rule in a table, and what holds for all of them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.grades.scoring import CriterionLevel, score_of


@st.composite
def assessed(draw: st.DrawFn) -> CriterionLevel:
    top = draw(st.integers(1, 6))
    return CriterionLevel(draw(st.integers(1, 10)), draw(st.integers(0, top)), top)


criteria = st.lists(assessed(), min_size=1, max_size=8)
maxima = st.integers(1, 1000)


def level(level: int | None, top: int = 4, weight: int = 1) -> CriterionLevel:
    return CriterionLevel(weight, level, top)


@pytest.mark.parametrize(
    ("levels", "maximum", "score"),
    [
        ([level(4)], 10, "10.0"),
        ([level(0)], 10, "0.0"),
        ([level(3)], 10, "7.5"),
        ([level(1, 3)], 10, "3.3"),
        ([level(2, 3)], 10, "6.7"),
        ([level(4), level(0)], 10, "5.0"),
        ([level(4, weight=3), level(0)], 10, "7.5"),
        ([level(4), level(0, weight=0)], 10, "10.0"),
        ([level(1, 4)], 5, "1.3"),  # 1.25: halves go up
        ([level(3, 4)], 5, "3.8"),  # 3.75: also here, unlike Python's round
        ([level(2), level(2), level(3)], 15, "8.8"),  # 8.75
        ([level(1, 3), level(1, 3), level(1, 3)], 1, "0.3"),
        ([level(4), level(None)], 10, None),
        ([level(None)], 10, None),
        ([level(4), level(None, weight=0)], 10, None),
        ([level(4, weight=0)], 10, None),
        ([], 10, None),
    ],
)
def test_points_are_the_weighted_mean(
    levels: list[CriterionLevel], maximum: int, score: str | None
) -> None:
    assert str(score_of(levels, maximum)) == str(score)


@given(criteria, maxima)
def test_points_never_leave_their_bounds(levels: list[CriterionLevel], maximum: int) -> None:
    score = score_of(levels, maximum)

    assert score is not None
    assert 0 <= score <= maximum
    assert score == round(score, 1)


@given(criteria, maxima)
def test_all_at_the_top_is_everything_and_all_at_the_bottom_nothing(
    levels: list[CriterionLevel], maximum: int
) -> None:
    best = [CriterionLevel(each.weight, each.top_level, each.top_level) for each in levels]
    worst = [CriterionLevel(each.weight, 0, each.top_level) for each in levels]

    assert score_of(best, maximum) == maximum
    assert score_of(worst, maximum) == 0


@given(criteria, maxima, st.data())
def test_a_better_level_never_costs_points(
    levels: list[CriterionLevel], maximum: int, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(levels) - 1))
    old = levels[place]
    better = CriterionLevel(old.weight, min((old.level or 0) + 1, old.top_level), old.top_level)
    before = score_of(levels, maximum)
    after = score_of([*levels[:place], better, *levels[place + 1 :]], maximum)

    assert before is not None
    assert after is not None
    assert after >= before


@given(criteria, maxima, st.integers(2, 50), st.randoms(use_true_random=False))
def test_neither_order_nor_the_unit_of_the_weights_matters(
    levels: list[CriterionLevel], maximum: int, factor: int, random: object
) -> None:
    heavier = [CriterionLevel(each.weight * factor, each.level, each.top_level) for each in levels]

    assert (
        score_of(levels[::-1], maximum) == score_of(heavier, maximum) == score_of(levels, maximum)
    )


@given(criteria, maxima, st.data())
def test_one_criterion_without_an_assessment_means_no_score(
    levels: list[CriterionLevel], maximum: int, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(levels)))

    assert score_of([*levels[:place], level(None), *levels[place:]], maximum) is None


@given(criteria, maxima)
def test_the_rounding_is_less_than_a_tenth(levels: list[CriterionLevel], maximum: int) -> None:
    weight = sum(each.weight for each in levels)
    exact = sum(each.weight * (each.level or 0) / each.top_level for each in levels) / weight

    assert abs(float(score_of(levels, maximum) or Decimal()) - exact * maximum) <= 0.05 + 1e-9


@pytest.mark.parametrize(
    ("weight", "reached", "top"), [(-1, 0, 4), (1, 5, 4), (1, -1, 4), (1, 0, 0)]
)
def test_an_impossible_level_cannot_be_made(weight: int, reached: int, top: int) -> None:
    with pytest.raises(ValueError, match=r"level|weight"):
        CriterionLevel(weight, reached, top)


@pytest.mark.parametrize("maximum", [0, -5])
def test_there_is_no_score_out_of_nothing(maximum: int) -> None:
    with pytest.raises(ValueError, match="maximum"):
        score_of([level(4)], maximum)
