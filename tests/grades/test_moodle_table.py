"""What a real Moodle does to scores and columns, line by line, against the practice LMS.

Each test is one line of what was seen on Moodle 4.5 (`mod/lti/service/gradebookservices/…`), and
what our client makes of it.
"""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from werkzeug.test import Client
from werkzeug.wrappers import Request, Response

from lti_tool.grades.ags import (
    LINE_ITEM_READ_SCOPE,
    LINE_ITEM_SCOPE,
    RESULT_SCOPE,
    SCORE_SCOPE,
    AgsClient,
    AgsRefused,
    Wanted,
)
from lti_tool.grades.messages import (
    Answered,
    FailureReason,
    NoAnswer,
    Score,
    StoodThere,
)
from lti_tool.grades.policy import Attempt, Decision, Final, Posted, Retry, decide, stamp
from tests.fakes.practice import PracticeSite, item_of
from tests.practice_lms.bench import ADA, BEN, COURSE, CURIE, LINE_ITEM, LINE_ITEMS, Bench, local

TASK, TAG = "task-1", "gustav-task"


@pytest.fixture
def site() -> PracticeSite:
    return PracticeSite(Bench())


@pytest.fixture
def ags(site: PracticeSite) -> AgsClient:
    return AgsClient(site.outbound, site.tokens)


def score(site: PracticeSite, given: str = "8", user: str = ADA, **more) -> Score:
    right = {"maximum": Decimal(10), "comment": "Gut begründet", "timestamp": site.clock()}
    return Score(user, Decimal(given), **(right | more))


def post(site: PracticeSite, ags: AgsClient, ours: Score, **more) -> Decision:
    outcome, read_back = ags.deliver(site.endpoint, site.column, ours)
    return decide(Attempt(outcome, ours, read_back=read_back, **more), site.clock(), 0.0)


def wanted(site: PracticeSite, link: str | None = None) -> Wanted:
    return Wanted(site.columns, LINE_ITEM_READ_SCOPE, link or site.link_id, TASK, TAG)


def made(site: PracticeSite, **changes: object) -> str:
    """A column made through the service, by somebody; returns its address."""
    item = {"label": "x", "scoreMaximum": 10, **changes}
    return site.lms.call("POST", site.columns, LINE_ITEM, item).get_json(force=True)["id"]


class TestAddresses:
    def test_scores_and_results_go_before_the_question_mark(self, site, ags) -> None:
        seen: list[str] = []
        site.network.before = lambda request: seen.append(str(request.url))

        ags.deliver(site.endpoint, site.column, score(site))

        path, _, query = site.column.partition("?")
        assert seen[1:] == [  # after the token
            f"{path}/scores?{query}",
            seen[2],
            f"{path}/results?{query}&user_id={ADA}",
        ]

    @pytest.mark.parametrize(
        ("method", "below"), [("POST", "/scores"), ("GET", "/results"), ("POST", ""), ("GET", "")]
    )
    def test_any_other_media_type_than_ours_is_400_no_handler_found(
        self, site, ags, method, below
    ) -> None:
        place = site.column.replace("?", f"{below}?") if below else site.columns

        answer = site.lms.call(method, place, "application/json", {})

        assert answer.status.startswith("400 No handler found")
        ags.deliver(site.endpoint, site.column, score(site))
        assert site.grade().points == 8
        ags.create_line_item(site.endpoint, wanted(site), label="x", maximum=Decimal(1))
        assert ags.find_line_item(site.endpoint, wanted(site)) is not None

    def test_a_token_of_this_tool_is_nothing_worth_at_another_type_id(self, site, ags) -> None:
        column = site.column.replace("type_id=7", "type_id=8")

        assert ags.post_score(site.endpoint, column, score(site)) == Answered(401)


class TestTheLaunchsClaim:
    def test_with_a_second_column_the_claim_disappears_and_the_first_is_still_found(
        self, site, ags
    ) -> None:
        first = site.column

        made(site, resourceLinkId=site.link_id)

        with pytest.raises(KeyError):
            site.lms.item_url(site.link_id)
        assert ags.find_line_item(site.endpoint, wanted(site)) == first

    def test_of_several_the_one_with_our_marks_is_taken_whatever_the_order(self, site, ags) -> None:
        made(site, resourceLinkId=site.link_id, tag="theirs")
        ours = made(site, resourceLinkId=site.link_id, resourceId=TASK, tag=TAG)
        made(site, resourceLinkId=site.link_id, resourceId=TASK, tag=TAG)

        assert ags.find_line_item(site.endpoint, wanted(site)) == ours

    def test_a_link_of_another_course_is_403(self, site, ags) -> None:
        with pytest.raises(AgsRefused) as refused:
            ags.create_line_item(site.endpoint, wanted(site, "999"), label="x", maximum=Decimal(1))

        assert refused.value.status == 403

    def test_dates_are_echoed_and_forgotten_so_nothing_may_hang_on_them(self, site, ags) -> None:
        dates = {"startDateTime": "2026-11-24T08:00:00Z", "endDateTime": "2026-11-30T08:00:00Z"}
        item = {"label": "x", "scoreMaximum": 10, **dates}

        answer = site.lms.call("POST", site.columns, LINE_ITEM, item).get_json(force=True)
        kept = site.lms.call("GET", local(answer["id"]), LINE_ITEM).get_json(force=True)

        assert dates.items() <= answer.items()
        assert not dates.keys() & kept.keys()

    def test_a_column_that_we_make_carries_link_and_marks(self, site, ags) -> None:
        column = ags.create_line_item(
            site.endpoint, wanted(site), label="Fotosynthese", maximum=Decimal(10)
        )

        (item,) = [one for one in site.items() if one.item_id == item_of(column)]
        assert (item.label, item.maximum, item.column_of) == ("Fotosynthese", 10, None)
        assert (item.link_id, item.resource_id, item.tag) == (site.link_id, TASK, TAG)


class TestFinding:
    """No duplicate columns: by the activity first, by our marks only where it hangs on nothing."""

    def test_the_second_activity_with_the_same_task_has_its_own_column(self, site, ags) -> None:
        column = {"scoreMaximum": 10, "resourceId": TASK, "tag": TAG}
        one, other = (site.lms.add_activity(lineItem=column) for _ in range(2))

        found = [ags.find_line_item(site.endpoint, wanted(site, link)) for link in (one, other)]

        assert found == [site.lms.item_url(one), site.lms.item_url(other)]

    def test_a_task_linked_again_without_a_column_does_not_take_the_others(self, site, ags) -> None:
        site.lms.add_activity(lineItem={"scoreMaximum": 10, "resourceId": TASK, "tag": TAG})
        bare = site.lms.add_activity(maximum=None)

        assert ags.find_line_item(site.endpoint, wanted(site, bare)) is None

    def test_put_without_the_link_un_links_a_column_and_it_is_found_by_our_marks(
        self, site, ags
    ) -> None:
        link = site.lms.add_activity(lineItem={"scoreMaximum": 10, "resourceId": TASK, "tag": TAG})
        column = site.lms.item_url(link)
        changed = {"label": "x", "scoreMaximum": 10, "resourceId": TASK, "tag": TAG}

        site.lms.call("PUT", column, LINE_ITEM, changed)

        assert ags.find_line_item(site.endpoint, wanted(site, link)) == column

    def test_an_un_linked_column_that_is_anothers_is_not_taken(self, site, ags) -> None:
        column = made(site, resourceId=TASK, tag=TAG)
        bare = wanted(site, site.lms.add_activity(maximum=None))

        assert ags.find_line_item(site.endpoint, bare) == column
        assert ags.find_line_item(site.endpoint, bare, taken={column}) is None

    @pytest.mark.parametrize("marks", [{"resourceId": TASK}, {"tag": TAG}, {"resourceId": "t"}])
    def test_half_our_marks_are_not_ours(self, site, ags, marks) -> None:
        made(site, **marks)
        bare = site.lms.add_activity(maximum=None)

        assert ags.find_line_item(site.endpoint, wanted(site, bare)) is None

    def test_nothing_is_asked_in_parts_because_moodles_link_header_is_broken(
        self, site, ags
    ) -> None:
        for n in range(30):
            made(site, label=str(n))
        last = made(site, resourceLinkId=site.link_id)
        site.remove_column()
        seen: list[str] = []
        site.network.before = lambda request: seen.append(str(request.url))

        assert ags.find_line_item(site.endpoint, wanted(site)) == last
        assert not [url for url in seen if "limit=" in url]
        broken = site.lms.call("GET", f"{site.columns}&limit=5", LINE_ITEMS).headers["Link"]
        assert "“next”".encode().decode("latin-1") in broken
        assert "&amp;" in broken


class TestNothingIsEverPut:
    def test_changing_the_maximum_would_write_0_for_the_ungraded(self, site) -> None:
        """Why no code of ours sends PUT; see tests/architecture/test_gradebook.py."""
        site.lms.score(site.column, gradingProgress="Pending")
        changed = {"label": "x", "scoreMaximum": 20, "resourceLinkId": site.link_id}

        site.lms.call("PUT", site.column, LINE_ITEM, changed)

        assert site.grade().points == 0

    def test_delete_works_even_on_the_activitys_own_column(self, site, ags) -> None:
        assert site.lms.call("DELETE", site.column, LINE_ITEM).status_code == 204
        assert post(site, ags, score(site)) == Final(FailureReason.COLUMN_GONE)

    def test_a_maximum_the_teacher_changed_is_met_by_moodles_scaling(self, site, ags) -> None:
        post(site, ags, score(site, "5"))
        item = item_of(site.column)
        site.change(
            lambda s: s.line_items.update({item: replace(s.line_items[item], maximum=40.0)})
        )
        site.clock.pass_by(5)

        assert post(site, ags, score(site, "8")) == Posted(verified=True)
        assert site.grade().points == 32


class TestScores:
    def test_the_message_has_all_that_moodle_needs(self, site, ags) -> None:
        """A6: activityProgress, gradingProgress, a moment below the second, with its zone."""
        post(site, ags, score(site))

        (row,) = site.ledger()
        assert (row.user, row.given, row.max, row.stored) == (ADA, 8, 10, True)
        assert (row.progress, row.comment) == ("FullyGraded", "Gut begründet")
        moment = datetime.fromisoformat(row.timestamp)
        assert moment.tzinfo is not None
        assert "." in row.timestamp

    @pytest.mark.parametrize("user", ["9999", CURIE])
    def test_who_is_no_pupil_there_is_400_and_final(self, site, ags, user) -> None:
        assert post(site, ags, score(site, user=user)) == Final(FailureReason.NOT_GRADABLE)
        assert site.ledger()[0].status == 400

    def test_who_is_suspended_still_takes_grades(self, site, ags) -> None:
        site.change(lambda state: state.suspended.add((COURSE, ADA)))

        assert post(site, ags, score(site)) == Posted(verified=True)
        assert site.grade().points == 8

    def test_a_user_id_that_is_no_number_breaks_the_status_line(self, site, ags) -> None:
        outcome = ags.post_score(site.endpoint, site.column, score(site, user="ada"))

        assert outcome == NoAnswer(maybe_arrived=True)
        assert site.ledger()[0].status == 0

    def test_the_reason_phrase_quotes_our_words_and_we_keep_none_of_it(self, site, ags) -> None:
        answer = site.lms.score(site.column, "9999", comment="Gut begründet")
        outcome = ags.post_score(site.endpoint, site.column, score(site, user="9999"))

        assert "Gut begr" in answer.status
        assert "Gut" not in repr(outcome)

    def test_two_scores_in_one_second_are_409_and_end_with_the_second(self, site, ags) -> None:
        """A8."""
        first = score(site, "5", comment="Versuch 1")
        post(site, ags, first)
        second = score(site, "8", comment="Versuch 2")

        decision = post(site, ags, second, last_posted=first)

        assert isinstance(decision, Retry)
        assert decision.restamp
        moment = stamp(site.clock() + decision.after, second.timestamp, decision.newer_than)
        site.clock.pass_by(2)
        later = replace(second, timestamp=moment)
        assert post(site, ags, later, last_posted=first, restamped=True) == Posted(verified=True)
        assert site.grade().points == 8

    def test_on_the_activitys_column_moodles_own_clock_counts_not_our_timestamp(
        self, site, ags
    ) -> None:
        slow = score(site, "5", timestamp=site.clock() - timedelta(minutes=5))
        post(site, ags, slow)
        newer = score(site, "8", timestamp=site.clock() - timedelta(minutes=4))

        decision = post(site, ags, newer, last_posted=slow)

        assert isinstance(decision, Retry)
        assert decision.restamp
        assert decision.newer_than == site.clock().replace(microsecond=0)

    def test_a_manual_column_stores_our_timestamp(self, site, ags) -> None:
        site.column = made(site)
        earlier = score(site, "5", timestamp=site.clock() - timedelta(minutes=5))
        post(site, ags, earlier)
        newer = score(site, "8", timestamp=site.clock() - timedelta(minutes=4))

        assert post(site, ags, newer, last_posted=earlier) == Posted(verified=True)

    def test_a_later_timestamp_wins(self, site, ags) -> None:
        """A7."""
        post(site, ags, score(site, "8"))
        site.clock.pass_by(2)

        assert post(site, ags, score(site, "3")) == Posted(verified=True)
        assert site.grade().points == 3

    def test_a_retry_of_a_score_that_did_arrive_is_409_and_ours(self, site, ags) -> None:
        site.fails("scores", "store_then_hang")
        ours = score(site)
        first = post(site, ags, ours)
        site.clock.pass_by(10)

        second = post(site, ags, ours)

        assert isinstance(first, Retry)
        assert second == Posted(verified=True)
        assert [row.status for row in site.ledger()] == [200, 409]

    def test_better_we_look_first_and_it_is_not_even_sent_again(self, site, ags) -> None:
        site.fails("scores", "store_then_hang")
        ours = score(site)
        post(site, ags, ours)

        outcome, _ = ags.deliver(site.endpoint, site.column, ours, look_first=())

        assert outcome == StoodThere()
        assert len(site.ledger()) == 1

    def test_what_is_not_fully_graded_clears_the_grade_so_we_never_say_so(self, site, ags) -> None:
        post(site, ags, score(site))
        site.clock.pass_by(2)

        site.lms.score(site.column, gradingProgress="PendingManual")

        assert site.grade().points is None

    def test_no_comment_clears_the_feedback_so_ours_always_has_one(self, site, ags) -> None:
        post(site, ags, score(site))
        site.clock.pass_by(2)

        site.lms.score(site.column, comment=None)

        assert site.grade().feedback is None
        with pytest.raises(ValueError, match="comment"):
            score(site, comment=" ")

    def test_a_long_comment_with_signs_of_markup_arrives_as_it_is(self, site, ags) -> None:
        words = "<b>„x² < 3“</b> & Ä 🙂 " * 100

        post(site, ags, score(site, comment=words))

        assert site.grade().feedback == words

    @pytest.mark.parametrize(("given", "stored"), [("8", 8), ("2.5", 2.5), ("10", 10), ("0", 0)])
    def test_points_are_scaled_to_the_column(self, site, ags, given, stored) -> None:
        ours = score(site, str(Decimal(given) * 4), maximum=Decimal(40))

        assert post(site, ags, ours) == Posted(verified=True)
        assert site.grade().points == stored

    def test_of_a_maximum_of_0_points_would_go_unscaled_so_we_never_say_so(self, site) -> None:
        site.lms.score(site.column, scoreGiven=7, scoreMaximum=0)
        assert site.grade().points == 7

        with pytest.raises(ValueError, match="points"):
            score(site, "0", maximum=Decimal(0))

    @pytest.mark.parametrize("given", ["11", "-1", "NaN", "Infinity", "1e308"])
    def test_atk_116_what_moodle_would_clip_never_leaves(self, site, given) -> None:
        site.lms.score(site.column, scoreGiven=11)
        assert site.grade().points == 10  # clipped in silence

        with pytest.raises(ValueError, match="points"):
            score(site, given)

    def test_atk_118_a_teachers_override_wins_though_moodle_says_200(self, site, ags) -> None:
        ours = score(site, "5")
        post(site, ags, ours)
        site.clock.pass_by(60)
        site.override(ADA, "9")
        site.clock.pass_by(60)

        assert post(site, ags, score(site), last_posted=ours) == Final(FailureReason.OVERRIDDEN)
        assert (site.grade().points, site.grade().feedback) == (9, "Nachgespräch")
        assert [(row.status, row.stored) for row in site.ledger()][-1] == (200, False)

    def test_atk_118_a_409_after_an_override_is_not_forced_by_a_later_timestamp(
        self, site, ags
    ) -> None:
        ours = score(site)
        site.clock.pass_by(60)
        site.override(ADA, "9")

        assert post(site, ags, ours) == Final(FailureReason.OVERRIDDEN)
        assert len(site.ledger()) == 1

    @pytest.mark.parametrize("what", ["grade", "column"])
    def test_locked_is_500_with_an_empty_list_and_final(self, site, ags, what) -> None:
        if what == "grade":
            site.cell(ADA, "lock")
        else:
            site.lock_column()

        assert post(site, ags, score(site)) == Final(FailureReason.LOCKED)

    def test_another_500_is_tried_again(self, site, ags) -> None:
        site.fails("scores", "500")

        assert isinstance(post(site, ags, score(site)), Retry)

    def test_a_page_of_maintenance_with_a_good_status_is_no_success(self, site, ags) -> None:
        site.fails("scores", "garbage")

        assert isinstance(post(site, ags, score(site)), Retry)
        assert site.grade().points is None


class TestResults:
    def test_they_are_on_the_columns_scale_not_on_ours(self, site, ags) -> None:
        """A9."""
        post(site, ags, score(site, "20", maximum=Decimal(40)))

        result = ags.result_of(site.endpoint, site.column, ADA)

        assert (result.score, result.maximum) == (Decimal(5), Decimal(10))
        assert result.comment == "Gut begründet"

    def test_only_the_one_pupil_is_asked_for(self, site, ags) -> None:
        for user in (ADA, BEN):
            post(site, ags, score(site, user=user))

        assert ags.result_of(site.endpoint, site.column, BEN).score == 8

    def test_a_null_grade_comes_without_a_score(self, site, ags) -> None:
        site.lms.score(site.column, gradingProgress="Pending")

        assert ags.result_of(site.endpoint, site.column, ADA).score is None

    def test_the_overridden_value_is_what_is_told(self, site, ags) -> None:
        post(site, ags, score(site))
        site.override(ADA, "9,5")

        assert ags.result_of(site.endpoint, site.column, ADA).score == Decimal("9.5")

    def test_pages_of_results_crash_with_an_html_page_so_none_are_asked_for(
        self, site, ags
    ) -> None:
        answer = site.lms.call(
            "GET",
            site.column.replace("?", "/results?") + "&limit=5",
            "application/vnd.ims.lis.v2.resultcontainer+json",
        )
        assert (answer.status_code, answer.mimetype) == (404, "text/html")

        seen: list[str] = []
        site.network.before = lambda request: seen.append(str(request.url))
        ags.result_of(site.endpoint, site.column, ADA)
        assert "limit" not in seen[-1]


class TestTokens:
    def test_a2_each_request_has_a_token_with_the_one_scope_it_needs(self, site, ags) -> None:
        ags.deliver(site.endpoint, site.column, score(site))
        ags.find_line_item(site.endpoint, wanted(site))
        ags.create_line_item(site.endpoint, wanted(site), label="x", maximum=Decimal(1))

        granted = [set(token.scopes) for token in site.inside.access_tokens.values()]
        assert granted[-4:] == [
            {SCORE_SCOPE}, {RESULT_SCOPE}, {LINE_ITEM_READ_SCOPE}, {LINE_ITEM_SCOPE}
        ]  # fmt: skip

    def test_atk_113_a_token_that_ends_amid_a_batch_is_renewed_once(self, site, ags) -> None:
        pupils = ["21", "22", "23", "24"]
        asked: list[str] = []
        site.network.before = lambda r: asked.append(r.url.path) if "token" in r.url.path else None
        for number, user in enumerate(pupils):
            if number == 2:
                site.inside.access_tokens.clear()
            assert post(site, ags, score(site, user=user)) == Posted(verified=True)

        assert len(asked) == 2 + 2  # for scores and for results, each once anew


def test_a4_a_platform_that_gives_pages_unasked_is_read_to_the_end(site, ags) -> None:
    for n in range(7):
        made(site, label=str(n))
    last = made(site, resourceLinkId=site.link_id)
    site.remove_column()
    paged = _Paged(site)
    site.network._client = Client(paged)

    assert ags.find_line_item(site.endpoint, wanted(site)) == last
    assert paged.pages > 1


class _Paged:
    """Like the practice LMS, but for a list in pages of one, with a true Link header."""

    def __init__(self, site: PracticeSite) -> None:
        self._site, self.pages = site, 0

    def __call__(self, environ, start_response):
        request = Request(environ)
        if not request.path.endswith("/lineitems"):
            return self._site.lms.app(environ, start_response)
        inner = Client(self._site.lms.app, response_wrapper=Response)
        headers = {"Authorization": request.headers["Authorization"], "Accept": LINE_ITEMS}
        everything = inner.get(local(self._site.columns), headers=headers).get_json(force=True)
        start = request.args.get("from", 0, int)
        self.pages += 1
        answer = Response(json.dumps(everything[start : start + 1]), content_type=LINE_ITEMS)
        if start + 1 < len(everything):
            answer.headers["Link"] = f'<{self._site.columns}&from={start + 1}>; rel="next"'
        return answer(environ, start_response)
