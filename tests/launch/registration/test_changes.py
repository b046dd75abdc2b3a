"""What a known platform says anew counts only once a human has agreed."""

from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from lti_tool.core.db import ADMIN, Database, registration_of
from lti_tool.core.errors import Conflict, NotFound
from lti_tool.launch.registration import changes
from lti_tool.launch.registration.models import RegistrationChange
from lti_tool.people.models import Deployment, Platform, PlatformKey, PlatformState
from tests.school import found_school

SITE = "https://moodle.schule.example"
SAID = changes.NewConnection(
    client_id="new-client",
    deployment_id="8",
    auth_url=f"{SITE}/new/auth",
    token_url=f"{SITE}/new/token",
    jwks_url=f"{SITE}/new/jwks",
)


@pytest.fixture
def platform_id(database: Database) -> UUID:
    return found_school(database, SITE).platform_id


def record(database: Database, platform_id: UUID, said: changes.NewConnection = SAID) -> UUID:
    with database.begin(registration_of(platform_id)) as db:
        changes.record_change(db, platform_id, said)
    with database.begin(ADMIN) as db:
        return changes.waiting_changes(db)[-1].id


def look(database: Database, platform_id: UUID) -> Platform:
    with database.begin(ADMIN) as db:
        return db.get_one(Platform, platform_id)


def keys(database: Database) -> list[str]:
    with database.begin(ADMIN) as db:
        return list(db.scalars(select(PlatformKey.kid)))


def test_a_change_that_waits_changes_nothing(database: Database, platform_id: UUID) -> None:
    before = look(database, platform_id)

    record(database, platform_id)

    after = look(database, platform_id)
    assert [getattr(before, f) for f in changes.FIELDS] == [
        getattr(after, f) for f in changes.FIELDS
    ]
    with database.begin(ADMIN) as db:
        differing = changes.differences(after, changes.waiting_changes(db)[0])
    assert [name for name, *_ in differing] == list(changes.FIELDS)


def test_a_human_activates_it_and_our_keys_stay(database: Database, platform_id: UUID) -> None:
    change_id = record(database, platform_id)
    before = keys(database)

    with database.begin(ADMIN) as db:
        changes.activate_change(db, change_id)

    after = look(database, platform_id)
    assert {f: getattr(after, f) for f in changes.FIELDS} == {
        f: getattr(SAID, f) for f in changes.FIELDS
    }
    assert after.issuer == SITE
    assert keys(database) == before
    with database.begin(ADMIN) as db:
        assert changes.waiting_changes(db) == []
        assert "8" in db.scalars(select(Deployment.deployment_id)).all()


def test_a_human_rejects_it(database: Database, platform_id: UUID) -> None:
    change_id = record(database, platform_id)

    with database.begin(ADMIN) as db:
        changes.reject_change(db, change_id)

    assert look(database, platform_id).client_id != "new-client"
    with database.begin(ADMIN) as db:
        assert changes.waiting_changes(db) == []
        assert db.get_one(RegistrationChange, change_id).activated is False


def test_a_decision_is_made_once(database: Database, platform_id: UUID) -> None:
    change_id = record(database, platform_id)
    with database.begin(ADMIN) as db:
        changes.reject_change(db, change_id)

    with database.begin(ADMIN) as db, pytest.raises(Conflict, match="already_decided"):
        changes.activate_change(db, change_id)
    with database.begin(ADMIN) as db, pytest.raises(NotFound):
        changes.reject_change(db, uuid4())


def test_an_older_change_is_settled_with_the_newer_one(
    database: Database, platform_id: UUID
) -> None:
    older, newer = record(database, platform_id), record(database, platform_id)

    with database.begin(ADMIN) as db:
        changes.activate_change(db, newer)

    with database.begin(ADMIN) as db:
        assert db.get_one(RegistrationChange, older).activated is False


def test_a_client_id_that_another_platform_has_by_now_is_not_taken_over(
    database: Database, platform_id: UUID
) -> None:
    other = found_school(database, "https://andere.schule.example")
    change_id = record(
        database,
        platform_id,
        changes.NewConnection(f"client of {other.issuer}", None, "https://a", "https://b", "c"),
    )

    with database.begin(ADMIN) as db, pytest.raises(Conflict, match="client_id_taken"):
        changes.activate_change(db, change_id)


def test_only_a_platform_that_waits_is_activated(database: Database, platform_id: UUID) -> None:
    with database.begin(ADMIN) as db:
        db.get_one(Platform, platform_id).state = PlatformState.WAITING

    with database.begin(ADMIN) as db:
        changes.activate_platform(db, platform_id)

    assert look(database, platform_id).state is PlatformState.ACTIVE
    with database.begin(ADMIN) as db, pytest.raises(Conflict, match="not_waiting"):
        changes.activate_platform(db, platform_id)
    with database.begin(ADMIN) as db, pytest.raises(NotFound):
        changes.activate_platform(db, uuid4())


def test_whoever_registers_writes_for_this_platform_only_and_reads_nothing_back(
    database: Database, platform_id: UUID
) -> None:
    other = found_school(database, "https://andere.schule.example").platform_id
    record(database, platform_id)

    with database.begin(registration_of(platform_id)) as db:
        assert changes.waiting_changes(db) == []
    with (
        pytest.raises(DBAPIError),
        database.begin(registration_of(platform_id)) as db,
    ):
        changes.record_change(db, other, SAID)
