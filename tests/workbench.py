"""A worker without its threads, between the classroom and a Moodle that answers on this machine."""

from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

import psycopg
from sqlalchemy import select

from feedback_engine.contract import PageReader
from lti_tool.core import jobs
from lti_tool.core.db import ADMIN, WORKER, Database, service_of
from lti_tool.core.hosts import Host, LaneBook
from lti_tool.core.jobs import Job, JobKind
from lti_tool.core.leases import Leases
from lti_tool.flows import Workshop
from lti_tool.grades.ags import AgsClient
from lti_tool.grades.models import GradeSync
from lti_tool.launch.models import ResourceLink
from lti_tool.people.models import Platform, PlatformKey
from lti_tool.people.roster_client import RosterClient
from lti_tool.people.services import KeySeal
from lti_tool.people.tokens import TokenEndpoint
from tests.classroom import SCORES, Classroom, FakeEngine
from tests.fakes.files import MemoryFiles
from tests.fakes.practice import PracticeSite
from tests.fakes.school import School as MoodleSite
from tests.practice_lms.bench import BASE

RESULTS = "https://purl.imsglobal.org/spec/lti-ags/scope/result.readonly"
LINE_ITEMS = "https://purl.imsglobal.org/spec/lti-ags/scope/lineitem"
SEAL = KeySeal("s" * 32)


def leases_of(database: Database) -> Leases:
    return Leases(database.begin, lease=timedelta(minutes=5), longest=timedelta(hours=1))


def lane_of(database: Database) -> LaneBook:
    return LaneBook(database.begin, Host("", 2), {JobKind.GIVE_FEEDBACK: ""})


@dataclass
class Workbench:
    """A worker without its threads: does every job that is ready, one after the other."""

    room: Classroom
    moodle: MoodleSite | PracticeSite
    superuser_url: str
    engine: FakeEngine = field(default_factory=FakeEngine)
    reader: PageReader | None = None
    files: MemoryFiles = field(default_factory=MemoryFiles)

    def works(self) -> None:
        """Everything that is ready now."""
        self.moodle.clock.now += timedelta(seconds=2)
        with self.room.database.begin(WORKER) as db:
            ready = jobs.ready(db)
        for _, job_id in ready:
            self.workshop().do(job_id)

    def works_on(self) -> None:
        """Everything, with what follows from it, until nothing is ready any more."""
        for _ in range(5):
            self.works()

    def a_day_passes(self, days: int = 1) -> None:
        self.a_while_passes(timedelta(days=days).total_seconds())

    def a_while_passes(self, seconds: float) -> None:
        """For both clocks: the LMS's, and the database's, whose moments move back instead."""
        by = timedelta(seconds=seconds)
        self.moodle.clock.now += by
        with psycopg.connect(self.superuser_url, autocommit=True) as connection:
            connection.execute(
                "UPDATE jobs SET ready_at = ready_at - %(by)s, created_at = created_at - %(by)s,"
                " since = since - %(by)s, lease_until = lease_until - %(by)s",
                {"by": by},
            )
            connection.execute(
                "UPDATE line_items SET looking_until = looking_until - %(by)s", {"by": by}
            )

    def sync(self) -> GradeSync:
        with self.room.database.begin(self.room.service) as db:
            return db.scalars(select(GradeSync).order_by(GradeSync.id.desc())).first()

    def grade_of(self, sub: str) -> tuple[Decimal | None, str | None]:
        grade = self.moodle.moodle.grades[sub]
        return grade.value, grade.comment

    def job(self, kind: JobKind) -> Job:
        with self.room.database.begin(WORKER) as db:
            return db.scalars(select(Job).where(Job.kind == kind)).one()

    def workshop(self) -> Workshop:
        return Workshop(
            begin=self.room.database.begin,
            engine=self.engine,
            reader=self.reader,
            files=self.files,
            gradebook=AgsClient(self.moodle.outbound, self.moodle.tokens),
            rosters=RosterClient(self.moodle.outbound, self.moodle.tokens),
            seal=SEAL,
            clock=self.moodle.clock,
            leases=leases_of(self.room.database),
            lane=lane_of(self.room.database),
            attempts=3,
        )


def open_practice_bench(room: Classroom, site: PracticeSite, postgres) -> Workbench:
    """The classroom, at the practice LMS, to whose first activity its own belongs."""
    superuser_url = postgres.superuser_url.replace("+psycopg", "")
    _register(room, BASE, site.endpoint)
    with room.database.begin(service_of(room.school.platform_id)) as db:
        link = db.get_one(ResourceLink, room.link_id)
        link.link_id, link.title = site.link_id, "Fotosynthese"
        link.lineitem_url, link.lineitems_url = site.column, site.columns
        link.ags_scopes = [SCORES, RESULTS, LINE_ITEMS, f"{LINE_ITEMS}.readonly"]
    return Workbench(room, site, superuser_url)


def _register(room: Classroom, issuer: str, endpoint: TokenEndpoint) -> None:
    platform_id = room.school.platform_id
    with room.database.begin(ADMIN) as db:
        platform = db.get_one(Platform, platform_id)
        platform.issuer, platform.token_url = issuer, endpoint.token_url
        platform.client_id = endpoint.client_id
        sealed = SEAL.seal(endpoint.key.private)
        key = PlatformKey(platform_id=platform_id, kid=endpoint.key.kid, private_pem=sealed)
        db.add(key)


def open_bench(room: Classroom, moodle: MoodleSite, postgres) -> Workbench:
    """The classroom, at a Moodle that answers on this machine."""
    moodle.moodle.enrolled = {"4", "5"}
    moodle.moodle.grade_maximum = Decimal(10)
    superuser_url = postgres.superuser_url.replace("+psycopg", "")
    _register(room, moodle.url(""), moodle.endpoint)
    with room.database.begin(service_of(room.school.platform_id)) as db:
        link = db.get_one(ResourceLink, room.link_id)
        link.lineitem_url, link.lineitems_url = moodle.column, moodle.columns
        link.ags_scopes = [SCORES, RESULTS]
    return Workbench(room, moodle, superuser_url)
