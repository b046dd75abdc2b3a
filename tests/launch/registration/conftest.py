"""The whole application beside a Moodle on this machine, and an admin with an invitation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from lti_tool.core.db import ADMIN, Database
from lti_tool.core.outbound import GuardedTransport, Outbound
from lti_tool.launch.registration.invitations import invite
from lti_tool.people.models import Platform
from lti_tool.web import create_app
from tests.entrance import TOOL, settings_of
from tests.fakes.http_server import LoopbackServer
from tests.fakes.registering_moodle import RegisteringMoodle

DEADLINE = timedelta(seconds=2)
SECURITY_EVENTS = "security_events"


@dataclass
class Admin:
    """A school's admin in a browser, with invitations from the operator."""

    client: FlaskClient
    database: Database
    moodle: RegisteringMoodle
    superuser_url: str

    def invited(self, school: str = "Schule am Park", **more: Any) -> str:
        """The address of an invitation; for this Moodle unless told otherwise."""
        more = {"host": self.moodle.server.host} | more
        with self.database.begin(ADMIN) as db:
            _, secret = invite(db, school, **more)
        return f"{TOOL}/register/{secret}"

    def opens(self, path: str) -> TestResponse:
        return self.client.get(path, base_url=TOOL)

    def presses(self, path: str, **form: str) -> TestResponse:
        """Connect. Browsers send `Origin: null` from a page without a referrer."""
        return self.client.post(path, data=form, base_url=TOOL, headers={"Origin": "null"})

    def connects(self, invitation: str | None = None, **more: Any) -> TestResponse:
        path = self.moodle.address_for(invitation or self.invited(), **more)
        return self.presses(path)

    def platforms(self) -> list[Platform]:
        with self.database.begin(ADMIN) as db:
            return list(db.query(Platform).order_by(Platform.id))

    def rows(self) -> dict[str, int]:
        """How many rows each table has that a registration may touch."""
        names = (
            "platforms", "platform_keys", "deployments", "registration_changes", "invitations"
        )  # fmt: skip
        with psycopg.connect(self.superuser_url.replace("+psycopg", "")) as db:
            return {n: db.execute(f"SELECT count(*) FROM {n}").fetchone()[0] for n in names}  # type: ignore[index]

    def content(self, *tables: str) -> list[tuple[Any, ...]]:
        """Every column of these tables."""
        with psycopg.connect(self.superuser_url.replace("+psycopg", "")) as db:
            return [row for t in tables for row in db.execute(f"SELECT * FROM {t} ORDER BY 1")]

    def keys(self, key_set: UUID | str) -> list[str]:
        answer = self.opens(f"/lti/keys/{key_set}")
        return [key["kid"] for key in answer.json["keys"]]  # type: ignore[index]


def message(answer: TestResponse) -> str | None:
    """Which page it is."""
    found = re.search(r'data-message="(\w+)"', answer.text)
    return found[1] if found else None


def checks(answer: TestResponse) -> dict[str, str]:
    return dict(re.findall(r'data-check="(\w+)" data-state="(\w+)"', answer.text))


@pytest.fixture
def moodle() -> Iterator[RegisteringMoodle]:
    moodle = RegisteringMoodle()
    with LoopbackServer(moodle.answer) as moodle.server:
        yield moodle


def no_names(host: str) -> list[str]:
    """A name server that knows nobody; this Moodle is reached by its number."""
    raise OSError(host)


@pytest.fixture
def admin(database: Database, moodle: RegisteringMoodle, postgres) -> Iterator[Admin]:
    allowed = moodle.server.host
    transport = GuardedTransport(allowed=[allowed], deadline=DEADLINE, resolve=no_names)
    with Outbound(transport) as outbound:
        settings = settings_of(database, GUSTAV_OUTBOUND_ALLOW=allowed)
        app = create_app(settings, database, outbound=outbound)
        app.testing = True
        yield Admin(app.test_client(), database, moodle, postgres.superuser_url)
