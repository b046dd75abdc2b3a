"""Scores, results and columns against a gradebook with Moodle's rules."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from lti_tool.core.outbound import OutboundFailed, OutboundGarbage, OutboundRefused, Refusal
from lti_tool.grades.ags import AgsClient, AgsRefused, Wanted
from lti_tool.grades.messages import (
    UNREAD,
    UNREADABLE,
    Answered,
    FailureReason,
    NoAnswer,
    NotSent,
    PostOutcome,
    ReadBack,
    Score,
)
from lti_tool.grades.policy import Attempt, Decision, Final, Posted, Retry, decide, stamp
from lti_tool.people.tokens import TokenRefused
from tests.fakes.http_server import Answer, LoopbackServer, Raw
from tests.fakes.moodle import COLUMN, SERVICES, TOKEN, page
from tests.fakes.school import NOON, School, open_school

SCORES, RESULTS = f"{COLUMN}/scores", f"{COLUMN}/results"


@pytest.fixture
def school() -> Iterator[School]:
    with open_school() as school:
        yield school


def ags(school: School) -> AgsClient:
    return AgsClient(school.outbound, school.tokens)


def wanted(school: School, link: str = "3") -> Wanted:
    scope = "https://purl.imsglobal.org/spec/lti-ags/scope/lineitem.readonly"
    return Wanted(school.columns, scope, link, "task-1", "gustav-task")


def eight(user: str = "7") -> Score:
    return Score(user, Decimal(8), Decimal(10), "Gut begründet", NOON)


def post(school: School, score: Score | None = None) -> PostOutcome:
    return ags(school).post_score(school.endpoint, school.column, score or eight())


def deliver(
    school: School, score: Score, last: Score | None = None, restamped: bool = False
) -> Decision:
    outcome, read_back = ags(school).deliver(school.endpoint, school.column, score)
    return decide(
        Attempt(outcome, score, last, read_back, restamped=restamped), school.clock(), 0.0
    )


class TestPosting:
    def test_a_score_reaches_the_gradebook_with_its_comment(self, school: School) -> None:
        outcome = post(school)

        assert outcome == Answered(200)
        assert school.moodle.grades["7"].value == 80
        assert school.moodle.grades["7"].comment == "Gut begründet"

    def test_the_address_keeps_its_query_and_the_token_its_one_scope(self, school: School) -> None:
        post(school)

        (seen,) = school.seen_at(SCORES)
        assert seen.target == f"{COLUMN}/scores?type_id=1"
        assert seen.headers["Content-Type"] == "application/vnd.ims.lis.v1.score+json"
        assert school.moodle.tokens == {
            "token-1": {"https://purl.imsglobal.org/spec/lti-ags/scope/score"}
        }

    def test_a_column_without_a_query_works_too(self, school: School) -> None:
        column = school.url(COLUMN)

        assert ags(school).post_score(school.endpoint, column, eight()) == Answered(200)

    def test_a_revoked_token_is_renewed_once(self, school: School) -> None:
        """FLT-60."""
        post(school, eight("8"))
        school.moodle.revoke_tokens()

        assert post(school) == Answered(200)
        assert len(school.seen_at(TOKEN)) == 2

    def test_a_second_401_is_the_answer(self, school: School) -> None:
        """FLT-60."""
        school.will_answer(SCORES, *[Answer(401)] * 5)

        assert post(school) == Answered(401)
        assert len(school.seen_at(SCORES)) == 2

    @pytest.mark.parametrize(
        ("answer", "outcome"),
        [
            (Answer(400, b"[]"), Answered(400, empty_list=True)),
            (Answer(500, b" []\n"), Answered(500, empty_list=True)),
            (Answer(500, b"<html>"), Answered(500)),
            (Answer(429, headers={"Retry-After": "7"}), Answered(429, retry_after="7")),
            (Answer(302, headers={"Location": "/"}), NotSent(FailureReason.ADDRESS_REFUSED)),
            (Raw(hang=True), NoAnswer(maybe_arrived=True)),
            (Raw((b"HTTP/1.0 0 Incorrect\r\n\r\n",)), NoAnswer(maybe_arrived=True)),
        ],
    )
    def test_what_came_back_is_told_as_it_is(
        self, school: School, answer: Answer | Raw, outcome: PostOutcome
    ) -> None:
        school.will_answer(SCORES, answer)

        assert post(school) == outcome

    @pytest.mark.parametrize(
        ("answer", "outcome"),
        [
            (Answer(503, headers={"Retry-After": "9"}), NoAnswer(False, retry_after="9")),
            (Raw(hang=True), NoAnswer(maybe_arrived=False)),
            (Answer(200, b"<html>"), NoAnswer(maybe_arrived=False)),
            (Answer(400, b'{"error": "invalid_scope"}'), NotSent(FailureReason.NOT_ALLOWED)),
            (Answer(401, b"{}"), NotSent(FailureReason.NOT_AUTHORISED)),
            (Answer(404, b"{}"), NotSent(FailureReason.ADDRESS_REFUSED)),
            (page({"access_token": "x", "scope": "other"}), NotSent(FailureReason.NOT_ALLOWED)),
        ],
    )
    def test_without_a_token_no_score_leaves(
        self, school: School, answer: Answer | Raw, outcome: PostOutcome
    ) -> None:
        school.will_answer(TOKEN, answer)

        assert post(school) == outcome
        assert school.seen_at(SCORES) == []

    def test_a_column_elsewhere_gets_neither_score_nor_token(self, school: School) -> None:
        with LoopbackServer(lambda seen: Answer()) as elsewhere:
            column = f"{elsewhere.url}{COLUMN}"

            outcome = ags(school).post_score(school.endpoint, column, eight())

            assert outcome == NotSent(FailureReason.ADDRESS_REFUSED)
            assert (elsewhere.connections, school.server.seen) == (0, [])

    @pytest.mark.parametrize(
        "column", ["", "x", "https://[x/", "file:///x", "https://a\n.example/"]
    )
    def test_an_odd_address_is_refused(self, school: School, column: str) -> None:
        outcome = ags(school).post_score(school.endpoint, column, eight())

        assert outcome == NotSent(FailureReason.ADDRESS_REFUSED)


class TestResults:
    def test_the_result_of_one_pupil_is_read(self, school: School) -> None:
        post(school, eight("7"))
        school.moodle.override("8", Decimal("91.5"), "Von Hand")

        result = ags(school).result_of(school.endpoint, school.column, "8")

        assert result
        assert (result.score, result.maximum) == (Decimal("91.5"), Decimal(100))
        assert result.comment == "Von Hand"
        assert result.timestamp == NOON.replace(microsecond=0)
        assert school.seen_at(RESULTS)[0].target == f"{COLUMN}/results?type_id=1&user_id=8"

    def test_a_gradebook_that_ignores_the_filter_does_not_mislead(self, school: School) -> None:
        school.will_answer(RESULTS, page([{"userId": "8", "resultScore": 9}, {"userId": 7}, "x"]))

        result = ags(school).result_of(school.endpoint, school.column, "7")

        assert result
        assert result.score is None

    def test_no_result_is_none(self, school: School) -> None:
        assert ags(school).result_of(school.endpoint, school.column, "7") is None

    @pytest.mark.parametrize(
        ("answer", "error"),
        [
            (Answer(403, b"[]"), AgsRefused),
            (Answer(404, b"<html>"), AgsRefused),
            (Answer(503), OutboundFailed),
            (Answer(200, b"<html>"), OutboundGarbage),
            (page({}), OutboundGarbage),
        ],
    )
    def test_anything_else_is_an_error(
        self, school: School, answer: Answer, error: type[Exception]
    ) -> None:
        school.will_answer(RESULTS, answer)

        with pytest.raises(error):
            ags(school).result_of(school.endpoint, school.column, "7")


class TestColumns:
    def test_the_column_of_an_activity_is_found(self, school: School) -> None:
        found = ags(school).find_line_item(school.endpoint, wanted(school))

        assert found == school.column
        (seen,) = school.seen_at(f"{SERVICES}/lineitems")
        assert seen.target.endswith("?type_id=1&resource_link_id=3")

    def test_an_activity_without_a_column_has_none(self, school: School) -> None:
        assert ags(school).find_line_item(school.endpoint, wanted(school, "4")) is None

    def test_the_column_of_another_activity_is_not_taken(self, school: School) -> None:
        school.will_answer(
            f"{SERVICES}/lineitems", page([{"id": school.column, "resourceLinkId": "9"}])
        )

        assert ags(school).find_line_item(school.endpoint, wanted(school)) is None

    @pytest.mark.parametrize("column", ["https://evil.example/5", "http://127.0.0.1:1/5"])
    def test_a_column_on_another_host_is_refused(self, school: School, column: str) -> None:
        listed = page([{"id": column, "resourceLinkId": "3"}])
        school.will_answer(f"{SERVICES}/lineitems", listed)

        with pytest.raises(OutboundRefused) as refused:
            ags(school).find_line_item(school.endpoint, wanted(school))

        assert refused.value.reason is Refusal.ORIGIN

    def test_a_column_is_made(self, school: School) -> None:
        made = ags(school).create_line_item(
            school.endpoint, wanted(school), label="Fotosynthese", maximum=Decimal("12.5")
        )

        assert made == school.url(f"{SERVICES}/lineitems/6/lineitem?type_id=1")
        (seen,) = school.seen_at(f"{SERVICES}/lineitems")
        assert seen.body == (
            b'{"label": "Fotosynthese", "scoreMaximum": 12.5,'
            b' "resourceLinkId": "3", "resourceId": "task-1", "tag": "gustav-task"}'
        )

    @pytest.mark.parametrize("answer", [page({}), page([]), page({"id": 5})])
    def test_a_column_without_an_address_is_garbage(self, school: School, answer: Answer) -> None:
        school.will_answer(f"{SERVICES}/lineitems", answer)

        with pytest.raises(OutboundGarbage):
            ags(school).create_line_item(
                school.endpoint, wanted(school), label="x", maximum=Decimal(1)
            )

    def test_a_service_that_is_switched_off_is_told_apart(self, school: School) -> None:
        school.will_answer(TOKEN, Answer(400, b'{"error": "invalid_scope"}'))

        with pytest.raises(TokenRefused):
            ags(school).find_line_item(school.endpoint, wanted(school))


class TestDelivery:
    """The whole way: post, read back where needed, decide."""

    def test_a_score_is_posted_and_seen(self, school: School) -> None:
        assert deliver(school, eight()) == Posted(verified=True)

    def test_a_score_that_was_stored_before_the_connection_broke_is_not_posted_twice(
        self, school: School
    ) -> None:
        """FLT-57."""
        school.moodle.store_then_hang = True
        first = deliver(school, eight())
        school.moodle.store_then_hang = False
        school.clock.now += timedelta(seconds=10)
        second = deliver(school, eight())

        assert first == Retry(timedelta(seconds=10))
        assert second == Posted(verified=True)
        assert [score["timestamp"] for score in school.moodle.received] == [
            "2026-11-22T12:00:00.400+00:00"
        ] * 2

    def test_a_teachers_grade_stands_although_moodle_says_200(self, school: School) -> None:
        school.moodle.override("7", Decimal(95))
        later = replace(eight(), timestamp=NOON + timedelta(hours=1))

        assert deliver(school, later) == Final(FailureReason.OVERRIDDEN)
        assert school.moodle.grades["7"].value == 95

    def test_a_teachers_newer_grade_stops_us(self, school: School) -> None:
        old = replace(eight(), given=Decimal(5))
        deliver(school, old)
        school.moodle.override("7", Decimal(95))
        again = replace(eight(), timestamp=NOON)

        assert deliver(school, again, last=old) == Final(FailureReason.OVERRIDDEN)
        assert len(school.moodle.received) == 2

    def test_two_scores_in_one_second_end_with_the_second(self, school: School) -> None:
        old = replace(eight(), given=Decimal(5))
        deliver(school, old)

        decision = deliver(school, eight(), last=old)

        assert isinstance(decision, Retry)
        assert decision.restamp
        moment = stamp(school.clock(), eight().timestamp, decision.newer_than)
        again = replace(eight(), timestamp=moment)
        assert deliver(school, again, last=old, restamped=True) == Posted(verified=True)
        assert school.moodle.grades["7"].value == 80

    def test_a_slow_clock_of_ours_is_mended_by_moodles_own_moment(self, school: School) -> None:
        old = replace(eight(), given=Decimal(5))
        deliver(school, old)
        school.moodle.grades["7"].stored_at = NOON + timedelta(minutes=5)

        decision = deliver(school, eight(), last=old)

        assert isinstance(decision, Retry)
        moment = stamp(school.clock(), eight().timestamp, decision.newer_than)
        again = replace(eight(), timestamp=moment)
        assert deliver(school, again, last=old, restamped=True) == Posted(verified=True)

    def test_a_locked_grade_is_final(self, school: School) -> None:
        school.moodle.locked = True

        assert deliver(school, eight()) == Final(FailureReason.LOCKED)

    def test_a_pupil_who_left_is_final(self, school: School) -> None:
        assert deliver(school, eight("99")) == Final(FailureReason.NOT_GRADABLE)

    def test_a_column_that_is_gone_is_final(self, school: School) -> None:
        school.will_answer(SCORES, Answer(404, b"[]"))

        assert deliver(school, eight()) == Final(FailureReason.COLUMN_GONE)

    @pytest.mark.parametrize(
        ("answer", "read_back"),
        [
            (Answer(404), UNREADABLE),
            (Answer(403), UNREADABLE),
            (Answer(503), UNREAD),
            (Raw(hang=True), UNREAD),
            (Answer(200, b"x"), UNREAD),
        ],
    )
    def test_a_result_that_cannot_be_read_leaves_moodles_word(
        self, school: School, answer: Answer | Raw, read_back: ReadBack
    ) -> None:
        school.will_answer(RESULTS, answer)

        outcome = ags(school).deliver(school.endpoint, school.column, eight())

        assert outcome == (Answered(200), read_back)

    def test_nothing_is_read_where_the_answer_is_clear(self, school: School) -> None:
        ags(school).deliver(school.endpoint, school.column, eight("99"))

        assert school.seen_at(RESULTS) == []

    def test_an_empty_column_is_known_to_be_empty(self, school: School) -> None:
        school.will_answer(SCORES, Answer(409))

        outcome = ags(school).deliver(school.endpoint, school.column, eight())

        assert outcome == (Answered(409), ReadBack(known=True))
