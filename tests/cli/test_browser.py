"""The journey's browser keeps cookies, follows redirects and passes forms on like a real one."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from lti_tool.cli.journey.browser import Browser
from lti_tool.cli.journey.pages import NotOnPage

Answer = Callable[[httpx.Request], httpx.Response]
HOME = "http://localhost:8080"


def browser(answer: Answer) -> Browser:
    return Browser(httpx.MockTransport(answer))


def echo(*cookies: str) -> Answer:
    """Sets the cookies at /set; everywhere else tells which cookies came."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/set":
            return httpx.Response(200, headers=[("Set-Cookie", cookie) for cookie in cookies])
        return httpx.Response(200, text=f"<p>{request.headers['Cookie']}</p>")

    return answer


@pytest.mark.parametrize(
    ("cookie", "url", "comes"),
    [
        ("a=1; Path=/s/1", f"{HOME}/s/1", True),
        ("a=1; Path=/s/1", f"{HOME}/s/1/work", True),
        ("a=1; Path=/s/1", f"{HOME}/s/12", False),
        ("a=1; Path=/s/1", f"{HOME}/", False),
        ("a=1; Secure; HttpOnly; SameSite=None; Partitioned; Path=/", f"{HOME}/x", True),
        ("a=1; Path=/", "http://localhost:8081/x", True),
        ("a=1; Path=/", "http://127.0.0.1:8080/x", False),
    ],
)
def test_a_cookie_comes_along_where_it_belongs(cookie: str, url: str, comes: bool) -> None:
    visitor = browser(echo(cookie))
    visitor.open(f"{HOME}/set")

    assert visitor.open(url).text == ("a=1" if comes else "")


def test_the_cookie_of_the_longer_path_comes_first() -> None:
    visitor = browser(echo("a=outer; Path=/", "a=inner; Path=/s"))
    visitor.open(f"{HOME}/set")

    assert visitor.open(f"{HOME}/s/1").text == "a=inner; a=outer"


def test_a_cookie_that_has_run_out_is_gone() -> None:
    visitor = browser(echo("a=1; Path=/", "a=; Max-Age=0; Path=/"))
    visitor.open(f"{HOME}/set")

    assert visitor.open(f"{HOME}/x").text == ""


def test_after_a_form_a_redirect_is_read_and_not_sent_again() -> None:
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(f"{request.method} {request.url.path} {request.headers.get('Origin', '')}")
        if request.method == "POST":
            return httpx.Response(303, headers={"Location": "/done"})
        return httpx.Response(
            200, text='<form method="post" action="/send"><button>Los</button></form>'
        )

    visitor = browser(answer)
    start = visitor.open(f"{HOME}/start")
    end = visitor.submit(start, start.forms[0])

    assert end.url == f"{HOME}/done"
    assert seen == ["GET /start ", f"POST /send {HOME}", "GET /done "]


def test_a_search_form_asks_in_its_address() -> None:
    visitor = browser(
        lambda request: httpx.Response(
            200, text=f'<p>{request.url}</p><form action="/find?old=1"><input name="q"></form>'
        )
    )
    start = visitor.open(f"{HOME}/start")

    assert visitor.submit(start, start.forms[0], {"q": "a b"}).text == f"{HOME}/find?q=a+b"


def test_forms_that_a_script_would_send_are_passed_on() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/login":
            form = '<form method="post" action="/launch"><input name="id_token" value="x"></form>'
            return httpx.Response(200, text=form)
        return httpx.Response(200, text="<p>da</p>")

    visitor = browser(answer)

    assert visitor.pass_on(visitor.open(f"{HOME}/login")).text == "da"


def test_going_in_circles_comes_to_an_end() -> None:
    visitor = browser(lambda _: httpx.Response(302, headers={"Location": "/again"}))

    with pytest.raises(NotOnPage, match="Umleitungen"):
        visitor.open(f"{HOME}/start")


def test_a_button_that_is_not_there_is_named() -> None:
    visitor = browser(lambda _: httpx.Response(200, text="<form><button>Los</button></form>"))
    start = visitor.open(f"{HOME}/start")

    with pytest.raises(NotOnPage, match="Halt"):
        visitor.submit(start, start.forms[0], button="Halt")
