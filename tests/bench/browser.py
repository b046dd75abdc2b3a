"""A browser as small as a load needs it: one connection, cookies, one request after another."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

TIME_LIMIT = 30  # seconds
REDIRECTS = frozenset({301, 302, 303, 307, 308})


class Broken(Exception):
    """No answer, or one that no browser would understand."""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key == name), "")

    @property
    def leads_to(self) -> str | None:
        """Where a redirect goes: path and query."""
        if self.status not in REDIRECTS:
            return None
        parts = urlsplit(self.header("location"))
        return f"{parts.path}?{parts.query}" if parts.query else parts.path


@dataclass
class Browser:
    """A fresh one for each launch, at one tool."""

    host: str
    port: int
    cookies: dict[str, str] = field(default_factory=dict)
    _ends: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def get(self, path: str) -> Answer:
        return await self._ask(f"GET {path}", b"")

    async def post(self, path: str, form: Mapping[str, str]) -> Answer:
        return await self._ask(f"POST {path}", urlencode(form).encode())

    def close(self) -> None:
        if self._ends is not None:
            self._ends[1].close()
            self._ends = None

    async def _ask(self, what: str, body: bytes) -> Answer:
        try:
            async with asyncio.timeout(TIME_LIMIT):
                return await self._exchange(what, body)
        except (OSError, TimeoutError, asyncio.IncompleteReadError, ValueError) as error:
            self.close()
            raise Broken(type(error).__name__) from error

    async def _exchange(self, what: str, body: bytes) -> Answer:
        if self._ends is None:
            self._ends = await asyncio.open_connection(self.host, self.port)
        reader, writer = self._ends
        head = f"{what} HTTP/1.1\r\nHost: {self.host}:{self.port}\r\nAccept: text/html\r\n"
        if self.cookies:
            kept = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
            head += f"Cookie: {kept}\r\n"
        if what.startswith("POST"):
            head += "Content-Type: application/x-www-form-urlencoded\r\n"
            head += f"Content-Length: {len(body)}\r\n"
        writer.write(head.encode() + b"\r\n" + body)
        answer = await _read(reader)
        self._keep_cookies(answer)
        if answer.header("connection").lower() == "close":
            self.close()
        return answer

    def _keep_cookies(self, answer: Answer) -> None:
        for name, value in answer.headers:
            if name == "set-cookie":
                cookie, _, _ = value.partition(";")
                key, _, kept = cookie.partition("=")
                self.cookies[key] = kept


async def _read(reader: asyncio.StreamReader) -> Answer:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    pairs = [line.split(":", 1) for line in head[1:] if line]
    headers = [(name.lower(), value.strip()) for name, value in pairs]
    status = int(head[0].split(" ", 2)[1])
    length = next((value for name, value in headers if name == "content-length"), "0")
    return Answer(status, headers, await reader.readexactly(int(length)))
