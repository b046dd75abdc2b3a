"""I5: passback at most once per result version, in order; gradebook value == last released value.

The judge stands outside: the practice LMS with Moodle's rules, its gradebook and its ledger.
GUSTAV_TEST_SCORES=10000 takes some minutes; the suite takes a tenth of it, with the same trouble.
"""

import os
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from lti_tool.grades.models import OPEN, GradeSync, SyncState
from lti_tool.people.models import Person
from tests.classroom import open_classroom
from tests.fakes.practice import PracticeSite, with_pupils
from tests.grades.school_year import Pupil, SchoolYear, people_a_year
from tests.specs import spec
from tests.workbench import open_practice_bench

SCORES = int(os.environ.get("GUSTAV_TEST_SCORES", "1000"))


@pytest.fixture
def year(database, postgres, request) -> Iterator[SchoolYear]:
    seed, pupils, versions, skew = request.param
    subs = [str(1000 + number) for number in range(pupils)]
    site = PracticeSite(with_pupils(*subs))
    bench = open_practice_bench(open_classroom(database, spec(reports_score=True)), site, postgres)
    everybody = people_a_year(bench, subs, versions, seed)
    made = SchoolYear(bench, site, everybody, seed, timedelta(seconds=skew))
    yield made
    made.db.close()


def live_through(year: SchoolYear) -> None:
    """Everything is released but the last version of each pupil, in any order, amid trouble."""
    rng, waiting = year.rng, [p for p in year.pupils for _ in p.versions[1:]]
    rng.shuffle(waiting)
    while waiting:
        for pupil in [waiting.pop() for _ in range(min(rng.randrange(1, 40), len(waiting)))]:
            year.releases(pupil)
        if rng.random() < 0.7:
            year.something_breaks()
        if rng.random() < 0.3:
            year.does_something_in_moodle(rng.choice(year.pupils))
        if rng.random() < 0.1:
            year.sends_all_again()
        year.works()
        year.time_passes(rng.choice((0.2, 1, 3, 20, 60, 600)))


def calm_down(year: SchoolYear) -> None:
    """Everything works again; teachers unlock, some take their own grades back, and send again."""
    year.trouble = 0
    year.site.fails("all", "normal", None)
    year.site.lock_column("unlock")
    for number, pupil in enumerate(year.pupils):
        year.site.cell(pupil.sub, "unlock")
        if number % 2:
            year.site.cell(pupil.sub, "release")
    year.time_passes(3700)


def finish(year: SchoolYear) -> None:
    for _ in range(60):
        if not year.works() and not open_syncs(year):
            year.sends_all_again()
            if not year.works():
                return
        year.time_passes(400)
    raise AssertionError("it never came to rest")


def open_syncs(year: SchoolYear) -> list[GradeSync]:
    with year.room.database.begin(year.room.service) as db:
        return list(db.scalars(select(GradeSync).where(GradeSync.state.in_(OPEN))))


def newest(year: SchoolYear) -> dict[str, GradeSync]:
    with year.room.database.begin(year.room.service) as db:
        rows = db.execute(
            select(Person.sub, GradeSync)
            .join(GradeSync, GradeSync.person_id == Person.id)
            .order_by(GradeSync.id)
        )
        return {row.sub: row.GradeSync for row in rows}


def judge(year: SchoolYear) -> None:
    """The ledger and the gradebook against what was released last."""
    stored = Counter((row.user, row.comment) for row in year.site.ledger() if row.stored)
    assert {key: times for key, times in stored.items() if times > 1} == {}
    syncs = newest(year)
    wrong: list[tuple] = []
    for pupil in year.pupils:
        sync, cell = syncs[pupil.sub], year.site.grade(pupil.sub)
        assert f"Fassung {pupil.released}" in sync.comment
        if cell.overridden:
            fine = sync.state in (SyncState.OVERRIDDEN, SyncState.POSTED)
        else:
            here = (Decimal(str(cell.points)), cell.feedback)
            fine = here == (sync.score, sync.comment) and sync.state is SyncState.POSTED
        if not fine:
            wrong.append((pupil.sub, sync.state, sync.reason, sync.score, cell))
    assert wrong == []


def send_the_last_versions(year: SchoolYear) -> None:
    year.held_back = 0
    for pupil in year.pupils:
        year.releases(pupil)


def reported_in_vain(year: SchoolYear) -> list[Pupil]:
    """Pupils whose grade is said to be changed in Moodle although nobody ever did."""
    syncs = newest(year)
    return [
        pupil
        for pupil in year.pupils
        if not pupil.overridden and syncs[pupil.sub].state is SyncState.OVERRIDDEN
    ]


# seed, pupils, versions of each one's result, seconds that our clock is ahead of Moodle's
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(
    "year",
    [(1, SCORES // 20, 10, 0), (2, SCORES // 40, 10, 2.5), (3, SCORES // 40, 10, -2.5)],
    indirect=True,
    ids=["one clock", "ours ahead", "ours behind"],
)
def test_i5_every_gradebook_value_is_the_last_released_and_none_was_posted_twice(year: SchoolYear):
    live_through(year)
    calm_down(year)
    finish(year)
    assert reported_in_vain(year) == []
    send_the_last_versions(year)
    finish(year)

    judge(year)
    assert all(pupil.released == len(pupil.versions) for pupil in year.pupils)
    assert year.kills > 0
