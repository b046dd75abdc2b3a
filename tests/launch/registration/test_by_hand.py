"""An invitation opened in a browser: what to copy where, and a form for what the LMS says."""

import re

import pytest
from sqlalchemy import select

from lti_tool.core.db import ADMIN
from lti_tool.launch.registration.changes import waiting_changes
from lti_tool.people.models import Deployment, PlatformState
from tests.entrance import TOOL
from tests.launch.registration.conftest import Admin, checks, message

MOODLE = {"site": "https://moodle.schule.example/", "client_id": "abc", "deployment_id": "3"}
CANVAS = {
    "issuer": "https://canvas.instructure.com",
    "auth_url": "https://sso.canvaslms.com/api/lti/authorize_redirect",
    "token_url": "https://schule.instructure.com/login/oauth2/token",
    "jwks_url": "https://sso.canvaslms.com/api/lti/security/jwks",
    "client_id": "10000000000001",
    "deployment_id": "5:d3a2",
}


def page(admin: Admin, invitation: str):
    return admin.opens(invitation.removeprefix(TOOL))


def types(admin: Admin, invitation: str, **form: str):
    return admin.presses(f"{invitation.removeprefix(TOOL)}/by-hand", **form)


def test_the_page_says_what_to_do_with_its_address(admin: Admin) -> None:
    invitation = admin.invited("Gymnasium am Park")

    answer = page(admin, invitation)

    assert (answer.status_code, message(answer)) == (200, "by_hand")
    assert "Gymnasium am Park" in answer.text
    assert f'<code class="copy">{invitation}</code>' in answer.text
    assert "Add LTI Advantage" in answer.text
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


def test_every_value_stands_there_for_four_platforms(admin: Admin) -> None:
    text = page(admin, admin.invited()).text

    assert re.findall(r'data-lms="(\w+)"', text) == ["moodle", "canvas", "ilias", "openolat"]
    for part in re.split(r"<details", text)[1:5]:
        assert f"{TOOL}/lti/launch" in part
        assert f"{TOOL}/lti/login" in part
        assert re.search(rf"{TOOL}/lti/keys/[0-9a-f-]{{36}}", part)


def test_a_moodle_is_connected_with_its_address_and_two_ids(admin: Admin) -> None:
    invitation = admin.invited(host="moodle.schule.example")
    told = re.search(r"/lti/keys/([0-9a-f-]{36})", page(admin, invitation).text)

    answer = types(admin, invitation, **MOODLE)

    (platform,) = admin.platforms()
    assert (answer.status_code, message(answer)) == (200, "connected_active")
    assert platform.issuer == "https://moodle.schule.example"
    assert platform.token_url == "https://moodle.schule.example/mod/lti/token.php"
    assert platform.state is PlatformState.ACTIVE
    assert told
    assert str(platform.id) == told[1]
    assert len(admin.keys(told[1])) == 1
    with admin.database.begin(ADMIN) as db:
        assert db.scalars(select(Deployment.deployment_id)).all() == ["3"]


def test_a_canvas_with_endpoints_elsewhere_waits_for_a_look(admin: Admin) -> None:
    answer = types(admin, admin.invited(host="canvas.instructure.com"), **CANVAS)

    assert message(answer) == "connected_waiting"
    (platform,) = admin.platforms()
    assert (platform.state, platform.jwks_url) == (PlatformState.WAITING, CANVAS["jwks_url"])


def test_without_a_deployment_it_is_allowed_later(admin: Admin) -> None:
    answer = types(admin, admin.invited(host=None), **MOODLE | {"deployment_id": ""})

    assert checks(answer)["deployment"] == "open"
    assert admin.rows()["deployments"] == 0


def test_what_only_time_can_tell_is_not_called_good(admin: Admin) -> None:
    found = checks(types(admin, admin.invited(host=None), **MOODLE))

    assert (found["grades"], found["roster"]) == ("unknown", "unknown")


@pytest.mark.parametrize(
    ("form", "changes", "field"),
    [
        (MOODLE, {"site": ""}, "site"),
        (MOODLE, {"site": "moodle.schule.example"}, "site"),
        (MOODLE, {"site": "http://moodle.schule.example"}, "site"),
        (MOODLE, {"site": "https://127.0.0.1:6379"}, "site"),
        (MOODLE, {"site": "https://moodle.schule.example/?x=1"}, "site"),
        (MOODLE, {"client_id": ""}, "client_id"),
        (MOODLE, {"client_id": "two words"}, "client_id"),
        (MOODLE, {"client_id": "x" * 256}, "client_id"),
        (MOODLE, {"deployment_id": "a\tb"}, "deployment_id"),
        (CANVAS, {"issuer": "canvas"}, "issuer"),
        (CANVAS, {"jwks_url": "javascript:alert(1)"}, "jwks_url"),
        (CANVAS, {"token_url": ""}, "token_url"),
    ],
)
def test_what_cannot_be_taken_is_named_and_nothing_typed_is_lost(
    admin: Admin, form: dict[str, str], changes: dict[str, str], field: str
) -> None:
    invitation = admin.invited(host=None)
    typed = form | changes

    answer = types(admin, invitation, **typed)

    kind = "moodle" if "site" in form else "other"
    assert answer.status_code == 422
    assert f'id="{kind}-{field}-problem"' in answer.text
    for name, value in typed.items():
        if name != field and value:
            assert f'name="{name}" value="{value}"' in answer.text
    assert admin.platforms() == []
    assert message(types(admin, invitation, **form)) == "connected_waiting"


def test_another_host_than_the_invited_one_is_refused(admin: Admin) -> None:
    answer = types(admin, admin.invited(host="moodle.andere.example"), **MOODLE)

    assert (answer.status_code, message(answer)) == (403, "other_host")
    assert admin.platforms() == []


def test_a_client_id_is_taken_once_only(admin: Admin) -> None:
    types(admin, admin.invited(host=None), **MOODLE)

    other = MOODLE | {"site": "https://evil.example"}
    answer = types(admin, admin.invited(host=None), **other)

    assert (answer.status_code, message(answer)) == (409, "client_id_taken")
    assert len(admin.platforms()) == 1


def test_a_known_platform_is_renewed_by_hand_and_waits(admin: Admin) -> None:
    types(admin, admin.invited(host=None), **MOODLE)
    (platform,) = admin.platforms()

    invitation = admin.invited(host=None, platform_id=platform.id)
    answer = types(admin, invitation, **MOODLE | {"client_id": "fresh"})

    assert message(answer) == "connected_change"
    assert admin.platforms()[0].client_id == "abc"
    with admin.database.begin(ADMIN) as db:
        assert waiting_changes(db)[0].client_id == "fresh"
