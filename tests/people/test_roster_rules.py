"""When a roster is asked for again, and which one is doubted, in tables."""

from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.core.outbound import OutboundFailed, OutboundGarbage, OutboundRefused, Refusal
from lti_tool.people.models import RosterFailure
from lti_tool.people.roster_client import RosterRefused
from lti_tool.people.roster_rules import failure_of, is_doubtful, next_try, next_turn
from lti_tool.people.tokens import TokenRefusal, TokenRefused

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 11, 27, 11, 0, tzinfo=UTC)
COURSE = UUID(int=90 * 60)  # its turn is an hour and a half after one o'clock
MINUTE = timedelta(minutes=1)

courses = st.uuids()
moments = st.integers(0, 2 * 366 * 86_400).map(lambda seconds: NOON + timedelta(seconds=seconds))


def test_a_courses_turn_is_at_its_own_minute_of_the_night() -> None:
    assert next_turn(NOON, COURSE).astimezone(BERLIN) == datetime(
        2026, 11, 28, 2, 30, tzinfo=BERLIN
    )


def test_before_its_minute_it_is_this_nights_and_after_it_the_next() -> None:
    turn = next_turn(NOON, COURSE)

    assert next_turn(turn - MINUTE, COURSE) == turn
    assert next_turn(turn, COURSE) == turn + timedelta(days=1)


@given(now=moments, course=courses)
def test_every_turn_lies_ahead_within_a_day_and_in_the_night(now: datetime, course: UUID) -> None:
    turn = next_turn(now, course)

    assert now < turn <= now + timedelta(hours=25)  # one night of the year is an hour longer
    assert turn.astimezone(BERLIN).hour in range(6)


def test_a_hundred_courses_do_not_come_all_at_once() -> None:
    turns = {
        next_turn(NOON, UUID(int=n * 0x9E3779B97F4A7C15F39CC0605CEDC834 % 2**128))
        for n in range(100)
    }

    assert len(turns) > 90


@pytest.mark.parametrize(
    ("failures", "pause"),
    [(1, 1 * MINUTE), (2, 5 * MINUTE), (3, 15 * MINUTE), (4, 60 * MINUTE)],
)
@pytest.mark.parametrize(
    "failure", [RosterFailure.UNREACHABLE, RosterFailure.UNREADABLE, RosterFailure.UNFORESEEN]
)
def test_what_passes_is_tried_again_soon_and_then_later(
    failure: RosterFailure, failures: int, pause: timedelta
) -> None:
    assert next_try(failure, failures, NOON, COURSE) == NOON + pause


def test_after_so_many_tries_the_night_is_soon_enough() -> None:
    assert next_try(RosterFailure.UNREACHABLE, 5, NOON, COURSE) == next_turn(NOON, COURSE)


@pytest.mark.parametrize(("asked", "pause"), [(20, 20), (0, 1), (10_000, 60)])
def test_the_wait_that_the_platform_asks_for_is_kept_up_to_an_hour(asked: int, pause: int) -> None:
    moment = next_try(RosterFailure.UNREACHABLE, 1, NOON, COURSE, asked * MINUTE)

    assert moment == NOON + pause * MINUTE


@pytest.mark.parametrize(
    "failure",
    [
        RosterFailure.NOT_ALLOWED,
        RosterFailure.NOT_RECOGNISED,
        RosterFailure.GONE,
        RosterFailure.REFUSED,
        RosterFailure.ADDRESS,
        RosterFailure.TOO_MANY,
    ],
)
def test_a_plain_no_is_asked_about_at_night(failure: RosterFailure) -> None:
    assert next_try(failure, 1, NOON, COURSE, MINUTE) == next_turn(NOON, COURSE)


def test_a_doubtful_list_is_asked_about_hourly() -> None:
    assert next_try(RosterFailure.DOUBTFUL, 3, NOON, COURSE) == NOON + 60 * MINUTE


@pytest.mark.parametrize(
    ("listed", "pupils", "leaving", "doubtful"),
    [
        (0, 0, 0, False),  # nobody was there, nobody comes
        (0, 3, 3, True),  # an empty list
        (1, 1, 1, False),
        (1, 3, 3, False),  # a small course may change altogether
        (5, 9, 9, False),
        (5, 10, 5, False),  # half
        (5, 10, 6, True),
        (5, 30, 15, False),
        (5, 30, 16, True),
        (5, 30, 0, False),
    ],
)
def test_a_list_is_doubted_when_it_is_empty_or_lacks_more_than_half_of_a_class(
    listed: int, pupils: int, leaving: int, doubtful: bool
) -> None:
    assert is_doubtful(listed, pupils, leaving) is doubtful


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (RosterRefused(400), RosterFailure.REFUSED),
        (RosterRefused(401), RosterFailure.NOT_RECOGNISED),
        (RosterRefused(403), RosterFailure.NOT_ALLOWED),
        (RosterRefused(404), RosterFailure.GONE),
        (RosterRefused(410), RosterFailure.GONE),
        (TokenRefused(TokenRefusal.SCOPE), RosterFailure.NOT_ALLOWED),
        (TokenRefused(TokenRefusal.CLIENT), RosterFailure.NOT_RECOGNISED),
        (TokenRefused(TokenRefusal.ADDRESS), RosterFailure.NOT_RECOGNISED),
        (TokenRefused(TokenRefusal.ANSWER), RosterFailure.NOT_RECOGNISED),
        (OutboundRefused(Refusal.TOO_MANY), RosterFailure.TOO_MANY),
        (OutboundRefused(Refusal.ORIGIN), RosterFailure.ADDRESS),
        (OutboundRefused(Refusal.REDIRECT), RosterFailure.ADDRESS),
        (OutboundFailed("timeout", maybe_arrived=False), RosterFailure.UNREACHABLE),
        (OutboundGarbage("roster without members"), RosterFailure.UNREADABLE),
    ],
)
def test_each_failure_has_its_name(error, failure: RosterFailure) -> None:
    assert failure_of(error) is failure
