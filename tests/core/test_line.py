"""Place in line and expected time, as the lanes will take the jobs and by what was measured."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import pytest
from uuid_utils.compat import uuid7

from lti_tool.core import hosts, jobs
from lti_tool.core.db import WORKER, Database, service_of
from lti_tool.core.dispatch import Rules, take
from lti_tool.core.hosts import OPENS_AFTER, Host, LaneBook
from lti_tool.core.jobs import JobKind, Line
from lti_tool.core.lanes import Urgency
from lti_tool.core.line import InLine, in_line
from tests.school import found_school

READ, JUDGE = JobKind.READ_PAGES, JobKind.GIVE_FEEDBACK
MODELS = {READ: "qwen2.5vl:7b", JUDGE: "gemma3:12b"}
RULES = Rules(lease=timedelta(minutes=1), age_limit=timedelta(minutes=2))
HOST = Host("http://gpu-1:11434", 2)
BIG, SMALL = uuid7(), uuid7()  # courses


class Lines:
    """Who waits at one host."""

    def __init__(self, database: Database, platform_id: UUID) -> None:
        self.database = database
        self.platform_id = platform_id
        self.book = LaneBook(database.begin, HOST, MODELS)

    def adds(
        self,
        *,
        kind: JobKind = JUDGE,
        urgency: Urgency = Urgency.LIVE,
        course: UUID = BIG,
        after: float = 0,
        since: datetime | None = None,
    ) -> UUID:
        subject = uuid7()
        with self.database.begin(service_of(self.platform_id)) as db:
            jobs.enqueue(
                db,
                kind,
                platform_id=self.platform_id,
                subject_id=subject,
                line=Line(urgency, course, 1000, since),
                after=timedelta(seconds=after),
            )
        return subject

    def takes(self) -> None:
        assert take(self.database.begin, HOST, MODELS, RULES) is not None

    def of(self, subject: UUID) -> InLine:
        with self.database.begin(service_of(self.platform_id)) as db:
            found = in_line(db, subject)
        assert found is not None
        return found

    def ahead(self, *subjects: UUID) -> list[int | None]:
        return [self.of(subject).ahead for subject in subjects]

    def seconds(self, subject: UUID) -> float | None:
        wait = self.of(subject).wait
        return None if wait is None else wait.total_seconds()


@pytest.fixture
def lines(database: Database) -> Lines:
    platform_id = found_school(database, "https://moodle.schule.example").platform_id
    with database.begin(WORKER) as db:
        hosts.announce(db, HOST, MODELS)
    return Lines(database, platform_id)


@pytest.fixture
def ask(postgres) -> Iterator[Callable[..., object]]:
    url = postgres.superuser_url.replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection.execute


def test_those_at_work_and_those_who_came_before_are_ahead(lines: Lines):
    first, second, third = (lines.adds() for _ in range(3))
    lines.takes()

    assert lines.ahead(first, second, third) == [None, 1, 2]


def test_a_lesson_is_ahead_of_homework_that_came_before(lines: Lines):
    homework = lines.adds(urgency=Urgency.HOMEWORK)
    lesson = lines.adds()

    assert lines.ahead(lesson, homework) == [0, 1]


def test_courses_are_counted_by_turns(lines: Lines):
    big = [lines.adds(course=BIG) for _ in range(4)]
    small = lines.adds(course=SMALL)

    assert lines.ahead(small, *big) == [1, 0, 2, 3, 4]


def test_whose_photos_are_read_does_not_go_to_the_end_of_the_line(lines: Lines):
    others = [lines.adds() for _ in range(3)]
    photos_just_read = lines.adds(since=datetime.now(UTC) - timedelta(minutes=1))

    assert lines.ahead(photos_just_read, *others) == [0, 1, 2, 3]


def test_who_has_corrected_what_was_read_waits_from_then_on(lines: Lines):
    handed_in = datetime.now(UTC) - timedelta(minutes=1)
    corrects = lines.adds(after=3600, since=handed_in)
    other = lines.adds()
    with lines.database.begin(service_of(lines.platform_id)) as db:
        jobs.bring_forward(db, JUDGE, corrects)

    assert lines.ahead(other, corrects) == [0, 1]


def test_what_is_meant_for_later_is_not_in_line(lines: Lines):
    lines.adds(after=3600)
    now = lines.adds()

    assert lines.ahead(now) == [0]


def test_before_anything_was_measured_nobody_says_how_long_it_takes(lines: Lines):
    assert lines.seconds(lines.adds()) is None


def test_the_time_is_that_of_those_ahead_shared_by_the_slots_and_ones_own(lines: Lines):
    lines.book.answered(JUDGE, 1000, 20)
    waiting = [lines.adds() for _ in range(5)]

    assert [lines.seconds(one) for one in waiting] == pytest.approx([20, 30, 40, 50, 60])


def test_photos_are_read_first_and_judged_then(lines: Lines):
    lines.book.answered(JUDGE, 1000, 20)
    lines.book.answered(READ, 1000, 6)

    assert lines.seconds(lines.adds(kind=READ)) == pytest.approx(6 + 40)


def test_what_is_at_work_for_a_while_needs_less_time_but_never_none(lines: Lines, ask):
    lines.book.answered(JUDGE, 1000, 60)
    subject = lines.adds()
    lines.takes()
    ask("UPDATE jobs SET started_at = now() - interval '40 s'")
    assert lines.seconds(subject) == pytest.approx(20, abs=2)

    ask("UPDATE jobs SET started_at = now() - interval '90 s'")

    assert lines.seconds(subject) == 10


def test_nothing_is_promised_while_every_host_rests(lines: Lines):
    lines.book.answered(JUDGE, 1000, 20)
    subject = lines.adds()
    for _ in range(OPENS_AFTER):
        lines.book.silent(JUDGE)

    assert (lines.of(subject).ahead, lines.seconds(subject)) == (0, None)


def test_a_reload_says_the_same(lines: Lines):
    lines.book.answered(JUDGE, 1000, 20)
    lines.adds()
    subject = lines.adds()

    assert lines.of(subject) == lines.of(subject)


def test_another_school_counts_but_is_not_seen(lines: Lines, database: Database):
    other = found_school(database, "https://andere.schule.example")
    theirs = Lines(database, other.platform_id).adds()
    ours = lines.adds()

    assert lines.ahead(ours) == [1]
    with database.begin(service_of(lines.platform_id)) as db:
        assert in_line(db, theirs) is None


def test_a_card_that_has_become_twenty_times_slower_is_soon_believed(lines: Lines):
    """FLT-55: the wait that is told follows; leases are renewed, so nothing is done twice."""
    lines.book.answered(JUDGE, 1000, 20)
    subject = lines.adds()
    assert lines.seconds(subject) == pytest.approx(20)

    for _ in range(10):
        lines.book.answered(JUDGE, 1000, 400)

    assert lines.seconds(subject) == pytest.approx(360, abs=10)
