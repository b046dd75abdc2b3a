"""The whole web application, and browsers that launch it from a FakePlatform."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from config.settings import Settings, read_settings
from lti_tool.core.db import ADMIN, LAUNCH, Database
from lti_tool.launch.claims import CONTEXT, CUSTOM, PRESENTATION, RESOURCE_LINK
from lti_tool.launch.guard import Door
from lti_tool.launch.session import LaunchSession, find_session
from lti_tool.people.services import KeySeal, PlatformSpec, add_platform
from lti_tool.web import create_app
from tests.fakes.files import a_folder
from tests.fakes.platform import INSTRUCTOR, LEARNER, TOOL, FakePlatform

SECRET = "a secret of the tests, long enough"


def settings_of(database: Database, **changes: str) -> Settings:
    return read_settings(
        {
            "GUSTAV_BASE_URL": TOOL,
            "GUSTAV_SECRET_KEY": SECRET,
            "GUSTAV_DATABASE_URL": database.engine.url.render_as_string(hide_password=False),
            "GUSTAV_FILES": a_folder(),
            **changes,
        }
    )


@dataclass
class House:
    """The application with one platform registered."""

    app: Flask
    database: Database
    lms: FakePlatform
    platform_id: UUID

    def browser(self) -> Browser:
        return Browser(self)


def open_house(database: Database, lms: FakePlatform | None = None, **changes: str) -> House:
    lms = lms or FakePlatform(now=datetime.now(UTC))
    settings = settings_of(database, **changes)
    app = create_app(settings, database, fetch_keys=lms.fetch)
    app.testing = True
    return House(app, database, lms, register(database, lms))


def register(database: Database, lms: FakePlatform) -> UUID:
    spec = PlatformSpec(
        name="Schule am Park",
        issuer=lms.issuer,
        client_id=lms.client_id,
        auth_url=lms.auth_url,
        token_url=lms.token_url,
        jwks_url=lms.jwks_url,
        deployment_ids=(lms.deployment_id,),
    )
    with database.begin(ADMIN) as db:
        return add_platform(db, spec, KeySeal(SECRET)).id


@dataclass
class Browser:
    """Keeps cookies, follows nothing by itself."""

    house: House
    client: FlaskClient = field(init=False)

    def __post_init__(self) -> None:
        self.client = self.house.app.test_client()

    def get(self, path: str, **more: Any) -> TestResponse:
        return self.client.get(path, base_url=TOOL, **more)

    def post(self, path: str, data: Mapping[str, Any] | None = None, **more: Any) -> TestResponse:
        return self.client.post(path, data=data, base_url=TOOL, **more)

    def knocks(
        self, headers: Mapping[str, str] | None = None, **changes: str | None
    ) -> TestResponse:
        """The LMS's login initiation, as Moodle posts it."""
        lms = self.house.lms
        form = {
            "iss": lms.issuer,
            "target_link_uri": lms.target_link_uri,
            "login_hint": "17",
            "lti_message_hint": '{"cmid":3,"launchid":"ltilaunch9"}',
            "client_id": lms.client_id,
            "lti_deployment_id": lms.deployment_id,
        } | changes
        sent = {key: value for key, value in form.items() if value is not None}
        return self.post("/lti/login", sent, headers=headers)

    def logs_in(self, **changes: str) -> dict[str, str]:
        """Knock; returns the authentication request's parameters."""
        answer = self.knocks(**changes)
        assert answer.status_code == 303, answer.text
        query = parse_qs(urlsplit(answer.location).query)
        return {key: values[0] for key, values in query.items()}

    def launches(
        self, claims: Mapping[str, Any] | None = None, sub: str = "17", **changes: Any
    ) -> TestResponse:
        """The whole way in, with these claims changed at their top level."""
        asked = self.logs_in()
        return self.presents(asked, claims, sub=sub, **changes)

    def presents(
        self,
        asked: Mapping[str, str],
        claims: Mapping[str, Any] | None = None,
        *,
        sub: str = "17",
        **changes: Any,
    ) -> TestResponse:
        lms = self.house.lms
        message = dict(claims or lms.launch()) | {"nonce": asked["nonce"], "sub": sub} | changes
        return self.brings(asked, lms.sign(message))

    def brings(self, asked: Mapping[str, str], id_token: str) -> TestResponse:
        """Any token at all, as the answer to this login."""
        return self.post("/lti/launch", {"state": asked["state"], "id_token": id_token})

    def session(self, path: str) -> LaunchSession:
        """The session behind a path that this browser has launched."""
        where = path.rstrip("/")
        cookie = self.client.get_cookie("gustav_session", urlsplit(TOOL).hostname or "", where)
        assert cookie is not None
        door: Door = self.house.app.extensions["door"]
        with self.house.database.begin(LAUNCH) as db:
            return find_session(
                db,
                UUID(where.rsplit("/", 1)[1]),
                cookie.value,
                secrets=door.secrets,
                idle=door.idle,
                life=door.life,
            )

    def sends(self, path: str, data: Mapping[str, Any], session: str) -> TestResponse:
        """A form of this session, with its token."""
        token = self.session(session).csrf_token
        return self.post(path, {**data, "csrf": token})

    def arrives(self, claims: Mapping[str, Any] | None = None, sub: str = "17") -> str:
        """Launch, and return the path of the session."""
        return session_path(self.launches(claims, sub))


def session_path(answer: TestResponse) -> str:
    """`/s/<id>/` of the session that a launch led to, whichever of its pages that was; with what
    the start page was asked."""
    assert answer.status_code == 303, answer.text
    goal = urlsplit(answer.location)
    _, _, session_id, *_ = goal.path.split("/")
    return f"/s/{session_id}/{'?' if goal.query else ''}{goal.query}"


def activity(
    lms: FakePlatform,
    role: str = LEARNER,
    *,
    task: UUID | None = None,
    link: str = "9",
    course: str = "31",
    name: str = "Ada Abel",
) -> dict[str, Any]:
    """The claims of somebody opening an activity."""
    claims = lms.launch(role)
    claims[RESOURCE_LINK] = {"id": link, "title": "Fotosynthese"}
    claims[CONTEXT] = {"id": course, "title": f"Kurs {course}", "type": ["CourseSection"]}
    claims[CUSTOM] = {"task": str(task)} if task else {}
    claims[PRESENTATION] = {"locale": "de", "document_target": "iframe"}
    return claims | {"name": name}


__all__ = [
    "INSTRUCTOR",
    "LEARNER",
    "TOOL",
    "Browser",
    "House",
    "activity",
    "open_house",
    "session_path",
]
