"""The tool and the practice LMS meet: registration, the admin's switches, and an update."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import httpx
import pytest

from lti_tool.core.db import ADMIN
from lti_tool.core.outbound import GuardedTransport, Outbound
from lti_tool.launch.registration.changes import waiting_changes
from lti_tool.people.models import PlatformState
from lti_tool.practice_lms import PracticeSettings
from lti_tool.practice_lms import create_app as create_lms
from lti_tool.web import create_app
from tests.entrance import TOOL, settings_of
from tests.launch.registration.conftest import DEADLINE, Admin, checks, message, no_names


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Quiet."""


@dataclass
class Lms:
    """The practice LMS on this machine, and its administrator's browser."""

    host: str

    def begins(self, invitation: str) -> str:
        """Add LTI Advantage; where the frame leads, below our own address."""
        start = f"http://{self.host}/admin/registration/start"
        answer = httpx.get(start, params={"url": invitation}, trust_env=False)
        return answer.headers["location"].removeprefix(TOOL)

    def presses(self, what: str, **form: str) -> None:
        httpx.post(f"http://{self.host}/admin/{what}", data=form, trust_env=False)

    def page(self) -> str:
        return httpx.get(f"http://{self.host}/admin", trust_env=False).text


@pytest.fixture
def lms() -> Iterator[Lms]:
    server: WSGIServer = make_server("127.0.0.1", 0, lambda *_: [], handler_class=Quiet)
    host = f"127.0.0.1:{server.server_port}"
    server.set_app(create_lms(PracticeSettings(f"http://{host}")))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield Lms(host)
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def school(database, moodle, postgres, lms: Lms) -> Iterator[Admin]:
    """An admin of ours whose operator lets the tool call the practice LMS."""
    transport = GuardedTransport(allowed=[lms.host], deadline=DEADLINE, resolve=no_names)
    with Outbound(transport) as outbound:
        settings = settings_of(database, GUSTAV_OUTBOUND_ALLOW=lms.host)
        app = create_app(settings, database, outbound=outbound)
        app.testing = True
        yield Admin(app.test_client(), database, moodle, postgres.superuser_url)


def test_it_is_connected_activated_shown_and_renewed(school: Admin, lms: Lms) -> None:
    path = lms.begins(school.invited(host=lms.host))
    assert message(school.opens(path)) == "offer"

    connected = school.presses(path)

    (platform,) = school.platforms()
    assert message(connected) == "connected_active"
    assert set(checks(connected).values()) == {"good", "unknown"}
    assert platform.state is PlatformState.ACTIVE
    assert 'data-state="pending"' in lms.page()
    lms.presses("activate")
    lms.presses("chooser", show="1")
    assert 'data-state="active"' in lms.page()
    assert platform.client_id in lms.page()

    again = school.presses(lms.begins(school.invited(host=lms.host)))

    assert message(again) == "connected_change"
    with school.database.begin(ADMIN) as db:
        assert waiting_changes(db)[0].client_id == platform.client_id
    assert len(school.platforms()) == 1
