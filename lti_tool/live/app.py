"""Server-sent events over ASGI: one route, and a probe. Speaks to streams, decides nothing.

An event says that there is news and which (`Phase`, or "told"); the page then asks for it. The
state at the opening is sent first, so that nothing is missed between page and stream.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError

from lti_tool.core.errors import NotFound
from lti_tool.launch.session import SessionGone
from lti_tool.live.door import Asked, LiveDoor, session_cookie
from lti_tool.live.hub import Hub, Stream, TooMany
from lti_tool.live.listener import Listener

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

PROBE = "/health/events"
RETRY = (2_000, 6_000)  # milliseconds; spread, so that not all come back at once

_UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_PATH = re.compile(f"/s/({_UUID})/live/({_UUID})")
_HEADERS = [
    (b"cache-control", b"private, no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-accel-buffering", b"no"),  # nginx would collect events otherwise
]


@dataclass(frozen=True)
class Pace:
    """Seconds. `heartbeat`: whatever stands between would close a silent connection. `life`: then
    the browser opens another one by itself. `reading`: who reads slower is let go."""

    heartbeat: float = 15
    life: float = 30 * 60
    reading: float = 10


class LiveApp:
    """The ASGI application."""

    def __init__(
        self,
        hub: Hub,
        door: LiveDoor,
        listener: Listener,
        close: Callable[[], None],
        pace: Pace = Pace(),
    ) -> None:
        self._pace = pace
        self._hub = hub
        self._door = door
        self._listener = listener
        self._close = close

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["method"] not in ("GET", "HEAD"):
            await _answer(send, 405)
        elif scope["path"] == PROBE:
            await _answer(send, 200 if self._listener.listens else 503)
        elif found := _PATH.fullmatch(scope["path"]):
            session_id, submission_id = map(UUID, found.groups())
            secret = session_cookie(scope["headers"])
            scope.clear()  # a stream would hold on to it for half an hour
            await self._stream(Asked(session_id, submission_id, secret), receive, send)
        else:
            await _answer(send, 404)

    @staticmethod
    def is_for(path: str) -> bool:
        """Whether this process answers there, and not `web`."""
        return path == PROBE or _PATH.fullmatch(path) is not None

    async def _live(self, receive: Receive, send: Send) -> None:
        """From the server's start to its end."""
        await receive()
        listening = asyncio.create_task(self._listener.run())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await listening
        self._hub.end_all()
        self._close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _stream(self, asked: Asked, receive: Receive, send: Send) -> None:
        stream = Stream(asked.session_id, asked.submission_id)
        try:
            self._hub.join(stream)  # before the first look, so that no news falls between
        except TooMany:
            await _answer(send, 429)
            return
        try:
            await self._open(stream, asked, receive, send)
        finally:
            self._hub.leave(stream)

    async def _open(self, stream: Stream, asked: Asked, receive: Receive, send: Send) -> None:
        """Let them in, or say why not in a status: a page that is refused goes on asking `web`."""
        try:
            phase = await self._door.look(asked)
        except SessionGone:
            await _answer(send, 401)
        except NotFound:
            await _answer(send, 404)
        except SQLAlchemyError:
            await _answer(send, 503)
        else:
            gone = asyncio.create_task(_until_gone(receive))
            gone.add_done_callback(lambda _: stream.end())
            last = asyncio.get_running_loop().call_later(self._pace.life, stream.end)
            try:
                with contextlib.suppress(TimeoutError):
                    await self._tell(stream, asked, phase, send)
            finally:
                gone.cancel()
                last.cancel()

    async def _tell(self, stream: Stream, asked: Asked, phase: str, send: Send) -> None:
        """News until the end. Raises TimeoutError if nobody reads them."""
        headers = [(b"content-type", b"text/event-stream"), *_HEADERS]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        retry = random.randint(*RETRY)  # noqa: S311  # guards nothing
        await self._push(send, f"retry: {retry}\n{_event(phase)}")
        while not stream.over:
            if not await stream.news(self._pace.heartbeat):
                await self._push(send, ":\n\n")
                continue
            told, stream.told = stream.told, False
            try:
                now = await self._door.look(asked)
            except (SessionGone, NotFound):
                break
            except SQLAlchemyError:
                stream.told = told
                continue  # the listener wakes everybody once the database is back
            if now != phase or told:
                phase = now
                await self._push(send, _event("told" if told else phase))
        await send({"type": "http.response.body", "body": b""})

    async def _push(self, send: Send, text: str) -> None:
        async with asyncio.timeout(self._pace.reading):
            await send({"type": "http.response.body", "body": text.encode(), "more_body": True})


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _event(data: str) -> str:
    return f"event: news\ndata: {data}\n\n"


async def _answer(send: Send, status: int) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), *_HEADERS]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": f"{status}\n".encode()})
