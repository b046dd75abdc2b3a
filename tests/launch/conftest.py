"""The nouns of the entrance: the house with its door, and a look behind the door."""

from collections.abc import Iterator

import psycopg
import pytest

from tests.entrance import House, open_house
from tests.launch.traces import Ask


@pytest.fixture
def house(database) -> House:
    return open_house(database)


@pytest.fixture
def ask(postgres) -> Iterator[Ask]:
    """SQL as superuser: what is really there."""
    connection = psycopg.connect(postgres.superuser_url.replace("+psycopg", ""), autocommit=True)

    def run(sql: str, *values: object) -> list[tuple]:
        cursor = connection.execute(sql, values or None)
        return cursor.fetchall() if cursor.description else []

    yield run
    connection.close()
