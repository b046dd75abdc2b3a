"""The guarded client against real servers that misbehave."""

import gzip
import socket
import threading
from collections.abc import Sequence

import pytest

from lti_tool.core.outbound import (
    GuardedTransport,
    Outbound,
    OutboundFailed,
    OutboundGarbage,
)
from tests.fakes.http_server import Answer, Handler, Raw
from tests.fakes.outbound import OK, SHORT, failure_of, hello, talking_to


class TestMisbehavingServers:
    def test_a_server_that_never_answers_costs_the_deadline_and_maybe_got_it(self) -> None:
        failure = failure_of(lambda seen: Raw(hang=True))

        assert isinstance(failure, OutboundFailed)
        assert failure.maybe_arrived

    def test_hanging_up_without_a_word_is_a_failure_that_maybe_arrived(self) -> None:
        failure = failure_of(lambda seen: Raw())

        assert isinstance(failure, OutboundFailed)
        assert failure.maybe_arrived

    @pytest.mark.parametrize(
        "start", [b"HTTP/1.1 200 OK\r\nX-Long: ", OK + b"Content-Length: 60\r\n\r\n"]
    )
    def test_a_dripping_server_gains_nothing(self, start: bytes) -> None:
        drips = Raw((start, *[b"a"] * 50, b"\r\nContent-Length: 0\r\n\r\n"), pause=0.02)

        assert isinstance(failure_of(lambda seen: drips), OutboundFailed)

    def test_endless_headers_are_cut_off(self) -> None:
        endless = Raw((OK, *[b"X-More: " + b"a" * 1000 + b"\r\n"] * 300, b"\r\n"))

        assert isinstance(failure_of(lambda seen: endless), OutboundFailed)

    @pytest.mark.parametrize(
        "head",
        [
            b"Content-Length: 100000\r\n\r\n",
            b"Transfer-Encoding: chunked\r\n\r\n186a0\r\n",
            b"\r\n",
        ],
    )
    def test_a_body_that_is_too_large_is_cut_off(self, head: bytes) -> None:
        huge = Raw((OK + head + b"a" * 100_000 + b"\r\n0\r\n\r\n",))

        assert isinstance(failure_of(lambda seen: huge, largest_body=50_000), OutboundGarbage)

    def test_a_packed_answer_is_never_unpacked(self) -> None:
        bomb = Answer(body=gzip.compress(b"\0" * 5_000_000), headers={"Content-Encoding": "gzip"})

        assert isinstance(failure_of(lambda seen: bomb), OutboundGarbage)

    def test_answers_are_asked_for_unpacked(self) -> None:
        with talking_to(hello) as (outbound, server):
            outbound.get(server.url)

            assert server.seen[0].headers.get_all("Accept-Encoding") == ["identity"]

    def test_moodles_broken_status_line_is_a_failure(self) -> None:
        broken = Raw((b'HTTP/1.0 0 Incorrect score {"comment": "secret"}\r\n\r\n[]',))

        failure = failure_of(lambda seen: broken)

        assert isinstance(failure, OutboundFailed)
        assert failure.maybe_arrived

    def test_a_closed_door_means_it_did_not_arrive(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        outbound = Outbound(GuardedTransport(allowed=[f"127.0.0.1:{port}"]))

        with outbound, pytest.raises(OutboundFailed) as failed:
            outbound.get(f"http://127.0.0.1:{port}/")

        assert not failed.value.maybe_arrived

    def test_tls_that_never_finishes_means_it_did_not_arrive(self) -> None:
        with (
            socket.create_server(("127.0.0.1", 0)) as silent,
            Outbound(
                GuardedTransport(allowed=[f"127.0.0.1:{silent.getsockname()[1]}"], deadline=SHORT)
            ) as outbound,
        ):
            with pytest.raises(OutboundFailed) as failed:
                outbound.get(f"https://127.0.0.1:{silent.getsockname()[1]}/")

            assert not failed.value.maybe_arrived

    def test_a_name_server_that_hangs_costs_the_deadline_only(self) -> None:
        over = threading.Event()

        def hang(host: str) -> Sequence[str]:
            over.wait(10)
            return []

        with Outbound(GuardedTransport(resolve=hang, deadline=SHORT)) as outbound:
            with pytest.raises(OutboundFailed) as failed:
                outbound.get("https://moodle.example/")
            over.set()

        assert not failed.value.maybe_arrived

    def test_an_unknown_name_means_it_did_not_arrive(self) -> None:
        def unknown(host: str) -> Sequence[str]:
            raise socket.gaierror

        outbound = Outbound(GuardedTransport(resolve=unknown))

        with outbound, pytest.raises(OutboundFailed) as failed:
            outbound.get("https://moodle.example/")

        assert not failed.value.maybe_arrived

    @pytest.mark.parametrize(
        "handler",
        [
            lambda seen: Raw((b"HTTP/1.0 0 secret\r\n\r\n",)),
            lambda seen: Raw((b"secret",)),
            lambda seen: Raw(hang=True),
            lambda seen: Answer(302, b"secret", {"Location": "https://secret.example/"}),
            lambda seen: Answer(200, b"secret", {"Content-Encoding": "gzip"}),
        ],
    )
    def test_an_error_quotes_nothing_that_was_sent_or_received(self, handler: Handler) -> None:
        error: BaseException | None = failure_of(handler)

        assert error is not None
        assert error.__context__ is None
        assert error.__cause__ is None
        assert "secret" not in repr(error)
        assert "127.0.0.1" not in repr(error)
