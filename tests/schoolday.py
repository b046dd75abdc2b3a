"""A course of a Moodle on this machine, browsers that launch from it, and a worker that asks it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg import sql
from werkzeug.test import TestResponse

from lti_tool import flows
from lti_tool.content.service import create_task
from lti_tool.core import jobs
from lti_tool.core.db import ADMIN, WORKER, Database
from lti_tool.flows import Workshop
from lti_tool.grades.ags import AgsClient
from lti_tool.launch.claims import NRPS
from lti_tool.people.models import PlatformKey
from lti_tool.people.roster_client import RosterClient
from lti_tool.people.services import KeySeal
from tests.classroom import ANSWER, FakeEngine
from tests.entrance import INSTRUCTOR, LEARNER, SECRET, Browser, House, activity, open_house
from tests.fakes.files import MemoryFiles
from tests.fakes.http_server import Answer, Raw, Seen
from tests.fakes.platform import FakePlatform
from tests.fakes.school import School as MoodleSite
from tests.fakes.school import signing_key
from tests.specs import FOTOSYNTHESE
from tests.workbench import lane_of, leases_of

BIO, PHYSICS = "31", "32"
CURIE = "2"
MOMENTS = {  # what moves into the past when time passes
    "rosters": ("asked_at", "kept_at", "due_at", "doubted_since"),
    "memberships": ("launched_at",),
    "jobs": ("ready_at", "since", "created_at"),
}


def member(user_id: str, name: str, role: str = "Learner", **more: object) -> dict[str, Any]:
    return {"status": "Active", "roles": [role], "user_id": user_id, "name": name, **more}


def memberships(course: str) -> str:
    return f"/mod/lti/services.php/CourseSection/{course}/bindings/4/memberships"


@dataclass(frozen=True)
class Person:
    """Somebody who has launched, in a browser of their own."""

    browser: Browser
    path: str

    def get(self, page: str) -> TestResponse:
        return self.browser.get(self.path + page)

    def reads(self, page: str) -> str:
        answer = self.get(page)
        assert answer.status_code == 200, answer.status_code
        return unescape(answer.text)

    def sends(self, page: str, **fields: str) -> TestResponse:
        return self.browser.sends(self.path + page, fields, self.path)

    def hands_in(self, text: str = ANSWER) -> None:
        form = {"text": text, "client_key": str(uuid4()), "attempt": "1"}
        assert self.sends("work/", **form).status_code == 303

    @property
    def role(self) -> str:
        return self.browser.session(self.path).role.value


@dataclass
class SchoolDay:
    house: House
    moodle: MoodleSite
    superuser_url: str
    task: UUID | None = None
    names: dict[str, str] = field(default_factory=dict)

    @property
    def database(self) -> Database:
        return self.house.database

    def curie(self, course: str = BIO, **changes: Any) -> Person:
        person = self.launches(CURIE, "Marie Curie", INSTRUCTOR, course, **changes)
        if self.task is None:
            launch = person.browser.session(person.path)
            with self.database.begin(launch.actor) as db:
                self.task = create_task(db, launch, FOTOSYNTHESE).id
            return self.curie(course, **changes)
        return person

    def launches(
        self, sub: str, name: str = "", role: str = LEARNER, course: str = BIO, **changes: Any
    ) -> Person:
        """Opens the activity of the course from Moodle."""
        claims = activity(self.house.lms, role, task=self.task, course=course, link=f"9{course}")
        claims[NRPS] = {"context_memberships_url": self.moodle.url(memberships(course))}
        claims |= {"name": name, "given_name": None, "family_name": None} | changes
        if not self.moodle.moodle.share_names:
            claims["name"] = None
        browser = self.house.browser()
        return Person(browser, browser.arrives(claims, sub=sub))

    def lists(self, *members: dict[str, Any], course: str = BIO) -> None:
        """From now on Moodle names these as members."""
        self.moodle.moodle.rosters[course] = list(members)

    def answers(self, *answers: Answer | Raw, course: str = BIO) -> None:
        """The next questions for the course's roster get these answers."""
        self.moodle.will_answer(memberships(course), *answers)

    def asked(self, course: str = BIO) -> list[Seen]:
        return self.moodle.seen_at(memberships(course))

    def works(self) -> None:
        """The worker looks round once: what is due is started, what waits is done."""
        flows.ask_for_due_rosters(self.database.begin)
        with self.database.begin(WORKER) as db:
            ready = jobs.ready(db)
        for _, job_id in ready:
            self.workshop().do(job_id)

    def time_passes(self, **by: float) -> None:
        """Without a worker, and without anybody losing their session."""
        length = timedelta(**by)
        self.moodle.clock.now += length
        for table, columns in MOMENTS.items():
            moved = ", ".join(f"{column} = {column} - %(by)s" for column in columns)
            self.runs(f"UPDATE {table} SET {moved}", by=length)

    def runs(self, statement: str, **values: object) -> list[tuple[Any, ...]]:
        """As the superuser, whom no policy holds."""
        with psycopg.connect(self.superuser_url, autocommit=True) as connection:
            found = connection.execute(sql.SQL(statement), values)  # type: ignore[arg-type]
            return found.fetchall() if found.description else []

    def workshop(self) -> Workshop:
        return Workshop(
            begin=self.database.begin,
            engine=FakeEngine(),
            reader=None,
            files=MemoryFiles(),
            gradebook=AgsClient(self.moodle.outbound, self.moodle.tokens),
            rosters=RosterClient(self.moodle.outbound, self.moodle.tokens),
            seal=KeySeal(SECRET),
            clock=self.moodle.clock,
            leases=leases_of(self.database),
            lane=lane_of(self.database),
            attempts=3,
        )


def open_school_day(database: Database, moodle: MoodleSite, postgres) -> SchoolDay:
    """A Moodle, registered by hand; Frau Curie has put a task into the course Bio."""
    lms = FakePlatform(issuer=moodle.url(""), client_id="tool-1", now=datetime.now(UTC))
    house = open_house(database, lms)
    key = PlatformKey(
        platform_id=house.platform_id,
        kid="kid-1",
        private_pem=KeySeal(SECRET).seal(signing_key().private),
    )
    with database.begin(ADMIN) as db:
        db.add(key)
    return SchoolDay(house, moodle, postgres.superuser_url.replace("+psycopg", ""))
