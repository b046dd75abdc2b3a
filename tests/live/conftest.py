from collections.abc import Iterator

import psycopg
import pytest

from lti_tool.core.embedded import EmbeddedPostgres
from tests.classroom import Classroom, open_classroom
from tests.live.station import Station, running_station
from tests.visitor import Browsers, open_browsers


@pytest.fixture(scope="module")
def running(postgres: EmbeddedPostgres) -> Iterator[Station]:
    with running_station(postgres.app_url) as station:
        yield station


@pytest.fixture
def station(running: Station) -> Iterator[Station]:
    yield running
    running.hangs_up()


@pytest.fixture
def room(database) -> Classroom:
    return open_classroom(database)


@pytest.fixture
def browsers(room: Classroom) -> Browsers:
    return open_browsers(room)


@pytest.fixture
def owner(postgres: EmbeddedPostgres) -> Iterator[psycopg.Connection]:
    """Somebody with all rights at the database."""
    url = postgres.superuser_url.replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection
