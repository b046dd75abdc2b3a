"""A browser in which somebody from the school has launched the tool."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from html import unescape
from urllib.parse import urljoin
from uuid import UUID

from flask import Flask
from flask.testing import FlaskClient
from uuid_utils.compat import uuid7
from werkzeug.test import TestResponse

from config.settings import read_settings
from lti_tool.core.db import ADMIN, LAUNCH, Database
from lti_tool.launch.guard import CSRF_FIELD
from lti_tool.launch.models import LaunchSessionRow
from lti_tool.launch.secrets import Secrets, hashed
from lti_tool.launch.session import SESSION_COOKIE, DeepLinking
from lti_tool.people.models import PlatformKey
from lti_tool.people.roles import Role
from lti_tool.people.services import KeySeal
from lti_tool.web import create_app
from tests.fakes.files import a_folder
from tests.fakes.school import signing_key
from tests.school import School

TOOL = "https://gustav.schule.example"
SECRET = "0123456789abcdef0123456789abcdef"

Fields = dict[str, str | list[str]]


def build(database: Database) -> Flask:
    app = create_app(
        read_settings(
            {
                "GUSTAV_BASE_URL": TOOL,
                "GUSTAV_SECRET_KEY": SECRET,
                "GUSTAV_DATABASE_URL": "postgresql://unused@localhost/unused",
                "GUSTAV_FILES": a_folder(),
            }
        ),
        database,
    )
    app.testing = True
    return app


def give_key(database: Database, school: School) -> None:
    with database.begin(ADMIN) as db:
        db.add(PlatformKey(platform_id=school.platform_id, kid="kid-1", private_pem=_sealed()))


@cache
def _sealed() -> str:
    return KeySeal(SECRET).seal(signing_key().private)


@dataclass(frozen=True)
class Visit:
    """One launch in one browser. Paths are below the context's own."""

    client: FlaskClient
    session_id: UUID

    def get(self, path: str) -> "Page":
        return self._page(self.client.get(self.url(path)))

    def post(self, path: str, **fields: str | list[str]) -> "Page":
        return self.send(path, fields)

    def send(self, path: str, fields: Mapping[str, str | list[str]]) -> "Page":
        """Sends a form with this session's token."""
        token = {CSRF_FIELD: Secrets(SECRET).csrf(self.session_id)}
        return self._page(self.client.post(self.url(path), data={**fields, **token}))

    def url(self, path: str) -> str:
        return f"{TOOL}/s/{self.session_id}/content{path}"

    def _page(self, response: TestResponse) -> "Page":
        return Page(response, self)


@dataclass(frozen=True)
class Page:
    response: TestResponse
    visit: Visit

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def html(self) -> str:
        return self.response.get_data(as_text=True)

    @property
    def text(self) -> str:
        """What one reads, without tags and on one line."""
        return " ".join(unescape(re.sub(r"<[^>]*>", " ", self.html)).split())

    def follow(self) -> "Page":
        assert self.status == 303
        goal = urljoin(TOOL, self.response.location)
        return Page(self.visit.client.get(goal), self.visit)

    def fields(self) -> Fields:
        """What the browser would send if a button of the page's form were pressed now."""
        found: Fields = {}
        for tag in re.findall(r"<input[^>]*>", self.html):
            tickable = 'type="radio"' in tag or 'type="checkbox"' in tag
            if tickable and " checked" not in tag:
                continue
            _add(
                found,
                _attribute(tag, "name"),
                _attribute(tag, "value") or ("on" if tickable else ""),
            )
        for name, value in re.findall(
            r'<textarea[^>]* name="([^"]*)"[^>]*>\n?(.*?)</textarea>', self.html, re.DOTALL
        ):
            _add(found, name, unescape(value))
        for name, options in re.findall(
            r'<select[^>]* name="([^"]*)"[^>]*>(.*?)</select>', self.html, re.DOTALL
        ):
            chosen = re.search(r'<option value="([^"]*)" selected>', options)
            _add(found, name, chosen[1] if chosen else "")
        return found


def _attribute(tag: str, name: str) -> str:
    found = re.search(rf' {name}="([^"]*)"', tag)
    return unescape(found[1]) if found else ""


def _add(found: Fields, name: str, value: str) -> None:
    before = found.get(name, [])
    if name not in ("task", "open") or isinstance(before, str):
        found[name] = value
    elif value not in before:
        found[name] = [*before, value]


def launch_in(
    app: Flask,
    database: Database,
    school: School,
    person_id: UUID,
    role: Role = Role.INSTRUCTOR,
    *,
    course_id: UUID | None = None,
    deep_linking: DeepLinking | None = None,
    resource_link_id: UUID | None = None,
    locale: str = "de",
) -> Visit:
    secret = str(uuid7())
    row = LaunchSessionRow(
        id=uuid7(),
        platform_id=school.platform_id,
        course_id=course_id or school.bio,
        person_id=person_id,
        resource_link_id=resource_link_id,
        deployment_id=school.deployment,
        secret_hash=hashed(secret),
        browser_hash=hashed(str(uuid7())),
        role=role,
        locale=locale,
        deep_linking=asdict(deep_linking) if deep_linking else None,
    )
    with database.begin(LAUNCH) as db:
        db.add(row)
    session_id = row.id
    client = app.test_client()
    client.set_cookie(
        SESSION_COOKIE, secret, domain="gustav.schule.example", path=f"/s/{session_id}"
    )
    return Visit(client, session_id)
