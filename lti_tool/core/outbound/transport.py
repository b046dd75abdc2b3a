"""An httpx transport that reaches only where it may, and never for longer or for more than agreed.

The name is looked up once, every address is checked, and the connection goes to the checked
address, so the name cannot change its meaning in between (DNS rebinding). TLS and the Host header
keep the name. Redirects are errors; answers must come unpacked, so there are no gzip bombs.
"""

import ssl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import httpcore
import httpx

from lti_tool.core.outbound.addresses import AllowList, check_target, parse_target
from lti_tool.core.outbound.errors import OutboundGarbage, OutboundRefused, Refusal
from lti_tool.core.outbound.sockets import (
    Deadline,
    Dial,
    GuardedBackend,
    Resolve,
    ask_the_system,
    dial_tcp,
)

REQUEST_DEADLINE = timedelta(seconds=10)
LARGEST_BODY = 1_000_000  # bytes
MOST_CONNECTIONS = 20
IDLE_SECONDS = 30.0
NOT_MODIFIED = 304  # of the 3xx the only one that leads nowhere else


class RefusedByTransport(OutboundRefused, httpx.ConnectError):
    """A refusal that a foreign httpx client understands as "no connection"."""


class GarbageForTransport(OutboundGarbage, httpx.RemoteProtocolError):
    """An answer that a foreign httpx client understands as "not HTTP as agreed"."""


class GuardedTransport(httpx.BaseTransport):
    """For an `httpx.Client`, or for `Outbound`. Thread-safe; keeps connections; `close()` it.

    `allowed`: hosts of the house, see AllowList. `deadline`: for the whole request, from the
    look-up to the last byte. `largest_body`: bytes. The others are for tests.
    Raises httpx.TransportError.
    """

    def __init__(
        self,
        *,
        allowed: Iterable[str] = (),
        deadline: timedelta = REQUEST_DEADLINE,
        largest_body: int = LARGEST_BODY,
        resolve: Resolve = ask_the_system,
        dial: Dial = dial_tcp,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._allowed = AllowList(allowed)
        self._seconds = deadline.total_seconds()
        self._largest_body = largest_body
        self._pool = httpcore.ConnectionPool(
            ssl_context=tls or ssl.create_default_context(),
            max_connections=MOST_CONNECTIONS,
            keepalive_expiry=IDLE_SECONDS,
            network_backend=GuardedBackend(self._allowed, resolve, dial),
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        with _as_httpx_errors():
            check_target(parse_target(str(request.url)), self._allowed)
            answer = self._pool.handle_request(self._prepared(request))
        try:
            _check_answer(answer, self._largest_body)
        except httpx.TransportError:
            answer.close()
            raise
        return httpx.Response(
            status_code=answer.status,
            headers=answer.headers,
            stream=_CappedBody(answer, self._largest_body),
            extensions=answer.extensions,
        )

    def close(self) -> None:
        self._pool.close()

    def _prepared(self, request: httpx.Request) -> httpcore.Request:
        headers = [(name, value) for name, value in request.headers.raw if not _is_encoding(name)]
        deadline = Deadline(self._seconds)
        return httpcore.Request(
            method=request.method,
            url=httpcore.URL(
                scheme=request.url.raw_scheme,
                host=request.url.raw_host,
                port=request.url.port,
                target=request.url.raw_path,
            ),
            headers=[*headers, (b"Accept-Encoding", b"identity")],
            content=request.stream,
            extensions={"timeout": dict.fromkeys(("connect", "read", "write", "pool"), deadline)},
        )


class _CappedBody(httpx.SyncByteStream):
    """The body, cut off with an error once it is larger than agreed."""

    def __init__(self, answer: httpcore.Response, largest: int) -> None:
        self._answer = answer
        self._largest = largest

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        with _as_httpx_errors():
            for chunk in self._answer.iter_stream():
                size += len(chunk)
                if size > self._largest:
                    raise GarbageForTransport("answer too large")
                yield chunk

    def close(self) -> None:
        self._answer.close()


def _check_answer(answer: httpcore.Response, largest_body: int) -> None:
    """Refuse, before a byte of the body is read, what could not be accepted anyway."""
    headers = httpx.Headers(answer.headers)
    if 300 <= answer.status < 400 and answer.status != NOT_MODIFIED:
        raise RefusedByTransport(Refusal.REDIRECT)
    if answer.status < 200:
        raise GarbageForTransport("protocol switch")
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise GarbageForTransport("packed answer")
    announced = headers.get("content-length", "0")
    if announced.isascii() and announced.isdigit() and int(announced) > largest_body:
        raise GarbageForTransport("answer too large")


def _is_encoding(name: bytes) -> bool:
    return name.lower() == b"accept-encoding"


@contextmanager
def _as_httpx_errors() -> Iterator[None]:
    """Our refusals and httpcore's errors, in the words of httpx."""
    try:
        yield
    except httpx.TransportError:
        raise
    except OutboundRefused as refused:
        raise RefusedByTransport(refused.reason) from None
    except httpcore.ConnectError as error:
        raise httpx.ConnectError(str(error)) from None  # the text is ours, see sockets
    except tuple(_HTTPX_ERRORS) as error:
        # h11 quotes what the server sent in its texts; the class says enough.
        raise _HTTPX_ERRORS[type(error)](type(error).__name__) from None


_HTTPX_ERRORS: dict[type[Exception], type[httpx.TransportError]] = {
    httpcore.ConnectTimeout: httpx.ConnectTimeout,
    httpcore.ReadTimeout: httpx.ReadTimeout,
    httpcore.WriteTimeout: httpx.WriteTimeout,
    httpcore.PoolTimeout: httpx.PoolTimeout,
    httpcore.ReadError: httpx.ReadError,
    httpcore.WriteError: httpx.WriteError,
    httpcore.UnsupportedProtocol: httpx.UnsupportedProtocol,
    httpcore.LocalProtocolError: httpx.LocalProtocolError,
    httpcore.RemoteProtocolError: httpx.RemoteProtocolError,
}
