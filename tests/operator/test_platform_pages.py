"""What the operator sees of the platforms, and does to them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select, update

from lti_tool.core.db import ADMIN, Actor, ActorRole, Database, registration_of, service_of
from lti_tool.launch.models import SecurityEvent
from lti_tool.launch.registration.changes import NewConnection, record_change
from lti_tool.launch.registration.models import RegistrationChange
from lti_tool.people.health import Errand, note
from lti_tool.people.models import Course, Person, Platform, PlatformKey, PlatformState
from lti_tool.people.services import note_deployment
from tests.classroom import Classroom, open_classroom
from tests.entrance import INSTRUCTOR, House, activity, open_house
from tests.fakes.platform import FakePlatform
from tests.operator.office import Operator, words
from tests.visitor import open_browsers


def state(house: House, platform_id: UUID | None = None) -> PlatformState:
    with house.database.begin(ADMIN) as db:
        return db.get_one(Platform, platform_id or house.platform_id).state


def test_without_a_platform_the_page_says_how_to_begin(operator: Operator, house: House):
    operator.sends(f"/operator/platforms/{house.platform_id}/remove", name="Schule am Park")

    page = words(operator.get("/operator/"))

    assert "Noch ist keine Lernplattform verbunden" in page
    assert "Schule einladen" in page


def test_a_fresh_platform_has_done_nothing_yet(operator: Operator):
    page = words(operator.get("/operator/"))

    assert "Schule am Park aktiv https://moodle.schule.example" in page
    assert "Aktiv; noch kam niemand von dort." in page
    assert page.count("noch nie") == 4


def test_after_a_launch_the_page_tells_when(operator: Operator, house: House):
    house.browser().arrives()

    page = words(operator.get("/operator/"))

    assert "zuletzt kam jemand von dort: heute, " in page
    assert "Schlüsselsatz geholt heute, " in page
    assert page.count("noch nie") == 2


def test_what_goes_wrong_is_said_in_words_with_what_to_do(operator: Operator, house: House, school):
    with house.database.begin(service_of(house.platform_id)) as db:
        note(db, house.platform_id, Errand.TOKEN, "client", ())
        note(db, house.platform_id, Errand.KEYS, None, ("modulus",))

    for page in (words(operator.get("/operator/")), words(operator.get(school))):
        assert "Sie gab uns zuletzt kein Zugriffstoken (heute, " in page
        assert "Sie erkennt unsere Unterschrift nicht an." in page
        assert "die Adresse unseres Schlüsselsatzes prüfen" in page
        assert "Einer ist zu kurz oder zu lang." in page


def test_a_clock_that_is_ahead_is_counted_for_a_day(operator: Operator, house: House):
    house.lms.now = datetime.now(UTC) + timedelta(minutes=10)
    for _ in range(2):
        assert house.browser().launches().status_code == 403

    assert "Ihre Uhr geht vor. Deshalb abgewiesene Aufrufe am letzten Tag: 2." in words(
        operator.get("/operator/")
    )

    with house.database.begin(ADMIN) as db:
        db.execute(update(SecurityEvent).values(at=SecurityEvent.at - timedelta(days=1)))
    assert "Uhr geht vor" not in words(operator.get("/operator/"))


def school_with_work(database: Database) -> tuple[Classroom, House]:
    """Ada has handed in."""
    room = open_classroom(database)
    room.ada.hands_in()
    lms = FakePlatform(issuer=room.school.issuer)
    return room, House(open_browsers(room).app, database, lms, room.school.platform_id)


def test_the_page_names_no_pupil_no_course_and_no_work(database):
    room, house = school_with_work(database)
    with database.begin(room.service) as db:
        names = [name for name in db.scalars(select(Person.name)) if name]
    operator = Operator(house).enters()

    pages = operator.get("/operator/").text
    pages += operator.get(f"/operator/platforms/{room.school.platform_id}").text

    assert names
    assert not [name for name in (*names, "Bio 8b", "Fotosynthese") if name in pages]


def test_a_platform_is_paused_and_goes_on(operator: Operator, house: House, school):
    browser = house.browser()
    path = browser.arrives()

    assert operator.sends(f"{school}/pause").status_code == 303
    assert state(house) is PlatformState.PAUSED
    assert browser.get(path).status_code == 403
    assert "Angehalten: niemand kommt von dort herein." in words(operator.get(school))

    operator.sends(f"{school}/resume")
    assert state(house) is PlatformState.ACTIVE
    assert browser.get(path).status_code == 303


def test_a_waiting_deployment_is_let_in_with_one_click(operator: Operator, house: House, school):
    house.lms.deployment_id = "77"
    assert house.browser().launches().status_code == 403
    page = words(operator.get("/operator/"))
    assert "Aufrufe aus dem Deployment 77 warten auf Erlaubnis." in page
    assert "Deployment 77 zulassen" in page

    operator.sends(f"{school}/allow", deployment_id="77")

    assert house.browser().launches().status_code == 303
    assert "warten auf Erlaubnis" not in words(operator.get("/operator/"))


@pytest.mark.parametrize("deployment_id", ["", "   ", "x" * 256])
def test_an_empty_deployment_is_not_let_in(operator: Operator, school, deployment_id):
    answer = operator.sends(f"{school}/allow", deployment_id=deployment_id)

    assert answer.status_code == 400
    assert "Dem Formular fehlte etwas." in words(answer)


def test_a_new_key_stands_beside_the_old_one_for_two_days(operator: Operator, house: House, school):
    operator.sends(f"{school}/rotate")

    page = words(operator.get(school))
    with house.database.begin(ADMIN) as db:
        kids = list(db.scalars(select(PlatformKey.kid)))
    assert len(kids) == 2
    assert all(kid in page for kid in kids)
    assert page.count("unterschreibt seit") == page.count("gilt noch bis") == 1
    published = house.browser().get(f"/lti/keys/{house.platform_id}").json["keys"]
    assert {key["kid"] for key in published} == set(kids)


def test_the_values_for_the_platform_are_there_to_copy(operator: Operator, house: House, school):
    page = operator.get(school).text

    for path in ("/lti/login", "/lti/launch", f"/lti/keys/{house.platform_id}"):
        assert f'<code class="user-select-all">https://gustav.schule.example{path}</code>' in page


def new_school(house: House) -> UUID:
    """Another platform, connected and not yet activated."""
    other = open_house(
        house.database,
        FakePlatform(issuer="https://andere.schule.example", client_id="other-1"),
    )
    with house.database.begin(ADMIN) as db:
        db.get_one(Platform, other.platform_id).state = PlatformState.WAITING
    return other.platform_id


def test_a_new_platform_stands_first_and_waits_for_the_operator(operator: Operator, house: House):
    platform_id = new_school(house)
    page = words(operator.get("/operator/"))
    assert page.index("Wartet auf Ihre Entscheidung") < page.index("Alle Lernplattformen")
    assert "https://andere.schule.example Client-ID other-1 Plattform freigeben" in page

    operator.sends(f"/operator/platforms/{platform_id}/activate")

    assert state(house, platform_id) is PlatformState.ACTIVE
    assert "Wartet auf Ihre Entscheidung" not in words(operator.get("/operator/"))


@pytest.mark.parametrize("button", ["pause", "resume"])
def test_no_other_button_lets_a_new_platform_in(operator: Operator, house: House, button):
    platform_id = new_school(house)

    answer = operator.sends(f"/operator/platforms/{platform_id}/{button}")

    assert answer.status_code == 409
    assert "noch nicht freigegeben" in words(answer)
    assert state(house, platform_id) is PlatformState.WAITING


def test_activating_twice_says_so(operator: Operator, school):
    answer = operator.sends(f"{school}/activate")

    assert answer.status_code == 409
    assert "schon freigegeben" in words(answer)


def says_anew(house: House) -> UUID:
    """The platform has registered again, with another client_id at another host."""
    site = "https://neu.schule.example"
    said = NewConnection(
        "new-client", "9", f"{site}/mod/lti/auth.php", f"{site}/token", f"{site}/certs"
    )
    with house.database.begin(registration_of(house.platform_id)) as db:
        record_change(db, house.platform_id, said)
    with house.database.begin(ADMIN) as db:
        return db.scalars(select(RegistrationChange.id)).one()


def test_what_a_platform_says_anew_is_shown_side_by_side(operator: Operator, house: House):
    says_anew(house)

    page = words(operator.get("/operator/"))

    assert "„Schule am Park“ hat sich neu angemeldet" in page
    assert "client_id k8wZ3nQx5TbY2Lr new-client" in page
    old, new = "https://moodle.schule.example", "https://neu.schule.example"
    assert f"auth_url {old}/mod/lti/auth.php {new}/mod/lti/auth.php" in page
    assert "Deployment: 9" in page


def test_only_the_operators_click_makes_it_count(operator: Operator, house: House):
    change_id = says_anew(house)
    with house.database.begin(ADMIN) as db:
        assert db.get_one(Platform, house.platform_id).client_id == house.lms.client_id

    operator.sends(f"/operator/changes/{change_id}/activate")

    with house.database.begin(ADMIN) as db:
        assert db.get_one(Platform, house.platform_id).client_id == "new-client"
    again = operator.sends(f"/operator/changes/{change_id}/reject")
    assert again.status_code == 409
    assert "schon entschieden" in words(again)


def test_a_rejected_change_leaves_everything_as_it_was(operator: Operator, house: House):
    change_id = says_anew(house)

    operator.sends(f"/operator/changes/{change_id}/reject")

    with house.database.begin(ADMIN) as db:
        assert db.get_one(Platform, house.platform_id).client_id == house.lms.client_id
    assert "Wartet auf Ihre Entscheidung" not in words(operator.get("/operator/"))


def test_removing_says_what_would_be_lost_and_wants_the_name_typed(database):
    room, house = school_with_work(database)
    operator = Operator(house).enters()
    page = f"/operator/platforms/{room.school.platform_id}/remove"
    with database.begin(room.service) as db:
        persons = db.scalar(select(func.count()).select_from(Person))
        courses = db.scalar(select(func.count()).select_from(Course))

    shown = words(operator.get(page))
    assert f"Kurse: {courses}" in shown
    assert f"Personen: {persons}" in shown
    assert "Abgaben mit ihren Rückmeldungen: 1" in shown

    with database.begin(ADMIN) as db:
        name = db.get_one(Platform, room.school.platform_id).name
    refused = operator.sends(page, name=name + "x")
    assert refused.status_code == 400
    assert "Das ist ein anderer Name. Es hat sich nichts geändert." in words(refused)
    with database.begin(room.service) as db:
        assert db.scalar(select(func.count()).select_from(Person)) == persons

    assert operator.sends(page, name=f" {name} ").status_code == 303
    with database.begin(ADMIN) as db:
        assert db.get(Platform, room.school.platform_id) is None


def test_removing_one_school_leaves_the_others(operator: Operator, house: House):
    other = new_school(house)
    house.browser().arrives(activity(house.lms, INSTRUCTOR))

    operator.sends(f"/operator/platforms/{other}/remove", name="Schule am Park")

    assert state(house) is PlatformState.ACTIVE
    with house.database.begin(service_of(house.platform_id)) as db:
        assert db.scalar(select(func.count()).select_from(Person)) == 1


@pytest.mark.parametrize("page", ["", "/remove", "/move"])
def test_a_platform_that_is_gone_is_said_to_be_gone(operator: Operator, page):
    answer = operator.get(f"/operator/platforms/{uuid4()}{page}")

    assert answer.status_code == 404
    assert "Das gibt es nicht, oder nicht mehr." in words(answer)


def test_deployments_of_one_school_are_not_let_in_at_another(operator: Operator, house: House):
    other = new_school(house)
    with house.database.begin(Actor(ActorRole.LAUNCH, other)) as db:
        note_deployment(db, other, "77")

    operator.sends(f"/operator/platforms/{house.platform_id}/allow", deployment_id="77")

    assert "Deployment 77 warten auf Erlaubnis" in words(
        operator.get(f"/operator/platforms/{other}")
    )


def test_the_page_speaks_english_to_whoever_asks_for_it(house: House):
    operator = Operator(house).enters()
    operator.client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"

    page = words(operator.get("/operator/"))

    assert "Active; nobody has come from there yet." in page
    assert "Schlüssel" not in page
