"""Talks to a gradebook: scores, results, columns (AGS 2.0). HTTP only; what it means is `policy`.

PyLTI1p3's message classes are not used here: seven fields of JSON are shorter by themselves, and
its Grade takes the points as float.
"""

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal

from lti_tool.core.outbound import (
    Outbound,
    OutboundError,
    OutboundFailed,
    OutboundGarbage,
    OutboundRefused,
    Refusal,
    Reply,
)
from lti_tool.grades.messages import (
    UNREAD,
    Answered,
    FailureReason,
    NoAnswer,
    NotSent,
    PostOutcome,
    ReadBack,
    Result,
    Score,
    json_number,
    read_result,
)
from lti_tool.grades.policy import must_read_back
from lti_tool.people.service_calls import ServiceCalls, with_query
from lti_tool.people.tokens import ServiceTokens, TokenEndpoint, TokenRefusal, TokenRefused

_SCOPES = "https://purl.imsglobal.org/spec/lti-ags/scope/"
SCORE_SCOPE = f"{_SCOPES}score"
RESULT_SCOPE = f"{_SCOPES}result.readonly"
LINE_ITEM_SCOPE = f"{_SCOPES}lineitem"
LINE_ITEM_READ_SCOPE = f"{_SCOPES}lineitem.readonly"

# Moodle compares these letter for letter; anything else is 400 "No handler found".
SCORE_TYPE = "application/vnd.ims.lis.v1.score+json"
RESULTS_TYPE = "application/vnd.ims.lis.v2.resultcontainer+json"
LINE_ITEM_TYPE = "application/vnd.ims.lis.v2.lineitem+json"
LINE_ITEMS_TYPE = "application/vnd.ims.lis.v2.lineitemcontainer+json"


class AgsRefused(Exception):
    """The gradebook says no to a question of ours. Final until a setting changes."""

    def __init__(self, status: int) -> None:
        super().__init__(f"gradebook answered {status}")
        self.status = status


class AgsClient:
    """One per process, thread-safe. Tokens carry one scope each: the one the request needs."""

    def __init__(self, outbound: Outbound, tokens: ServiceTokens) -> None:
        self._calls = ServiceCalls(outbound, tokens)

    def deliver(
        self, endpoint: TokenEndpoint, line_item_url: str, score: Score
    ) -> tuple[PostOutcome, ReadBack]:
        """Post, and read what then stands there where the answer alone does not tell."""
        outcome = self.post_score(endpoint, line_item_url, score)
        if not must_read_back(outcome):
            return outcome, UNREAD
        try:
            result = self.result_of(endpoint, line_item_url, score.user_id)
        except (OutboundError, TokenRefused, AgsRefused):
            return outcome, UNREAD
        return outcome, ReadBack(known=True, result=result)

    def post_score(self, endpoint: TokenEndpoint, line_item_url: str, score: Score) -> PostOutcome:
        """Send a score once. Never raises for what a platform or the network does."""
        headers = {"Content-Type": SCORE_TYPE, "Accept": SCORE_TYPE}
        try:
            reply = self._calls.send(
                endpoint,
                "POST",
                _below(line_item_url, "scores"),
                scope=SCORE_SCOPE,
                headers=headers,
                content=score.to_json(),
            )
        except TokenRefused as refused:
            return NotSent(_TOKEN_FAILURES.get(refused.reason, FailureReason.NOT_AUTHORISED))
        except OutboundRefused:
            return NotSent(FailureReason.ADDRESS_REFUSED)
        except OutboundFailed as failed:
            return NoAnswer(failed.maybe_arrived, failed.retry_after)
        return Answered(
            reply.status,
            empty_list=reply.body.strip() == b"[]",
            retry_after=reply.headers.get("retry-after"),
        )

    def result_of(
        self, endpoint: TokenEndpoint, line_item_url: str, lti_user_id: str
    ) -> Result | None:
        """What stands in the column for one person, or None. Never paged: Moodle's paging crashes.

        Raises AgsRefused, TokenRefused, OutboundError.
        """
        url = with_query(_below(line_item_url, "results"), user_id=lti_user_id)
        reply = self._ask(
            endpoint, "GET", url, scope=RESULT_SCOPE, headers={"Accept": RESULTS_TYPE}
        )
        for entry in _entries(reply.json()):
            if str(entry.get("userId")) == lti_user_id:
                return read_result(entry)
        return None

    def find_line_item(
        self, endpoint: TokenEndpoint, lineitems_url: str, resource_link_id: str
    ) -> str | None:
        """The address of the first column of an activity, or None. Never paged, for Moodle's sake.

        Raises AgsRefused, TokenRefused, OutboundError.
        """
        url = with_query(lineitems_url, resource_link_id=resource_link_id)
        reply = self._ask(
            endpoint, "GET", url, scope=LINE_ITEM_READ_SCOPE, headers={"Accept": LINE_ITEMS_TYPE}
        )
        for entry in _entries(reply.json()):
            if str(entry.get("resourceLinkId")) == resource_link_id:
                return _own_id(endpoint, entry)
        return None

    def create_line_item(
        self,
        endpoint: TokenEndpoint,
        lineitems_url: str,
        *,
        label: str,
        maximum: Decimal,
        resource_link_id: str,
        resource_id: str = "",
        tag: str = "",
    ) -> str:
        """Make a column and return its address. Not to be repeated blindly: look first.

        Raises AgsRefused, TokenRefused, OutboundError.
        """
        item = {
            "label": label,
            "scoreMaximum": json_number(maximum),
            "resourceLinkId": resource_link_id,
            **({"resourceId": resource_id} if resource_id else {}),
            **({"tag": tag} if tag else {}),
        }
        headers = {"Content-Type": LINE_ITEM_TYPE, "Accept": LINE_ITEM_TYPE}
        content = json.dumps(item, allow_nan=False).encode("ascii")
        reply = self._ask(
            endpoint, "POST", lineitems_url, scope=LINE_ITEM_SCOPE, headers=headers, content=content
        )
        answer = reply.json()
        return _own_id(endpoint, answer if isinstance(answer, Mapping) else {})

    def _ask(
        self,
        endpoint: TokenEndpoint,
        method: str,
        url: str,
        *,
        scope: str,
        headers: Mapping[str, str],
        content: bytes | None = None,
    ) -> Reply:
        reply = self._calls.send(
            endpoint, method, url, scope=scope, headers=headers, content=content
        )
        if 200 <= reply.status < 300:
            return reply
        reply.raise_if_busy()
        raise AgsRefused(reply.status)


_TOKEN_FAILURES = {
    TokenRefusal.SCOPE: FailureReason.NOT_ALLOWED,
    TokenRefusal.ADDRESS: FailureReason.ADDRESS_REFUSED,
}


def _entries(answer: object) -> Iterator[Mapping[str, object]]:
    if not isinstance(answer, list):
        raise OutboundGarbage("not a list")
    return (entry for entry in answer if isinstance(entry, Mapping))


def _own_id(endpoint: TokenEndpoint, item: Mapping[str, object]) -> str:
    """The address of a column, which we are going to send tokens to: only the platform's own."""
    url = item.get("id")
    if not isinstance(url, str):
        raise OutboundGarbage("a column without an address")
    if not endpoint.owns(url):
        raise OutboundRefused(Refusal.ORIGIN)
    return url


def _below(line_item_url: str, name: str) -> str:
    """Moodle's line items end in `?type_id=…`: what is below them goes before the `?`."""
    path, mark, query = line_item_url.partition("?")
    return f"{path}/{name}{mark}{query}"
