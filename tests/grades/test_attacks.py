"""Attacks on the way to the gradebook: ATK 111, 113, 115-117 and 119 of the catalogue (118 is told
in test_moodle_table.py and tests/dashboard/test_transfers.py)."""

from datetime import datetime, timedelta
from itertools import pairwise
from threading import Thread
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from lti_tool.core import jobs
from lti_tool.core.jobs import JobKind
from lti_tool.grades import service as grades
from lti_tool.grades.models import GradeSync, SyncState
from lti_tool.launch.models import ResourceLink
from lti_tool.submissions.models import Feedback, ReleasedBy
from tests.classroom import SCORES, open_classroom
from tests.fakes.practice import PracticeSite, with_pupils
from tests.specs import spec
from tests.visitor import open_browsers
from tests.workbench import RESULTS, Workbench, open_practice_bench


@pytest.fixture
def site() -> PracticeSite:
    return PracticeSite(with_pupils("4", "5"))


@pytest.fixture
def bench(database, site: PracticeSite, postgres) -> Workbench:
    return open_practice_bench(open_classroom(database), site, postgres)


def hosts_asked(site: PracticeSite) -> list[str]:
    asked: list[str] = []
    site.network.before = lambda request: asked.append(request.url.host)
    return asked


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/services/2/lineitems/1/lineitem?type_id=7",
        "http://lms.example:8080/services/2/lineitems",
        "http://lms.example.evil.example/services/2/lineitems",
        "http://evil.example@lms.example/services/2/lineitems",
        "https://lms.example/services/2/lineitems",
        "file:///etc/passwd",
    ],
)
@pytest.mark.parametrize("claim", ["lineitem_url", "lineitems_url"])
def test_atk_111_a_column_or_list_elsewhere_gets_nothing_from_us(bench, site, claim, address):
    with bench.room.database.begin(bench.room.service) as db:
        link = db.get_one(ResourceLink, bench.room.link_id)
        link.lineitem_url = None
        setattr(link, claim, address)
    asked = hosts_asked(site)
    bench.room.ada.hands_in()

    bench.works_on()

    assert asked == []  # not even a token was fetched for it
    assert (bench.sync().state, bench.sync().reason) == (SyncState.FAILED, "address_refused")


def test_atk_111_a_column_of_another_course_is_refused_by_its_lms_and_told(bench, site):
    with bench.room.database.begin(bench.room.service) as db:
        link = db.get_one(ResourceLink, bench.room.link_id)
        link.lineitem_url = site.column.replace("/services/2/", "/services/3/")
        link.lineitems_url = site.columns.replace("/services/2/", "/services/3/")
    bench.room.ada.hands_in()

    bench.works_on()

    assert (bench.sync().state, bench.sync().reason) == (SyncState.FAILED, "column_gone")
    assert site.grade("4").points is None


def test_atk_113_where_less_is_granted_than_was_announced_the_teacher_is_told(bench, site):
    narrow = {"access_token": "x", "token_type": "Bearer", "scope": RESULTS}
    site.network.answers["/token"] = narrow
    bench.room.ada.hands_in()

    bench.works_on()

    assert (bench.sync().state, bench.sync().reason) == (SyncState.FAILED, "not_allowed")
    assert site.ledger() == []


def test_atk_113_a_platform_that_lets_us_write_but_not_read_is_written_to(bench, site):
    def only_scores(request) -> None:
        wide = b"result" not in request.read()
        site.network.answers.pop("/token", None)
        if request.url.path == "/token" and not wide:
            site.network.answers["/token"] = {"access_token": "x", "scope": SCORES}

    site.network.before = only_scores
    bench.room.ada.hands_in()

    bench.works_on()

    assert bench.sync().state is SyncState.POSTED
    assert site.grade("4").points == 9.2


def test_atk_115_whose_score_it_is_says_our_own_row_never_a_request(bench, site):
    site.cell("4", "lock")
    bench.room.ada.hands_in()
    bench.works_on()
    site.cell("4", "unlock")
    curie = open_browsers(bench.room).curie()

    curie.post(
        f"/overview/grades/{bench.sync().id}/send",
        user_id="5", userId="5", person_id=str(bench.room.ben.launch.person_id), score="10",
    )  # fmt: skip
    bench.works_on()

    assert {row.user for row in site.ledger()} == {"4"}
    assert site.grade("4").points == 9.2
    assert site.grade("5").points is None


@pytest.mark.parametrize(
    ("score", "maximum"),
    [("10.01", "10"), ("-0.01", "10"), ("'NaN'", "10"), ("1e308", "10"), ("'Infinity'", "10"),
     ("'7,5'", "10"), ("NULL", "10")],
)  # fmt: skip
def test_atk_116_the_database_holds_no_score_that_is_none(bench, score, maximum):
    bench.room.ada.hands_in()
    bench.works_on()

    with psycopg.connect(bench.superuser_url) as connection:
        connection.execute("ALTER TABLE grade_syncs DISABLE TRIGGER keep_true")
        with pytest.raises((psycopg.DataError, psycopg.IntegrityError)):
            connection.execute(f"UPDATE grade_syncs SET score = {score}, score_maximum = {maximum}")
        connection.rollback()


class TestAtk117:
    """Replayed and reordered: strictly increasing, the last version wins, never cleared."""

    def test_a_job_that_is_done_twice_posts_once(self, bench, site):
        bench.room.ada.hands_in()
        bench.works_on()
        with bench.room.database.begin(bench.room.service) as db:
            sync = db.scalars(select(GradeSync)).one()
            jobs.enqueue(db, JobKind.POST_SCORE, platform_id=sync.platform_id, subject_id=sync.id)

        bench.works_on()

        assert len(site.ledger()) == 1

    def test_one_that_arrived_unanswered_is_not_sent_again_whatever_the_clocks_say(
        self, bench, site
    ):
        """With Moodle's clock behind ours it would take the same score a second time."""
        site.fails("scores", "store_then_hang")
        bench.room.ada.hands_in()
        bench.works_on()

        bench.a_while_passes(20)
        bench.works_on()

        assert bench.sync().state is SyncState.POSTED
        assert [row.status for row in site.ledger()] == [200]

    def test_nor_one_whose_worker_died_after_sending(self, bench, site):
        class Killed(BaseException):
            pass

        def dies(request) -> None:
            if request.url.path.endswith("/scores"):
                site.network.after = lambda request: None
                raise Killed

        site.network.after = dies
        bench.room.ada.hands_in()
        bench.works()
        with pytest.raises(Killed):
            bench.works()

        bench.a_while_passes(600)
        bench.works_on()

        assert bench.sync().state is SyncState.POSTED
        assert [row.status for row in site.ledger()] == [200]

    def test_an_older_job_that_comes_last_sends_nothing(self, bench, site):
        site.fails("scores", "503")
        bench.room.ada.hands_in()
        bench.works_on()
        bench.room.ada.hands_in("Besser.", attempt=2)
        bench.works_on()

        bench.a_while_passes(7200)
        bench.works_on()

        assert [row.comment.splitlines()[0] for row in site.ledger()] == ["Versuch 1", "Versuch 2"]
        assert "Versuch 2" in site.grade("4").feedback

    def test_timestamps_of_one_pupil_are_a_second_apart_though_no_time_passes(self, bench, site):
        stamps = []
        for attempt in (1, 2, 3):
            bench.room.ada.hands_in(f"Versuch {attempt}", attempt=attempt)
            site.clock.now -= timedelta(seconds=4)  # what the bench itself lets pass
            bench.works()
            bench.works()
            stamps.append(bench.sync().sent_at)
        while bench.sync().state is not SyncState.POSTED:
            bench.a_while_passes(30)
            bench.works_on()

        assert all(b - a >= timedelta(seconds=1) for a, b in pairwise(stamps))
        moments = [datetime.fromisoformat(row.timestamp) for row in site.ledger() if row.stored]
        assert moments == sorted(moments)
        assert "Versuch 3" in site.grade("4").feedback

    def test_nothing_overtakes_a_score_that_is_being_sent(self, bench, site):
        bench.room.ada.hands_in()
        bench.works()

        def newer_version(request) -> None:
            if request.url.path.endswith("/scores"):
                site.network.before = lambda request: None
                bench.room.ada.hands_in("Besser.", attempt=2)
                bench.works()
                bench.works()

        site.network.before = newer_version
        bench.works()
        assert [row.comment.splitlines()[0] for row in site.ledger()] == ["Versuch 1"]

        bench.a_while_passes(10)
        bench.works_on()
        assert "Versuch 2" in site.grade("4").feedback

    def test_every_score_that_ever_left_was_fully_graded_and_had_a_comment(self, bench, site):
        for attempt in (1, 2):
            bench.room.ada.hands_in(f"Versuch {attempt}", attempt=attempt)
            bench.works_on()

        assert {row.progress for row in site.ledger()} == {"FullyGraded"}
        assert all(row.comment for row in site.ledger())


class TestAtk119:
    """No grade by AI alone: the database itself wants the release, from whoever writes."""

    @pytest.fixture
    def judged(self, database, site, postgres) -> Workbench:
        """Practice without reporting: feedback is out, no score was asked for."""
        room = open_classroom(database, spec(reports_score=False))
        bench = open_practice_bench(room, site, postgres)
        room.ada.hands_in()
        bench.works_on()
        assert bench.sync() is None
        return bench

    def write(self, bench: Workbench, **changes: object) -> None:
        """A score row by the application's own role, in the name of a job."""
        with bench.room.database.begin(bench.room.service) as db:
            feedback = db.scalars(select(Feedback)).one()
            right = {
                "id": uuid4(),
                "platform_id": feedback.platform_id,
                "course_id": feedback.course_id,
                "person_id": feedback.person_id,
                "resource_link_id": bench.room.link_id,
                "submission_id": feedback.submission_id,
                "feedback_id": feedback.id,
                "authority": ReleasedBy.TEACHER,
                "decided_by": None,
                "score": 8,
                "score_maximum": 10,
                "comment": "KI",
                "state": SyncState.PLANNED,
            }
            db.add(GradeSync(**(right | changes)))

    @pytest.mark.parametrize("authority", list(ReleasedBy))
    def test_a_score_without_a_release_cannot_be_written(self, judged, authority):
        with psycopg.connect(judged.superuser_url) as connection:
            connection.execute("UPDATE regular_tasks SET reports_score = true")
            connection.execute("UPDATE feedbacks SET released_at = NULL, release = NULL")

        with pytest.raises(IntegrityError, match="needs the release"):
            self.write(judged, authority=authority)

    @pytest.mark.parametrize("authority", list(ReleasedBy))
    def test_nor_by_a_rule_that_the_task_does_not_have_nor_by_an_invented_act(
        self, judged, authority
    ):
        with pytest.raises(IntegrityError, match="needs the release"):
            self.write(judged, authority=authority)

    @pytest.mark.parametrize("column", ["person_id", "decided_by"])
    def test_nor_for_somebody_else(self, judged, column):
        teacher = {"release": ReleasedBy.TEACHER, "released_by": judged.room.school.curie}
        with judged.room.database.begin(judged.room.service) as db:
            db.execute(update(Feedback).values(**teacher))
        ben = judged.room.ben.launch.person_id

        with pytest.raises(IntegrityError, match="needs the release"):
            self.write(judged, **{"decided_by": judged.room.school.curie, column: ben})

        self.write(judged, decided_by=judged.room.school.curie)  # the right one may

    def test_nor_without_any_feedback(self, judged):
        with pytest.raises(DBAPIError):
            self.write(judged, feedback_id=None)

    @pytest.mark.parametrize(
        "change",
        ["score = 10", "comment = 'x'", "authority = 'task_rule'", "score_maximum = 100"],
    )
    def test_what_a_score_says_does_not_change_afterwards(self, bench, change):
        bench.room.ada.hands_in()
        bench.works_on()
        if "authority" in change:
            change = "authority = 'teacher'"

        with (
            pytest.raises(IntegrityError, match="does not change"),
            bench.room.database.begin(bench.room.service) as db,
        ):
            db.execute(text(f"UPDATE grade_syncs SET {change}"))

    def test_the_teacher_who_decided_may_be_erased(self, judged):
        teacher = {"release": ReleasedBy.TEACHER, "released_by": judged.room.school.curie}
        with judged.room.database.begin(judged.room.service) as db:
            db.execute(update(Feedback).values(**teacher))
        self.write(judged, decided_by=judged.room.school.curie)

        with judged.room.database.begin(judged.room.service) as db:
            db.execute(text("DELETE FROM persons WHERE id = :id"), {"id": judged.room.school.curie})

        assert judged.sync().decided_by is None


def test_two_acts_for_one_pupil_at_the_same_moment_end_in_one_open_score(bench, site):
    """A teacher confirms the first attempt while a rule lets the second one out."""
    room = bench.room
    for attempt in (1, 2):
        room.ada.hands_in(f"Versuch {attempt}", attempt=attempt)
    bench.works()
    with psycopg.connect(bench.superuser_url, autocommit=True) as connection:
        connection.execute("DELETE FROM grade_syncs")
    with room.database.begin(room.service) as db:
        first, second = db.execute(
            select(Feedback.submission_id, Feedback.id).order_by(Feedback.id)
        ).all()

    def let_out(which) -> None:
        with room.database.begin(room.service) as db:
            grades.plan(db, *which)

    with room.database.begin(room.service) as db:
        grades.plan(db, *first)
        other = Thread(target=let_out, args=[second])
        other.start()
        other.join(0.5)  # it waits for us
    other.join()

    assert bench.sync().submission_id == second.submission_id
    bench.works_on()
    assert "Versuch 2" in site.grade("4").feedback
