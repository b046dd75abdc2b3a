"""The client for requests to an LMS: plain requests, plain replies, three kinds of error.

No cookies, no redirects, no proxies, no environment: what is not here does not happen.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import TracebackType
from typing import Self
from urllib.parse import urlencode

import httpx

from lti_tool.core.outbound.addresses import parse_target
from lti_tool.core.outbound.errors import (
    OutboundError,
    OutboundFailed,
    OutboundGarbage,
    OutboundRefused,
    Refusal,
)
from lti_tool.core.outbound.transport import GuardedTransport

USER_AGENT = "gustav-lti"


@dataclass(frozen=True)
class Reply:
    """What a server answered. Header names are in lower case.

    Its repr shows the status only: Moodle quotes a score with its comment in the reason phrase.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    reason: str = field(repr=False)

    def raise_if_busy(self) -> None:
        """Raise OutboundFailed where the server says "not now": 5xx, 408, 425, 429."""
        if self.status >= 500 or self.status in (408, 425, 429):
            retry_after = self.headers.get("retry-after")
            raise OutboundFailed(
                f"answered {self.status}", maybe_arrived=True, retry_after=retry_after
            )

    def json(self) -> object:
        """The body as JSON, whatever content type it claims (Moodle says text/html).

        Fractions come as Decimal. Raises OutboundGarbage, also for NaN and infinity.
        """
        try:
            found: object = json.loads(
                self.body, parse_float=Decimal, parse_constant=_no_such_number
            )
        except (ValueError, RecursionError):
            found = _UNREADABLE
        if found is _UNREADABLE:  # raised out here, so that no context quotes the body
            raise OutboundGarbage("answer is not JSON")
        return found


class Outbound:
    """Thread-safe; keeps connections; `close()` it or use it as a context manager."""

    def __init__(self, transport: GuardedTransport) -> None:
        self._transport = transport

    def get(self, url: str, headers: Mapping[str, str] | None = None) -> Reply:
        return self.request("GET", url, headers)

    def post_form(self, url: str, data: Mapping[str, str]) -> Reply:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.request("POST", url, headers, urlencode(data).encode("ascii"))

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> Reply:
        """Send one request and read the whole answer; an answer of any status but 3xx is a Reply.

        Raises OutboundRefused, OutboundFailed or OutboundGarbage.
        """
        request = _request(method, url, {"User-Agent": USER_AGENT, **(headers or {})}, content)
        answer = self._attempt(request)
        if isinstance(answer, OutboundError):
            raise answer  # out here, so that no context quotes what was sent or received
        return answer

    def close(self) -> None:
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _attempt(self, request: httpx.Request) -> Reply | OutboundError:
        try:
            return self._send(request)
        except httpx.TransportError as error:
            return _in_our_words(error)

    def _send(self, request: httpx.Request) -> Reply:
        response = self._transport.handle_request(request)
        try:
            body = b"".join(response.iter_raw())
        finally:
            response.close()
        headers = dict(response.headers)
        return Reply(response.status_code, headers, body, response.reason_phrase)


_UNREADABLE = object()
_BEFORE_SENDING = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_UNFIT_REQUEST = (httpx.LocalProtocolError, httpx.UnsupportedProtocol)


def _in_our_words(error: httpx.TransportError) -> OutboundError:
    """The error as one of ours; the transport sees to it that its text quotes nothing."""
    if isinstance(error, OutboundRefused):
        return OutboundRefused(error.reason)
    if isinstance(error, OutboundGarbage):
        return OutboundGarbage(str(error))
    if isinstance(error, _UNFIT_REQUEST):
        return OutboundRefused(Refusal.REQUEST)
    return OutboundFailed(str(error), maybe_arrived=not isinstance(error, _BEFORE_SENDING))


def _no_such_number(text: str) -> object:
    raise ValueError(text)


def _request(
    method: str, url: str, headers: Mapping[str, str], content: bytes | None
) -> httpx.Request:
    """Check the URL as it was written, and that httpx reads the same machine out of it."""
    target = parse_target(url)
    try:
        request = httpx.Request(method, url, headers=dict(headers), content=content)
    except (httpx.InvalidURL, ValueError, TypeError):
        raise OutboundRefused(Refusal.REQUEST) from None
    if parse_target(str(request.url)) != target:
        raise OutboundRefused(Refusal.URL)
    return request
