"""What keeps streams alive, and what ends them: the application alone, with a short patience."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

from lti_tool.live.app import LiveApp, Pace
from lti_tool.live.door import Asked
from lti_tool.live.hub import Hub
from lti_tool.submissions.shown import Phase


class OpenDoor:
    """Lets everybody in; nothing ever changes there."""

    async def look(self, asked: Asked) -> Phase:
        return Phase.IN_LINE


class Browser:
    """Reads what comes, up to so many messages; then it reads no further."""

    def __init__(self, reads: int = 1_000) -> None:
        self.reads = reads
        self.read: list[dict[str, Any]] = []

    async def receive(self) -> dict[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(self, message: Any) -> None:
        if len(self.read) >= self.reads:
            await asyncio.Event().wait()
        self.read.append(message)

    @property
    def text(self) -> str:
        return "".join(message.get("body", b"").decode() for message in self.read)


def listen(browser: Browser, hub: Hub, pace: Pace) -> None:
    """Until the application lets go."""
    app = LiveApp(hub, OpenDoor(), None, lambda: None, pace)  # type: ignore[arg-type]
    path = f"/s/{uuid4()}/live/{uuid4()}"
    scope = {"type": "http", "method": "GET", "path": path, "headers": []}
    asyncio.run(asyncio.wait_for(app(scope, browser.receive, browser.send), 30))


def test_silence_is_filled_with_comments_until_the_stream_has_lived_long_enough():
    browser, hub = Browser(), Hub()

    listen(browser, hub, Pace(heartbeat=0.01, life=0.2))

    assert browser.text.count("data: ") == 1
    assert browser.text.count(":\n\n") >= 2
    assert browser.read[-1] == {"type": "http.response.body", "body": b""}
    assert hub.count == 0


def test_who_does_not_read_is_let_go():
    browser, hub = Browser(reads=2), Hub()

    listen(browser, hub, Pace(heartbeat=0.01, life=60, reading=0.05))

    assert len(browser.read) == 2
    assert hub.count == 0
