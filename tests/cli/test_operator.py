"""The command line opens the operator's pages, tells how platforms are, and moves one."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from lti_tool.core.db import ADMIN, Database, service_of
from lti_tool.operator.models import OperatorLink, OperatorSession
from lti_tool.people.health import Errand, note
from tests.cli.console import Gustav
from tests.entrance import open_house
from tests.operator.office import Operator

ADD = ("platform", "add", "--name", "Musterschule", "--client-id", "aBc123")
MOODLE = ("--moodle", "https://moodle.schule.example", "--deployment-id", "3")
NEW = "https://lernen.schule.example"


def test_the_link_that_is_printed_opens_the_pages(house: Gustav, database: Database) -> None:
    url = house("operator", "link", "--json").json["url"]

    browser = Operator(open_house(database))
    path = url.removeprefix("https://gustav.schule.example")
    assert browser.post(path).status_code == 303
    assert browser.get("/operator/").status_code == 200


def test_people_are_told_how_long_the_link_is_good(house: Gustav) -> None:
    said = house("operator", "link")

    assert "https://gustav.schule.example/operator/enter/" in said.out
    assert "einmal" in said.out
    assert "Viertelstunde" in said.out


def test_ending_leaves_no_session_and_no_link(house: Gustav, database: Database) -> None:
    Operator(open_house(database)).enters()
    house("operator", "link")

    said = house("operator", "end", "--json")

    assert said.json == {"ended": 1}
    with database.begin(ADMIN) as db:
        assert db.scalars(select(OperatorLink)).all() == []
        assert db.scalars(select(OperatorSession)).all() == []


def test_health_says_the_sentences_of_the_page(house: Gustav, database: Database) -> None:
    platform_id = UUID(house(*ADD, *MOODLE, "--json").json["id"])
    assert house("platform", "health").code == 0
    with database.begin(service_of(platform_id)) as db:
        note(db, platform_id, Errand.TOKEN, "certificate", ())

    said = house("platform", "health")
    answer = house("platform", "health", "--json")

    assert said.code == answer.code == 1
    assert "FEHLT  Sie gab uns zuletzt kein Zugriffstoken (heute, " in said.out
    assert "Ihrem Zertifikat ist nicht zu trauen." in said.out
    (platform,) = answer.json["platforms"]
    assert (answer.json["ok"], platform["state"], platform["last_token"]) == (False, "active", None)
    assert house("doctor").out.count("Ihrem Zertifikat ist nicht zu trauen.") == 1


def test_without_platforms_health_says_so(house: Gustav) -> None:
    assert house("platform", "health").out == "Noch ist keine Plattform angemeldet.\n"


def test_a_move_is_shown_first_and_done_with_yes(house: Gustav) -> None:
    house(*ADD, *MOODLE)

    shown = house("platform", "move", "Musterschule", "--moodle", f"{NEW}/")
    assert shown.code == 0
    assert "Nichts geändert" in shown.out
    assert f"issuer:    https://moodle.schule.example → {NEW}" in shown.out
    issuer = house("platform", "show", "Musterschule", "--json").json["issuer"]
    assert issuer == "https://moodle.schule.example"

    moved = house("platform", "move", "Musterschule", "--moodle", NEW, "--yes", "--json")
    assert moved.json["moved"]
    assert [change["name"] for change in moved.json["changes"]] == [
        "issuer",
        "auth_url",
        "token_url",
        "jwks_url",
    ]
    assert house("platform", "show", "Musterschule", "--json").json["issuer"] == NEW


def test_moving_to_where_it_is_or_nowhere_is_told(house: Gustav) -> None:
    house(*ADD, *MOODLE)

    same = house("platform", "move", "Musterschule", *MOODLE[:2], "--yes")
    odd = house("platform", "move", "Musterschule", "--moodle", "lernen", "--yes")

    assert (same.code, odd.code) == (1, 1)
    assert "ist schon dort" in same.err
    assert "https://" in odd.err
