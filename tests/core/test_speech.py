"""Moments, waits and points as a person says them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from lti_tool.core import speech

NOW = datetime(2026, 11, 25, 13, 0, tzinfo=UTC)  # a Wednesday, 14:00 at school


@pytest.mark.parametrize(
    ("when", "de", "en"),
    [
        (datetime(2026, 11, 25, 9, 42, tzinfo=UTC), "heute, 10:42", "today, 10:42"),
        (datetime(2026, 11, 24, 9, 5, tzinfo=UTC), "gestern, 10:05", "yesterday, 10:05"),
        (datetime(2026, 11, 26, 7, 0, tzinfo=UTC), "morgen, 8:00", "tomorrow, 8:00"),
        (datetime(2026, 11, 27, 7, 0, tzinfo=UTC), "Fr., 27.11., 8:00", "Fri, 27 Nov, 8:00"),
        (datetime(2025, 1, 6, 7, 0, tzinfo=UTC), "Mo., 6.1.2025, 8:00", "Mon, 6 Jan 2025, 8:00"),
        # A quarter to one at school is still yesterday in UTC.
        (datetime(2026, 11, 24, 23, 45, tzinfo=UTC), "heute, 0:45", "today, 0:45"),
        # Summer time is an hour further away from UTC.
        (datetime(2026, 7, 1, 7, 0, tzinfo=UTC), "Mi., 1.7., 9:00", "Wed, 1 Jul, 9:00"),
    ],
)
def test_a_moment_is_said_as_at_school(when: datetime, de: str, en: str) -> None:
    assert speech.moment(when, NOW, "de") == de
    assert speech.moment(when, NOW, "en") == en


@pytest.mark.parametrize(
    ("seconds", "de", "en"),
    [
        (0, "etwa 10 Sekunden", "about 10 seconds"),
        (31, "etwa 40 Sekunden", "about 40 seconds"),
        (51, "etwa eine Minute", "about a minute"),
        (61, "etwa 2 Minuten", "about 2 minutes"),
        (3540, "etwa 59 Minuten", "about 59 minutes"),
        (7200, "länger als eine Stunde", "more than an hour"),
    ],
)
def test_a_wait_is_never_said_shorter_than_it_is(seconds: int, de: str, en: str) -> None:
    assert speech.wait(timedelta(seconds=seconds), "de") == de
    assert speech.wait(timedelta(seconds=seconds), "en") == en


@pytest.mark.parametrize(
    ("number", "de", "en"),
    [("7.5", "7,5", "7.5"), ("10.0", "10", "10"), ("0", "0", "0"), ("100.00", "100", "100")],
)
def test_points_have_decimals_only_where_they_say_something(number: str, de: str, en: str) -> None:
    assert speech.points(Decimal(number), "de") == de
    assert speech.points(Decimal(number), "en") == en


def test_a_language_that_nobody_speaks_here_is_german() -> None:
    assert speech.moment(NOW, NOW, "fr") == "heute, 14:00"
