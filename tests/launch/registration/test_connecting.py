"""A school's admin connects a Moodle: from the invitation's address to the checklist."""

import json
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import select

from lti_tool.core.db import ADMIN
from lti_tool.launch.registration.changes import waiting_changes
from lti_tool.launch.registration.documents import TOOL as TOOL_CONFIGURATION
from lti_tool.launch.registration.models import Invitation
from lti_tool.people.models import Deployment, DeploymentState, PlatformState
from tests.entrance import TOOL
from tests.fakes.http_server import Answer, Raw
from tests.fakes.platform import FakePlatform
from tests.fakes.registering_moodle import CONFIGURATION, KEYS, LEAKY, REGISTER
from tests.launch.registration.conftest import Admin, checks, message

AGS = "https://purl.imsglobal.org/spec/lti-ags/scope/"
NRPS = "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly"


def invitation_of(admin: Admin) -> Invitation:
    with admin.database.begin(ADMIN) as db:
        return db.scalars(select(Invitation)).one()


class TestTheOffer:
    def test_it_says_who_we_are_for_whom_and_what_is_shared(self, admin: Admin, moodle) -> None:
        page = admin.opens(moodle.address_for(admin.invited("Gymnasium am Park")))

        assert (page.status_code, message(page)) == (200, "offer")
        assert "Gymnasium am Park" in page.text
        assert moodle.server.host in page.text
        assert "Name: ja" in page.text
        assert "E-Mail-Adresse: nie" in page.text
        assert "Verbinden" in page.text

    def test_a_school_without_names_reads_that_none_are_asked_for(self, admin, moodle) -> None:
        page = admin.opens(moodle.address_for(admin.invited(share_names=False)))

        assert "Name: nein" in page.text

    def test_looking_changes_nothing_however_often(self, admin: Admin, moodle) -> None:
        path = moodle.address_for(admin.invited())
        before = admin.content("platforms", "invitations")

        for _ in range(3):
            admin.opens(path)

        assert admin.content("platforms", "invitations") == before
        assert moodle.paths == [CONFIGURATION] * 3

    def test_only_the_platform_itself_may_frame_it(self, admin: Admin, moodle) -> None:
        policy = admin.opens(moodle.address_for(admin.invited())).headers["Content-Security-Policy"]

        assert f"frame-ancestors {moodle.site}" in policy
        assert "script-src 'self'" in policy

    def test_without_scripts_or_styles_of_its_own(self, admin: Admin, moodle) -> None:
        page = admin.opens(moodle.address_for(admin.invited())).text

        assert "<style" not in page
        assert " style=" not in page
        assert page.count("<script") == page.count("<script src=")


class TestConnecting:
    def test_one_press_connects_the_named_platform(self, admin: Admin, moodle) -> None:
        answer = admin.connects()

        (platform,) = admin.platforms()
        assert (answer.status_code, message(answer)) == (200, "connected_active")
        assert platform.state is PlatformState.ACTIVE
        assert platform.name == "Schule am Park"
        assert (platform.issuer, platform.client_id) == (moodle.site, moodle.client_id)
        assert platform.auth_url == f"{moodle.site}/mod/lti/auth.php"
        assert platform.token_url == f"{moodle.site}/mod/lti/token.php"
        assert platform.jwks_url == f"{moodle.site}{KEYS}"
        with admin.database.begin(ADMIN) as db:
            (deployment,) = db.scalars(select(Deployment))
        assert (deployment.deployment_id, deployment.state) == ("3", DeploymentState.ACTIVE)

    def test_we_say_exactly_what_moodle_needs(self, admin: Admin, moodle) -> None:
        admin.connects()

        (tool,) = moodle.tools
        extension = tool[TOOL_CONFIGURATION]
        assert tool["redirect_uris"] == [f"{TOOL}/lti/launch"]
        assert tool["initiate_login_uri"] == f"{TOOL}/lti/login"
        assert extension["target_link_uri"] == f"{TOOL}/lti/launch"
        assert extension["domain"] == "gustav.schule.example"
        assert extension["custom_parameters"] == {"context_history": "$Context.id.history"}
        assert extension["messages"] == [
            {"type": kind, "target_link_uri": f"{TOOL}/lti/launch"}
            for kind in ("LtiResourceLinkRequest", "LtiDeepLinkingRequest")
        ]
        assert set(tool["scope"].split()) == {
            NRPS,
            *(f"{AGS}{n}" for n in ("lineitem", "lineitem.readonly", "score", "result.readonly")),
        }

    @pytest.mark.parametrize(
        ("share_names", "claims"),
        [
            (True, ["iss", "sub", "name", "given_name", "family_name"]),
            (False, ["iss", "sub"]),
        ],
    )
    def test_names_are_asked_for_only_if_the_school_wants_it_and_e_mail_never(
        self, admin: Admin, moodle, share_names: bool, claims: list[str]
    ) -> None:
        admin.connects(admin.invited(share_names=share_names))

        assert moodle.tools[0][TOOL_CONFIGURATION]["claims"] == claims
        assert "email" not in json.dumps(moodle.tools)

    def test_our_keys_are_where_we_said_they_are_and_this_platforms_only(
        self, admin: Admin, moodle
    ) -> None:
        invitation = admin.invited()
        key_set = f"/lti/keys/{invitation_of(admin).id}"
        assert admin.opens(key_set).json == {"keys": []}

        admin.connects(invitation)

        assert moodle.tools[0]["jwks_uri"] == f"{TOOL}{key_set}"
        first = admin.keys(invitation_of(admin).id)
        moodle.client_id = "another"
        admin.connects(admin.invited(host=None))
        second = admin.keys(admin.platforms()[1].id)
        assert len(first) == len(second) == 1
        assert first != second

    def test_our_icon_is_there(self, admin: Admin, moodle) -> None:
        admin.connects()

        with admin.opens(moodle.tools[0]["logo_uri"].removeprefix(TOOL)) as icon:
            assert icon.mimetype == "image/svg+xml"
            assert icon.status_code == 200

    def test_without_a_named_host_the_operator_has_the_last_word(self, admin, moodle) -> None:
        answer = admin.connects(admin.invited(host=None))

        assert message(answer) == "connected_waiting"
        assert admin.platforms()[0].state is PlatformState.WAITING

    def test_a_platform_that_waits_lets_nobody_in(self, admin: Admin, moodle) -> None:
        admin.connects(admin.invited(host=None))
        lms = FakePlatform(issuer=moodle.site, client_id=moodle.client_id)
        knock = {
            "iss": lms.issuer,
            "login_hint": "17",
            "client_id": lms.client_id,
            "target_link_uri": f"{TOOL}/lti/launch",
        }

        assert admin.client.post("/lti/login", data=knock, base_url=TOOL).status_code == 400

    def test_a_second_registration_of_the_same_site_waits(self, admin: Admin, moodle) -> None:
        admin.connects()
        moodle.client_id = "second"

        answer = admin.connects()

        assert message(answer) == "connected_waiting"
        states = [platform.state for platform in admin.platforms()]
        assert states == [PlatformState.ACTIVE, PlatformState.WAITING]

    def test_a_platform_without_a_deployment_is_connected_all_the_same(self, admin, moodle) -> None:
        moodle.deployment_id = None

        answer = admin.connects()

        assert message(answer) == "connected_active"
        assert checks(answer)["deployment"] == "open"
        assert admin.rows()["deployments"] == 0


class TestTheChecklist:
    def test_all_is_well(self, admin: Admin, moodle) -> None:
        found = checks(admin.connects())

        assert found == {
            "our_keys": "unknown",
            "their_keys": "good",
            "clocks": "good",
            "deployment": "good",
            "grades": "good",
            "roster": "good",
        }

    def test_keys_that_cannot_be_had_are_named_and_undo_nothing(self, admin, moodle) -> None:
        moodle.instead[KEYS] = Answer(503)

        answer = admin.connects()

        assert checks(answer)["their_keys"] == "open"
        assert len(admin.platforms()) == 1

    def test_what_the_platform_did_not_grant_is_named(self, admin: Admin, moodle) -> None:
        moodle.grants = lambda asked: " ".join(s for s in asked.split() if "score" in s)

        found = checks(admin.connects())

        assert (found["grades"], found["roster"]) == ("open", "open")

    def test_it_says_what_moodle_does_not_do_by_itself(self, admin: Admin) -> None:
        page = admin.connects().text

        assert "Activate" in page
        assert "Show in activity chooser" in page
        assert "Notenspalte" in page

    def test_it_closes_the_frame_of_this_platform_only(self, admin: Admin, moodle) -> None:
        page = admin.connects().text

        assert f'data-close-to="{moodle.site}"' in page
        assert "static/registration.js" in page
        with admin.opens("/static/registration.js") as script:
            assert "org.imsglobal.lti.close" in script.text
            assert '"*"' not in script.text


class TestOnceAndOnlyOnce:
    def test_an_invitation_connects_one_platform(self, admin: Admin, moodle) -> None:
        invitation = admin.invited()
        admin.connects(invitation)
        before = admin.content("platforms", "platform_keys")

        answer = admin.connects(invitation, token="token-2")

        assert (answer.status_code, message(answer)) == (409, "invitation_used")
        assert len(moodle.tools) == 1
        assert admin.content("platforms", "platform_keys") == before

    @pytest.mark.parametrize(
        ("answer", "status", "page"),
        [
            (Answer(400, b"domain_targetlinkuri_mismatch"), 502, "platform_refused"),
            (Answer(500, b""), 502, "platform_refused"),
            (Answer(401, b"token_already_used"), 400, "token_refused"),
            (Answer(404, b"<html>"), 400, "token_refused"),
            (Answer(200, b"<html>"), 502, "answer_unreadable"),
            (Answer(200, b'{"client_id": 5}'), 502, "answer_unreadable"),
            (Raw(), 502, "answer_lost"),
            (Answer(302, headers={"Location": "http://127.0.0.1:1/"}), 400, "redirected"),
        ],
    )
    def test_after_a_failure_the_same_invitation_works(
        self, admin: Admin, moodle, answer, status: int, page: str
    ) -> None:
        invitation = admin.invited()
        moodle.instead[REGISTER] = answer

        failed = admin.connects(invitation)
        assert (failed.status_code, message(failed)) == (status, page)
        assert admin.platforms() == []

        moodle.instead.clear()
        assert message(admin.connects(invitation, token="token-2")) == "connected_active"

    def test_a_token_that_moodle_does_not_know_is_explained(self, admin: Admin, moodle) -> None:
        path = moodle.address_for(admin.invited(), token="stale")
        moodle.tokens.clear()

        answer = admin.presses(path)

        assert (answer.status_code, message(answer)) == (400, "token_refused")
        assert LEAKY not in answer.text

    def test_without_a_token_nobody_is_asked(self, admin: Admin, moodle) -> None:
        answer = admin.connects(token=None)

        assert (answer.status_code, message(answer)) == (400, "token_missing")
        assert moodle.paths == []

    def test_when_writing_down_fails_nothing_is_half_known(
        self, admin: Admin, moodle, postgres
    ) -> None:
        invitation = admin.invited()

        with psycopg.connect(postgres.superuser_url.replace("+psycopg", ""), autocommit=True) as db:
            db.execute("ALTER TABLE platform_keys ADD CONSTRAINT broken CHECK (false)")
            failed = admin.connects(invitation)
            db.execute("ALTER TABLE platform_keys DROP CONSTRAINT broken")

        assert failed.status_code == 409
        assert admin.rows()["platforms"] == 0
        assert message(admin.connects(invitation, token="token-2")) == "connected_active"


class TestConnectingAnew:
    """What a known platform says anew waits for a human, whichever way it came."""

    def again(self, admin: Admin, moodle, **invitation: object):
        admin.connects()
        self.before = admin.content("platforms", "platform_keys", "deployments")
        moodle.configuration_changes = {"token_endpoint": f"{moodle.site}/new/token"}
        return admin.connects(admin.invited(**invitation), token="update")

    def test_an_update_of_the_same_client_id_waits(self, admin: Admin, moodle) -> None:
        answer = self.again(admin, moodle)

        assert message(answer) == "connected_change"
        assert admin.content("platforms", "platform_keys", "deployments") == self.before
        with admin.database.begin(ADMIN) as db:
            (change,) = waiting_changes(db)
        assert change.token_url == f"{moodle.site}/new/token"
        assert change.client_id == moodle.client_id

    def test_the_platform_finds_our_same_keys_under_the_new_address(self, admin, moodle) -> None:
        self.again(admin, moodle)

        (platform,) = admin.platforms()
        told = moodle.tools[1]["jwks_uri"].removeprefix(f"{TOOL}/lti/keys/")
        assert UUID(told) != platform.id
        assert admin.keys(told) == admin.keys(platform.id) != []

    def test_an_invitation_to_renew_shows_our_keys_before_it_is_used(self, admin, moodle) -> None:
        admin.connects()
        (platform,) = admin.platforms()

        admin.invited(platform_id=platform.id)

        with admin.database.begin(ADMIN) as db:
            newest = db.scalars(select(Invitation.id).order_by(Invitation.id.desc())).first()
        assert admin.keys(newest) == admin.keys(platform.id)

    def test_a_new_client_id_waits_too_if_the_invitation_is_to_renew(self, admin, moodle) -> None:
        admin.connects()
        (platform,) = admin.platforms()
        moodle.client_id = "fresh"
        invitation = admin.invited(platform_id=platform.id)

        page = admin.opens(moodle.address_for(invitation, token="t"))
        answer = admin.connects(invitation, token="t")

        assert "schon verbunden und wird hier erneuert" in page.text
        assert message(answer) == "connected_change"
        assert admin.platforms()[0].client_id == platform.client_id
        with admin.database.begin(ADMIN) as db:
            assert waiting_changes(db)[0].client_id == "fresh"
