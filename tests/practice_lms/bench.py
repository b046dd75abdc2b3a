"""A practice LMS with a fake tool and a fake browser, all in one process and without sockets."""

import html
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jwt
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from lti_tool.practice_lms import (
    COURSES,
    PEOPLE,
    Course,
    Person,
    PracticeSettings,
    Role,
    ToolRegistration,
    create_app,
)
from tests.practice_lms.fakes import Clock, FakeTool, platform_pem

BASE = "http://lms.example"
TOOL = "http://tool.example"
CLAIM = "https://purl.imsglobal.org/spec/lti/claim"
AGS = "https://purl.imsglobal.org/spec/lti-ags/scope"
NRPS_SCOPE = "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly"
ALL_SCOPES = f"{AGS}/lineitem {AGS}/result.readonly {AGS}/score {NRPS_SCOPE}"
DL = "https://purl.imsglobal.org/spec/lti-dl/claim"
SCORE = "application/vnd.ims.lis.v1.score+json"
LINE_ITEM = "application/vnd.ims.lis.v2.lineitem+json"
LINE_ITEMS = "application/vnd.ims.lis.v2.lineitemcontainer+json"
RESULTS = "application/vnd.ims.lis.v2.resultcontainer+json"
MEMBERS = "application/vnd.ims.lti-nrps.v2.membershipcontainer+json"

CURIE, ADA, BEN, ASSISTANT = "11", "21", "22", "12"
COURSE = "2"
REDIRECT = f"{TOOL}/launch"

REGISTRATION = ToolRegistration(
    name="Probewerkzeug",
    client_id="client-abc",
    deployment_id="7",
    login_url=f"{TOOL}/login",
    redirect_uris=(REDIRECT, f"{TOOL}/pick"),
    target_link_uri=f"{TOOL}/launch",
    deep_link_url=f"{TOOL}/pick",
    jwks_url=f"{TOOL}/jwks",
)


@dataclass
class Form:
    """The self-posting form of a page."""

    action: str
    fields: dict[str, str]


def form_of(answer: TestResponse) -> Form:
    text = answer.get_data(as_text=True)
    action = re.search(r'<form id="submit" method="post" action="([^"]*)"', text)
    assert action, text
    hidden = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', text)
    fields = {html.unescape(name): html.unescape(value) for name, value in hidden}
    return Form(html.unescape(action[1]), fields)


def local(url: str) -> str:
    return url.removeprefix(BASE)


@dataclass
class Bench:
    tool: FakeTool = field(default_factory=FakeTool)
    clock: Clock = field(default_factory=Clock)
    slept: list[float] = field(default_factory=list)
    data_dir: Path | None = None
    registration: ToolRegistration | None = REGISTRATION
    people: tuple[Person, ...] = PEOPLE
    courses: tuple[Course, ...] = COURSES
    _serial: int = 0

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        """Start the LMS, or start it again on the same data."""
        settings = PracticeSettings(
            base_url=BASE,
            data_dir=self.data_dir,
            tool=self.registration,
            clock=self.clock,
            sleep=self.slept.append,
            fetch_json=self.tool.fetch_json,
            fetch_status=self.tool.fetch_status,
            people=self.people,
            courses=self.courses,
        )
        self.app: Flask = create_app(settings)
        with self.app.extensions["practice_lms"].store.changing() as state:
            state.key_pem = state.key_pem or platform_pem()
        self.browser: FlaskClient = self.app.test_client()
        self._bearer: dict[str, str] = {}

    # --- the browser

    def log_in(self, *user_ids: str) -> None:
        for user_id in user_ids:
            assert self.browser.post("/login", data={"user": user_id}).status_code == 303

    def get(self, path: str, **kwargs: Any) -> TestResponse:
        return self.browser.get(path, **kwargs)

    def begin_launch(self, user_id: str, link_id: str, query: str = "") -> Form:
        self.log_in(user_id)
        return form_of(self.get(f"/as/{user_id}/activity/{link_id}/launch{query}"))

    def begin_picking(self, user_id: str = CURIE) -> Form:
        self.log_in(user_id)
        return form_of(self.get(f"/as/{user_id}/course/{COURSE}/select"))

    def auth_request(self, login: Form, **changes: str | None) -> dict[str, str]:
        """The request a right tool would make of this login; None leaves a field out."""
        right = {
            "scope": "openid",
            "response_type": "id_token",
            "response_mode": "form_post",
            "prompt": "none",
            "client_id": login.fields["client_id"],
            "redirect_uri": REDIRECT,
            "login_hint": login.fields["login_hint"],
            "lti_message_hint": login.fields["lti_message_hint"],
            "nonce": "nonce-1",
            "state": "state-1",
        }
        return {name: value for name, value in (right | changes).items() if value is not None}

    def authenticate(self, login: Form, **changes: str | None) -> Form:
        return form_of(self.get("/auth", query_string=self.auth_request(login, **changes)))

    def claims(self, login: Form, **changes: str | None) -> dict[str, Any]:
        """Finish a login and return the verified claims of the id_token."""
        return self.verified(self.authenticate(login, **changes).fields["id_token"])

    def verified(self, id_token: str) -> dict[str, Any]:
        key_set = jwt.PyJWKSet.from_dict(self.get("/jwks").get_json())
        kid = jwt.get_unverified_header(id_token)["kid"]
        options = {"verify_exp": False, "verify_iat": False, "verify_aud": False}
        return jwt.decode(id_token, key_set[kid], ["RS256"], options=options)  # type: ignore[arg-type]

    # --- the tool

    def response_jwt(self, items: object, **changes: Any) -> str:
        self._serial += 1
        now = self.clock.seconds()
        right: dict[str, Any] = {
            "iss": REGISTRATION.client_id,
            "aud": BASE,
            "iat": now - 5,
            "exp": now + 60,
            "nonce": f"dl-nonce-{self._serial}",
            f"{CLAIM}/deployment_id": REGISTRATION.deployment_id,
            f"{CLAIM}/message_type": "LtiDeepLinkingResponse",
            f"{CLAIM}/version": "1.3.0",
            f"{DL}/content_items": items,
        }
        return self.tool.sign(right | changes)

    def return_url(self) -> str:
        settings = self.claims(self.begin_picking())[f"{DL}/deep_linking_settings"]
        return local(settings["deep_link_return_url"])

    def hand_back(self, items: object, **changes: Any) -> TestResponse:
        return self.browser.post(
            self.return_url(), data={"JWT": self.response_jwt(items, **changes)}
        )

    def add_activity(self, maximum: float | None = 10, **more: Any) -> str:
        """Deep-link one activity; returns its resource link id."""
        item: dict[str, Any] = {"type": "ltiResourceLink", "title": "Fotosynthese", "url": REDIRECT}
        if maximum is not None:
            item["lineItem"] = {"scoreMaximum": maximum}
        assert self.hand_back([item | more]).status_code == 200
        page = self.get(f"/as/{CURIE}/course/{COURSE}").get_data(as_text=True)
        return str(re.findall(r"/activity/(\d+)", page)[-1])

    def assertion(self, **changes: Any) -> str:
        self._serial += 1
        now = self.clock.seconds()
        right: dict[str, Any] = {
            "iss": REGISTRATION.client_id,
            "sub": REGISTRATION.client_id,
            "aud": f"{BASE}/token",
            "iat": now,
            "exp": now + 60,
            "jti": f"jti-{self._serial}",
        }
        return self.tool.sign(right | changes)

    def ask_token(
        self, assertion: str | None = None, scope: str = ALL_SCOPES, **changes: str | None
    ) -> TestResponse:
        right: dict[str, str | None] = {
            "grant_type": "client_credentials",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": assertion or self.assertion(),
            "scope": scope,
        }
        body = {name: value for name, value in (right | changes).items() if value is not None}
        return self.browser.post("/token", data=body)

    def bearer(self, scope: str = ALL_SCOPES) -> dict[str, str]:
        if scope not in self._bearer:
            self._bearer[scope] = json.loads(self.ask_token(scope=scope).data)["access_token"]
        return {"Authorization": f"Bearer {self._bearer[scope]}"}

    def call(
        self,
        method: str,
        url: str,
        media: str,
        body: object = None,
        *,
        scope: str = ALL_SCOPES,
        headers: dict[str, str] | None = None,
    ) -> TestResponse:
        """A call with a good token; `media` is Accept for GET and Content-Type otherwise."""
        sent = {**self.bearer(scope), **(headers or {})}
        if method == "GET":
            return self.browser.get(local(url), headers={"Accept": media, **sent})
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        return self.browser.open(
            local(url), method=method, data=data, headers=sent, content_type=media
        )

    def item_url(self, link_id: str) -> str:
        """The line item's address as a launch of Ada announces it."""
        claims = self.claims(self.begin_launch(ADA, link_id))
        return str(claims["https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"]["lineitem"])

    def score(self, item_url: str, user_id: object = ADA, **changes: Any) -> TestResponse:
        """Post a score stamped with the present time; None leaves a field out."""
        right: dict[str, Any] = {
            "userId": user_id,
            "scoreGiven": 8,
            "scoreMaximum": 10,
            "comment": "Gut erklärt.",
            "timestamp": self.clock.now.isoformat(),
            "activityProgress": "Completed",
            "gradingProgress": "FullyGraded",
        }
        sent = {name: value for name, value in (right | changes).items() if value is not None}
        return self.call("POST", item_url.replace("?", "/scores?"), SCORE, sent)

    def results(self, item_url: str, query: str = "") -> list[dict[str, Any]]:
        answer = self.call("GET", item_url.replace("?", "/results?") + query, RESULTS)
        assert answer.status_code == 200
        return list(json.loads(answer.data))


def with_assistant() -> Bench:
    """A course that also has a non-editing teacher."""
    person = Person(ASSISTANT, "Emil", "Ohm", "e.ohm")
    first = COURSES[0]
    members = (*first.members, (ASSISTANT, Role.ASSISTANT))
    course = Course(first.course_id, first.label, first.title, members, history=("1",))
    return Bench(people=(*PEOPLE, person), courses=(course,))
