"""What the gradebook's answers mean, in tables."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.grades.messages import (
    UNREAD,
    UNREADABLE,
    Answered,
    FailureReason,
    NoAnswer,
    NotSent,
    PostOutcome,
    ReadBack,
    Result,
    Score,
    StoodThere,
)
from lti_tool.grades.policy import (
    GIVE_UP_AFTER,
    LONGEST_WAIT,
    Attempt,
    Decision,
    Final,
    Posted,
    Retry,
    arrived,
    decide,
    may_have_arrived,
    must_read_back,
    overridden,
    retry_after,
    retry_delay,
    same_score,
    stamp,
)

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
THEN = NOW - timedelta(minutes=3)
OLD_WORDS = "Der erste Versuch"
NEW_WORDS = "Der zweite Versuch"


def score(given: str = "8", maximum: str = "10", comment: str = NEW_WORDS) -> Score:
    return Score("7", Decimal(given), Decimal(maximum), comment, NOW)


def result(points: str | None, maximum: str = "100", comment: str | None = None) -> Result:
    return Result(None if points is None else Decimal(points), Decimal(maximum), comment, THEN)


def read(points: str | None, maximum: str = "100", comment: str | None = None) -> ReadBack:
    return ReadBack(known=True, result=result(points, maximum, comment))


NOTHING = ReadBack(known=True, result=None)
OLD = score("5", comment=OLD_WORDS)
RESTAMP = Retry(timedelta(seconds=2), restamp=True, newer_than=THEN)


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        (Answered(400, empty_list=True), FailureReason.NOT_GRADABLE),
        (Answered(401), FailureReason.NOT_AUTHORISED),
        (Answered(403), FailureReason.NOT_ALLOWED),
        (Answered(404), FailureReason.COLUMN_GONE),
        (Answered(410), FailureReason.COLUMN_GONE),
        (Answered(500, empty_list=True), FailureReason.LOCKED),
        (Answered(405), FailureReason.REJECTED),
        (Answered(413), FailureReason.REJECTED),
        (Answered(418, retry_after="5"), FailureReason.REJECTED),
        (NotSent(FailureReason.ADDRESS_REFUSED), FailureReason.ADDRESS_REFUSED),
        (NotSent(FailureReason.NOT_AUTHORISED), FailureReason.NOT_AUTHORISED),
    ],
)
def test_what_waiting_will_not_mend_is_final(outcome: PostOutcome, reason: FailureReason) -> None:
    assert decide(Attempt(outcome, score()), NOW, 0.0) == Final(reason)


PASSING = [
    Answered(408),
    Answered(425),
    Answered(429),
    Answered(500),
    Answered(502),
    Answered(503),
    Answered(503, empty_list=True),
    NoAnswer(maybe_arrived=True),
    NoAnswer(maybe_arrived=False),
    Answered(409),  # and the result could not be read
]


@pytest.mark.parametrize("outcome", PASSING)
@pytest.mark.parametrize(("number", "seconds"), [(1, 10), (2, 20), (5, 160), (30, 3600)])
def test_what_may_pass_is_tried_again_unchanged_and_later_each_time(
    outcome: PostOutcome, number: int, seconds: int
) -> None:
    decision = decide(Attempt(outcome, score(), number=number), NOW, 0.0)

    assert decision == Retry(timedelta(seconds=seconds), restamp=False)


@pytest.mark.parametrize("outcome", PASSING)
def test_after_a_day_of_trying_it_is_shown(outcome: PostOutcome) -> None:
    """FLT-56."""
    attempt = Attempt(outcome, score(), age=GIVE_UP_AFTER - timedelta(seconds=9))

    assert decide(attempt, NOW, 0.0) == Final(FailureReason.GAVE_UP)
    assert isinstance(decide(attempt, NOW, 0.9), Retry)


@pytest.mark.parametrize("outcome", [Answered(429, retry_after="120"), NoAnswer(False, "120")])
def test_a_platform_that_names_a_time_is_given_it(outcome: PostOutcome) -> None:
    assert decide(Attempt(outcome, score()), NOW, 0.0) == Retry(timedelta(seconds=120))


def test_a_shorter_wish_does_not_shorten_the_wait() -> None:
    outcome = Answered(429, retry_after="0")

    assert decide(Attempt(outcome, score()), NOW, 0.0) == Retry(timedelta(seconds=10))


CONFLICT, ACCEPTED = Answered(409, empty_list=True), Answered(200)


@pytest.mark.parametrize(
    ("outcome", "read_back", "last_posted", "restamped", "decision"),
    [
        # accepted
        (ACCEPTED, read("80"), None, False, Posted(verified=True)),
        (Answered(204), read("80"), OLD, True, Posted(verified=True)),
        (ACCEPTED, UNREAD, None, False, Posted(verified=False)),
        (ACCEPTED, NOTHING, None, False, Posted(verified=False)),
        (ACCEPTED, read("95"), None, False, Final(FailureReason.OVERRIDDEN)),
        (ACCEPTED, read("50"), OLD, False, Final(FailureReason.OVERRIDDEN)),
        (ACCEPTED, read(None), None, False, Final(FailureReason.OVERRIDDEN)),
        # conflict: an earlier try arrived
        (CONFLICT, read("80"), None, False, Posted(verified=True)),
        (CONFLICT, read("80"), OLD, True, Posted(verified=True)),
        (CONFLICT, read("80", comment=NEW_WORDS), score(comment=OLD_WORDS), False, Posted(True)),
        # conflict: a teacher was faster
        (CONFLICT, read("95"), None, False, Final(FailureReason.OVERRIDDEN)),
        (CONFLICT, read("95"), OLD, False, Final(FailureReason.OVERRIDDEN)),
        (CONFLICT, read("95"), OLD, True, Final(FailureReason.OVERRIDDEN)),
        (CONFLICT, read(None), OLD, False, Final(FailureReason.OVERRIDDEN)),
        (CONFLICT, NOTHING, OLD, False, Final(FailureReason.OVERRIDDEN)),
        # conflict: same second or a slow clock; our older score stands there
        (CONFLICT, read("50"), OLD, False, RESTAMP),
        (CONFLICT, read("50"), OLD, True, Final(FailureReason.CLOCK)),
        (CONFLICT, read(None), None, False, RESTAMP),
        (CONFLICT, NOTHING, None, False, Retry(timedelta(seconds=2), restamp=True)),
        (CONFLICT, NOTHING, None, True, Final(FailureReason.CLOCK)),
        # conflict: equal points, but the older comment stands there
        (CONFLICT, read("80", comment=OLD_WORDS), score(comment=OLD_WORDS), False, RESTAMP),
    ],
)
def test_what_stands_in_the_gradebook_decides(
    outcome: Answered,
    read_back: ReadBack,
    last_posted: Score | None,
    restamped: bool,
    decision: object,
) -> None:
    attempt = Attempt(outcome, score(), last_posted, read_back, restamped=restamped)

    assert decide(attempt, NOW, 0.0) == decision


IN_BETWEEN = score("6", comment="Der mittlere Versuch")


@pytest.mark.parametrize(
    ("attempt", "decision"),
    [
        # nobody answered, and we looked before sending again
        (Attempt(StoodThere(), score()), Posted(verified=True)),
        # a version that a newer one overtook did arrive: it is ours, not a teacher's
        (Attempt(CONFLICT, score(), OLD, read("60"), earlier=(OLD, IN_BETWEEN)), RESTAMP),
        (Attempt(CONFLICT, score(), None, read("60"), earlier=(IN_BETWEEN,)), RESTAMP),
        (Attempt(CONFLICT, score(), OLD, read("60")), Final(FailureReason.OVERRIDDEN)),
        # the platform never lets us read
        (Attempt(CONFLICT, score(), read_back=UNREADABLE), Final(FailureReason.REJECTED)),
        (Attempt(CONFLICT, score(), read_back=UNREADABLE, unsure=True), Posted(verified=False)),
        (Attempt(ACCEPTED, score(), read_back=UNREADABLE), Posted(verified=False)),
        # ATK-118: only a teacher's own wish, and only once, is worth a later timestamp
        (Attempt(CONFLICT, score(), OLD, read("95"), insisted=True), RESTAMP),
        (Attempt(CONFLICT, score(), OLD, read("95"), insisted=True, restamped=True),
         Final(FailureReason.OVERRIDDEN)),
        (Attempt(ACCEPTED, score(), OLD, read("95"), insisted=True),
         Final(FailureReason.OVERRIDDEN)),
    ],
)  # fmt: skip
def test_what_is_known_beyond_the_answer_decides(attempt: Attempt, decision: Decision) -> None:
    assert decide(attempt, NOW, 0.0) == decision


@pytest.mark.parametrize(
    ("outcome", "maybe"),
    [(NoAnswer(maybe_arrived=True), True), (NoAnswer(maybe_arrived=False), False),
     (Answered(502), True), (Answered(500), True), (Answered(500, empty_list=True), False),
     (Answered(429), False), (Answered(409), False), (Answered(200), False),
     (NotSent(FailureReason.LOCKED), False), (StoodThere(), False)],
)  # fmt: skip
def test_a_try_without_a_clear_no_may_have_arrived(outcome: PostOutcome, maybe: bool) -> None:
    assert may_have_arrived(outcome) is maybe


@pytest.mark.parametrize(
    ("points", "comment", "there"),
    [("80", NEW_WORDS, True), ("80", None, True), ("80", "Von Moodle umgebrochen", True),
     ("80", OLD_WORDS, False), ("70", NEW_WORDS, False), (None, NEW_WORDS, False)],
)  # fmt: skip
def test_our_own_older_comment_over_equal_points_is_not_this_score(
    points: str | None, comment: str | None, there: bool
) -> None:
    older = (score("8", comment=OLD_WORDS),)

    assert arrived(result(points, comment=comment), score(), older) is there


@pytest.mark.parametrize(
    ("outcome", "read"),
    [(Answered(200), True), (Answered(204), True), (Answered(409), True), (Answered(400), False),
     (Answered(500), False), (NoAnswer(maybe_arrived=True), False),
     (NotSent(FailureReason.LOCKED), False)],
)  # fmt: skip
def test_only_an_answer_that_leaves_it_open_is_looked_into(
    outcome: PostOutcome, read: bool
) -> None:
    assert must_read_back(outcome) is read


@pytest.mark.parametrize(
    ("points", "of", "ours", "our_maximum", "same"),
    [
        ("8", "10", "8", "10", True),
        ("80", "100", "8", "10", True),
        ("66.66667", "100", "2", "3", True),
        ("66.67", "100", "2", "3", True),
        ("2.66667", "4", "8", "12", True),
        ("0", "100", "0", "10", True),
        ("80.5", "100", "8", "10", False),
        ("8.1", "10", "8", "10", False),
        ("79", "100", "8", "10", False),
        ("0.854", "1", "85.4", "100", True),
        ("0.85", "1", "85.4", "100", False),
        ("8", "0", "8", "10", True),
        ("7", "0", "8", "10", False),
    ],
)
def test_points_are_compared_on_the_columns_scale(
    points: str, of: str, ours: str, our_maximum: str, same: bool
) -> None:
    assert same_score(result(points, of), score(ours, our_maximum)) is same


def test_a_column_that_names_no_scale_is_taken_as_ours() -> None:
    assert same_score(Result(Decimal(8), None), score("8"))
    assert not same_score(Result(None, Decimal(10)), score("0"))


@given(
    st.decimals(0, 100, places=1),
    st.decimals(0, 100, places=1),
    st.integers(1, 500),
    st.integers(1, 500),
)
def test_two_scores_of_ours_are_never_mistaken_for_each_other_on_moodles_scale(
    one: Decimal, other: Decimal, column: int, factor: int
) -> None:
    posted = round(one / 100 * column, 5)

    same = same_score(Result(posted, Decimal(column)), score(str(other), "100"))

    assert same is (one == other)


@pytest.mark.parametrize(
    ("points", "last_posted", "answer"),
    [("80", None, False), ("50", OLD, False), ("50", None, True), ("95", OLD, True),
     (None, None, False), (None, OLD, True)],
)  # fmt: skip
def test_an_override_is_what_neither_of_our_scores_explains(
    points: str | None, last_posted: Score | None, answer: bool
) -> None:
    assert overridden(result(points), last_posted, score()) is answer


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0),
        (" 120 ", 120),
        ("3600", 3600),
        ("3601", 3600),
        ("9" * 400, 3600),
        ("Sun, 22 Nov 2026 12:00:30 GMT", 30),
        ("Sun, 22 Nov 2026 11:00:00 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 3600),
        ("Sun, 22 Nov 2026 12:00:30 -0000", 30),
        ("-5", None),
        ("1.5", None),
        ("tomorrow", None),
        ("٣", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_obeyed_within_reason(header: str | None, seconds: int | None) -> None:
    """FLT-59."""
    expected = None if seconds is None else timedelta(seconds=seconds)

    assert retry_after(header, NOW) == expected


@given(st.text() | st.integers().map(str) | st.datetimes().map(lambda at: f"{at:%a, %d %b %Y %X}"))
def test_no_retry_after_breaks_the_rules(header: str) -> None:
    wait = retry_after(header, NOW)

    assert wait is None or timedelta() <= wait <= LONGEST_WAIT


@given(st.integers(-5, 10**6), st.floats(0, 1, exclude_max=True))
def test_waits_grow_to_an_hour_and_are_never_nothing(attempt: int, jitter: float) -> None:
    assert timedelta(seconds=5) <= retry_delay(attempt, jitter) <= LONGEST_WAIT


@pytest.mark.parametrize(
    ("last", "stored", "expected"),
    [
        (None, None, 0),
        (-60, None, 0),
        (0, None, 1),
        (-0.5, None, 0.5),
        (30, None, 31),
        (7200, None, 7201),  # our own clock ran ahead: still strictly later
        (-60, -30, 0),
        (-60, 0, 1),
        (None, 300, 301),  # Moodle's clock is ahead: its own moment counts
        (None, 86_400, 0),  # nobody can mean that
        (10, 5, 11),
    ],
)
def test_a_timestamp_is_always_a_second_after_the_last(
    last: float | None, stored: float | None, expected: float
) -> None:
    def moment(seconds: float | None) -> datetime | None:
        return None if seconds is None else NOW + timedelta(seconds=seconds)

    assert stamp(NOW, moment(last), moment(stored)) == moment(expected)
