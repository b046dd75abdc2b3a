"""One launch, from the knock to the first page, good or spoiled in one of twelve ways."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from lti_tool.launch.claims import DEPLOYMENT_ID, VERSION
from tests.bench.browser import Answer, Broken, Browser
from tests.bench.lms import Lms
from tests.fakes.platform import rsa_key

Form = dict[str, str]


@dataclass(frozen=True)
class Tool:
    """A tool under load: where it listens, which processes are charged, what its page says."""

    name: str
    port: int
    pid: int
    login: str
    launch: str
    says: str

    @property
    def target(self) -> str:
        return f"http://127.0.0.1:{self.port}{self.launch}"

    def browser(self) -> Browser:
        return Browser("127.0.0.1", self.port)


@dataclass(frozen=True)
class Spoiled:
    """What is wrong with a launch: its claims, who signs it, or what is posted."""

    claims: Callable[[dict[str, Any]], None] | None = None
    sign: Callable[[Lms, dict[str, Any]], str] | None = None
    post: Callable[[Form, Browser], None] | None = None


async def launch(tool: Tool, lms: Lms, pupil: int, *, to_the_page: bool = True) -> float:
    """The tool's part of it in seconds; the platform's own work is not counted. Raises Broken."""
    browser = tool.browser()
    try:
        begun = perf_counter()
        form, signing = await _until_posted(tool, lms, pupil, browser, Spoiled())
        answer = await browser.post(tool.launch, form)
        if to_the_page or answer.leads_to is None:
            answer = await _follow(browser, answer)
        took = perf_counter() - begun - signing
    finally:
        browser.close()
    if not to_the_page and answer.leads_to is not None:
        return took
    if answer.status != 200 or tool.says.encode() not in answer.body:
        raise Broken(f"HTTP {answer.status}")
    return took


async def is_refused(tool: Tool, lms: Lms, spoiled: Spoiled) -> bool:
    """Whether the tool lets no such launch in."""
    browser = tool.browser()
    try:
        form, _ = await _until_posted(tool, lms, 7, browser, spoiled)
        answer = await browser.post(tool.launch, form)
        return answer.leads_to is None and tool.says.encode() not in answer.body
    finally:
        browser.close()


async def refuses_replay(tool: Tool, lms: Lms) -> bool:
    """Whether a good launch is good only once, in the very same browser."""
    browser = tool.browser()
    try:
        form, _ = await _until_posted(tool, lms, 8, browser, Spoiled())
        first = await browser.post(tool.launch, form)
        second = await browser.post(tool.launch, form)
        if first.status >= 400:
            raise Broken(f"HTTP {first.status}")
        return second.leads_to is None and tool.says.encode() not in second.body
    finally:
        browser.close()


async def _until_posted(
    tool: Tool, lms: Lms, pupil: int, browser: Browser, spoiled: Spoiled
) -> tuple[Form, float]:
    """The form that the platform's page posts, and how long the platform took to sign it."""
    answer = await browser.post(tool.login, lms.knock(pupil, tool.target))
    asked = lms.asked(answer)
    if not asked:
        raise Broken(f"login: HTTP {answer.status}")
    begun = perf_counter()
    message = lms.message(pupil, tool.target, asked["nonce"])
    if spoiled.claims is not None:
        spoiled.claims(message)
    sign = spoiled.sign or (lambda lms, message: lms.sign(message))
    form = {"state": asked["state"], "id_token": sign(lms, message)}
    if spoiled.post is not None:
        spoiled.post(form, browser)
    return form, perf_counter() - begun


async def _follow(browser: Browser, answer: Answer) -> Answer:
    for _ in range(4):
        goal = answer.leads_to
        if goal is None:
            break
        answer = await browser.get(goal)
    return answer


def _says(**changes: object) -> Spoiled:
    return Spoiled(claims=lambda message: message.update(changes))


def _another_signature(form: Form, _: Browser) -> None:
    head, payload, signature = form["id_token"].split(".")
    form["id_token"] = f"{head}.{payload}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}"


def _unsigned(form: Form, _: Browser) -> None:
    _, payload, _ = form["id_token"].split(".")
    head = base64.urlsafe_b64encode(json.dumps({"alg": "none"}).encode()).decode().rstrip("=")
    form["id_token"] = f"{head}.{payload}."


def _expired(message: dict[str, Any]) -> None:
    message["iat"], message["exp"] = message["iat"] - 7300, message["exp"] - 7300


REPLAY = "the same launch twice"
SPOILED: dict[str, Spoiled] = {
    "another signature": Spoiled(post=_another_signature),
    "no signature (alg none)": Spoiled(post=_unsigned),
    "another's key under our kid": Spoiled(
        sign=lambda lms, message: lms.sign(message, key=rsa_key("of somebody else"))
    ),
    "another nonce": _says(nonce="n" * 32),
    "another audience": _says(aud="somebody-else"),
    "another issuer": _says(iss="https://evil.example"),
    "expired": Spoiled(claims=_expired),
    "unknown state": Spoiled(post=lambda form, _: form.update(state="0" * 32)),
    "a browser without cookies": Spoiled(post=lambda _, browser: browser.cookies.clear()),
    "unknown deployment": _says(**{DEPLOYMENT_ID: "999"}),
    "another version": _says(**{VERSION: "1.0"}),
}
