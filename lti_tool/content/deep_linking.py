"""The answer to a deep linking request: chosen tasks as items in a signed message.

LTI Deep Linking 2.0, section 4.5; certification cases D1-D7. Built by hand because PyLTI1p3's
items know no `text` and send `"data": null` where the platform sent none. Of several items Moodle
drops those it does not like without a word, so whatever it would not like is refused here.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import uuid4

import jwt

from lti_tool.content.models import RegularTask
from lti_tool.content.spec import SCORE_MAXIMA, TITLE_LIMIT
from lti_tool.core import markdown
from lti_tool.core.errors import Invalid
from lti_tool.launch.arrival import CONTENT_KEY, HISTORY_KEY
from lti_tool.launch.session import DeepLinking
from lti_tool.people.tokens import SigningKey

LIFETIME = timedelta(minutes=5)
BACK_DATED = timedelta(seconds=5)  # Moodle refuses an `iat` in its future, without any leeway
TEXT_LIMIT = 300  # characters of the activity's description
ICON_SIZE = 128  # pixels, both ways
TAG = "gustav-task"  # a mark on the grade column that survives copy and backup
# Filled in by the LMS at each launch, and kept in copies: the courses this one was copied from.
HISTORY = "$Context.id.history"
# When a grade has something behind it to look at (Submission Review 1.0): the gradebook links here.
REVIEWABLE = ("Submitted", "Completed")

_LTI = "https://purl.imsglobal.org/spec/lti/claim/"
_DL = "https://purl.imsglobal.org/spec/lti-dl/claim/"
_LIKE_A_TAG = re.compile(r"<(?!\s)")


@dataclass(frozen=True)
class Addresses:
    """Where an activity launches to, and the picture beside its name."""

    launch_url: str
    icon_url: str


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
    addresses: Addresses,
    now: datetime,
) -> DeepLinkingResponse:
    """The message for `tasks`; none means: the teacher chose nothing. Each has a nonce of its own.

    Raises:
        Invalid: `tasks`: `only_one`, the platform takes one item and there are more; or the id of
            a task: `title` or `score_maximum`, the LMS would not take it.
    """
    _check(tasks, asked)
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
        _DL + "content_items": [_item(task, asked, addresses) for task in tasks],
    }
    if asked.data is not None:
        claims[_DL + "data"] = asked.data
    signed = jwt.encode(claims, key.private, algorithm="RS256", headers={"kid": key.kid})
    return DeepLinkingResponse(asked.return_url, signed)


def _check(tasks: Sequence[RegularTask], asked: DeepLinking) -> None:
    if len(tasks) > 1 and not asked.accept_multiple:
        raise Invalid({"tasks": "only_one"})
    problems = {}
    for task in tasks:
        if not 0 < len(task.title.strip()) <= TITLE_LIMIT:
            problems[str(task.id)] = "title"
        elif task.score_maximum not in SCORE_MAXIMA:
            problems[str(task.id)] = "score_maximum"
    if problems:
        raise Invalid(problems)


def _item(task: RegularTask, asked: DeepLinking, addresses: Addresses) -> dict[str, object]:
    """Our own id goes into `custom`: it is all that survives copy, backup and restore in Moodle.
    No sizes and no window: Moodle takes those from the tool's registration."""
    item: dict[str, object] = {
        "type": "ltiResourceLink",
        "url": addresses.launch_url,
        "title": _words(task.title),
        "text": _clipped(_words(markdown.plain(task.prompt))),
        "icon": {"url": addresses.icon_url, "width": ICON_SIZE, "height": ICON_SIZE},
        "custom": {CONTENT_KEY: str(task.id), HISTORY_KEY: HISTORY},
    }
    if asked.accept_lineitem:
        item["lineItem"] = {
            "scoreMaximum": task.score_maximum,
            "label": _words(task.title),
            "resourceId": str(task.id),
            "tag": TAG,
            "submissionReview": {"reviewableStatus": list(REVIEWABLE)},
        }
    return item


def _words(text: str) -> str:
    """Moodle cuts out what looks like a tag, and drops an item whose title is nothing else; so a
    bracket that could begin one becomes a sign that only looks like it."""
    return _LIKE_A_TAG.sub("‹", text)


def _clipped(text: str) -> str:
    return text if len(text) <= TEXT_LIMIT else text[: TEXT_LIMIT - 1].rstrip() + "…"
