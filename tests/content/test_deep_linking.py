"""The message that takes tasks into the course: what the LMS checks, and what it would swallow."""

import json
from base64 import urlsafe_b64decode
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import jwt
import pytest

from lti_tool.content.deep_linking import Addresses, response_form
from lti_tool.content.models import RegularTask
from lti_tool.core.errors import Invalid
from lti_tool.launch.session import DeepLinking
from tests.fakes.school import signing_key
from tests.school import CHOOSING_MANY, RETURN_URL

LTI = "https://purl.imsglobal.org/spec/lti/claim/"
DL = "https://purl.imsglobal.org/spec/lti-dl/claim/"
NOW = datetime(2026, 11, 27, 10, 42, tzinfo=UTC)
ISSUER, CLIENT = "https://moodle.schule.example", "client-1"
LAUNCH_URL = "https://gustav.schule.example/lti/launch"
ICON_URL = "https://gustav.schule.example/static/task.png"
ADDRESSES = Addresses(LAUNCH_URL, ICON_URL)


def task(number: int = 1, **changes: Any) -> RegularTask:
    made = RegularTask(
        id=UUID(int=number),
        title="Wozu braucht die Pflanze Licht?",
        prompt="Erkläre in **eigenen** Worten.",
        score_maximum=10,
    )
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def token(*tasks: RegularTask, asked: DeepLinking = CHOOSING_MANY) -> str:
    response = response_form(
        tasks,
        asked,
        signing_key(),
        issuer=ISSUER,
        client_id=CLIENT,
        addresses=ADDRESSES,
        now=NOW,
    )
    assert response.return_url == asked.return_url
    return response.jwt


def part(jwt_text: str, number: int) -> dict[str, Any]:
    """One part of a token, read without any library's help."""
    text = jwt_text.split(".")[number]
    read: dict[str, Any] = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return read


def claims(*tasks: RegularTask, asked: DeepLinking = CHOOSING_MANY) -> dict[str, Any]:
    return part(token(*tasks, asked=asked), 1)


def test_the_platform_can_verify_the_message_with_our_public_key() -> None:
    text = token(task())

    read = jwt.decode(
        text,
        signing_key().private.public_key(),
        algorithms=["RS256"],
        audience=ISSUER,
        issuer=CLIENT,
        options={"verify_exp": False, "verify_iat": False, "require": ["exp", "iat", "nonce"]},
    )

    assert part(text, 0) == {"alg": "RS256", "kid": "kid-1", "typ": "JWT"}
    assert read == part(text, 1)


def test_every_claim_that_deep_linking_wants_is_there_and_no_other() -> None:
    read = claims(task())

    assert read.pop(DL + "content_items")
    assert len(read.pop("nonce")) >= 32
    assert len(read.pop("jti")) >= 32
    assert read == {
        "iss": CLIENT,
        "aud": ISSUER,
        "iat": int(NOW.timestamp()) - 5,
        "exp": int((NOW + timedelta(minutes=5)).timestamp()) - 5,
        LTI + "message_type": "LtiDeepLinkingResponse",
        LTI + "version": "1.3.0",
        LTI + "deployment_id": "7",
    }


def test_an_item_carries_our_own_id_and_a_column_that_moodle_accepts() -> None:
    [item] = claims(task(score_maximum=100))[DL + "content_items"]

    assert item == {
        "type": "ltiResourceLink",
        "url": LAUNCH_URL,
        "title": "Wozu braucht die Pflanze Licht?",
        "text": "Erkläre in eigenen Worten.",
        "icon": {"url": ICON_URL, "width": 128, "height": 128},
        "custom": {"task": str(UUID(int=1)), "context_history": "$Context.id.history"},
        "lineItem": {
            "scoreMaximum": 100,
            "label": "Wozu braucht die Pflanze Licht?",
            "resourceId": str(UUID(int=1)),
            "tag": "gustav-task",
            "submissionReview": {"reviewableStatus": ["Submitted", "Completed"]},
        },
    }
    assert isinstance(item["lineItem"]["scoreMaximum"], int)


def test_a_long_text_is_clipped() -> None:
    [item] = claims(task(prompt="Lies. " * 100))[DL + "content_items"]

    assert len(item["text"]) <= 300
    assert item["text"].endswith("Lies.…")


@pytest.mark.parametrize("data", ["", "a", 'ä {"x": 1}\n </script>', "x" * 65_536])
def test_data_goes_back_as_it_came(data: str) -> None:
    assert claims(asked=replace(CHOOSING_MANY, data=data))[DL + "data"] == data


def test_without_data_none_is_invented() -> None:
    assert DL + "data" not in claims(task())


def test_choosing_nothing_is_an_answer_too() -> None:
    assert claims()[DL + "content_items"] == []


def test_several_tasks_keep_their_order() -> None:
    items = claims(task(2), task(1))[DL + "content_items"]

    assert [item["custom"]["task"] for item in items] == [str(UUID(int=2)), str(UUID(int=1))]


def test_a_platform_that_takes_one_never_gets_two() -> None:
    one = DeepLinking(RETURN_URL, accept_multiple=False, data=None, deployment_id="7")

    assert len(claims(task(), asked=one)[DL + "content_items"]) == 1
    with pytest.raises(Invalid) as refused:
        token(task(1), task(2), asked=one)
    assert refused.value.problems == {"tasks": "only_one"}


def test_a_platform_that_wants_no_column_gets_none() -> None:
    [item] = claims(task(), asked=replace(CHOOSING_MANY, accept_lineitem=False))[
        DL + "content_items"
    ]

    assert "lineItem" not in item
    assert item["custom"]["task"] == str(UUID(int=1))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"score_maximum": 0}, "score_maximum"),
        ({"score_maximum": 101}, "score_maximum"),
        ({"score_maximum": 12.5}, "score_maximum"),
        ({"title": " "}, "title"),
        ({"title": "x" * 256}, "title"),
    ],
)
def test_what_the_lms_would_drop_in_silence_is_named_and_nothing_is_signed(
    changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(Invalid) as refused:
        token(task(1), task(2, **changes), task(3))

    assert refused.value.problems == {str(UUID(int=2)): reason}


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("Für 2 < 3", "Für 2 < 3"),
        ("Für x<5 gilt", "Für x‹5 gilt"),
        ("<b>", "‹b>"),
        ("Zeichen <", "Zeichen ‹"),
    ],
)
def test_a_title_that_looks_like_a_tag_is_not_cut_out_by_moodle(written: str, sent: str) -> None:
    [item] = claims(task(title=written, prompt=f"Erkläre: {written}"))[DL + "content_items"]

    assert item["title"] == item["lineItem"]["label"] == sent
    assert item["text"] == f"Erkläre: {sent}"


def test_no_two_messages_are_alike() -> None:
    first, second = claims(task()), claims(task())

    assert first["nonce"] != second["nonce"]
    assert first["jti"] != second["jti"]


def test_what_goes_to_the_lms_is_not_shown_in_logs() -> None:
    response = response_form(
        [], CHOOSING_MANY, signing_key(), issuer="", client_id="", addresses=ADDRESSES, now=NOW
    )

    assert repr(response) == "DeepLinkingResponse()"
