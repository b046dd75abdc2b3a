"""Logins find their registration: asked for once in ten seconds, and new ones at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from lti_tool.core.db import ADMIN, Actor, Database
from lti_tool.launch.remembered import RememberedRegistrations
from tests.school import found_school

ISSUER = "https://moodle.schule.example"
CLIENT = f"client of {ISSUER}"


class Desk:
    """Registrations over a database that counts how often it is asked; a clock to wind."""

    def __init__(self, database: Database) -> None:
        self.now = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
        self.asked = 0
        self._database = database
        self.registrations = RememberedRegistrations(self._begin, lambda: self.now)

    def _begin(self, actor: Actor):
        self.asked += 1
        return self._database.begin(actor)

    def finds(self, client_id: str | None = CLIENT) -> bool:
        return self.registrations.find(ISSUER, client_id) is not None

    def later(self, seconds: int) -> Desk:
        self.now += timedelta(seconds=seconds)
        return self

    def change(self, statement: str) -> None:
        with self._database.begin(ADMIN) as db:
            db.execute(text(statement))


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database)


def test_a_class_asks_once(desk: Desk, database: Database) -> None:
    school = found_school(database, ISSUER)

    found = [desk.registrations.find(ISSUER, CLIENT) for _ in range(30)]

    assert {one and one.platform_id for one in found} == {school.platform_id}
    assert desk.asked == 1


def test_a_new_school_need_not_wait(desk: Desk, database: Database) -> None:
    assert not desk.finds()

    found_school(database, ISSUER)

    assert desk.finds()


@pytest.mark.parametrize("wound", [10, 3600, -3600])
def test_what_changed_is_seen_after_ten_seconds(desk: Desk, database: Database, wound: int) -> None:
    found_school(database, ISSUER)
    assert desk.finds()
    desk.change("UPDATE platforms SET state = 'paused'")

    assert desk.later(9).finds()
    assert not desk.later(wound - 9).finds()
    assert not desk.finds()


def test_which_of_two_is_not_guessed(desk: Desk, database: Database) -> None:
    found_school(database, ISSUER)
    desk.change(
        "INSERT INTO platforms (id, name, issuer, client_id, auth_url, token_url, jwks_url, state)"
        " SELECT gen_random_uuid(), name, issuer, 'another', auth_url, token_url, jwks_url, state"
        " FROM platforms"
    )

    assert desk.registrations.find(ISSUER, None) is None
    assert desk.finds("another")
