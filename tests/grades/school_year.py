"""Many scores, all kinds of bad luck, and an LMS that keeps a ledger: the world of invariant I5.

Everything is random but repeatable: one seed, one thread, a clock that is moved by hand. What
happens in between happens in the middle of a request: newer versions, other workers, deaths.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import product
from uuid import UUID

import psycopg
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from lti_tool.content.models import RegularTask
from lti_tool.core import jobs
from lti_tool.core.db import WORKER, Actor
from lti_tool.core.leases import Leases
from lti_tool.flows import Workshop
from lti_tool.grades import service as grades
from lti_tool.grades.ags import AgsClient
from lti_tool.people.tokens import ServiceTokens
from tests.classroom import Classroom
from tests.fakes.practice import PracticeSite
from tests.workbench import Workbench

FAULTS = {
    "scores": ("store_then_hang", "hang", "503", "429", "409", "garbage", "400", "403", "404",
               "500", "expired_token"),
    "results": ("hang", "503", "garbage", "expired_token", "429"),
    "token": ("503", "hang", "garbage", "429"),
    "lineitems": ("503", "hang", "expired_token"),
}  # fmt: skip
LEASE = timedelta(seconds=120)
LEVELS = list(product(range(3), range(4)))  # of the two criteria


class Killed(BaseException):
    """The worker's process is gone from one step to the next."""


@dataclass
class Version:
    """A result that a teacher's rule let out, in the order of its pupil."""

    feedback_id: UUID
    submission_id: UUID


@dataclass
class Pupil:
    sub: str
    versions: list[Version]
    released: int = 0
    overridden: bool = False


@dataclass
class SchoolYear:
    bench: Workbench
    site: PracticeSite
    pupils: list[Pupil]
    seed: int
    skew: timedelta = timedelta()
    trouble: float = 1.0
    held_back: int = 1  # the last version of each pupil: not before everything is calm
    depth: int = 0
    kills: int = 0
    shifted: timedelta = field(default=timedelta())

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        self.db = psycopg.connect(self.bench.superuser_url, autocommit=True)
        self.site.network.before = self.site.network.after = lambda request: self._meanwhile()
        self.shops = [self._open_shop(), self._open_shop()]

    # --- what people do

    def releases(self, pupil: Pupil) -> None:
        if pupil.released == len(pupil.versions) - self.held_back:
            return
        version = pupil.versions[pupil.released]
        pupil.released += 1
        with self.room.database.begin(self.room.service) as db:
            grades.plan(db, version.submission_id, version.feedback_id)
        self._plan_by_our_clock()

    def sends_all_again(self) -> None:
        room = self.room
        with room.database.begin(room.curie.actor) as db:
            grades.send_all_again(db, room.curie, self._our_clock())
        self._plan_by_our_clock()

    def does_something_in_moodle(self, pupil: Pupil) -> None:
        act = self.rng.choice(("override", "release", "lock", "unlock", "column", "no column"))
        if act == "override":
            self.site.cell(pupil.sub, "unlock")
            self.site.lock_column("unlock")
            self.site.override(pupil.sub, str(self.rng.randrange(11)), "Von Hand")
            pupil.overridden = True
        elif act in ("column", "no column"):
            self.site.lock_column("lock" if act == "column" else "unlock")
        else:
            self.site.cell(pupil.sub, act)

    # --- what happens by itself

    def time_passes(self, seconds: float) -> None:
        by = timedelta(seconds=seconds)
        self.site.clock.now += by
        self.shifted += by
        self.db.execute(
            "UPDATE jobs SET ready_at = ready_at - %(by)s, lease_until = lease_until - %(by)s"
            " WHERE state IN ('waiting', 'working')",
            {"by": by},
        )

    def works(self, most: int = 100) -> int:
        """Do what is ready, in any order."""
        with self.room.database.begin(WORKER) as db:
            ready = jobs.ready(db, 200)
        self.rng.shuffle(ready)
        for _, job_id in ready[:most]:
            try:
                self.shops[self.depth].do(job_id)
            except Killed:
                self.kills += 1
        return len(ready)

    def something_breaks(self) -> None:
        endpoint = self.rng.choice(list(FAULTS))
        self.site.fails(endpoint, self.rng.choice(FAULTS[endpoint]), self.rng.choice((1, 1, 2, 4)))

    def _open_shop(self) -> Workshop:
        """A worker process: with tokens of its own."""
        tokens = ServiceTokens(self.site.outbound, self._our_clock)
        return replace(
            self.bench.workshop(),
            begin=self._begin,
            clock=self._our_clock,
            leases=Leases(self._begin, lease=LEASE, longest=timedelta(hours=1)),
            gradebook=AgsClient(self.site.outbound, tokens),
        )

    def _meanwhile(self) -> None:
        """In the middle of a request."""
        if self.depth or self.rng.random() > 0.08 * self.trouble:
            return
        self.depth += 1
        try:
            acts = (self._another_version, self._another_worker, self._long_wait, self._death)
            for act in self.rng.choices(acts, (4, 4, 2, 2), k=2):
                act()
        finally:
            self.depth -= 1

    def _another_version(self) -> None:
        for pupil in self.rng.sample(self.pupils, min(3, len(self.pupils))):
            self.releases(pupil)

    def _another_worker(self) -> None:
        self.works(most=4)

    def _long_wait(self) -> None:
        self.time_passes(self.rng.choice((1, 5, 130)))

    def _death(self) -> None:
        raise Killed

    @contextmanager
    def _begin(self, actor: Actor) -> Iterator[Session]:
        """Transactions that now and then do not come to their end, or whose end nobody hears of."""
        luck = self.rng.random() / (self.trouble or 1e-9)
        with self.room.database.begin(actor) as db:
            yield db
            if luck < 0.003:
                raise Killed
        if luck > 1 / (self.trouble or 1e-9) - 0.003 and self.trouble:
            raise Killed

    @property
    def room(self) -> Classroom:
        return self.bench.room

    def _our_clock(self) -> datetime:
        return self.site.clock() + self.skew

    def _plan_by_our_clock(self) -> None:
        """The database's clock stands still while ours is moved."""
        self.db.execute(
            "UPDATE grade_syncs SET planned_at = %s WHERE state = 'planned' AND planned_at < now()"
            " AND sent_at IS NULL OR state = 'planned' AND insisted AND planned_at < now()",
            [self._our_clock()],
        )


def people_a_year(bench: Workbench, subs: list[str], versions: int, seed: int) -> list[Pupil]:
    """Pupils who have handed in, and the feedback that will be let out one after the other."""
    room = bench.room
    rng = random.Random(seed)
    with room.database.begin(room.curie.actor) as db:
        task = db.get_one(RegularTask, room.task_id)
        criteria = [(c.id, c.weight, len(c.levels), c.levels) for c in task.criteria]
    platform, course = room.school.platform_id, room.school.bio
    pupils, tables = [], {name: [] for name in ("persons", "submissions", "feedbacks", "results")}
    for sub in subs:
        person, submission = uuid7(), uuid7()
        tables["persons"].append((person, platform, sub))
        tables["submissions"].append(
            (submission, platform, course, room.link_id, task.id, person, 1, uuid7(), "Licht.",
             "de", "released")
        )  # fmt: skip
        mine = []
        for number in range(1, versions + 1):
            feedback = uuid7()
            mine.append(Version(feedback, submission))
            tables["feedbacks"].append(
                (feedback, platform, course, person, submission, number, "ai", "fake", "fake-1",
                 "", "1", "", f"Fassung {number}", "", "", "now", "task_rule", "now")
            )  # fmt: skip
            for place, (criterion, level) in enumerate(
                zip(criteria, rng.choice(LEVELS), strict=True)
            ):
                tables["results"].append(
                    (uuid7(), platform, feedback, criterion[0], place, "K", criterion[1],
                     criterion[2], level, "", "assessed", "", "")
                )  # fmt: skip
        pupils.append(Pupil(sub, mine))
    _copy_in(bench, tables)
    return pupils


_COLUMNS = {
    "persons": "persons (id, platform_id, sub)",
    "submissions": "submissions (id, platform_id, course_id, resource_link_id, task_id, person_id,"
    " attempt, client_key, answer, language, state)",
    "feedbacks": "feedbacks (id, platform_id, course_id, person_id, submission_id, version, author,"
    " engine, model, model_digest, prompt_version, strengths, next_step, question, flags,"
    " released_at, release, superseded_at)",
    "results": "criterion_results (id, platform_id, feedback_id, criterion_id, position, title,"
    " weight, levels, level, level_text, status, quote, reason)",
}


def _copy_in(bench: Workbench, tables: dict[str, list[tuple]]) -> None:
    with psycopg.connect(bench.superuser_url) as connection:
        for name, rows in tables.items():
            with connection.cursor().copy(f"COPY {_COLUMNS[name]} FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
