"""How we get on with each platform is noted beside the work, and never in its way."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from lti_tool.core.db import ADMIN, LAUNCH, WORKER, Actor, ActorRole, Database, service_of
from lti_tool.core.outbound import OutboundFailed, OutboundGarbage, OutboundRefused, Refusal
from lti_tool.launch.keysets import public_jwk
from lti_tool.people.health import Errand, HealthBook, PlatformHealth, health_of
from lti_tool.people.tokens import ServiceTokens, TokenRefused
from lti_tool.people.troubles import Trouble, trouble_with
from lti_tool.web import create_app
from tests.entrance import House, open_house, settings_of
from tests.fakes.http_server import Answer
from tests.fakes.moodle import TOKEN
from tests.fakes.platform import FakePlatform, as_json, rsa_key
from tests.fakes.school import open_school

LOCK_NOT_AVAILABLE = "55P03"  # of PostgreSQL
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def house(database) -> House:
    return open_house(database)


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


def health(house: House, errand: Errand) -> PlatformHealth | None:
    with house.database.begin(ADMIN) as db:
        return health_of(db, house.platform_id).get(errand)


def test_a_launch_notes_that_the_key_set_came(house: House):
    house.browser().arrives()

    keys = health(house, Errand.KEYS)
    assert keys.succeeded_at is not None
    assert (keys.failed_at, keys.error, keys.unusable) == (None, None, [])


def test_a_launch_that_cannot_be_proven_notes_why(house: House):
    house.lms.is_down = True

    assert house.browser().launches().status_code == 503

    keys = health(house, Errand.KEYS)
    assert keys.error == Trouble.NO_ANSWER
    assert keys.succeeded_at is None


def test_an_answer_that_is_no_key_set_is_told_from_no_answer(house: House):
    house.lms.body = b"<html>Wartungsmodus</html>"

    house.browser().launches()

    assert health(house, Errand.KEYS).error == Trouble.NO_KEYS


def test_keys_that_may_verify_nothing_are_noted_beside_those_that_may(house: House):
    lms = house.lms
    weak = public_jwk(rsa_key("weak", 1024), "weak")
    good = public_jwk(lms.key, lms.kid)
    lms.body = as_json({"keys": [good, weak, weak | {"kid": "weak-2"}]})

    house.browser().arrives()

    assert health(house, Errand.KEYS).unusable == ["modulus"]


def test_a_failure_leaves_the_last_success_in_sight_and_the_other_way_round(database):
    house, clock = open_house(database), Clock()
    book = HealthBook(database.begin, clock)

    book.token(house.platform_id, None)
    book.token(house.platform_id, "client")
    failing = health(house, Errand.TOKEN)
    book.token(house.platform_id, None)
    mended = health(house, Errand.TOKEN)

    assert failing.failed_at > failing.succeeded_at
    assert failing.error == "client"
    assert mended.succeeded_at > mended.failed_at
    assert mended.error == "client"


def test_the_same_outcome_is_written_at_most_once_a_minute(database):
    house, clock = open_house(database), Clock()
    book = HealthBook(database.begin, clock)

    book.keys(house.platform_id, None, ())
    first = health(house, Errand.KEYS).succeeded_at
    clock.now += timedelta(seconds=59)
    book.keys(house.platform_id, None, ())
    unchanged = health(house, Errand.KEYS).succeeded_at
    clock.now += timedelta(seconds=1)
    book.keys(house.platform_id, None, ())

    assert unchanged == first
    assert health(house, Errand.KEYS).succeeded_at > first


def test_another_outcome_is_written_at_once(database):
    house = open_house(database)
    book = HealthBook(database.begin, Clock())

    book.keys(house.platform_id, None, ())
    book.keys(house.platform_id, None, ("modulus",))

    assert health(house, Errand.KEYS).unusable == ["modulus"]


def test_a_launch_does_not_wait_for_a_row_that_somebody_holds(house: House, postgres):
    house.browser().arrives()
    url = postgres.superuser_url.replace("+psycopg", "")
    with psycopg.connect(url) as holder:
        holder.execute("UPDATE platform_health SET unusable = '{held}'")
        again = open_again(house)

        with capture_logs() as logs:
            assert again.browser().launches().status_code == 303

    given_up = [entry["code"] for entry in logs if entry["event"] == "health not noted"]
    assert given_up == [LOCK_NOT_AVAILABLE]
    assert health(house, Errand.KEYS).unusable == ["held"]


def open_again(house: House) -> House:
    """Another process of the same house, which has fetched no keys yet."""
    app = create_app(settings_of(house.database), house.database, fetch_keys=house.lms.fetch)
    app.testing = True
    return replace(house, app=app)


def test_a_platform_that_is_gone_meanwhile_is_no_error(database):
    HealthBook(database.begin, Clock()).token(UUID(int=5), None)

    with database.begin(ADMIN) as db:
        assert db.scalars(select(PlatformHealth)).all() == []


def test_tokens_are_noted_whether_they_came_or_not(database):
    house = open_house(database)
    with open_school() as school:
        book = HealthBook(database.begin, Clock())
        tokens = ServiceTokens(school.outbound, school.clock, book.token)
        endpoint = replace(school.endpoint, platform_id=house.platform_id)
        school.will_answer(TOKEN, Answer(400, json.dumps({"error": "invalid_client"}).encode()))

        with pytest.raises(TokenRefused):
            tokens.token(endpoint, frozenset({"read"}))
        refused = health(house, Errand.TOKEN)
        tokens.token(endpoint, frozenset({"read"}))

    assert refused.error == "client"
    assert health(house, Errand.TOKEN).succeeded_at > refused.failed_at


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        (OutboundRefused(Refusal.ADDRESS), Trouble.INSIDE),
        (OutboundRefused(Refusal.SCHEME), Trouble.REFUSED),
        (OutboundGarbage("answer too large"), Trouble.GARBAGE),
        (OutboundFailed("gaierror", maybe_arrived=False), Trouble.NO_HOST),
        (OutboundFailed("SSLCertVerificationError", maybe_arrived=False), Trouble.CERTIFICATE),
        (OutboundFailed("ReadTimeout", maybe_arrived=True), Trouble.NO_ANSWER),
        (OutboundFailed("answered 503", maybe_arrived=True), Trouble.BUSY),
    ],
)
def test_what_stands_in_the_way_has_a_code(error, trouble):
    assert trouble_with(error) is trouble


def test_only_the_operator_and_the_platforms_own_jobs_see_its_health(house: House):
    house.browser().arrives()
    platform_id = house.platform_id
    seen = {
        "admin": count(house.database, ADMIN),
        "service": count(house.database, service_of(platform_id)),
        "service elsewhere": count(house.database, service_of(UUID(int=3))),
        "launch": count(house.database, Actor(ActorRole.LAUNCH, platform_id)),
        "instructor": count(house.database, Actor(ActorRole.INSTRUCTOR, platform_id)),
        "learner": count(house.database, Actor(ActorRole.LEARNER, platform_id)),
        "before anyone is known": count(house.database, LAUNCH),
        "worker": count(house.database, WORKER),
    }

    assert {who for who, rows in seen.items() if rows} == {"admin", "service"}


def count(database: Database, actor: Actor) -> int:
    with database.begin(actor) as db:
        return len(db.scalars(select(PlatformHealth)).all())


def test_two_platforms_have_each_their_own(database):
    house = open_house(database)
    other = open_house(database, FakePlatform(client_id="other", now=datetime.now(UTC)))
    other.lms.is_down = True

    house.browser().arrives()
    other.browser().launches()

    assert health(house, Errand.KEYS).error is None
    assert health(other, Errand.KEYS).error == Trouble.NO_ANSWER
