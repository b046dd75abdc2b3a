"""Talks to a gradebook: scores, results, columns (AGS 2.0). HTTP only; what it means is `policy`.

PyLTI1p3's message classes are not used here: seven fields of JSON are shorter by themselves, and
its Grade takes the points as float.
"""

import json
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
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
    UNREADABLE,
    Answered,
    FailureReason,
    NoAnswer,
    NotSent,
    PostOutcome,
    ReadBack,
    Result,
    Score,
    StoodThere,
    json_number,
    read_result,
)
from lti_tool.grades.policy import arrived, must_read_back
from lti_tool.people.roster_pages import next_page
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
MOST_PAGES = 100


class AgsRefused(Exception):
    """The gradebook says no to a question of ours. Final until a setting changes."""

    def __init__(self, status: int) -> None:
        super().__init__(f"gradebook answered {status}")
        self.status = status


@dataclass(frozen=True)
class Wanted:
    """The column we look for: where, with which scope, for which activity, with which marks."""

    lineitems_url: str
    scope: str
    link_id: str
    resource_id: str
    tag: str

    def marks(self, item: Mapping[str, object]) -> bool:
        """Whether this column carries our marks."""
        return (item.get("resourceId"), item.get("tag")) == (self.resource_id, self.tag)


class AgsClient:
    """One per process, thread-safe. Tokens carry one scope each: the one the request needs."""

    def __init__(self, outbound: Outbound, tokens: ServiceTokens) -> None:
        self._calls = ServiceCalls(outbound, tokens)

    def deliver(
        self,
        endpoint: TokenEndpoint,
        line_item_url: str,
        score: Score,
        *,
        look_first: Sequence[Score] | None = None,
        may_read: bool = True,
    ) -> tuple[PostOutcome, ReadBack]:
        """Post, and read what then stands there where the answer alone does not tell.

        `look_first`: an earlier try may have arrived, so look before anything is sent again; the
        other scores of ours that might stand there instead. `may_read`: the platform lets us.
        """
        if look_first is not None and may_read:
            before = self._read(endpoint, line_item_url, score)
            if not before.known and before.possible:
                return NoAnswer(maybe_arrived=True), before
            if arrived(before.result, score, look_first):
                return StoodThere(), before
        outcome = self.post_score(endpoint, line_item_url, score)
        if not must_read_back(outcome):
            return outcome, UNREAD
        return outcome, self._read(endpoint, line_item_url, score) if may_read else UNREADABLE

    def _read(self, endpoint: TokenEndpoint, line_item_url: str, score: Score) -> ReadBack:
        try:
            result = self.result_of(endpoint, line_item_url, score.user_id)
        except OutboundError:
            return UNREAD
        except (TokenRefused, AgsRefused):
            return UNREADABLE
        return ReadBack(known=True, result=result)

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
        except (TokenRefused, OutboundRefused) as refused:
            return NotSent(why_refused(refused))
        except OutboundFailed as failed:
            return NoAnswer(failed.maybe_arrived, failed.retry_after)
        if reply.status < 300 and reply.body.lstrip().startswith(b"<"):
            return NoAnswer(maybe_arrived=True)  # a page of maintenance, not a gradebook
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
        self, endpoint: TokenEndpoint, wanted: Wanted, taken: Set[str] = frozenset()
    ) -> str | None:
        """The address of an activity's column, or None. Never asks for a part, for Moodle's sake.

        First by the activity; then by our own marks, for a column that somebody has un-linked:
        one that hangs on another activity is never ours, though it may carry the same marks,
        because a task can be linked twice in a course. `taken`: addresses known to be others'.
        Raises AgsRefused, TokenRefused, OutboundError.
        """
        by_link = self._line_items(endpoint, wanted, resource_link_id=wanted.link_id)
        found = [item for item in by_link if str(item.get("resourceLinkId")) == wanted.link_id]
        if not found:
            marks = {"resource_id": wanted.resource_id, "tag": wanted.tag}
            by_marks = self._line_items(endpoint, wanted, **marks)
            found = [i for i in by_marks if not i.get("resourceLinkId") and wanted.marks(i)]
        urls = [(not wanted.marks(item), _own_id(endpoint, item)) for item in found]
        free = [(other, len(url), url) for other, url in urls if url not in taken]
        return min(free)[-1] if free else None  # ours before others', the oldest before newer ones

    def _line_items(
        self, endpoint: TokenEndpoint, wanted: Wanted, **filters: str
    ) -> list[Mapping[str, object]]:
        """All columns that fit, over all pages of a platform that gives pages unasked."""
        url: str | None = with_query(wanted.lineitems_url, **filters)
        found: list[Mapping[str, object]] = []
        for _ in range(MOST_PAGES):
            if url is None:
                return found
            headers = {"Accept": LINE_ITEMS_TYPE}
            page = self._ask(endpoint, "GET", url, scope=wanted.scope, headers=headers)
            found += _entries(page.json())
            url = next_page(page.headers.get("link", ""), url)
        raise OutboundRefused(Refusal.TOO_MANY)

    def create_line_item(
        self, endpoint: TokenEndpoint, wanted: Wanted, *, label: str, maximum: Decimal
    ) -> str:
        """Make a column and return its address. Not to be repeated blindly: look first.

        Raises AgsRefused, TokenRefused, OutboundError.
        """
        item = {
            "label": label,
            "scoreMaximum": json_number(maximum),
            "resourceLinkId": wanted.link_id,
            "resourceId": wanted.resource_id,
            "tag": wanted.tag,
        }
        headers = {"Content-Type": LINE_ITEM_TYPE, "Accept": LINE_ITEM_TYPE}
        content = json.dumps(item, allow_nan=False).encode("ascii")
        reply = self._ask(
            endpoint,
            "POST",
            wanted.lineitems_url,
            scope=LINE_ITEM_SCOPE,
            headers=headers,
            content=content,
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


def why_refused(error: AgsRefused | TokenRefused | OutboundRefused) -> FailureReason:
    """What a refusal, by the platform or by our own rules, means for a score."""
    if isinstance(error, OutboundRefused):
        return FailureReason.ADDRESS_REFUSED
    if isinstance(error, TokenRefused):
        return _TOKEN_FAILURES.get(error.reason, FailureReason.NOT_AUTHORISED)
    return _REFUSALS.get(error.status, FailureReason.NOT_ALLOWED)


_REFUSALS = {401: FailureReason.NOT_AUTHORISED, 404: FailureReason.COLUMN_GONE}
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
