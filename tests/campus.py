"""The tool and the practice LMS in one process: real pages, real launches, no sockets."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from html import unescape
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import httpx
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from lti_tool import practice_lms
from lti_tool.content.models import RegularTask
from lti_tool.content.spec import TaskSpec
from lti_tool.core import jobs
from lti_tool.core.clock import utc_now
from lti_tool.core.db import ADMIN, WORKER, Database, service_of
from lti_tool.core.outbound import Outbound
from lti_tool.flows import Workshop
from lti_tool.grades.ags import AgsClient
from lti_tool.grades.models import GradeSync
from lti_tool.launch.secrets import Secrets
from lti_tool.people.roster_client import RosterClient
from lti_tool.people.services import KeySeal, PlatformSpec, add_platform
from lti_tool.people.tokens import ServiceTokens
from lti_tool.practice_lms import PracticeSettings, ToolRegistration, platform_urls
from lti_tool.web import create_app
from tests.classroom import FakeEngine
from tests.entrance import SECRET, session_path, settings_of
from tests.fakes.files import MemoryFiles
from tests.fakes.platform import TOOL
from tests.specs import sent_for
from tests.workbench import lane_of, leases_of

LMS = "https://lms.schule.example"
CURIE, ADA, BEN, CEM, DANA = "11", "21", "22", "23", "24"
BIO = "2"
HISTORY = (("context_history", "$Context.id.history"),)


@dataclass
class Clock:
    """The real time, and what has passed beside it."""

    ahead: timedelta = timedelta()

    def __call__(self) -> datetime:
        return utc_now() + self.ahead

    def passes(self, seconds: float) -> None:
        self.ahead += timedelta(seconds=seconds)


@dataclass
class Campus:
    """One school. `fetched`: each request of the tool for the LMS's key set."""

    database: Database
    tool: Flask
    lms: Flask
    platform_id: UUID
    fetched: list[str]
    clock: Clock
    engine: FakeEngine = field(default_factory=FakeEngine)

    def person(self, user_id: str) -> Visitor:
        return Visitor(self, user_id)

    def works(self) -> None:
        """The worker does all there is, each round a few seconds after the one before."""
        outbound = Outbound(_ToLms(self.lms.test_client()))  # type: ignore[arg-type]
        tokens = ServiceTokens(outbound, self.clock)
        shop = Workshop(
            begin=self.database.begin,
            engine=self.engine,
            reader=None,
            files=MemoryFiles(),
            gradebook=AgsClient(outbound, tokens),
            rosters=RosterClient(outbound, tokens),
            seal=KeySeal(SECRET),
            clock=self.clock,
            leases=leases_of(self.database),
            lane=lane_of(self.database),
            attempts=3,
        )
        for _ in range(4):
            self.clock.passes(seconds=3)
            with self.database.begin(WORKER) as db:
                ready = jobs.ready(db)
            for _, job_id in ready:
                shop.do(job_id)

    def newest_task(self) -> UUID:
        with self.database.begin(service_of(self.platform_id)) as db:
            return db.scalars(select(RegularTask.id).order_by(RegularTask.id.desc()).limit(1)).one()

    def syncs(self) -> list[tuple[str, str | None]]:
        with self.database.begin(service_of(self.platform_id)) as db:
            rows = db.scalars(select(GradeSync).order_by(GradeSync.id)).all()
            return [(row.state.value, row.reason) for row in rows]


@dataclass
class Visitor:
    """Somebody with a browser, logged in at the LMS."""

    campus: Campus
    user_id: str
    at_lms: FlaskClient = field(init=False)
    at_tool: FlaskClient = field(init=False)

    def __post_init__(self) -> None:
        self.at_lms, self.at_tool = self.campus.lms.test_client(), self.campus.tool.test_client()
        self.at_lms.post("/login", data={"user": self.user_id}, base_url=LMS)

    def page(self, path: str) -> str:
        """A page of the LMS, below the person's own."""
        return self.at_lms.get(f"/as/{self.user_id}{path}", base_url=LMS).text

    def does(self, path: str, **sent: str) -> TestResponse:
        return self.at_lms.post(f"/as/{self.user_id}{path}", data=sent, base_url=LMS)

    def copies(self, course_id: str, **sent: str) -> str:
        """Copy a course; returns the id of the new one."""
        answer = self.does(f"/course/{course_id}/copy", **sent)
        return str(answer.location).rsplit("/", 1)[1]

    def activities(self, course_id: str) -> list[str]:
        return re.findall(r'/activity/(\d+)"', self.page(f"/course/{course_id}"))

    def opens(self, link_id: str) -> Session:
        return self._launch(f"/activity/{link_id}/launch")

    def adds(self, course_id: str, spec: TaskSpec) -> str:
        """Write a task and put it into the course by deep linking; returns the activity."""
        picker = self._launch(f"/course/{course_id}/select")
        task_id = picker.writes(spec)
        answer = picker.posts("content/pick", task=str(task_id), action="link")
        action, fields = form_of(answer.text)
        assert self.at_lms.post(action, data=fields, base_url=LMS).status_code == 200
        return self.activities(course_id)[-1]

    def _launch(self, path: str) -> Session:
        login, fields = form_of(self.page(path))
        asked = self.at_tool.post(login, data=fields, base_url=TOOL)
        answer = self.at_lms.get(asked.location, base_url=LMS)
        launch, fields = form_of(answer.text)
        arrived = self.at_tool.post(launch, data=fields, base_url=TOOL)
        return Session(self, session_path(arrived))


@dataclass
class Session:
    """One launch of the tool. Paths are below the session's own."""

    visitor: Visitor
    path: str

    def gets(self, below: str = "") -> TestResponse:
        """As a browser: redirects are followed."""
        client = self.visitor.at_tool
        return client.get(self.path + below, base_url=TOOL, follow_redirects=True)

    def says(self, below: str = "") -> str:
        """What one reads there, without tags."""
        return unescape(re.sub(r"<[^>]*>", "", self.gets(below).text))

    def posts(self, below: str, **sent: Any) -> TestResponse:
        """The form with this session's token; a redirect is followed."""
        client = self.visitor.at_tool
        token = Secrets(SECRET).csrf(UUID(self.path.strip("/").rsplit("/", 1)[1]))
        form = {**sent, "csrf": token}
        return client.post(self.path + below, data=form, base_url=TOOL, follow_redirects=True)

    def hands_in(self, text: str) -> TestResponse:
        page = self.gets("work/?revise").text
        fields = {
            name: unescape(value)
            for name, value in re.findall(r'name="(client_key|attempt)" value="([^"]*)"', page)
        }
        return self.posts("work/", text=text, **fields)

    def writes(self, spec: TaskSpec) -> UUID:
        answer = self.posts("content/tasks/new", action="save", **sent_for(spec))
        assert answer.status_code == 200, answer.text
        return self.visitor.campus.newest_task()


def open_campus(database: Database, custom: tuple[tuple[str, str], ...] = HISTORY) -> Campus:
    """The school's Moodle with the tool registered; `custom` are the tool's own parameters."""
    urls = platform_urls(LMS)
    with database.begin(ADMIN) as db:
        platform_id = add_platform(
            db,
            PlatformSpec(
                "Schule",
                urls.issuer,
                "tool-1",
                urls.auth_url,
                urls.token_url,
                urls.jwks_url,
                ("7",),
            ),
            KeySeal(SECRET),
        ).id
    registration = ToolRegistration(
        name="GUSTAV",
        client_id="tool-1",
        deployment_id="7",
        login_url=f"{TOOL}/lti/login",
        redirect_uris=(f"{TOOL}/lti/launch",),
        target_link_uri=f"{TOOL}/lti/launch",
        deep_link_url=f"{TOOL}/lti/launch",
        jwks_url=f"{TOOL}/lti/keys/{platform_id}",
        custom=custom,
    )
    apps: dict[str, Flask] = {}
    clock = Clock()
    fetched: list[str] = []

    def keys_of_tool(url: str) -> object:
        return apps["tool"].test_client().get(urlsplit(url).path, base_url=TOOL).get_json()

    def keys_of_lms(url: str) -> bytes:
        fetched.append(url)
        return apps["lms"].test_client().get(urlsplit(url).path, base_url=LMS).data

    apps["lms"] = practice_lms.create_app(
        PracticeSettings(
            base_url=LMS,
            tool=registration,
            clock=clock,
            fetch_json=keys_of_tool,
            fetch_status=lambda _: 405,
        )
    )
    apps["tool"] = create_app(settings_of(database), database, fetch_keys=keys_of_lms, clock=clock)
    apps["tool"].testing = True
    return Campus(database, apps["tool"], apps["lms"], platform_id, fetched, clock)


def form_of(page: str) -> tuple[str, dict[str, str]]:
    """Where the page's self-posting form goes, and with what."""
    action = re.search(r'<form [^>]*method="post" action="([^"]*)"', page)
    assert action, page
    fields = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page)
    return unescape(action[1]), {unescape(name): unescape(value) for name, value in fields}


class _ToLms:
    """In place of the guarded transport: straight into the LMS."""

    def __init__(self, client: FlaskClient) -> None:
        self._client = client

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self._client.open(
            request.url.raw_path.decode(),
            method=request.method,
            headers=dict(request.headers),
            data=request.content,
            base_url=LMS,
        )
        return httpx.Response(
            answer.status_code,
            headers=list(answer.headers),
            stream=httpx.ByteStream(answer.data),
        )

    def close(self) -> None:
        pass
