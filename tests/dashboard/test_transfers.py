"""What a teacher sees of the points on their way to Moodle, and what they can do about it."""

import re
from dataclasses import dataclass

import pytest

from lti_tool.grades.models import SyncState
from tests.classroom import open_classroom
from tests.content.browser import Page
from tests.fakes.practice import PracticeSite, with_pupils
from tests.visitor import Visitor, open_browsers
from tests.workbench import Workbench, open_practice_bench

ALL = "Alle nicht übertragenen erneut senden"


@dataclass
class Desk:
    bench: Workbench
    site: PracticeSite
    curie: Visitor

    def both_hand_in(self) -> None:
        self.bench.room.ada.hands_in()
        self.bench.room.ben.hands_in()
        self.bench.works_on()

    def overview(self) -> Page:
        return self.curie.get("/overview/")

    def works_on(self, seconds: int = 20) -> None:
        self.bench.a_while_passes(seconds)
        self.bench.works_on()


@pytest.fixture
def desk(database, postgres) -> Desk:
    site = PracticeSite(with_pupils("4", "5"))
    bench = open_practice_bench(open_classroom(database), site, postgres)
    return Desk(bench, site, open_browsers(bench.room).curie())


def test_what_has_arrived_says_when(desk: Desk):
    desk.bench.room.ada.hands_in()
    desk.bench.works_on()

    assert re.search(r"übertragen heute, \d+:\d\d", desk.overview().text)


def test_what_waits_says_when_it_is_tried_again(desk: Desk):
    desk.site.fails("scores", "503")
    desk.bench.room.ada.hands_in()
    desk.bench.works_on()

    assert re.search(r"wartet auf Moodle, nächster Versuch heute, \d+:\d\d", desk.overview().text)


def test_a_problem_of_the_column_is_told_once_for_all(desk: Desk):
    desk.site.lock_column()
    desk.both_hand_in()

    page = desk.overview()

    assert page.text.count("ist in Moodle gesperrt") == 1
    assert "2 Schülerinnen und Schüler:" in page.text
    assert f"{ALL} (2)" in page.text


def test_one_button_sends_everything_again_and_pressing_it_twice_is_no_harm(desk: Desk):
    desk.site.lock_column()
    desk.both_hand_in()
    desk.site.lock_column("unlock")

    first = desk.curie.post("/overview/grades/send")
    second = desk.curie.post("/overview/grades/send")
    desk.bench.works_on()

    assert (first.status, second.status) == (303, 303)
    assert "sent_already" in second.response.location
    assert desk.site.grade("4").points == desk.site.grade("5").points == 9.2
    assert [row.status for row in desk.site.ledger()] == [500, 500, 200, 200]


def test_it_leaves_alone_what_a_teacher_changed_in_moodle(desk: Desk):
    desk.site.override("5", "3")
    desk.site.cell("4", "lock")
    desk.both_hand_in()
    desk.site.cell("4", "unlock")

    desk.curie.post("/overview/grades/send")
    desk.bench.works_on()

    assert [row.user for row in desk.site.ledger()].count("5") == 1
    assert desk.site.grade("4").points == 9.2
    assert "in Moodle geändert: dort gilt Ihre Note" in desk.overview().text


def test_atk_118_only_a_teachers_own_act_brings_our_points_back(desk: Desk):
    desk.site.override("4", "3")
    submission = desk.bench.room.ada.hands_in()
    desk.works_on()
    page = desk.curie.get(f"/overview/work/{submission.id}")
    assert "nehmen Sie dort zuerst die Überschreibung zurück" in page.text
    sync = desk.bench.sync()

    # The override still stands: asking changes nothing.
    desk.curie.post(f"/overview/grades/{sync.id}/send")
    desk.works_on()
    assert desk.bench.sync().state is SyncState.OVERRIDDEN
    assert desk.site.grade("4").points == 3

    desk.site.cell("4", "release")
    desk.works_on(3600)  # and by itself nothing comes
    assert desk.site.grade("4").points == 3
    desk.curie.post(f"/overview/grades/{sync.id}/send")
    desk.works_on()

    assert desk.bench.sync().state is SyncState.POSTED
    assert desk.site.grade("4").points == 9.2


def test_a_column_that_is_gone_can_be_made_anew_from_the_overview(desk: Desk):
    desk.bench.room.ada.hands_in()
    desk.bench.works_on()
    desk.site.remove_column()
    desk.bench.room.ben.hands_in()
    desk.bench.works_on()
    assert "Neue Notenspalte anlegen" in desk.overview().text

    ordered = desk.curie.post("/overview/grades/column")
    again = desk.curie.post("/overview/grades/column")
    desk.works_on()
    desk.works_on()

    assert (ordered.status, again.status) == (303, 303)
    (made,) = desk.site.items()
    for sub in ("4", "5"):  # what had arrived in the old one, too
        assert desk.site.grade(sub, made.item_id).points == 9.2
    assert "Neue Notenspalte" not in desk.overview().text
    assert desk.curie.post("/overview/grades/column").status == 409


def test_where_gustav_may_make_no_columns_no_button_promises_one(desk: Desk):
    with desk.bench.room.database.begin(desk.bench.room.service) as db:
        db.connection().exec_driver_sql(
            "UPDATE resource_links SET ags_scopes = array_remove(ags_scopes,"
            " 'https://purl.imsglobal.org/spec/lti-ags/scope/lineitem')"
        )
    desk.site.remove_column()
    desk.bench.room.ada.hands_in()
    desk.bench.works_on()

    page = desk.overview()

    assert "keine Notenspalte mehr" in page.text
    assert "Neue Notenspalte anlegen" not in page.text
    assert desk.curie.post("/overview/grades/column").status == 409
