"""The operator invites schools and sees what became of it."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from lti_tool.core.db import ADMIN, registration_of
from lti_tool.launch.registration.invitations import find_open
from lti_tool.launch.registration.models import Invitation
from lti_tool.launch.registration.refusals import RegistrationRefused
from tests.entrance import House
from tests.operator.office import Operator, words

PAGE = "/operator/invitations"
ADDRESS = re.compile(r"https://gustav\.schule\.example/register/([\w-]{43})")


def kept(house: House) -> Invitation:
    with house.database.begin(ADMIN) as db:
        return db.scalars(select(Invitation)).one()


def is_open(house: House, secret: str) -> bool:
    with house.database.begin(registration_of(house.platform_id)) as db:
        try:
            return find_open(db, secret) is not None
        except RegistrationRefused:
            return False


def test_an_invitation_is_made_and_its_address_told_once(operator: Operator, house: House):
    told = operator.sends(
        PAGE, school="Gymnasium am See", host="moodle.see.example", share_names="yes"
    )

    secret = ADDRESS.search(told.text)[1]
    assert is_open(house, secret)
    invitation = kept(house)
    assert (invitation.school, invitation.host) == ("Gymnasium am See", "moodle.see.example")
    assert invitation.share_names
    listed = operator.get(PAGE)
    assert "Gymnasium am See offen bis" in words(listed)
    assert ADDRESS.search(listed.text) is None


def test_without_the_tick_no_names_are_asked_for(operator: Operator, house: House):
    operator.sends(PAGE, school="Gymnasium am See")

    assert not kept(house).share_names
    assert kept(house).host is None


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"school": "  "}, "Bitte den Namen der Schule eintragen"),
        ({"school": "x" * 201}, "Bitte den Namen der Schule eintragen"),
        ({"school": "See", "host": "moodle see"}, "Das ist kein Name eines Rechners"),
    ],
)
def test_what_is_missing_is_said_and_what_was_typed_stays(operator, house: House, form, sentence):
    answer = operator.sends(PAGE, **form)

    assert answer.status_code == 400
    assert sentence in words(answer)
    assert f'value="{form["school"]}"' in answer.text
    with house.database.begin(ADMIN) as db:
        assert db.scalars(select(Invitation)).all() == []


def test_an_invitation_is_withdrawn(operator: Operator, house: House):
    secret = ADDRESS.search(operator.sends(PAGE, school="See").text)[1]

    assert operator.sends(f"{PAGE}/{kept(house).id}/withdraw").status_code == 303

    assert not is_open(house, secret)
    assert "See zurückgezogen: heute, " in words(operator.get(PAGE))


def test_used_and_expired_ones_are_listed_as_such_and_a_used_one_stays(operator, house: House):
    operator.sends(PAGE, school="See")
    with house.database.begin(ADMIN) as db:
        db.execute(update(Invitation).values(expires_at=Invitation.expires_at - timedelta(days=2)))
    assert "See abgelaufen: " in words(operator.get(PAGE))

    with house.database.begin(ADMIN) as db:
        db.execute(update(Invitation).values(used_at=Invitation.created_at))
    assert "See benutzt: heute, " in words(operator.get(PAGE))
    answer = operator.sends(f"{PAGE}/{kept(house).id}/withdraw")
    assert answer.status_code == 409
    assert "schon benutzt" in words(answer)


def test_a_known_platform_is_invited_to_connect_anew(operator: Operator, house: House, school):
    told = operator.sends(f"{school}/invite")

    assert is_open(house, ADDRESS.search(told.text)[1])
    assert kept(house).platform_id == house.platform_id
