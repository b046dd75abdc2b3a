"""An administrator registers a Moodle, looks at it, pauses it, removes it."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from lti_tool.core.db import Actor, ActorRole, Database
from lti_tool.people.models import Course, Deployment, Person
from lti_tool.people.services import note_deployment
from tests.cli.console import Gustav, Said

MOODLE = ("--moodle", "https://moodle.schule.example/")


def add(gustav: Gustav, *more: str, client_id: str = "aBc123") -> Said:
    return gustav("platform", "add", "--name", "Musterschule", "--client-id", client_id, *more)


def test_a_moodle_is_registered_by_its_address_and_its_ids(house: Gustav) -> None:
    added = add(house, *MOODLE, "--deployment-id", "3", "--json")

    assert added.code == 0
    assert added.json == {
        "id": added.json["id"],
        "name": "Musterschule",
        "login_url": "https://gustav.schule.example/lti/login",
        "redirect_uri": "https://gustav.schule.example/lti/launch",
        "tool_url": "https://gustav.schule.example/lti/launch",
        "deep_link_url": "https://gustav.schule.example/lti/launch",
        "keyset_url": f"https://gustav.schule.example/lti/keys/{added.json['id']}",
    }
    shown = house("platform", "show", "Musterschule", "--json").json
    assert shown["issuer"] == "https://moodle.schule.example"
    assert shown["state"] == "active"
    assert shown["deployments"] == {"3": "active"}


def test_what_to_type_into_moodle_is_printed_for_people(house: Gustav) -> None:
    said = add(house, *MOODLE)

    assert "Umleitungs-URI(s):           https://gustav.schule.example/lti/launch" in said.out
    assert "Es fehlt die Deployment-ID" in said.out


def test_another_platform_is_registered_by_four_addresses(house: Gustav) -> None:
    site = "https://lms.example"
    urls = ("--auth-url", f"{site}/a", "--token-url", f"{site}/t", "--jwks-url", f"{site}/k")

    assert add(house, "--issuer", site, *urls).code == 0
    assert house("platform", "list", "--json").json["platforms"][0]["issuer"] == site


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ((), "--issuer"),
        (("--issuer", "https://lms.example"), "--auth-url"),
        (("--moodle", "moodle.schule.example"), "https://"),
        (("--moodle", "ftp://moodle.schule.example"), "https://"),
    ],
)
def test_a_missing_or_odd_address_is_named(
    house: Gustav, arguments: tuple[str, ...], word: str
) -> None:
    said = add(house, *arguments)

    assert said.code == 1
    assert word in said.err
    assert house("platform", "list", "--json").json == {"platforms": []}


def test_a_client_id_is_registered_once_only(house: Gustav) -> None:
    add(house, *MOODLE)

    again = add(house, "--moodle", "https://evil.example")

    assert again.code == 1
    assert "aBc123 ist schon angemeldet" in again.err
    assert len(house("platform", "list", "--json").json["platforms"]) == 1


def test_a_platform_is_paused_and_resumed(house: Gustav) -> None:
    add(house, *MOODLE)

    assert house("platform", "pause", "Musterschule", "--json").json["state"] == "paused"
    assert house("platform", "resume", "aBc123", "--json").json["state"] == "active"


def test_a_deployment_that_waits_is_shown_and_can_be_allowed(
    house: Gustav, database: Database
) -> None:
    platform_id = add(house, *MOODLE, "--json").json["id"]
    with database.begin(Actor(ActorRole.LAUNCH, platform_id)) as db:
        note_deployment(db, platform_id, "7")

    assert "wartende Deployments: 7" in house("platform", "list").out

    assert house("platform", "allow", "Musterschule", "7").code == 0
    assert "wartende" not in house("platform", "list").out


def test_a_new_key_takes_the_place_of_the_old_one(house: Gustav) -> None:
    add(house, *MOODLE)

    first = house("platform", "rotate-key", "Musterschule", "--json").json["kid"]
    second = house("platform", "rotate-key", "Musterschule", "--json").json["kid"]

    assert first != second


def test_removing_without_yes_says_what_would_be_lost_and_keeps_it(
    house: Gustav, database: Database
) -> None:
    platform_id = add(house, *MOODLE, "--json", "--deployment-id", "3").json["id"]
    with_people(database, platform_id)

    said = house("platform", "remove", "Musterschule")

    assert said.code == 1
    assert "1 Kurse, 2 Personen und 0 Abgaben" in said.err
    assert len(house("platform", "list", "--json").json["platforms"]) == 1


def test_removing_with_yes_removes_all_of_it_and_nothing_else(
    house: Gustav, database: Database
) -> None:
    platform_id = add(house, *MOODLE, "--json", "--deployment-id", "3").json["id"]
    with_people(database, platform_id)
    add(house, "--moodle", "https://other.example", client_id="other")

    said = house("platform", "remove", "aBc123", "--yes", "--json")

    assert said.code == 0
    assert said.json["persons"] == 2
    left = house("platform", "list", "--json").json["platforms"]
    assert [row["client_id"] for row in left] == ["other"]


def test_two_platforms_of_one_name_are_not_mixed_up(house: Gustav) -> None:
    add(house, *MOODLE)
    add(house, "--moodle", "https://other.example", client_id="other")

    said = house("platform", "remove", "Musterschule", "--yes")

    assert said.code == 1
    assert "mehrere heißen so" in said.err
    assert len(house("platform", "list", "--json").json["platforms"]) == 2


def with_people(database: Database, platform_id: str) -> None:
    """A course with two persons."""
    platform = UUID(platform_id)
    with database.begin(Actor(ActorRole.LAUNCH, platform)) as db:
        deployment = db.scalars(select(Deployment.id)).one()
        course = Course(deployment_id=deployment, context_id="2", title="Bio 8b")
        people = [Person(sub=str(uuid4())) for _ in range(2)]
        for row in (course, *people):
            row.platform_id = platform
            db.add(row)
