"""One address, one school, one day, one platform."""

from datetime import timedelta
from uuid import uuid4

import pytest

from lti_tool.core.db import ADMIN, REGISTRATION, Database
from lti_tool.core.errors import Conflict, Invalid, NotFound
from lti_tool.launch.registration import invitations
from lti_tool.launch.registration.models import Invitation
from lti_tool.launch.registration.refusals import RegistrationRefused, Why
from lti_tool.launch.secrets import hashed


def invited(database: Database, **more) -> tuple[Invitation, str]:
    with database.begin(ADMIN) as db:
        return invitations.invite(db, "Schule am Park", **more)


def why(database: Database, secret: str) -> Why | None:
    """Why this secret opens nothing; None if it does."""
    with database.begin(REGISTRATION) as db:
        try:
            invitations.find_open(db, secret)
        except RegistrationRefused as refused:
            return refused.why
    return None


def test_the_secret_is_long_and_only_its_hash_is_kept(database: Database) -> None:
    invitation, secret = invited(database)

    assert len(secret) >= 43  # 256 bits in base64url
    assert invitation.secret_hash == hashed(secret)
    assert secret.encode() not in invitation.secret_hash
    assert why(database, secret) is None


def test_it_holds_for_a_day_and_no_longer(database: Database) -> None:
    invitation, _ = invited(database)
    _, late = invited(database, lifetime=timedelta(seconds=-1))

    assert invitation.expires_at - invitation.created_at == timedelta(hours=24)
    assert why(database, late) is Why.INVITATION_EXPIRED


def test_a_guessed_secret_opens_nothing(database: Database) -> None:
    invited(database)

    assert why(database, "guessed") is Why.INVITATION_UNKNOWN


def test_a_withdrawn_invitation_opens_nothing(database: Database) -> None:
    invitation, secret = invited(database)

    with database.begin(ADMIN) as db:
        invitations.withdraw(db, invitation.id)

    assert why(database, secret) is Why.INVITATION_WITHDRAWN


def test_what_was_used_cannot_be_withdrawn_and_what_is_not_there_neither(
    database: Database,
) -> None:
    invitation, _ = invited(database)
    use(database, invitation)

    with database.begin(ADMIN) as db, pytest.raises(Conflict, match="already_used"):
        invitations.withdraw(db, invitation.id)
    with database.begin(ADMIN) as db, pytest.raises(NotFound):
        invitations.withdraw(db, uuid4())


def test_it_can_be_used_once_only(database: Database) -> None:
    invitation, secret = invited(database)

    use(database, invitation)

    assert why(database, secret) is Why.INVITATION_USED
    with database.begin(REGISTRATION) as db, pytest.raises(RegistrationRefused):
        invitations.claim(db, invitation)


def test_two_at_once_do_not_both_get_it(database: Database) -> None:
    invitation, _ = invited(database)

    with database.begin(REGISTRATION) as db:
        invitations.claim(db, invitation)

    with database.begin(REGISTRATION) as db, pytest.raises(RegistrationRefused) as busy:
        invitations.claim(db, invitation)
    assert busy.value.why is Why.INVITATION_BUSY


def test_after_a_failure_the_same_invitation_works_again(database: Database) -> None:
    invitation, _ = invited(database)
    with database.begin(REGISTRATION) as db:
        claimed = invitations.claim(db, invitation)

    with database.begin(REGISTRATION) as db:
        invitations.release(db, invitation.id, claimed)

    use(database, invitation)


def test_whoever_lost_the_claim_to_another_cannot_finish(database: Database) -> None:
    invitation, _ = invited(database)
    with database.begin(REGISTRATION) as db:
        first = invitations.claim(db, invitation)
    with database.begin(ADMIN) as db:  # the first one hangs for longer than a claim lives
        row = db.get_one(Invitation, invitation.id)
        row.claimed_at = first - invitations.CLAIM_LIFE
    with database.begin(REGISTRATION) as db:
        second = invitations.claim(db, invitation)

    with database.begin(REGISTRATION) as db, pytest.raises(RegistrationRefused):
        invitations.use(db, invitation.id, first)
    with database.begin(REGISTRATION) as db:
        invitations.use(db, invitation.id, second)


def test_an_invitation_withdrawn_meanwhile_is_not_used(database: Database) -> None:
    invitation, _ = invited(database)
    with database.begin(REGISTRATION) as db:
        claimed = invitations.claim(db, invitation)
    with database.begin(ADMIN) as db:
        invitations.withdraw(db, invitation.id)

    with database.begin(REGISTRATION) as db, pytest.raises(RegistrationRefused):
        invitations.use(db, invitation.id, claimed)


@pytest.mark.parametrize(
    ("typed", "host"),
    [
        ("moodle.schule.example", "moodle.schule.example"),
        ("Moodle.Schule.example", "moodle.schule.example"),
        ("https://moodle.schule.example/", "moodle.schule.example"),
        ("moodle.schule.example:443", "moodle.schule.example"),
        ("localhost:8090", "localhost:8090"),
        (" http://localhost:8090/moodle ", "localhost:8090"),
    ],
)
def test_a_host_is_kept_in_one_form(database: Database, typed: str, host: str) -> None:
    assert invited(database, host=typed)[0].host == host


@pytest.mark.parametrize("typed", ["moodle schule", "user@moodle.example", "ftp://a.example", "/"])
def test_what_is_no_host_is_refused(database: Database, typed: str) -> None:
    with pytest.raises(Invalid):
        invited(database, host=typed)


@pytest.mark.parametrize("school", ["", "  ", "x" * 201, "a\nb"])
def test_a_school_has_a_name(database: Database, school: str) -> None:
    with database.begin(ADMIN) as db, pytest.raises(Invalid):
        invitations.invite(db, school)


def test_the_newest_invitation_is_listed_first(database: Database) -> None:
    first, second = invited(database)[0], invited(database)[0]

    with database.begin(ADMIN) as db:
        assert [row.id for row in invitations.list_invitations(db)] == [second.id, first.id]


def use(database: Database, invitation: Invitation) -> None:
    with database.begin(REGISTRATION) as db:
        claimed = invitations.claim(db, invitation)
        invitations.use(db, invitation.id, claimed)
