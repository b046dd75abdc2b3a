"""The operator invites schools, looks at what waits, and reads off what is typed in by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from lti_tool.core.db import ADMIN, REGISTRATION, Database, registration_of
from lti_tool.launch.registration.changes import NewConnection, record_change
from lti_tool.launch.registration.invitations import find_open
from lti_tool.people.models import Platform, PlatformState
from tests.cli.console import Gustav, Said

SITE = "https://moodle.schule.example"


def add(gustav: Gustav, *more: str) -> Said:
    return gustav(
        "platform", "add", "--name", "Parkschule", "--client-id", "abc", "--moodle", SITE, *more
    )


def test_an_invitation_is_an_address_that_opens(house: Gustav, database: Database) -> None:
    said = house("invite", "--school", "Parkschule", "--host", "moodle.schule.example", "--json")

    secret = said.json["address"].removeprefix("https://gustav.schule.example/register/")
    with database.begin(REGISTRATION) as db:
        invitation = find_open(db, secret)
    assert (invitation.school, invitation.host) == ("Parkschule", "moodle.schule.example")
    assert invitation.share_names
    left = datetime.fromisoformat(said.json["expires_at"]) - datetime.now(UTC)
    assert timedelta(hours=23) < left <= timedelta(hours=24)


def test_a_school_may_want_no_names(house: Gustav) -> None:
    said = house("invite", "--school", "Parkschule", "--no-names", "--json")

    assert said.json["share_names"] is False


def test_people_read_what_to_do_with_it(house: Gustav) -> None:
    named = house("invite", "--school", "Parkschule", "--host", "moodle.schule.example").out
    unnamed = house("invite", "--school", "Parkschule").out

    assert "Add LTI Advantage" in named
    assert "Sie gilt nur für moodle.schule.example." in named
    assert "gustav platform activate" in unnamed


def test_a_known_platform_is_invited_anew(house: Gustav) -> None:
    platform_id = add(house, "--json").json["id"]

    said = house("invite", "--platform", "Parkschule", "--json").json

    assert said["platform_id"] == platform_id
    assert (said["school"], said["host"]) == ("Parkschule", "moodle.schule.example")


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ((), "--school"),
        (("--school", " "), "--school"),
        (("--school", "x", "--host", "two words"), "--host"),
        (("--platform", "nobody"), "gustav platform list"),
    ],
)
def test_what_makes_no_invitation_is_named(
    house: Gustav, arguments: tuple[str, ...], word: str
) -> None:
    said = house("invite", *arguments)

    assert said.code == 1
    assert word in said.err
    assert house("invitations", "--json").json == {"invitations": []}


def test_invitations_are_listed_without_their_secret_and_withdrawn(house: Gustav) -> None:
    made = house("invite", "--school", "Parkschule", "--json").json
    secret = made["address"].rsplit("/", 1)[1]

    listed = house("invitations").out
    withdrawn = house("invitations", "--withdraw", made["id"], "--json")

    assert "Parkschule (jeder Rechner): offen bis" in listed
    assert secret not in listed
    assert withdrawn.json["says"] == "zurückgenommen"
    assert house("invitations", "--withdraw", "0" * 32).code == 1


def test_a_platform_that_waits_is_activated(house: Gustav, database: Database) -> None:
    add(house)
    assert house("platform", "activate", "Parkschule").code == 1
    with database.begin(ADMIN) as db:
        db.query(Platform).one().state = PlatformState.WAITING
    assert "wartet auf Freigabe" in house("platform", "list").out

    said = house("platform", "activate", "Parkschule", "--json")

    assert said.json["state"] == "active"


@pytest.fixture
def change(house: Gustav, database: Database) -> str:
    """The platform has registered anew."""
    platform_id = add(house, "--json").json["id"]
    with database.begin(registration_of(platform_id)) as db:
        said = NewConnection("fresh", "9", f"{SITE}/a", f"{SITE}/t", f"{SITE}/j")
        record_change(db, platform_id, said)
    return str(house("platform", "changes", "--json").json["changes"][0]["id"])


def test_a_change_is_shown_compared_and_activated(house: Gustav, change: str) -> None:
    assert "client_id: abc → fresh" in house("platform", "changes").out
    assert house("platform", "show", "Parkschule", "--json").json["client_id"] == "abc"

    assert house("platform", "changes", "--activate", change).code == 0

    shown = house("platform", "show", "Parkschule", "--json").json
    assert shown["client_id"] == "fresh"
    assert shown["deployments"] == {"9": "active"}
    assert "Nichts wartet." in house("platform", "changes").out
    assert house("platform", "changes", "--reject", change).code == 1


def test_a_change_is_rejected(house: Gustav, change: str) -> None:
    assert house("platform", "changes", "--reject", change).code == 0

    assert house("platform", "show", "Parkschule", "--json").json["client_id"] == "abc"
    assert house("platform", "changes", "--activate", "0" * 32).code == 1


@pytest.mark.parametrize("lms", ["moodle", "canvas", "ilias", "openolat"])
def test_the_key_set_has_its_address_before_the_platform_is_known(house: Gustav, lms: str) -> None:
    told = house("platform", "values", "--lms", lms, "--json").json
    key_set = f"https://gustav.schule.example/lti/keys/{told['id']}"
    assert key_set in told["values"].values()
    assert "https://gustav.schule.example/lti/launch" in told["values"].values()

    added = add(house, "--id", told["id"], "--json").json

    assert added["keyset_url"] == key_set
    assert house("platform", "values", "Parkschule", "--json").json["id"] == told["id"]


def test_the_values_are_printed_for_people(house: Gustav) -> None:
    said = house("platform", "values", "--lms", "canvas").out

    assert "In Canvas einzutragen:" in said
    assert "OpenID Connect Initiation Url:" in said
    assert "gustav platform add --id" in said
