"""What holds for all commands, and the small ones."""

from __future__ import annotations

import json
from collections.abc import Iterator

import click
import psycopg
import pytest

from lti_tool.cli import cli
from tests.cli.console import Gustav


def all_commands(group: click.Group = cli, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from all_commands(command, (*path, name))
        else:
            yield (*path, name)


COMMANDS = list(all_commands())
# Those that read settings before anything else; the demo makes its own.
WITH_SETTINGS = [
    ("jobs",),
    ("migrate",),
    ("platform", "list"),
    ("platform", "show", "x"),
    ("web",),
    ("worker",),
]


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_explains_itself_and_offers_json(
    gustav: Gustav, path: tuple[str, ...]
) -> None:
    said = gustav(*path, "--help")

    assert said.code == 0
    assert "--json" in said.out


@pytest.mark.parametrize("path", WITH_SETTINGS, ids=" ".join)
def test_missing_settings_are_named_in_one_sentence(gustav: Gustav, path: tuple[str, ...]) -> None:
    said = gustav(*path)

    assert said.code == 1
    assert said.out == ""
    assert "GUSTAV_SECRET_KEY" in said.err
    assert said.err.count("\n") == 1


def test_a_machine_gets_the_sentence_as_json_too(gustav: Gustav) -> None:
    said = gustav("platform", "list", "--json")

    assert said.code == 1
    assert "GUSTAV_DATABASE_URL" in said.json["error"]
    assert "GUSTAV_DATABASE_URL" in said.err


def test_a_wrong_setting_is_named_without_its_value(
    house: Gustav, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GUSTAV_SECRET_KEY", "zu kurz")

    said = house("jobs")

    assert said.code == 1
    assert "GUSTAV_SECRET_KEY" in said.err
    assert "zu kurz" not in said.err


@pytest.mark.parametrize("address", ["8000", "localhost", "localhost:http", "[::1]:70000"])
def test_an_address_to_listen_at_is_asked_for_in_words(gustav: Gustav, address: str) -> None:
    said = gustav("web", "--bind", address)

    assert said.code == 2
    assert "ADRESSE:PORT" in said.err


@pytest.mark.parametrize("arguments", [("no-such-command",), ("secret", "--no-such-option")])
def test_a_call_without_sense_ends_with_code_2(gustav: Gustav, arguments: tuple[str, ...]) -> None:
    said = gustav(*arguments)

    assert said.code == 2
    assert said.err.startswith("Der Aufruf stimmt nicht")


def test_a_database_that_does_not_answer_is_one_sentence(
    house: Gustav, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GUSTAV_DATABASE_URL", "postgresql://gustav_app@127.0.0.1:1/gustav")

    said = house("jobs")

    assert said.code == 1
    assert said.err == (
        "Die Datenbank antwortet nicht; GUSTAV_DATABASE_URL und PostgreSQL prüfen.\n"
    )


@pytest.mark.parametrize(
    ("before", "since"),
    [
        ("ALTER TABLE jobs RENAME state TO old", "ALTER TABLE jobs RENAME old TO state"),
        ("ALTER TABLE jobs RENAME TO old", "ALTER TABLE old RENAME TO jobs"),
    ],
    ids=["a column is missing", "a table is missing"],
)
def test_a_database_that_is_older_than_the_program_is_to_be_migrated(
    house: Gustav, postgres, before: str, since: str
) -> None:
    with psycopg.connect(postgres.superuser_url.replace("+psycopg", ""), autocommit=True) as db:
        db.execute(before)
        try:
            said = house("jobs")
        finally:
            db.execute(since)

    assert said.code == 1
    assert (
        said.err == "In der Datenbank fehlt, was diese Version braucht. Abhilfe: gustav migrate\n"
    )


def test_a_secret_is_long_enough_and_new_each_time(gustav: Gustav) -> None:
    first, second = gustav("secret"), gustav("secret", "--json")

    assert len(first.out.strip()) >= 32
    assert second.json["secret"] != first.out.strip()


def test_the_version_is_told(gustav: Gustav) -> None:
    assert set(gustav("version", "--json").json) == {"version", "python"}


def test_migrating_twice_does_nothing_the_second_time(house: Gustav) -> None:
    said = house("migrate", "--json")

    assert said.code == 0
    assert said.json == {"ran": []}


def test_migrating_needs_the_owner_of_the_tables(
    house: Gustav, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GUSTAV_OWNER_DATABASE_URL")

    said = house("migrate")

    assert said.code == 1
    assert "GUSTAV_OWNER_DATABASE_URL" in said.err


def test_without_jobs_there_is_nothing_to_do(house: Gustav) -> None:
    assert house("jobs").out == "Es ist nichts zu tun.\n"
    assert json.loads(house("jobs", "--json").out) == {"jobs": []}
