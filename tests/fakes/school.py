"""A school whose Moodle we are registered at: server, client, tokens and clock, ready to use."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from lti_tool.core.outbound import GuardedTransport, Outbound
from lti_tool.people.tokens import ServiceTokens, SigningKey, TokenEndpoint
from tests.fakes.http_server import Answer, Handler, LoopbackServer, Raw, Seen
from tests.fakes.moodle import COLUMN, MEMBERS, SERVICES, TOKEN, FakeMoodle

NOON = datetime(2026, 11, 22, 12, 0, 0, 400_000, tzinfo=UTC)
DEADLINE = timedelta(seconds=0.25)


class Clock:
    """Stands still until it is set."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@cache
def signing_key() -> SigningKey:
    """One key for the whole run: making one takes long."""
    return SigningKey("kid-1", generate_private_key(public_exponent=65537, key_size=2048))


@cache
def trust() -> ssl.SSLContext:
    """The system's certificates, read once: that takes longer than most tests."""
    return ssl.create_default_context()


@dataclass(frozen=True)
class School:
    moodle: FakeMoodle
    server: LoopbackServer
    clock: Clock
    outbound: Outbound
    tokens: ServiceTokens

    @property
    def endpoint(self) -> TokenEndpoint:
        return TokenEndpoint(UUID(int=1), "tool-1", self.url(TOKEN), None, signing_key())

    @property
    def column(self) -> str:
        return self.url(f"{COLUMN}?type_id=1")

    @property
    def columns(self) -> str:
        return self.url(f"{SERVICES}/lineitems?type_id=1")

    @property
    def members(self) -> str:
        return self.url(MEMBERS)

    def url(self, path: str) -> str:
        return f"{self.server.url}{path}"

    def will_answer(self, path: str, *answers: Answer | Raw) -> None:
        self.moodle.urgent[path] = list(answers)

    def seen_at(self, path: str) -> list[Seen]:
        """The requests to a path, whatever their query."""
        return [seen for seen in self.server.seen if seen.target.partition("?")[0] == path]


@contextmanager
def open_school(before: Handler | None = None, deadline: timedelta = DEADLINE) -> Iterator[School]:
    """A running school. `before`: handles requests in Moodle's place."""
    clock = Clock()
    moodle = FakeMoodle("tool-1", signing_key().private.public_key(), clock)
    with LoopbackServer(before or moodle) as server:
        transport = GuardedTransport(allowed=[server.host], deadline=deadline, tls=trust())
        with Outbound(transport) as outbound:
            yield School(moodle, server, clock, outbound, ServiceTokens(outbound, clock))
