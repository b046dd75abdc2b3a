"""The platform that all tools of a run are registered with: login, signed message, key set."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from lti_tool.launch.claims import CONTEXT, CUSTOM, RESOURCE_LINK, TARGET_LINK_URI
from tests.bench.browser import Answer
from tests.fakes.http_server import Answer as ServerAnswer
from tests.fakes.http_server import LoopbackServer, Seen
from tests.fakes.platform import FakePlatform

PUPILS = 300
COURSE = "Bio 8b"  # as tests.school calls it
DEPLOYMENT = "7"


class Lms:
    """One registration, served over HTTP where tools come to fetch its keys."""

    def __init__(self) -> None:
        self.platform = FakePlatform()
        self.server = LoopbackServer(self._answer)
        self.task_id = ""

    def open(self) -> None:
        self.server.__enter__()
        issuer = self.server.url
        self.platform = FakePlatform(issuer, f"client of {issuer}", DEPLOYMENT)
        self.platform.auth_url, self.platform.jwks_url = f"{issuer}/auth", f"{issuer}/jwks"
        self.platform.token_url = f"{issuer}/token"

    def close(self) -> None:
        self.server.__exit__()

    @property
    def key_fetches(self) -> int:
        return sum(seen.target.startswith("/jwks") for seen in self.server.seen)

    def knock(self, pupil: int, target: str) -> dict[str, str]:
        """What the browser brings to the tool's login address."""
        return {
            "iss": self.platform.issuer,
            "client_id": self.platform.client_id,
            "lti_deployment_id": DEPLOYMENT,
            "login_hint": str(pupil),
            "lti_message_hint": f'{{"cmid":3,"launchid":"ltilaunch3_{pupil}"}}',
            "target_link_uri": target,
        }

    def asked(self, answer: Answer) -> dict[str, str]:
        """The authentication request a login led to; empty if it led elsewhere."""
        goal = answer.header("location")
        if not goal.startswith(self.platform.auth_url):
            return {}
        return dict(parse_qsl(urlsplit(goal).query))

    def message(self, pupil: int, target: str, nonce: str) -> dict[str, Any]:
        """The claims of a pupil who opens the activity."""
        self.platform.now = datetime.now(UTC)
        return self.platform.launch() | {
            "sub": str(pupil),
            "name": f"Vorname Nachname {pupil}",
            "nonce": nonce,
            TARGET_LINK_URI: target,
            CONTEXT: {"id": COURSE, "title": COURSE, "type": ["CourseSection"]},
            RESOURCE_LINK: {"id": str(pupil % 5), "title": "Fotosynthese"},
            CUSTOM: {"task": self.task_id},
        }

    @property
    def sign(self) -> Callable[..., str]:
        return self.platform.sign

    def _answer(self, seen: Seen) -> ServerAnswer:
        if not seen.target.startswith("/jwks"):
            return ServerAnswer(404)
        headers = {"Content-Type": "application/json"}
        return ServerAnswer(200, self.platform.jwks(), headers)
