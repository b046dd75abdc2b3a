"""Guarded clients for tests, and the servers and name servers they meet."""

import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

import pytest

from lti_tool.core.outbound import (
    GuardedTransport,
    Outbound,
    OutboundError,
)
from lti_tool.core.outbound.sockets import Resolve
from tests.fakes.http_server import Answer, Handler, LoopbackServer, Seen

SHORT = timedelta(seconds=0.25)  # where the time is meant to run out
LONG = timedelta(seconds=5)  # where it is not, however busy the machine is
PUBLIC = "93.184.216.34"
OK = b"HTTP/1.1 200 OK\r\n"


class Dialled:
    """Notes every address that is dialled, and connects to a server of ours instead."""

    def __init__(self, port: int) -> None:
        self.addresses: list[str] = []
        self._port = port

    def __call__(self, address: str, port: int, seconds: float) -> socket.socket:
        self.addresses.append(address)
        return socket.create_connection(("127.0.0.1", self._port), seconds)


def names(*answers: Sequence[str]) -> Resolve:
    """A name server that gives these answers one after the other, and the last for ever."""
    left = list(answers)
    return lambda host: left.pop(0) if len(left) > 1 else left[0]


@contextmanager
def talking_to(
    handler: Handler, deadline: timedelta = LONG, largest_body: int = 1_000_000
) -> Iterator[tuple[Outbound, LoopbackServer]]:
    with (
        LoopbackServer(handler) as server,
        Outbound(
            GuardedTransport(allowed=[server.host], deadline=deadline, largest_body=largest_body)
        ) as outbound,
    ):
        yield outbound, server


def hello(seen: Seen) -> Answer:
    return Answer(body=b"hello", headers={"X-Thing": "1", "Link": "<a>", "link": "<b>"})


def failure_of(handler: Handler, largest_body: int = 1_000_000) -> OutboundError:
    with talking_to(handler, SHORT, largest_body) as (outbound, server):
        with pytest.raises(OutboundError) as failed:
            outbound.request("POST", f"{server.url}/x?secret=query", content=b"secret body")
        return failed.value
