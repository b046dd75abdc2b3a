"""A score's JSON, and what is read from a gradebook."""

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.grades.messages import Result, Score, json_number, read_result

NOW = datetime(2026, 11, 22, 12, 0, 5, 123_456, tzinfo=UTC)
AT = NOW.replace(microsecond=0)


def score(given: str = "8", maximum: str = "10", comment: str = "Gut", user: str = "7") -> Score:
    return Score(user, Decimal(given), Decimal(maximum), comment, NOW)


def test_a_score_says_everything_moodle_needs() -> None:
    assert json.loads(score("12.5", "20", "Schön: <b>„weil“</b>").to_json()) == {
        "userId": "7",
        "scoreGiven": 12.5,
        "scoreMaximum": 20,
        "comment": "Schön: <b>„weil“</b>",
        "timestamp": "2026-11-22T12:00:05.123+00:00",
        "activityProgress": "Completed",
        "gradingProgress": "FullyGraded",
    }


def test_the_timestamp_is_in_utc_whatever_zone_it_came_in() -> None:
    berlin = timezone(timedelta(hours=1))
    moment = NOW.astimezone(berlin)

    message = json.loads(Score("7", Decimal(1), Decimal(1), "x", moment).to_json())

    assert message["timestamp"] == "2026-11-22T12:00:05.123+00:00"


@pytest.mark.parametrize(
    ("given", "text"),
    [("12.5", b"12.5,"), ("8", b"8,"), ("8.0", b"8,"), ("0.1", b"0.1,"), ("3.3", b"3.3,")],
)
def test_numbers_stand_there_as_written(given: str, text: bytes) -> None:
    assert b'"scoreGiven": ' + text in score(given, "20").to_json()


@given(st.decimals(0, 10**6, places=5))
def test_no_number_changes_on_the_way(number: Decimal) -> None:
    assert json.loads(json.dumps(json_number(number)), parse_float=Decimal) == number


@pytest.mark.parametrize(
    ("given", "maximum"),
    [("11", "10"), ("-1", "10"), ("NaN", "10"), ("sNaN", "10"), ("1", "Infinity"), ("1", "NaN"),
     ("0", "0"), ("1e308", "1e308"), ("1.000001", "10"), ("0", "-1")],
)  # fmt: skip
def test_impossible_points_never_become_a_score(given: str, maximum: str) -> None:
    with pytest.raises(ValueError, match="points"):
        score(given, maximum)


@pytest.mark.parametrize("comment", ["", " ", "\n\t"])
def test_a_score_without_a_comment_cannot_be_made(comment: str) -> None:
    with pytest.raises(ValueError, match="comment"):
        score(comment=comment)


def test_a_score_needs_a_user_and_a_zone() -> None:
    with pytest.raises(ValueError, match="user"):
        score(user="")
    with pytest.raises(ValueError, match="moment"):
        Score("7", Decimal(1), Decimal(1), "x", NOW.replace(tzinfo=None))


def test_its_repr_does_not_quote_the_comment() -> None:
    assert "geheim" not in repr(score(comment="geheim"))
    assert "geheim" not in repr(Result(None, None, "geheim"))


@pytest.mark.parametrize(
    ("entry", "result"),
    [
        (
            {"resultScore": Decimal("66.66667"), "resultMaximum": 100, "comment": "Gut",
             "timestamp": "2026-11-22T12:00:05+00:00"},
            Result(Decimal("66.66667"), Decimal(100), "Gut", AT),
        ),
        ({"resultScore": "8.5", "resultMaximum": "10"}, Result(Decimal("8.5"), Decimal(10))),
        ({"timestamp": "2026-11-22T12:00:05Z"}, Result(None, None, timestamp=AT)),
        ({"timestamp": "2026-11-22T12:00:05"}, Result(None, None)),
        ({"timestamp": "gestern", "comment": 5}, Result(None, None)),
        ({"resultScore": None, "resultMaximum": True}, Result(None, None)),
        ({"resultScore": Decimal("1e999999"), "resultMaximum": 10**400}, Result(None, None)),
        ({"resultScore": "NaN", "resultMaximum": "viel"}, Result(None, None)),
        ({}, Result(None, None)),
    ],
)  # fmt: skip
def test_a_result_is_read_without_trust(entry: dict[str, object], result: Result) -> None:
    assert read_result(entry) == result
