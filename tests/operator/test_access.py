"""The operator's pages are there for the operator and nobody else; forms, headers, safe GETs."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import pytest
from sqlalchemy import select

from lti_tool.core.db import ADMIN, registration_of
from lti_tool.launch.registration.changes import NewConnection, record_change
from lti_tool.launch.registration.invitations import invite
from lti_tool.launch.registration.models import RegistrationChange
from tests.entrance import INSTRUCTOR, LEARNER, TOOL, House, activity
from tests.operator.access import OPERATORS
from tests.operator.office import Operator


@dataclass
class Office:
    """A house in which there is something to do on each page."""

    house: House
    operator: Operator
    change_id: UUID
    invitation_id: UUID

    def path(self, endpoint: str) -> str:
        values = {
            "platform_id": self.house.platform_id,
            "change_id": self.change_id,
            "invitation_id": self.invitation_id,
        }
        (rule,) = self.house.app.url_map.iter_rules(endpoint)
        path = rule.rule
        for name, value in values.items():
            path = path.replace(f"<uuid:{name}>", str(value))
        return path

    def method(self, endpoint: str) -> str:
        (rule,) = self.house.app.url_map.iter_rules(endpoint)
        return "GET" if "GET" in rule.methods else "POST"

    def ask(self, client, endpoint: str, token: str = "", **headers: str):
        form = OPERATORS[endpoint][1] | {"csrf": token}
        if self.method(endpoint) == "GET":
            return client.get(self.path(endpoint), base_url=TOOL)
        return client.post(self.path(endpoint), data=form, base_url=TOOL, headers=headers)


@pytest.fixture
def office(house: House, operator: Operator) -> Office:
    said = NewConnection("new", "4", f"{TOOL}/a", f"{TOOL}/t", f"{TOOL}/k")
    with house.database.begin(registration_of(house.platform_id)) as db:
        record_change(db, house.platform_id, said)
    with house.database.begin(ADMIN) as db:
        invitation, _ = invite(db, "Gymnasium am Berg")
        change_id = db.scalars(select(RegistrationChange.id)).one()
    return Office(house, operator, change_id, invitation.id)


def launched(house: House, role: str, sub: str):
    browser = house.browser()
    browser.arrives(activity(house.lms, role), sub=sub)
    return browser.client


def strangers(office: Office) -> dict[str, object]:
    """Everybody who is not the operator, each with what they have."""
    house = office.house
    former = Operator(house).enters()
    former.sends("/operator/leave")
    inventive = house.app.test_client()
    inventive.set_cookie(office.operator.door.cookie, "x" * 43, domain="gustav.schule.example")
    return {
        "anonymous": house.app.test_client(),
        "pupil": launched(house, LEARNER, "17"),
        "teacher": launched(house, INSTRUCTOR, "2"),
        "former operator": former.client,
        "with an invented cookie": inventive,
    }


def test_every_page_but_the_way_in_is_guarded_and_on_the_list(house: House):
    views = {
        name: view
        for name, view in house.app.view_functions.items()
        if name.startswith("operator.")
    }

    guarded = {name for name, view in views.items() if getattr(view, "for_operator", False)}

    assert guarded == set(OPERATORS)
    assert set(views) - guarded == {"operator.before", "operator.enter"}


def test_the_operator_gets_what_the_list_says(office: Office):
    token = office.operator.token()

    answers = {name: office.ask(office.operator.client, name, token) for name in OPERATORS}

    assert {name: answer.status_code for name, answer in answers.items()} == {
        name: status for name, (status, _) in OPERATORS.items()
    }


def test_for_everybody_else_they_are_not_there_and_nothing_happens(office: Office, tables):
    people = strangers(office)
    # A cookie of ours that no longer counts gets a page that says so, and nothing else.
    refused = {"former operator": 401, "with an invented cookie": 401}
    before = tables()

    for who, client in people.items():
        for name in OPERATORS:
            answer = office.ask(client, name, office.operator.token())
            assert (who, name, answer.status_code) == (who, name, refused.get(who, 404))
            assert office.house.lms.issuer not in answer.text

    assert tables() == before


def test_the_answer_is_the_same_as_for_a_page_that_does_not_exist(office: Office):
    client = office.house.app.test_client()

    there = client.get("/operator/", base_url=TOOL)
    nowhere = client.get("/nothing/here", base_url=TOOL)

    assert there.status_code == nowhere.status_code == 404
    assert len(there.text) == len(nowhere.text)


def test_being_the_operator_opens_no_page_of_a_course(office: Office):
    path = office.house.browser().arrives(activity(office.house.lms, INSTRUCTOR))

    assert office.operator.get(path).status_code == 401


@pytest.mark.parametrize("attack", ["no token", "foreign token", "foreign origin"])
def test_no_form_works_without_the_sessions_own_token(office: Office, tables, attack):
    tokens = {
        "no token": "",
        "foreign token": Operator(office.house).enters().token(),
        "foreign origin": office.operator.token(),
    }
    headers = {"Origin": "https://evil.example"} if attack == "foreign origin" else {}
    before = tables()

    for name in OPERATORS:
        if office.method(name) == "POST":
            answer = office.ask(office.operator.client, name, tokens[attack], **headers)
            assert (name, answer.status_code) == (name, 403)

    assert tables() == before


def test_no_get_changes_anything(office: Office, tables):
    link = office.operator.asks_for_a_link()
    before = tables()

    for client in (office.operator.client, office.house.app.test_client()):
        for name in OPERATORS:
            if office.method(name) == "GET":
                office.ask(client, name)
        client.get(link, base_url=TOOL)
        client.get(f"{office.path('operator.moving')}?moodle=https://neu.example", base_url=TOOL)

    assert tables() == before


def test_no_page_may_be_framed_kept_or_run_foreign_scripts(office: Office):
    pages = [name for name in OPERATORS if office.method(name) == "GET"]
    answers = [office.ask(office.operator.client, name) for name in pages]
    answers.append(office.operator.get(office.operator.asks_for_a_link()))

    for answer in answers:
        policy = answer.headers["Content-Security-Policy"]
        assert answer.status_code == 200
        assert "frame-ancestors 'none'" in policy
        assert "form-action 'self';" in policy
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert answer.headers["Cache-Control"] == "private, no-store"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "<style" not in answer.text
        assert " style=" not in answer.text
