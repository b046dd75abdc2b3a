"""The network between us and a WSGI application in this process, with the ways networks fail.

In the place of a `GuardedTransport`: no sockets and no waiting, so that thousands of requests take
seconds. What an answer may not be, the real transport's tests say; here the same errors come.
"""

import json
from collections.abc import Callable

import httpx
from werkzeug.test import Client

from lti_tool.core.outbound.errors import Refusal
from lti_tool.core.outbound.transport import RefusedByTransport


class InProcess:
    """`slept`: grows when the application dawdles; nobody waits that long. `before` and `after`
    each request other things can happen, or the caller can die. `answers`: JSON that is given for
    a path in the application's place."""

    def __init__(self, app: object, slept: list[float]) -> None:
        self._client = Client(app, use_cookies=False)
        self._slept = slept
        self.answers: dict[str, object] = {}
        self.before: Callable[[httpx.Request], None] = lambda request: None
        self.after: Callable[[httpx.Request], None] = lambda request: None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.before(request)
        if request.url.path in self.answers:
            return httpx.Response(
                200, stream=httpx.ByteStream(json.dumps(self.answers[request.url.path]).encode())
            )
        slept = len(self._slept)
        answer = self._client.open(
            request.url.raw_path.decode(),
            base_url=f"{request.url.scheme}://{request.url.netloc.decode()}",
            method=request.method,
            headers=[(k, v) for k, v in request.headers.items() if k != "content-length"],
            data=request.read(),
        )
        hung = len(self._slept) > slept  # now: what happens afterwards may be another request
        self.after(request)
        if hung:
            raise httpx.ReadTimeout("ReadTimeout")
        if not 200 <= answer.status_code < 600:
            if 300 <= answer.status_code < 400:
                raise RefusedByTransport(Refusal.REDIRECT)
            raise httpx.RemoteProtocolError("RemoteProtocolError")  # as with `HTTP/1.0 0 …`
        return httpx.Response(
            answer.status_code,
            headers=list(answer.headers),
            stream=httpx.ByteStream(answer.get_data()),
        )

    def close(self) -> None:
        """Nothing to close."""
