"""The answer to a deep linking request: chosen tasks as items in a signed message.

LTI Deep Linking 2.0, section 4.5; certification cases D1-D7. Built by hand because PyLTI1p3's
items know no `text` and send `"data": null` where the platform sent none.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import uuid4

import jwt

from lti_tool.content.models import RegularTask
from lti_tool.core import markdown
from lti_tool.core.errors import Invalid
from lti_tool.launch.session import DeepLinking
from lti_tool.people.tokens import SigningKey

LIFETIME = timedelta(minutes=5)
BACK_DATED = timedelta(seconds=5)  # Moodle refuses an `iat` in its future, without any leeway
TEXT_LIMIT = 300  # characters of the activity's description
TAG = "gustav-task"  # a mark on the grade column that survives copy and backup

_LTI = "https://purl.imsglobal.org/spec/lti/claim/"
_DL = "https://purl.imsglobal.org/spec/lti-dl/claim/"


@dataclass(frozen=True)
class DeepLinkingResponse:
    """What the browser posts to the LMS, the field `JWT`. Moodle's address holds its sesskey."""

    return_url: str = field(repr=False)
    jwt: str = field(repr=False)


def response_form(
    tasks: Sequence[RegularTask],
    asked: DeepLinking,
    key: SigningKey,
    *,
    issuer: str,
    client_id: str,
    launch_url: str,
    now: datetime,
) -> DeepLinkingResponse:
    """The message for `tasks`; none means: the teacher chose nothing. Each has a nonce of its own.

    Raises:
        Invalid: `tasks`: `only_one`, the platform takes one item and there are more.
    """
    if len(tasks) > 1 and not asked.accept_multiple:
        raise Invalid({"tasks": "only_one"})
    issued = now - BACK_DATED
    claims: dict[str, object] = {
        "iss": client_id,
        "aud": issuer,
        "iat": int(issued.timestamp()),
        "exp": int((issued + LIFETIME).timestamp()),
        "nonce": uuid4().hex,
        "jti": uuid4().hex,
        _LTI + "message_type": "LtiDeepLinkingResponse",
        _LTI + "version": "1.3.0",
        _LTI + "deployment_id": asked.deployment_id,
        _DL + "content_items": [_item(task, launch_url) for task in tasks],
    }
    if asked.data is not None:
        claims[_DL + "data"] = asked.data
    signed = jwt.encode(claims, key.private, algorithm="RS256", headers={"kid": key.kid})
    return DeepLinkingResponse(asked.return_url, signed)


def _item(task: RegularTask, launch_url: str) -> dict[str, object]:
    """Our own id goes into `custom`: it is all that survives copy, backup and restore in Moodle."""
    return {
        "type": "ltiResourceLink",
        "url": launch_url,
        "title": task.title,
        "text": _clipped(markdown.plain(task.prompt)),
        "custom": {"task": str(task.id)},
        "lineItem": {
            "scoreMaximum": task.score_maximum,
            "label": task.title,
            "resourceId": str(task.id),
            "tag": TAG,
        },
    }


def _clipped(text: str) -> str:
    return text if len(text) <= TEXT_LIMIT else text[: TEXT_LIMIT - 1].rstrip() + "…"
