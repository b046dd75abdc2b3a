"""Counts tokens where they pass: in the answers of a model server, on their way to an engine."""

import json
from collections.abc import Iterator

import httpx


class CountingTransport(httpx.BaseTransport):
    """A way out that reads along. Ollama counts in its last line; other servers may name a
    `usage`, and where they do not, each piece of a stream counts as the one token it mostly is."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner = inner
        self.tokens = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self._inner.handle_request(request)
        assert isinstance(response.stream, httpx.SyncByteStream)  # noqa: S101 - for the type checker
        return httpx.Response(
            response.status_code,
            headers=response.headers,
            stream=_Counted(response.stream, self),
            extensions=response.extensions,
        )

    def close(self) -> None:
        self._inner.close()


class _Counted(httpx.SyncByteStream):
    def __init__(self, inner: httpx.SyncByteStream, counter: CountingTransport) -> None:
        self._inner = inner
        self._counter = counter

    def __iter__(self) -> Iterator[bytes]:
        rest = b""
        for piece in self._inner:
            # Before it is passed on: who has read the last word asks for no more.
            *lines, rest = (rest + piece).split(b"\n")
            self._counter.tokens += sum(tokens_in(line) for line in lines)
            yield piece

    def close(self) -> None:
        self._inner.close()


def tokens_in(line: bytes) -> int:
    """How many tokens one line of a stream tells of; 0 for what is no such line."""
    try:
        said = json.loads(line.removeprefix(b"data:"))
    except ValueError:
        return 0
    if not isinstance(said, dict):
        return 0
    if said.get("usage"):
        return int(said["usage"].get("total_tokens") or 0)
    if said.get("choices"):
        return 1
    return int(said.get("prompt_eval_count") or 0) + int(said.get("eval_count") or 0)
