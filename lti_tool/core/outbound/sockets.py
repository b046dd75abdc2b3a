"""The network side of the guard: one look-up, checked addresses, one deadline for all."""

import selectors
import socket
import ssl
import threading
import time
import typing
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager

import httpcore

from lti_tool.core.outbound.addresses import (
    Address,
    AllowList,
    check_addresses,
    literal_address,
)

MOST_ADDRESSES = 4
WRITE_PIECE = 65536

Resolve = Callable[[str], Sequence[str]]
"""All addresses of a host name, as text. Raises OSError when there are none."""

Dial = Callable[[str, int, float], socket.socket]
"""A connected socket to (address, port) within so many seconds. Raises OSError."""


class Deadline(float):
    """The seconds that a whole request may take.

    httpcore hands a timeout unread from step to step; because this one remembers when it started,
    each step gets only what is left, and a server that drips a byte now and then gains nothing.
    """

    ends_at: float

    def __new__(cls, seconds: float) -> typing.Self:
        deadline = super().__new__(cls, seconds)
        deadline.ends_at = time.monotonic() + seconds
        return deadline

    def left(self) -> float:
        """Seconds still to go. Raises TimeoutError when there are none."""
        seconds = self.ends_at - time.monotonic()
        if seconds <= 0:
            raise TimeoutError
        return seconds


def ask_the_system(host: str) -> Sequence[str]:
    """Ask the system for all addresses of a host."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


def dial_tcp(address: str, port: int, seconds: float) -> socket.socket:
    return socket.create_connection((address, port), seconds)


class GuardedBackend(httpcore.NetworkBackend):
    """Connects to the addresses that were checked, not to the name."""

    def __init__(self, allowed: AllowList, resolve: Resolve, dial: Dial) -> None:
        self._allowed = allowed
        self._resolve = resolve
        self._dial = dial

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,  # noqa: ARG002 - part of httpcore's interface
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        deadline = _deadline(timeout)
        with _errors_as(httpcore.ConnectTimeout, httpcore.ConnectError):
            addresses = self._checked_addresses(host, port, deadline)
            sock = self._connect_to_one(addresses[:MOST_ADDRESSES], port, deadline)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return _Stream(sock)

    def _checked_addresses(self, host: str, port: int, deadline: Deadline) -> tuple[Address, ...]:
        internal = self._allowed.covers(host, port)
        literal = literal_address(host)
        answers = [str(literal)] if literal else _within(deadline, lambda: self._resolve(host))
        return check_addresses(answers, internal=internal)

    def _connect_to_one(
        self, addresses: Sequence[Address], port: int, deadline: Deadline
    ) -> socket.socket:
        """Try each in turn; a dead address may use only its share of the time."""
        *others, last = addresses
        for tried, address in enumerate(others):
            try:
                return self._dial(str(address), port, deadline.left() / (len(addresses) - tried))
            except OSError:
                continue
        return self._dial(str(last), port, deadline.left())


class _Stream(httpcore.NetworkStream):
    """A socket whose every step asks the deadline how long it may take."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        with _errors_as(httpcore.ReadTimeout, httpcore.ReadError):
            self._sock.settimeout(_deadline(timeout).left())
            return self._sock.recv(max_bytes)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        rest = memoryview(buffer)
        with _errors_as(httpcore.WriteTimeout, httpcore.WriteError):
            while rest:
                self._sock.settimeout(_deadline(timeout).left())
                rest = rest[self._sock.send(rest[:WRITE_PIECE]) :]

    def close(self) -> None:
        self._sock.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        try:
            with _errors_as(httpcore.ConnectTimeout, httpcore.ConnectError):
                self._sock.settimeout(_deadline(timeout).left())
                return _Stream(ssl_context.wrap_socket(self._sock, server_hostname=server_hostname))
        except (httpcore.ConnectTimeout, httpcore.ConnectError):
            self.close()
            raise

    def get_extra_info(self, info: str) -> object:
        """Only what the pool asks for: has the other side hung up meanwhile?"""
        if info == "is_readable":
            return _is_readable(self._sock)
        return None


def _deadline(timeout: float | None) -> Deadline:
    if not isinstance(timeout, Deadline):
        raise TypeError("the transport sets a Deadline for every step")
    return timeout


def _is_readable(sock: socket.socket) -> bool:
    """Whether a read would return at once. An idle connection that is readable has been closed."""
    if sock.fileno() < 0:
        return True
    with selectors.DefaultSelector() as selector:
        selector.register(sock, selectors.EVENT_READ)
        return bool(selector.select(0))


def _within(deadline: Deadline, work: Callable[[], Sequence[str]]) -> Sequence[str]:
    """Run a look-up, which knows no timeout of its own, for as long as the deadline allows.

    A look-up that hangs ends some time later in its own thread, and nobody waits for it.
    """
    outcome: Future[Sequence[str]] = Future()

    def run() -> None:
        try:
            outcome.set_result(work())
        except (OSError, ValueError) as error:
            outcome.set_exception(error)

    threading.Thread(target=run, name="look-up", daemon=True).start()
    return outcome.result(deadline.left())


@contextmanager
def _errors_as(timeout: type[Exception], broken: type[Exception]) -> Iterator[None]:
    try:
        yield
    except TimeoutError:
        raise timeout from None
    except OSError as error:
        raise broken(type(error).__name__) from None
