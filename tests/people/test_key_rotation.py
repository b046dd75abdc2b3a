"""Our key for a platform changes, and nothing that was signed with the old one is lost."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import UUID

import jwt
import pytest
from sqlalchemy import select, update

from lti_tool.core.clock import utc_now
from lti_tool.core.db import ADMIN, WORKER, Actor, ActorRole, service_of
from lti_tool.people.models import Platform, PlatformKey
from lti_tool.people.services import (
    KEY_OVERLAP,
    KeySeal,
    forget_retired_keys,
    rotate_key,
    token_endpoint,
)
from lti_tool.people.tokens import TokenEndpoint, assertion
from lti_tool.practice_lms.keys import BadTokenError, ToolKeys
from tests.entrance import SECRET, TOOL, House, open_house


@dataclass
class Connection:
    """The tool, and the practice LMS's memory of the tool's keys."""

    house: House

    def __post_init__(self) -> None:
        self.lms = ToolKeys(self._fetch)
        self.url = f"{TOOL}/lti/keys/{self.house.platform_id}"

    def _fetch(self, url: str) -> object:
        return json.loads(self.house.browser().get(urlsplit(url).path).data)

    def published(self) -> set[str]:
        return {key["kid"] for key in self._fetch(self.url)["keys"]}

    def endpoint(self) -> TokenEndpoint:
        with self.house.database.begin(service_of(self.house.platform_id)) as db:
            return token_endpoint(db, self.house.platform_id, KeySeal(SECRET))

    def rotates(self, seal: KeySeal | None = None) -> None:
        with self.house.database.begin(ADMIN) as db:
            platform = db.get_one(Platform, self.house.platform_id)
            rotate_key(db, platform, seal or KeySeal(SECRET))

    def time_passes(self, span: timedelta) -> None:
        """For the keys that are on their way out, which is where time counts."""
        with self.house.database.begin(ADMIN) as db:
            db.execute(
                update(PlatformKey)
                .where(PlatformKey.retired_at.is_not(None))
                .values(retired_at=PlatformKey.retired_at - span)
            )

    def accepts(self, signed: str) -> bool:
        try:
            return self.lms.verify(signed, self.url) != {}
        except BadTokenError:
            return False


@pytest.fixture
def connection(database) -> Connection:
    return Connection(open_house(database))


def proof(endpoint: TokenEndpoint) -> str:
    return assertion(endpoint, utc_now())


def test_we_sign_with_the_new_key_at_once_and_the_lms_takes_it(connection: Connection):
    before = connection.endpoint()
    assert connection.accepts(proof(before))

    connection.rotates()

    after = connection.endpoint()
    assert after.key.kid != before.key.kid
    assert connection.accepts(proof(after))


def test_the_old_key_stays_in_the_key_set_for_two_days(connection: Connection):
    before = connection.endpoint()
    connection.rotates()

    connection.time_passes(KEY_OVERLAP - timedelta(minutes=1))

    assert connection.published() == {before.key.kid, connection.endpoint().key.kid}
    assert connection.accepts(proof(before))


def test_after_two_days_a_token_of_the_old_key_is_refused(connection: Connection):
    before = connection.endpoint()
    connection.rotates()

    connection.time_passes(KEY_OVERLAP)

    assert connection.published() == {connection.endpoint().key.kid}
    assert not connection.accepts(proof(before))
    assert connection.accepts(proof(connection.endpoint()))


def test_a_second_rotation_does_not_keep_the_oldest_key_longer(connection: Connection):
    oldest = connection.endpoint().key.kid
    connection.rotates()
    connection.time_passes(timedelta(hours=40))
    middle = connection.endpoint().key.kid

    connection.rotates()
    connection.time_passes(timedelta(hours=8))

    assert connection.published() == {middle, connection.endpoint().key.kid}
    assert oldest not in connection.published()


def test_the_sweep_forgets_a_private_key_that_no_longer_counts_and_no_other(
    connection: Connection,
):
    connection.rotates()
    with connection.house.database.begin(WORKER) as db:
        forget_retired_keys(db)
    assert len(kept(connection)) == 2

    connection.time_passes(KEY_OVERLAP)
    with connection.house.database.begin(WORKER) as db:
        forget_retired_keys(db)

    assert kept(connection) == [connection.endpoint().key.kid]


def kept(connection: Connection) -> list[str]:
    with connection.house.database.begin(ADMIN) as db:
        return list(db.scalars(select(PlatformKey.kid)))


def test_the_worker_sees_no_key_that_still_counts(connection: Connection):
    connection.rotates()

    with connection.house.database.begin(WORKER) as db:
        assert db.scalars(select(PlatformKey)).all() == []


def test_no_other_platform_sees_the_keys_on_their_way_out(connection: Connection):
    connection.rotates()

    with connection.house.database.begin(Actor(ActorRole.LAUNCH, UUID(int=7))) as db:
        assert db.scalars(select(PlatformKey)).all() == []


def test_a_key_sealed_with_an_earlier_secret_does_not_spoil_the_key_set(connection: Connection):
    with connection.house.database.begin(ADMIN) as db:
        key = db.scalars(select(PlatformKey)).one()
        key.private_pem = KeySeal("another secret of earlier times").seal(rsa_of(key.private_pem))

    connection.rotates()

    assert connection.published() == {connection.endpoint().key.kid}
    header = jwt.get_unverified_header(proof(connection.endpoint()))
    assert header["kid"] in connection.published()


def rsa_of(pem: str):
    return KeySeal(SECRET).open(pem)
