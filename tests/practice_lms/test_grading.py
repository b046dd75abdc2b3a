"""Moodle's rules for one score and one grade, as tables."""

import json
from typing import Any

import pytest

from lti_tool.practice_lms.grading import (
    BadScoreError,
    BrokenUserIdError,
    LockedGradeError,
    Score,
    StaleScoreError,
    override,
    read_score,
    record,
    rescaled,
)
from lti_tool.practice_lms.store import Grade, LineItem

OWN = LineItem("5", "2", "Fotosynthese", 20.0, column_of="3", link_id="3")
MANUAL = LineItem("6", "2", "Zusatz", 20.0)
NOW = 1000
RIGHT: dict[str, Any] = {
    "userId": "21",
    "scoreGiven": 8,
    "scoreMaximum": 10,
    "comment": "Gut",
    "timestamp": "2026-11-23T08:00:00.900+01:00",
    "activityProgress": "anything passes",
    "gradingProgress": "FullyGraded",
}


def read(**changes: Any) -> Score:
    sent = {name: value for name, value in (RIGHT | changes).items() if value is not None}
    return read_score(json.dumps(sent).encode())


def score(given: float | None = 8, maximum: float = 10, **more: Any) -> Score:
    return Score("21", given, maximum, more.get("comment", "Gut"), more.get("stamp", NOW))


def test_a_right_score_is_read_to_the_whole_second() -> None:
    assert read() == Score("21", 8.0, 10.0, "Gut", 1795417200)


@pytest.mark.parametrize(
    "wrong",
    [
        {"userId": None},
        {"timestamp": None},
        {"activityProgress": None},
        {"gradingProgress": None},
        {"scoreMaximum": None},
        {"timestamp": "gestern"},
        {"timestamp": 1795417200},
        {"scoreGiven": "acht"},
        {"scoreGiven": True},
        {"scoreGiven": [8]},
        {"scoreGiven": "NaN"},
        {"scoreMaximum": "zehn"},
    ],
)
def test_a_score_that_lacks_something_is_bad(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadScoreError):
        read(**wrong)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"3", b"null", b"\xff\xfe"])
def test_what_is_no_object_is_bad(body: bytes) -> None:
    with pytest.raises(BadScoreError):
        read_score(body)


@pytest.mark.parametrize("user", ["ada", "21a", "-1", "²"])
def test_a_user_id_that_is_no_number_breaks_moodle(user: str) -> None:
    with pytest.raises(BrokenUserIdError):
        read(userId=user)


@pytest.mark.parametrize(
    ("changes", "given"),
    [
        ({}, 8.0),
        ({"scoreGiven": "8.5"}, 8.5),
        ({"gradingProgress": "PendingManual"}, None),
        ({"gradingProgress": "Pending"}, None),
        ({"scoreGiven": None}, None),
        ({"scoreGiven": None, "scoreMaximum": None}, None),
    ],
)
def test_only_fully_graded_scores_carry_points(
    changes: dict[str, Any], given: float | None
) -> None:
    assert read(**changes).given == given


@pytest.mark.parametrize("comment", [None, ""])
def test_no_comment_is_none(comment: str | None) -> None:
    assert read(comment=comment).comment is None


@pytest.mark.parametrize(
    ("given", "maximum", "points"),
    [
        (8, 10, 16.0),
        (8, 20, 8.0),
        (1, 3, 6.66667),
        (0, 10, 0.0),
        (12, 10, 20.0),
        (-3, 10, 0.0),
        (8, 0, 8.0),
        (80, 0, 20.0),
    ],
)
def test_points_are_scaled_and_clipped(given: float, maximum: float, points: float) -> None:
    assert record(OWN, Grade(), score(given, maximum), NOW).points == points


@pytest.mark.parametrize(("stored", "stale"), [(NOW - 1, False), (NOW, True), (NOW + 1, True)])
def test_a_score_must_be_a_whole_second_younger_than_the_grade(stored: int, stale: bool) -> None:
    old = Grade(1.0, None, stored)

    if stale:
        with pytest.raises(StaleScoreError):
            record(OWN, old, score(), NOW + 5)
    else:
        assert record(OWN, old, score(), NOW + 5).points == 16.0


def test_the_own_column_keeps_the_time_of_arrival_a_manual_one_the_stamp() -> None:
    assert record(OWN, Grade(), score(stamp=NOW - 100), NOW).stored_at == NOW
    assert record(MANUAL, Grade(), score(stamp=NOW - 100), NOW).stored_at == NOW - 100
    assert record(MANUAL, Grade(), score(None, stamp=NOW - 100), NOW).stored_at == NOW


def test_the_same_grade_again_keeps_its_old_time() -> None:
    first = record(OWN, Grade(), score(), NOW)

    assert record(OWN, first, score(stamp=NOW + 10), NOW + 10) == first


def test_a_score_without_points_or_comment_clears_what_was_there() -> None:
    old = Grade(16.0, "Gut", NOW - 50)

    assert record(OWN, old, score(None, comment="Warte"), NOW) == Grade(None, "Warte", NOW)
    assert record(OWN, old, score(8, comment=None), NOW) == Grade(16.0, None, NOW)
    assert record(OWN, old, score(None, comment=None), NOW) == Grade(None, None, None)


def test_the_teachers_override_wins_silently() -> None:
    old = override(OWN, Grade(16.0, "Gut", 10), 5.0, "Nein", 20)

    assert old == Grade(5.0, "Nein", 20, overridden=True)
    assert record(OWN, old, score(), NOW) == old


def test_an_override_is_clipped_and_in_a_manual_column_it_does_not_hold() -> None:
    entered = override(MANUAL, Grade(), 30.0, None, 20)

    assert entered == Grade(20.0, None, 20, overridden=False)
    assert record(MANUAL, entered, score(), NOW).points == 16.0


@pytest.mark.parametrize(
    ("item", "old"),
    [(OWN, Grade(locked=True)), (LineItem("5", "2", "x", 20, locked=True), Grade())],
)
def test_locked_grades_and_columns_take_nothing(item: LineItem, old: Grade) -> None:
    with pytest.raises(LockedGradeError):
        record(item, old, score(), NOW)
    with pytest.raises(LockedGradeError):
        override(item, old, 3.0, None, NOW)


@pytest.mark.parametrize(("points", "after"), [(10.0, 20.0), (None, 0.0), (3.0, 6.0)])
def test_a_new_maximum_keeps_the_percentage_and_grades_the_ungraded(
    points: float | None, after: float
) -> None:
    assert rescaled(Grade(points), 20.0, 40.0).points == after


def test_a_column_without_a_maximum_rescales_to_nothing() -> None:
    assert rescaled(Grade(3.0), 0.0, 40.0).points == 0.0
