"""D1-D7, deep linking (conformance guide, §6.2), from the request to the message in the browser."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from html import unescape
from typing import Any
from uuid import UUID

import jwt
import pytest
from werkzeug.test import TestResponse

from lti_tool.launch.claims import DEEP_LINKING, DEPLOYMENT_ID, LTI, MESSAGE_TYPE, VERSION
from tests.entrance import TOOL, House
from tests.fakes.platform import FakePlatform
from tests.launch.lesson import CURIE, Visitor, open_lesson

DL = "https://purl.imsglobal.org/spec/lti-dl/claim/"


@dataclass(frozen=True)
class Choice:
    """Frau Curie has chosen one task; `page` posts it to the LMS."""

    lms: FakePlatform
    task_id: UUID
    picker: TestResponse
    page: TestResponse
    key_set: dict[str, Any]

    @property
    def goal(self) -> str:
        form = re.search(r'<form method="post" action="([^"]*)" data-autosubmit>', self.page.text)
        assert form, self.page.text
        return unescape(form[1])

    @property
    def token(self) -> str:
        field = re.search(r'name="JWT" value="([^"]*)"', self.page.text)
        assert field, self.page.text
        return field[1]

    @property
    def claims(self) -> dict[str, Any]:
        return jwt.decode(self.token, options={"verify_signature": False})


@pytest.fixture
def choice(house: House) -> Choice:
    lesson = open_lesson(house)
    browser = house.browser()
    teacher = Visitor(browser, browser.arrives(house.lms.deep_linking(), CURIE))
    picker = teacher.opens()
    page = teacher.sends("content/pick", task=str(lesson.task_id), action="link")
    keys = browser.get(f"/lti/keys/{house.platform_id}").json
    return Choice(house.lms, lesson.task_id, picker, page, keys)


def test_d1_the_request_leads_to_the_choice(choice: Choice) -> None:
    assert choice.picker.status_code == 200
    assert "Wozu braucht die Pflanze Licht?" in choice.picker.text


def test_d2_the_answer_goes_where_the_request_wants_it(choice: Choice) -> None:
    wanted = choice.lms.deep_linking()[DEEP_LINKING]["deep_link_return_url"]

    assert choice.page.status_code == 200
    assert choice.goal == wanted


def test_d3_the_answer_is_a_deep_linking_response(choice: Choice) -> None:
    assert choice.claims[MESSAGE_TYPE] == "LtiDeepLinkingResponse"
    assert choice.claims[VERSION] == "1.3.0"


def test_d4_its_times_are_valid(choice: Choice) -> None:
    now = datetime.now(UTC).timestamp()

    assert choice.claims["iat"] <= now < choice.claims["exp"]
    assert choice.claims["exp"] - choice.claims["iat"] <= 300


def test_d5_its_signature_is_valid_by_our_published_key(choice: Choice) -> None:
    kid = jwt.get_unverified_header(choice.token)["kid"]
    key = jwt.PyJWKSet.from_dict(choice.key_set)[kid]

    jwt.decode(choice.token, key, ["RS256"], audience=choice.lms.issuer)


def test_d6_every_claim_that_is_wanted_is_there(choice: Choice) -> None:
    claims = choice.claims

    assert claims["iss"] == choice.lms.client_id
    assert claims["aud"] == choice.lms.issuer
    assert claims["nonce"]
    assert claims[DEPLOYMENT_ID] == choice.lms.deployment_id
    assert claims[DL + "data"] == "give-this-back"
    assert isinstance(claims[DL + "content_items"], list)
    assert LTI + "roles" not in claims


def test_d7_its_values_are_what_was_chosen(choice: Choice) -> None:
    [item] = choice.claims[DL + "content_items"]

    assert item["type"] == "ltiResourceLink"
    assert item["title"] == "Wozu braucht die Pflanze Licht?"
    assert item["url"] == f"{TOOL}/lti/launch"
    assert item["custom"]["task"] == str(choice.task_id)
    assert item["lineItem"]["scoreMaximum"] == 10
