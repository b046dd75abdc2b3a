"""No duplicate columns, ever; one that is gone is reported, not made behind the teacher's back."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import select

from lti_tool.core.errors import Conflict
from lti_tool.grades import columns
from lti_tool.grades import service as grades
from lti_tool.grades.models import LineItem, SyncState
from lti_tool.launch.models import ResourceLink
from tests.classroom import SCORES, open_classroom
from tests.fakes.practice import PracticeSite, item_of, with_pupils
from tests.practice_lms.bench import LINE_ITEM
from tests.workbench import LINE_ITEMS, RESULTS, Workbench, open_practice_bench

EVERYTHING = [SCORES, RESULTS, LINE_ITEMS, f"{LINE_ITEMS}.readonly"]


@pytest.fixture
def site() -> PracticeSite:
    return PracticeSite(with_pupils("4", "5"))


@pytest.fixture
def bench(database, site: PracticeSite, postgres) -> Workbench:
    return open_practice_bench(open_classroom(database), site, postgres)


def launched(bench: Workbench, **changes: object) -> None:
    """What the launches of the activity said so far."""
    with bench.room.database.begin(bench.room.service) as db:
        link = db.get_one(ResourceLink, bench.room.link_id)
        for name, value in changes.items():
            setattr(link, name, value)


def without_column(bench: Workbench, site: PracticeSite) -> None:
    """The activity has no column, and never had one as far as we know."""
    site.remove_column()
    launched(bench, lineitem_url=None)


def as_teacher(bench: Workbench, act: Callable):
    room = bench.room
    with room.database.begin(room.curie.actor) as db:
        return act(db, room.curie, bench.moodle.clock())


def after(bench: Workbench, seconds: int) -> None:
    """Let the waiting jobs' time come, and leases run out."""
    bench.a_while_passes(seconds)
    bench.works_on()


def item(bench: Workbench) -> LineItem:
    with bench.room.database.begin(bench.room.service) as db:
        return db.scalars(select(LineItem)).one()


class TestMaking:
    def test_a_column_is_made_where_there_never_was_one(self, bench, site) -> None:
        without_column(bench, site)
        bench.room.ada.hands_in()

        bench.works_on()

        (made,) = site.items()
        assert (made.link_id, made.resource_id) == (site.link_id, str(bench.room.task_id))
        assert (made.tag, made.label, made.maximum) == ("gustav-task", "Fotosynthese", 10)
        assert site.grade("4", made.item_id).points == 9.2

    def test_and_found_again_by_everybody_who_comes_later(self, bench, site) -> None:
        without_column(bench, site)
        bench.room.ada.hands_in()
        bench.works_on()

        bench.room.ben.hands_in()
        bench.works_on()

        assert len(site.items()) == 1
        assert site.grade("5", site.items()[0].item_id).points == 9.2

    def test_it_is_found_where_the_claim_has_vanished(self, bench, site) -> None:
        launched(bench, lineitem_url=None)
        bench.room.ada.hands_in()

        bench.works_on()

        assert len(site.items()) == 1
        assert site.grade("4").points == 9.2

    def test_two_workers_at_the_same_moment_make_one(self, bench, site) -> None:
        without_column(bench, site)
        bench.room.ada.hands_in()
        bench.room.ben.hands_in()
        bench.works()  # feedback for both; their scores wait
        at_the_same_moment(site, bench.works)

        bench.works()
        after(bench, 20)

        assert len(site.items()) == 1
        made = site.items()[0].item_id
        assert site.grade("4", made).points == site.grade("5", made).points == 9.2

    def test_one_that_was_made_though_nobody_answered_is_not_made_again(self, bench, site) -> None:
        without_column(bench, site)
        site.network.before = lambda request: (
            site.fails("lineitems", "store_then_hang")
            if request.method == "POST" and request.url.path.endswith("/lineitems")
            else None
        )
        bench.room.ada.hands_in()
        bench.works_on()
        assert bench.sync().state is SyncState.PLANNED

        after(bench, 20)
        assert bench.sync().state is SyncState.PLANNED  # the LMS gets the time to show it
        after(bench, 600)

        assert bench.sync().state is SyncState.POSTED
        assert len(site.items()) == 1

    def test_a_turn_that_ran_out_keeps_nothing(self, bench, site) -> None:
        room = bench.room
        with room.database.begin(room.service) as db:
            first = columns.take_turn(db, room.link_id)
            assert columns.take_turn(db, room.link_id) is None
        bench.a_while_passes(600)
        with room.database.begin(room.service) as db:
            second = columns.take_turn(db, room.link_id)
            columns.end_turn(db, second, "https://lms.example/right", None)
            columns.end_turn(db, first, "https://lms.example/late", None)

        assert item(bench).url == "https://lms.example/right"

    def test_without_leave_to_make_columns_none_is_made(self, bench, site) -> None:
        without_column(bench, site)
        launched(bench, ags_scopes=EVERYTHING[:2] + EVERYTHING[3:])
        bench.room.ada.hands_in()

        bench.works_on()

        assert (bench.sync().state, bench.sync().reason) == (SyncState.FAILED, "column_gone")
        assert site.items() == []


def at_the_same_moment(site: PracticeSite, work: Callable[[], None]) -> None:
    """While the LMS is being asked for the column, another worker begins, too."""

    def other_worker(request) -> None:
        if request.url.path.endswith("/lineitems"):
            site.network.before = lambda request: None
            work()

    site.network.before = other_worker


class TestGone:
    def test_a_column_that_is_gone_is_reported_and_not_made_again(self, bench, site) -> None:
        site.remove_column()
        bench.room.ada.hands_in()
        bench.room.ben.hands_in()

        bench.works_on()
        after(bench, 600)

        assert (bench.sync().state, bench.sync().reason) == (SyncState.FAILED, "column_gone")
        assert site.items() == []

    def test_one_we_made_ourselves_is_not_made_again_either(self, bench, site) -> None:
        without_column(bench, site)
        bench.room.ada.hands_in()
        bench.works_on()
        site.change(lambda state: state.remove_item(site.items()[0].item_id))
        bench.room.ben.hands_in()

        bench.works_on()

        assert (bench.sync().state, bench.sync().reason) == (SyncState.FAILED, "column_gone")
        assert site.items() == []

    def test_a_teachers_new_one_is_found(self, bench, site) -> None:
        """Grading switched off and on again in the activity: another column at another address."""
        site.remove_column()
        made = {"label": "Fotosynthese", "scoreMaximum": 10, "resourceLinkId": site.link_id}
        url = site.lms.call("POST", site.columns, LINE_ITEM, made).get_json(force=True)["id"]
        bench.room.ada.hands_in()

        bench.works_on()
        bench.room.ben.hands_in()
        bench.works_on()

        assert site.grade("4", item_of(url)).points == site.grade("5", item_of(url)).points == 9.2
        assert [row.item for row in site.ledger() if row.status == 404] == [item_of(site.column)]

    def test_a_404_that_passes_is_no_end(self, bench, site) -> None:
        site.fails("scores", "404")
        bench.room.ada.hands_in()
        bench.works_on()
        assert bench.sync().state is SyncState.PLANNED

        after(bench, 20)

        assert site.grade("4").points == 9.2
        assert item(bench).gone_url is None

    def test_a_teacher_asks_for_a_new_one_and_everything_is_sent_there(self, bench, site) -> None:
        site.remove_column()
        bench.room.ada.hands_in()
        bench.room.ben.hands_in()
        bench.works_on()

        sent = as_teacher(bench, grades.make_new_column)
        bench.works_on()
        after(bench, 20)

        assert sent == 2
        (made,) = site.items()
        assert site.grade("4", made.item_id).points == site.grade("5", made.item_id).points == 9.2

    def test_and_has_it_once_however_often_the_button_is_pressed(self, bench, site) -> None:
        site.remove_column()
        bench.room.ada.hands_in()
        bench.works_on()

        assert as_teacher(bench, grades.make_new_column) == 1
        assert as_teacher(bench, grades.make_new_column) == 0
        bench.works_on()

        assert len(site.items()) == 1
        site.change(lambda state: state.remove_item(site.items()[0].item_id))
        bench.room.ben.hands_in()
        bench.works_on()
        assert site.items() == []  # what was asked for once is not asked for for ever

    def test_no_new_one_while_the_old_one_is_there(self, bench, site) -> None:
        bench.room.ada.hands_in()
        bench.works_on()

        with pytest.raises(Conflict, match="column_not_gone"):
            as_teacher(bench, grades.make_new_column)

    def test_a_teacher_of_another_course_cannot(self, bench, site) -> None:
        site.remove_column()
        bench.room.ada.hands_in()
        bench.works_on()
        room = bench.room
        elsewhere = replace(room.curie, person_id=room.school.planck, course_id=room.school.physics)

        with (
            room.database.begin(elsewhere.actor) as db,
            pytest.raises(Conflict, match="column_not_gone"),
        ):
            columns.ask_for_new(db, elsewhere)

    def test_where_the_activity_itself_is_gone_nothing_can_be_made(self, bench, site) -> None:
        site.lms.browser.post(f"/as/11/activity/{site.link_id}/delete")
        bench.room.ada.hands_in()
        bench.works_on()

        as_teacher(bench, grades.make_new_column)
        bench.works_on()

        assert (bench.sync().state, bench.sync().reason) == (SyncState.FAILED, "column_gone")


class TestA10:
    """A10: less than everything is offered: degrade, do not crash."""

    def test_only_the_column_and_the_score_scope(self, bench, site) -> None:
        launched(bench, lineitems_url=None, ags_scopes=[SCORES])
        asked: list[str] = []
        site.network.before = lambda request: asked.append(request.url.path)
        bench.room.ada.hands_in()

        bench.works_on()

        assert bench.sync().state is SyncState.POSTED
        assert site.grade("4").points == 9.2
        assert [path.rpartition("/")[2] for path in asked] == ["token", "scores"]

    def test_the_column_gone_and_no_way_to_look(self, bench, site) -> None:
        launched(bench, lineitems_url=None, ags_scopes=[SCORES])
        site.remove_column()
        bench.room.ada.hands_in()

        bench.works_on()

        assert (bench.sync().state, bench.sync().reason) == (SyncState.FAILED, "column_gone")
        with pytest.raises(Conflict):
            as_teacher(bench, grades.make_new_column)

    @pytest.mark.parametrize(
        "offered", [[SCORES], [SCORES, RESULTS], EVERYTHING[1:], []], ids=lambda o: str(len(o))
    )
    def test_no_column_and_no_leave_to_look_or_to_score_plans_nothing(
        self, bench, site, offered
    ) -> None:
        launched(bench, lineitem_url=None, ags_scopes=offered)
        bench.room.ada.hands_in()

        bench.works_on()

        assert bench.sync() is None

    def test_without_results_a_409_is_never_forced(self, bench, site) -> None:
        launched(bench, ags_scopes=[SCORES])
        site.fails("scores", "409", times=9)
        bench.room.ada.hands_in()

        bench.works_on()

        assert (bench.sync().state, bench.sync().reason) == (SyncState.FAILED, "rejected")
        assert len(site.ledger()) == 1

    def test_without_results_the_409_after_a_try_without_an_answer_is_ours(
        self, bench, site
    ) -> None:
        launched(bench, ags_scopes=[SCORES])
        site.fails("scores", "store_then_hang")
        bench.room.ada.hands_in()
        bench.works_on()

        after(bench, 20)

        assert bench.sync().state is SyncState.POSTED
        assert [row.status for row in site.ledger()] == [200, 409]

    def test_atk_113_a_platform_that_grants_less_than_it_announced(self, bench, site) -> None:
        """The claim promises results, the token endpoint does not give them: no read-back."""
        site.fails("results", "403", times=9)
        bench.room.ada.hands_in()

        bench.works_on()

        assert bench.sync().state is SyncState.POSTED
