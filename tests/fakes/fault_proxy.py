"""A bad line: stands between two programs, passes bytes on, and cuts, holds or slows them as told.

It listens on 127.0.0.1, or on a Unix socket for those who look for PostgreSQL in a folder. What it
does may be changed at any time; `cut` concerns those who are connected, the rest who comes next.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

Address = tuple[str, int] | Path
PIECE = 65_536  # bytes


@dataclass
class Line:
    """What happens to those who connect from now on.

    `ask_ends`, `answer_ends`: the connection breaks after so many bytes of the request, or of the
    answer; None: it does not. `breaks_at`: it breaks as soon as these bytes have been asked, which
    still arrive where they go: only the answer is lost. `rate`: bytes a second, each way. `late`:
    seconds that each piece spends on the way.
    """

    open: bool = True
    silent: bool = False  # takes everything, passes nothing on
    ask_ends: int | None = None
    answer_ends: int | None = None
    breaks_at: bytes = b""
    rate: float = 0.0
    late: float = 0.0


class FaultProxy:
    """`with FaultProxy(upstream) as proxy:`; `broken` counts the connections that it broke."""

    def __init__(self, upstream: Address, listen: Path | None = None) -> None:
        self.line = Line()
        self.broken = 0
        self.port = 0
        self._upstream, self._listen = upstream, listen
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._writers: set[asyncio.StreamWriter] = set()

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = self._run(self._start())
        if self._listen is None:
            self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *problem: object) -> None:
        self._run(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def cut(self) -> None:
        """Everybody's connection breaks now."""
        self._run(self._cut())

    def _run(self, what: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(what, self._loop).result(30)

    async def _start(self) -> asyncio.Server:
        if self._listen is not None:
            return await asyncio.start_unix_server(self._connected, self._listen)
        return await asyncio.start_server(self._connected, "127.0.0.1", 0)

    async def _cut(self) -> None:
        for writer in list(self._writers):
            writer.transport.abort()

    async def _end(self) -> None:
        self._server.close()
        await self._cut()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _connected(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        line = self.line
        ends = {back}
        self._writers.add(back)
        try:
            if line.silent:
                while await near.read(PIECE):
                    pass
            elif line.open:
                far, on = await self._connect()
                ends.add(on)
                self._writers.add(on)
                lost = asyncio.Event()  # the question has arrived, its answer will not
                async with asyncio.TaskGroup() as both:
                    ask = both.create_task(_ask(line, near, on, lost))
                    await _answer(line, far, back, lost)
                    ask.cancel()
        except* (OSError, _Broken):
            self.broken += 1
        finally:
            for writer in ends:
                writer.transport.abort()
                self._writers.discard(writer)

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self._upstream, Path):
            return await asyncio.open_unix_connection(self._upstream)
        return await asyncio.open_connection(*self._upstream)


async def _ask(
    line: Line, near: asyncio.StreamReader, on: asyncio.StreamWriter, lost: asyncio.Event
) -> None:
    seen = b""
    async for piece in _pieces(line, near, line.ask_ends):
        on.write(piece)
        await on.drain()
        seen = (seen + piece)[-2 * PIECE :]
        if line.breaks_at and line.breaks_at in seen:
            lost.set()
    on.write_eof()


async def _answer(
    line: Line, far: asyncio.StreamReader, back: asyncio.StreamWriter, lost: asyncio.Event
) -> None:
    async for piece in _pieces(line, far, line.answer_ends):
        if lost.is_set():
            raise _Broken
        back.write(piece)
        await back.drain()


class _Broken(Exception):
    """The line breaks here."""


async def _pieces(
    line: Line, reader: asyncio.StreamReader, limit: int | None
) -> AsyncIterator[bytes]:
    """What comes, up to the byte at which the line breaks."""
    gone = 0
    while piece := await reader.read(PIECE):
        if line.rate or line.late:
            await asyncio.sleep(line.late + (len(piece) / line.rate if line.rate else 0))
        if limit is not None and gone + len(piece) >= limit:
            yield piece[: limit - gone]
            raise _Broken
        gone += len(piece)
        yield piece
