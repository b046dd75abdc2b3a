"""A Moodle gets another address, and everybody finds their work again."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from sqlalchemy import select

from lti_tool.core.db import ADMIN, service_of
from lti_tool.core.tables import Base
from lti_tool.grades.models import LineItem
from lti_tool.launch.models import ResourceLink
from lti_tool.operator.service import SERVICE_URLS
from lti_tool.people.health import health_of
from lti_tool.people.models import Course, Membership, Person, Platform
from lti_tool.web import create_app
from tests.entrance import INSTRUCTOR, Browser, House, activity, open_house, settings_of
from tests.fakes.platform import FakePlatform
from tests.operator.office import Operator, words

NEW = "https://lernen.schule.example"


def moved(house: House) -> House:
    """The same Moodle, same keys, same ids, at its new address."""
    lms = FakePlatform(issuer=NEW, now=datetime.now(UTC))
    lms.key = house.lms.key
    return House(house.app, house.database, lms, house.platform_id)


def moves(operator: Operator, school: str, name: str = "Schule am Park", to: str = NEW):
    return operator.sends(f"{school}/move", moodle=to, name=name)


def people_and_courses(house: House) -> tuple[list, list, list]:
    with house.database.begin(service_of(house.platform_id)) as db:
        return tuple(sorted(db.scalars(select(table.id))) for table in (Person, Course, Membership))


def test_the_page_shows_first_what_would_change_and_changes_nothing(
    operator: Operator, house: House, school
):
    page = words(operator.get(f"{school}/move?moodle={NEW}/"))

    old = house.lms.issuer
    assert f"issuer {old} {NEW}" in page
    assert f"jwks_url {old}/mod/lti/certs.php {NEW}/mod/lti/certs.php" in page
    assert "Zur Bestätigung den Namen der Lernplattform eintippen" in page
    with house.database.begin(ADMIN) as db:
        assert db.get_one(Platform, house.platform_id).issuer == old


def test_after_the_move_a_launch_from_there_meets_the_same_person_and_course(
    operator: Operator, house: House, school
):
    house.browser().arrives(activity(house.lms, INSTRUCTOR), sub="2")
    house.browser().arrives(activity(house.lms), sub="17")
    before = people_and_courses(house)
    there = moved(house)
    assert there.browser().knocks().status_code == 400

    assert moves(operator, school).status_code == 303

    there.app = create_app(settings_of(there.database), there.database, fetch_keys=there.lms.fetch)
    there.browser().arrives(activity(there.lms), sub="17")
    assert people_and_courses(house) == before


def test_the_old_address_opens_nothing_any_more(operator: Operator, house: House, school):
    moves(operator, school)

    assert house.browser().knocks().status_code == 400


def test_sessions_end_and_logins_under_way_lead_nowhere(operator: Operator, house: House, school):
    ada, late = house.browser(), house.browser()
    path = ada.arrives(activity(house.lms))
    asked = late.logs_in()

    moves(operator, school)

    assert ada.get(path).status_code == 401
    assert late.presents(asked, activity(house.lms)).status_code == 403


def test_a_session_of_another_school_goes_on(operator: Operator, house: House, school):
    other = FakePlatform(
        issuer="https://andere.schule.example", client_id="other-1", now=datetime.now(UTC)
    )
    elsewhere = open_house(house.database, other)
    browser = Browser(elsewhere)
    path = browser.arrives(activity(other))

    moves(operator, school)

    assert browser.get(path).status_code == 303


def test_scores_and_rosters_find_their_way_to_the_new_address_at_once(
    operator: Operator, house: House, school
):
    house.browser().arrives(activity(house.lms, INSTRUCTOR))
    foreign = "https://moodle.schule.example.evil.example/lineitem/1"
    with house.database.begin(service_of(house.platform_id)) as db:
        link = db.scalars(select(ResourceLink)).one()
        link.lineitem_url = f"{house.lms.issuer}/mod/lti/services.php/31/lineitems/12/lineitem"
        db.add(LineItem(platform_id=house.platform_id, resource_link_id=link.id, url=foreign))

    moves(operator, school)

    with house.database.begin(service_of(house.platform_id)) as db:
        link = db.scalars(select(ResourceLink)).one()
        course = db.scalars(select(Course)).one()
        column = db.scalars(select(LineItem)).one()
    assert link.lineitem_url == f"{NEW}/mod/lti/services.php/31/lineitems/12/lineitem"
    assert link.lineitems_url == f"{NEW}/mod/lti/services.php/31/lineitems?type_id=4"
    assert course.memberships_url.startswith(f"{NEW}/mod/lti/services.php/2/CourseSection/31")
    assert column.url == foreign  # not the platform's own: left alone


def test_a_column_that_is_gone_is_still_known_to_be_gone(operator, house: House, school):
    house.browser().arrives(activity(house.lms, INSTRUCTOR))
    gone = f"{house.lms.issuer}/mod/lti/services.php/31/lineitems/12/lineitem?type_id=4"
    with house.database.begin(service_of(house.platform_id)) as db:
        link_id = db.scalars(select(ResourceLink.id)).one()
        row = {"platform_id": house.platform_id, "resource_link_id": link_id, "gone_url": gone}
        db.add(LineItem(**row))

    moves(operator, school)

    with house.database.begin(service_of(house.platform_id)) as db:
        moved_url = db.scalars(select(LineItem.gone_url)).one()
    assert moved_url == gone.replace(house.lms.issuer, NEW)


def test_no_address_of_a_platforms_services_is_forgotten():
    """Whoever adds a column for one has to say here whether it moves along."""
    stays = {
        "launch_sessions.return_url",  # sessions end
        "registration_changes.auth_url",  # what the platform said of itself
        "registration_changes.token_url",
        "registration_changes.jwks_url",
    }
    addresses = {
        f"{table.name}.{column.name}"
        for table in Base.metadata.tables.values()
        for column in table.columns
        if column.name.endswith("url") and "platform_id" in table.columns
    }

    assert {str(url.expression) for url in SERVICE_URLS} == addresses - stays


def test_what_is_known_of_the_old_address_is_forgotten(operator: Operator, house: House, school):
    house.browser().arrives()

    moves(operator, school)

    with house.database.begin(ADMIN) as db:
        assert health_of(db, house.platform_id) == {}


def test_without_the_right_name_nothing_moves(operator: Operator, house: House, school):
    answer = moves(operator, school, name="Schule im Park")

    assert answer.status_code == 400
    assert "Das ist ein anderer Name. Es hat sich nichts geändert." in words(answer)
    assert f'value="{NEW}"' in answer.text  # what was typed is still there
    with house.database.begin(ADMIN) as db:
        assert db.get_one(Platform, house.platform_id).issuer == house.lms.issuer


@pytest.mark.parametrize(
    "address",
    [
        "lernen.schule.example",
        "ftp://lernen.schule.example",
        "https://",
        "https://a@lernen.schule.example",
        "https://lernen.schule.example/?a=1",
        "https://lernen.schule.example/#x",
        "javascript:alert(1)",
        "https://lernen.schule.example\n.evil.example",
        "https://" + "a" * 400 + ".example",
    ],
)
def test_what_is_no_address_is_said_to_be_none(operator: Operator, house, school, address):
    answer = moves(operator, school, to=address)

    assert answer.status_code == 400
    assert "Das ist keine Adresse, die wir verstehen." in words(answer)
    with house.database.begin(ADMIN) as db:
        assert db.get_one(Platform, house.platform_id).issuer == house.lms.issuer


def test_moving_to_where_it_is_says_so(operator: Operator, house: House, school):
    answer = moves(operator, school, to=house.lms.issuer)

    assert answer.status_code == 409
    assert "Dort ist die Lernplattform schon." in words(answer)


def test_a_neighbour_at_the_new_address_is_named_before(operator: Operator, house: House, school):
    open_house(house.database, FakePlatform(issuer=NEW, client_id="other-1"))

    page = words(operator.get(f"{school}/move?moodle={NEW}"))

    assert "An dieser Adresse ist schon angemeldet: Schule am Park. Ist das gewollt?" in page


def test_nobody_moves_a_school_that_is_not_there(operator: Operator):
    assert moves(operator, f"/operator/platforms/{uuid4()}").status_code == 404
