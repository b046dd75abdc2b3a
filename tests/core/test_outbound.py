"""The guarded client: ordinary requests, and places where it will not go."""

import socket
import threading
from datetime import timedelta
from decimal import Decimal

import httpx
import pytest

from lti_tool.core.outbound import (
    GuardedTransport,
    Outbound,
    OutboundFailed,
    OutboundGarbage,
    OutboundRefused,
    Refusal,
    Reply,
)
from tests.fakes.http_server import Answer, LoopbackServer, Raw, Seen
from tests.fakes.outbound import OK, PUBLIC, SHORT, Dialled, hello, names, talking_to


class TestOrdinaryRequests:
    def test_an_answer_comes_back_whole(self) -> None:
        with talking_to(hello) as (outbound, server):
            reply = outbound.get(f"{server.url}/a/B?c=D%20e", {"Accept": "text/x"})

            assert (reply.status, reply.body, reply.reason) == (200, b"hello", "OK")
            assert reply.headers["x-thing"] == "1"
            assert server.seen[0].target == "/a/B?c=D%20e"
            assert server.seen[0].headers["Accept"] == "text/x"
            assert server.seen[0].headers["Host"] == server.host

    def test_a_form_is_posted_as_one(self) -> None:
        with talking_to(hello) as (outbound, server):
            outbound.post_form(f"{server.url}/token", {"scope": "a b", "who": "ü&="})

            (seen,) = server.seen
            assert seen.headers["Content-Type"] == "application/x-www-form-urlencoded"
            assert seen.body == b"scope=a+b&who=%C3%BC%26%3D"

    def test_a_connection_is_used_again(self) -> None:
        with talking_to(hello) as (outbound, server):
            for _ in range(3):
                outbound.get(server.url)

            assert (len(server.seen), server.connections) == (3, 1)

    def test_a_connection_that_the_server_closed_is_not_used_again(self) -> None:
        def once(seen: Seen) -> Raw:
            return Raw((OK + b"Content-Length: 2\r\n\r\nok",))

        with talking_to(once) as (outbound, server):
            for _ in range(3):
                assert outbound.get(server.url).body == b"ok"
                server.hung_up.acquire()

            assert server.connections == 3

    def test_many_threads_share_one_client(self) -> None:
        bodies: list[bytes] = []

        def echo(seen: Seen) -> Answer:
            return Answer(body=seen.target.encode())

        with talking_to(echo, timedelta(seconds=5)) as (outbound, server):

            def work(number: int) -> None:
                bodies.extend(outbound.get(f"{server.url}/{number}-{i}").body for i in range(5))

            threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

        assert sorted(bodies) == sorted(f"/{n}-{i}".encode() for n in range(8) for i in range(5))

    def test_errors_of_the_server_are_answers(self) -> None:
        with talking_to(lambda seen: Answer(500, b"[]")) as (outbound, server):
            assert outbound.get(server.url).status == 500

    def test_cookies_are_not_kept(self) -> None:
        def cookie(seen: Seen) -> Answer:
            return Answer(headers={"Set-Cookie": "MoodleSession=1; Path=/"})

        with talking_to(cookie) as (outbound, server):
            outbound.get(server.url)
            outbound.get(server.url)

            assert server.seen[1].headers["Cookie"] is None

    def test_a_proxy_in_the_environment_is_ignored(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with LoopbackServer(hello) as proxy, talking_to(hello) as (outbound, server):
            for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
                monkeypatch.setenv(name, proxy.url)

            outbound.get(server.url)

            assert (proxy.connections, server.connections) == (0, 1)


class TestForbiddenPlaces:
    @pytest.mark.parametrize(
        "answers", [["127.0.0.1"], ["10.0.0.7"], ["::1"], [PUBLIC, "127.0.0.1"]]
    )
    def test_a_name_that_leads_inside_is_not_dialled(self, answers: list[str]) -> None:
        with LoopbackServer(hello) as canary:
            dialled = Dialled(canary.port)
            outbound = Outbound(GuardedTransport(resolve=names(answers), dial=dialled))

            with pytest.raises(OutboundRefused) as refused:
                outbound.get("https://evil.example/")

            assert refused.value.reason is Refusal.ADDRESS
            assert (dialled.addresses, canary.connections) == ([], 0)

    @pytest.mark.parametrize(
        "url",
        [
            "http://127.0.0.1:{port}/",
            "https://127.0.0.1:{port}/",
            "https://127.0.0.1/",
            "https://[::1]/",
            "https://[::ffff:127.0.0.1]/",
            "http://localhost:{port}/api/tags",
            "https://localhost/",
            "https://169.254.169.254/latest/meta-data",
            "https://user@127.0.0.1/",
            "gopher://127.0.0.1:{port}/",
        ],
    )
    def test_the_house_is_closed_unless_the_operator_opens_it(self, url: str) -> None:
        with LoopbackServer(hello) as canary:
            dialled = Dialled(canary.port)
            outbound = Outbound(GuardedTransport(dial=dialled))

            with pytest.raises(OutboundRefused):
                outbound.get(url.format(port=canary.port))

            assert (dialled.addresses, canary.connections) == ([], 0)

    @pytest.mark.parametrize("url", ["http://moodle.example/", "https://moodle.example:8443/"])
    def test_a_public_host_is_spoken_to_in_https_on_its_port_only(self, url: str) -> None:
        with LoopbackServer(hello) as canary:
            dialled = Dialled(canary.port)
            outbound = Outbound(GuardedTransport(resolve=names([PUBLIC]), dial=dialled))

            with pytest.raises(OutboundRefused):
                outbound.get(url)

            assert (dialled.addresses, canary.connections) == ([], 0)

    def test_a_name_that_changes_its_meaning_is_looked_up_once(self) -> None:
        with LoopbackServer(hello) as server:
            dialled = Dialled(server.port)
            resolve = names([PUBLIC], ["127.0.0.1"])
            allowed = ["moodle.example:80"]
            outbound = Outbound(GuardedTransport(allowed=allowed, resolve=resolve, dial=dialled))

            with outbound:
                outbound.get("http://moodle.example/")

            assert dialled.addresses == [PUBLIC]
            assert server.seen[0].headers["Host"] == "moodle.example"

    def test_a_dead_address_gives_way_to_the_next(self) -> None:
        with LoopbackServer(hello) as server:
            dialled = Dialled(server.port)

            def dial(address: str, port: int, seconds: float) -> socket.socket:
                if address == PUBLIC:
                    raise ConnectionRefusedError
                return dialled(address, port, seconds)

            resolve = names([PUBLIC, "8.8.8.8"])
            allowed = ["moodle.example:80"]
            with Outbound(
                GuardedTransport(allowed=allowed, resolve=resolve, dial=dial)
            ) as outbound:
                assert outbound.get("http://moodle.example/").status == 200

            assert dialled.addresses == ["8.8.8.8"]

    @pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308])
    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_a_redirect_is_not_followed(self, status: int, method: str) -> None:
        with LoopbackServer(hello) as inside:

            def away(seen: Seen) -> Answer:
                return Answer(status, headers={"Location": inside.url})

            with talking_to(away) as (outbound, server):
                with pytest.raises(OutboundRefused) as refused:
                    outbound.request(method, server.url, content=b"")

                assert refused.value.reason is Refusal.REDIRECT
                assert (inside.connections, len(server.seen)) == (0, 1)

    @pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "a\x00b", "ü€"])
    def test_a_header_cannot_carry_another(self, value: str) -> None:
        with talking_to(hello) as (outbound, server):
            with pytest.raises(OutboundRefused) as refused:
                outbound.get(server.url, {"Authorization": value})

            assert refused.value.reason is Refusal.REQUEST
            assert server.seen == []


class TestReplies:
    def test_json_is_read_whatever_the_content_type(self) -> None:
        assert reply(b'{"a": [1, 12.10]}').json() == {"a": [1, Decimal("12.10")]}

    @pytest.mark.parametrize(
        "body",
        [b"", b"<html>", b"NaN", b"[Infinity]", b"\xff\xfe\xfa", b"[" * 100_000, b'{"a": secret}'],
    )
    def test_anything_else_is_garbage(self, body: bytes) -> None:
        with pytest.raises(OutboundGarbage) as garbage:
            reply(body).json()

        assert garbage.value.__context__ is None

    def test_its_repr_shows_no_content(self) -> None:
        assert repr(Reply(400, {"a": "secret"}, b"secret", "secret")) == "Reply(status=400)"

    @pytest.mark.parametrize("status", [408, 425, 429, 500, 503])
    def test_a_busy_server_says_when_to_come_back(self, status: int) -> None:
        with pytest.raises(OutboundFailed) as failed:
            Reply(status, {"retry-after": "7"}, b"", "").raise_if_busy()

        assert failed.value.retry_after == "7"

    @pytest.mark.parametrize("status", [200, 400, 404, 409])
    def test_other_answers_are_not_busy(self, status: int) -> None:
        Reply(status, {}, b"", "").raise_if_busy()


class TestForeignClients:
    """The same guard under an httpx client that a library made."""

    def test_they_see_a_refusal_as_no_connection(self) -> None:
        client = httpx.Client(transport=GuardedTransport())

        with client, pytest.raises(httpx.ConnectError):
            client.get("http://127.0.0.1:11434/api/tags")

    def test_they_cannot_follow_a_redirect(self) -> None:
        with (
            LoopbackServer(hello) as inside,
            LoopbackServer(lambda seen: Answer(302, headers={"Location": inside.url})) as server,
        ):
            transport = GuardedTransport(allowed=[server.host, inside.host])
            client = httpx.Client(transport=transport, follow_redirects=True)

            with client, pytest.raises(httpx.ConnectError):
                client.get(server.url)

            assert inside.connections == 0

    def test_their_timeout_does_not_replace_the_deadline(self) -> None:
        drips = Raw((OK + b"Content-Length: 50\r\n\r\n", *[b"a"] * 50), pause=0.02)
        with LoopbackServer(lambda seen: drips) as server:
            transport = GuardedTransport(allowed=[server.host], deadline=SHORT)
            client = httpx.Client(transport=transport, timeout=60)

            with client, pytest.raises(httpx.ReadTimeout):
                client.get(server.url)


def reply(body: bytes) -> Reply:
    return Reply(200, {"content-type": "text/html"}, body, "OK")
