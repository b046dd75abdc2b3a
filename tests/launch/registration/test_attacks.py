"""ATK 31-41 through the registration pages: status, page, and that nothing was written.

What the guarded client does by itself is tested in tests/core; here it is the way in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from lti_tool.core.db import ADMIN
from lti_tool.core.outbound import GuardedTransport, Outbound
from lti_tool.core.outbound.sockets import Resolve
from lti_tool.launch.registration.invitations import withdraw
from lti_tool.launch.registration.models import Invitation
from lti_tool.web import create_app
from tests.entrance import settings_of
from tests.fakes.http_server import Answer, LoopbackServer, Raw, Seen
from tests.fakes.outbound import PUBLIC, Dialled, names
from tests.fakes.registering_moodle import CONFIGURATION, KEYS, LEAKY, REGISTER, RegisteringMoodle
from tests.launch.registration.conftest import DEADLINE, Admin, message

TABLES = ("platforms", "platform_keys", "deployments", "registration_changes", "invitations")


@pytest.fixture
def canary() -> Iterator[LoopbackServer]:
    """A machine inside the house that nobody may reach."""
    with LoopbackServer(lambda seen: Answer(200, b"{}")) as server:
        yield server


@contextmanager
def in_a_world(admin: Admin, canary: LoopbackServer, resolve: Resolve) -> Iterator[Dialled]:
    """The same house where names mean what `resolve` says and every connection meets the canary.
    Nothing is on the operator's list."""
    dialled = Dialled(canary.port)
    transport = GuardedTransport(deadline=DEADLINE, resolve=resolve, dial=dialled)
    usual = admin.client
    with Outbound(transport) as outbound:
        app = create_app(settings_of(admin.database), admin.database, outbound=outbound)
        app.testing = True
        admin.client = app.test_client()
        yield dialled
    admin.client = usual


def tries(admin: Admin, url: str, **more: Any) -> list[tuple[int, str | None]]:
    """What GET and POST answer for this `openid_configuration`."""
    path = admin.moodle.address_for(admin.invited(host=None), openid_configuration=url, **more)
    answers = admin.opens(path), admin.presses(path)
    return [(answer.status_code, message(answer)) for answer in answers]


def refused(admin: Admin, url: str, page: str, status: int = 400) -> None:
    """Refused both ways, with this page, and nothing written."""
    before = admin.rows()

    assert tries(admin, url) == [(status, page)] * 2

    assert admin.rows() == before | {"invitations": before["invitations"] + 1}


ATK_31 = [
    "http://127.0.0.1:6379",
    "http://localhost:11434/api/tags",
    "https://localhost/",
    "http://169.254.169.254/latest/meta-data",
    "https://169.254.169.254/",
    "https://[::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://10.0.0.8/",
    "https://172.16.5.4/",
    "https://192.168.178.1/",
    "https://100.64.0.1/",
    "https://[fc00::1]/",
    "https://[fe80::1]/",
    "https://224.0.0.1/",
    "https://255.255.255.255/",
]


@pytest.mark.parametrize("url", ATK_31)
def test_atk_31_addresses_inside_the_house_are_never_asked(
    admin: Admin, canary: LoopbackServer, url: str
) -> None:
    with in_a_world(admin, canary, names(["127.0.0.1"])) as dialled:
        refused(admin, url, "address_forbidden")

    assert (canary.connections, dialled.addresses) == (0, [])


ATK_32 = [
    "https://0.0.0.0/",
    "https://127.1/",
    "https://0x7f000001/",
    "https://2130706433/",
    "https://0177.0.0.1/",
    "https://localhost./",
    "https://①27.0.0.1/",
    "https://moodle.example@127.0.0.1/",
    "https://moodle.example:22/",
    "https://moodle.example:25/",
    "https://moodle.example:6379/",
    "https://moodle.example:8443/",
    "http://moodle.example/",
]


@pytest.mark.parametrize("url", ATK_32)
def test_atk_32_odd_spellings_and_ports_lead_nowhere(
    admin: Admin, canary: LoopbackServer, url: str
) -> None:
    with in_a_world(admin, canary, names(["127.0.0.1"])) as dialled:
        refused(admin, url, "address_forbidden")

    assert (canary.connections, dialled.addresses) == (0, [])


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("path", [CONFIGURATION, REGISTER])
def test_atk_33_redirects_are_not_followed(
    admin: Admin, moodle: RegisteringMoodle, canary: LoopbackServer, status: int, path: str
) -> None:
    moodle.instead[path] = Answer(status, headers={"Location": f"{canary.url}/x"})
    before = admin.rows()

    answer = admin.connects()

    assert (answer.status_code, message(answer)) == (400, "redirected")
    assert "Weiterleitung nicht erlaubt" in answer.text
    assert canary.connections == 0
    assert admin.rows() == before | {"invitations": 1}


ATK_34 = [
    "gopher://127.0.0.1:6379/_x",
    "file:///etc/passwd",
    "ftp://moodle.example/x",
    "dict://127.0.0.1:6379/info",
    "https://moodle.example/\r\nX-Evil: 1",
    "https://moodle.example\r\nHost: evil/",
    "javascript:alert(1)",
    "//moodle.example/x",
    "",
]


@pytest.mark.parametrize("url", ATK_34)
def test_atk_34_other_schemes_and_line_breaks_are_refused(
    admin: Admin, canary: LoopbackServer, url: str
) -> None:
    with in_a_world(admin, canary, names([PUBLIC])) as dialled:
        refused(admin, url, "address_forbidden")

    assert (canary.connections, dialled.addresses) == (0, [])


@pytest.mark.parametrize(
    "answers", [["127.0.0.1"], [PUBLIC, "127.0.0.1"], [PUBLIC, "::1"], ["10.0.0.1", PUBLIC]]
)
def test_atk_35_a_name_with_one_address_inside_is_not_dialled(
    admin: Admin, canary: LoopbackServer, answers: list[str]
) -> None:
    with in_a_world(admin, canary, names(answers)) as dialled:
        refused(admin, "https://moodle.evil.example/c", "address_forbidden")

    assert (canary.connections, dialled.addresses) == (0, [])


def test_atk_35_a_name_that_changes_its_meaning_is_not_believed_twice(
    admin: Admin, canary: LoopbackServer
) -> None:
    """DNS rebinding: public when it is checked, loopback when it is dialled."""
    asked: list[str] = []
    answers = names([PUBLIC], ["127.0.0.1"])

    def rebinding(host: str) -> Any:
        asked.append(host)
        return answers(host)

    with in_a_world(admin, canary, rebinding) as dialled:
        path = admin.moodle.address_for(
            admin.invited(host=None), openid_configuration="https://moodle.evil.example/c"
        )
        answer = admin.opens(path)

    assert len(asked) == 1
    assert dialled.addresses == [PUBLIC]  # the address that was checked, not a second look-up
    assert (answer.status_code, message(answer)) == (502, "no_answer")  # no TLS at the canary
    assert canary.seen == []


HUGE = b"HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n"
PACKED = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd"
ATK_36 = {
    "slow body": (Raw((b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", *[b"x"] * 99), 0.05), 502),
    "10 GB": (Raw((HUGE,)), 400),
    "endless": (Raw((b"HTTP/1.1 200 OK\r\n\r\n", *[b"x" * 100_000] * 12)), 400),
    "gzip bomb": (Raw((PACKED,)), 400),
    "endless headers": (Raw((b"HTTP/1.1 200 OK\r\n", *[b"X: " + b"y" * 9000 + b"\r\n"] * 50)), 502),
    "silence": (Raw(hang=True), 502),
}


@pytest.mark.parametrize("name", ATK_36)
def test_atk_36_answers_that_never_end_are_cut_off(
    admin: Admin, moodle: RegisteringMoodle, name: str, short_patience: None
) -> None:
    answer, status = ATK_36[name]
    moodle.instead[CONFIGURATION] = answer
    before = admin.rows()

    page = admin.opens(moodle.address_for(admin.invited()))

    assert page.status_code == status
    assert message(page) in ("no_answer", "configuration_unreadable")
    assert admin.rows() == before | {"invitations": 1}


@pytest.fixture
def short_patience(admin: Admin) -> Iterator[None]:
    allowed = [admin.moodle.server.host]
    transport = GuardedTransport(allowed=allowed, deadline=timedelta(seconds=0.5))
    with Outbound(transport) as outbound:
        settings = settings_of(admin.database, GUSTAV_OUTBOUND_ALLOW=allowed[0])
        app = create_app(settings, admin.database, outbound=outbound)
        admin.client = app.test_client()
        yield


ECHOES: list[Callable[[RegisteringMoodle], None]] = [
    lambda moodle: moodle.instead.update({CONFIGURATION: Answer(200, LEAKY.encode())}),
    lambda moodle: moodle.instead.update({CONFIGURATION: Answer(500, LEAKY.encode())}),
    lambda moodle: moodle.instead.update({CONFIGURATION: Answer(404, LEAKY.encode())}),
    lambda moodle: moodle.instead.update({REGISTER: Answer(400, LEAKY.encode(), reason=LEAKY)}),
    lambda moodle: moodle.instead.update({REGISTER: Answer(200, LEAKY.encode())}),
    lambda moodle: moodle.instead.update({KEYS: Answer(200, LEAKY.encode())}),
    lambda moodle: moodle.configuration_changes.update({"issuer": f"https://{LEAKY}.example"}),
]


@pytest.mark.parametrize("echo", ECHOES)
def test_atk_37_nothing_that_was_answered_is_on_a_page_or_in_a_log(
    admin: Admin, moodle: RegisteringMoodle, echo: Callable[[RegisteringMoodle], None]
) -> None:
    echo(moodle)

    with capture_logs() as logs:
        pages = [admin.opens(moodle.address_for(admin.invited())), admin.connects()]

    assert LEAKY.lower() not in (pages[0].text + pages[1].text + str(logs)).lower()


@pytest.mark.parametrize("issuer", ["https://moodle.schule.example", "https://evil.example"])
def test_atk_38_nobody_registers_in_the_name_of_another(
    admin: Admin, moodle: RegisteringMoodle, issuer: str
) -> None:
    admin.connects()
    before = admin.content(*TABLES)
    moodle.configuration_changes = {"issuer": issuer}

    answer = admin.connects(admin.invited(host=None), token="2")

    assert (answer.status_code, message(answer)) == (400, "issuer_elsewhere")
    assert len(moodle.tools) == 1
    assert len(admin.content(*TABLES)) == len(before) + 1  # the invitation itself
    assert set(before) <= set(admin.content(*TABLES))


class TestAtk39:
    """Registration without an invitation, and takeover with one."""

    def refusal(self, admin: Admin, path: str) -> tuple[int, str | None]:
        """GET and POST say the same, the platform hears nothing, nothing is written."""
        before, asked = admin.content(*TABLES), len(admin.moodle.paths)
        seen, pressed = admin.opens(path), admin.presses(path)

        assert admin.content(*TABLES) == before
        assert len(admin.moodle.paths) == asked
        assert (seen.status_code, message(seen)) == (pressed.status_code, message(pressed))
        return pressed.status_code, message(pressed)

    def test_a_guessed_invitation(self, admin: Admin, moodle) -> None:
        path = moodle.address_for("/register/guessed")

        assert self.refusal(admin, path) == (403, "invitation_unknown")

    def test_an_expired_one(self, admin: Admin, moodle) -> None:
        path = moodle.address_for(admin.invited(lifetime=timedelta(seconds=-1)))

        assert self.refusal(admin, path) == (403, "invitation_expired")

    def test_a_withdrawn_one(self, admin: Admin, moodle) -> None:
        path = moodle.address_for(admin.invited())
        with admin.database.begin(ADMIN) as db:
            withdraw(db, db.query(Invitation).one().id)

        assert self.refusal(admin, path) == (403, "invitation_withdrawn")

    def test_a_used_one(self, admin: Admin, moodle) -> None:
        invitation = admin.invited()
        admin.connects(invitation)

        path = moodle.address_for(invitation, token="2")
        assert self.refusal(admin, path) == (409, "invitation_used")

    def test_the_form_by_hand_has_the_same_door(self, admin: Admin) -> None:
        form = {"site": "https://moodle.schule.example", "client_id": "x"}

        answer = admin.presses("/register/guessed/by-hand", **form)

        assert (answer.status_code, message(answer)) == (403, "invitation_unknown")
        assert admin.platforms() == []

    def test_one_of_another_school(self, admin: Admin, moodle) -> None:
        invitation = admin.invited(host="moodle.andere-schule.example")
        before = admin.rows()

        answer = admin.connects(invitation)

        assert (answer.status_code, message(answer)) == (403, "other_host")
        assert moodle.tools == []
        assert admin.rows() == before

    def test_one_that_is_to_renew_another_platform(self, admin: Admin, moodle) -> None:
        admin.connects()
        victim = admin.platforms()[0]
        with admin.database.begin(ADMIN) as db:
            db.get_one(type(victim), victim.id).issuer = "https://moodle.schule.example"
        before = admin.rows()

        answer = admin.connects(admin.invited(platform_id=victim.id), token="2")

        assert (answer.status_code, message(answer)) == (403, "other_platform")
        assert len(moodle.tools) == 1
        assert admin.rows() == before | {"invitations": 2}

    def test_a_client_id_of_another_platform(self, admin: Admin, moodle) -> None:
        """Every pupil sees Moodle's client_id in the login; a hostile platform may name it."""
        admin.connects()
        before = admin.content("platforms", "platform_keys", "deployments")
        hostile = RegisteringMoodle(client_id=moodle.client_id)
        with (
            LoopbackServer(hostile.answer) as hostile.server,
            self.beside(admin, hostile) as hostile_admin,
        ):
            answer = hostile_admin.connects(hostile_admin.invited(host=None))

        assert (answer.status_code, message(answer)) == (409, "client_id_taken")
        assert admin.content("platforms", "platform_keys", "deployments") == before
        assert admin.rows()["registration_changes"] == 0

    @contextmanager
    def beside(self, admin: Admin, other: RegisteringMoodle) -> Iterator[Admin]:
        """The same house, in which the operator vouches for this other host too."""
        allowed = f"{admin.moodle.server.host},{other.server.host}"
        transport = GuardedTransport(allowed=allowed.split(","), deadline=DEADLINE)
        with Outbound(transport) as outbound:
            settings = settings_of(admin.database, GUSTAV_OUTBOUND_ALLOW=allowed)
            app = create_app(settings, admin.database, outbound=outbound)
            yield Admin(app.test_client(), admin.database, other, admin.superuser_url)

    def test_the_same_client_id_again_overwrites_no_key(self, admin: Admin, moodle) -> None:
        admin.connects()
        before = admin.content("platforms", "platform_keys", "deployments")
        moodle.configuration_changes = {"jwks_uri": f"{moodle.site}/evil/jwks"}

        answer = admin.connects(admin.invited(host=None), token="2")

        assert (answer.status_code, message(answer)) == (200, "connected_change")
        assert admin.content("platforms", "platform_keys", "deployments") == before
        assert admin.rows()["registration_changes"] == 1

    def test_two_presses_at_once_register_once(self, admin: Admin, moodle) -> None:
        invitation = admin.invited()
        inner: list[tuple[int, str | None]] = []
        usual = moodle.answer

        def press_again_meanwhile(seen: Seen) -> Answer | Raw:
            if seen.method == "POST" and not inner:
                again = admin.client.application.test_client()
                path = moodle.address_for(invitation, token="2")
                answer = again.post(path, base_url="https://gustav.schule.example")
                inner.append((answer.status_code, message(answer)))
            return usual(seen)

        admin.moodle.server._server.answer = press_again_meanwhile
        answer = admin.connects(invitation)

        assert message(answer) == "connected_active"
        assert inner == [(409, "invitation_busy")]
        assert len(moodle.tools) == len(admin.platforms()) == 1


@pytest.mark.parametrize(
    "endpoint", ["authorization_endpoint", "token_endpoint", "jwks_uri", "registration_endpoint"]
)
def test_atk_40_endpoints_on_foreign_machines_are_refused(
    admin: Admin, moodle: RegisteringMoodle, canary: LoopbackServer, endpoint: str
) -> None:
    moodle.configuration_changes = {endpoint: f"{canary.url}/x"}
    before = admin.rows()

    answer = admin.connects()

    assert (answer.status_code, message(answer)) == (400, "endpoint_elsewhere")
    assert canary.connections == 0
    assert admin.rows() == before | {"invitations": 1}


class TestAtk41:
    """The registration token goes into one header and nowhere else."""

    TOKEN = "SECRET-REGISTRATION-TOKEN"

    def test_it_is_sent_in_the_header_only(self, admin: Admin, moodle) -> None:
        admin.connects(token=self.TOKEN)

        with_token = [
            (seen.target, seen.body)
            for seen in moodle.server.seen
            if self.TOKEN in str(seen.headers)
        ]
        everything = json.dumps([[s.target, s.body.decode()] for s in moodle.server.seen])
        assert [target for target, _ in with_token] == [REGISTER]
        assert self.TOKEN not in everything

    @pytest.mark.parametrize("broken", [None, CONFIGURATION, REGISTER, KEYS])
    def test_it_is_on_no_page_in_no_log_and_in_no_row(
        self, admin: Admin, moodle, broken: str | None
    ) -> None:
        if broken:
            moodle.instead[broken] = Answer(500, self.TOKEN.encode())
        path = moodle.address_for(admin.invited(), token=self.TOKEN)

        with capture_logs() as logs:
            pages = admin.opens(path).text + admin.presses(path).text

        assert self.TOKEN not in pages + str(logs)
        assert self.TOKEN not in str(admin.content(*TABLES, "security_events"))

    def test_no_address_of_these_pages_travels_on(self, admin: Admin, moodle) -> None:
        path = moodle.address_for(admin.invited(), token=self.TOKEN)

        for answer in (admin.opens(path), admin.presses(path), admin.opens("/register/guessed")):
            assert answer.headers["Referrer-Policy"] == "no-referrer"
            assert answer.headers["Cache-Control"] == "private, no-store"
            assert not re.search(r'(?:href|src|action)="https?://', answer.text)

    def test_a_token_that_would_break_the_header_is_not_sent(self, admin: Admin, moodle) -> None:
        answer = admin.connects(token="x\r\nX-Evil: 1")

        assert (answer.status_code, message(answer)) == (400, "token_missing")
        assert moodle.tools == []

    def test_parameters_that_come_twice_are_nobodys_honest_request(self, admin, moodle) -> None:
        path = moodle.address_for(admin.invited()) + "&openid_configuration=https://evil.example"

        assert message(admin.opens(path)) == "address_forbidden"
        assert message(admin.presses(path)) == "address_forbidden"
        assert moodle.paths == []
