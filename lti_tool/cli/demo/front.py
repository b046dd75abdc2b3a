"""Pages and events at one address: what the proxy does in production, for the demo in one process.

The applications are those of production; only who calls them is different.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from a2wsgi import WSGIMiddleware
from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server

from config.logs import for_dict_config

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

MOST_CONNECTIONS = 1_024


class Live(Protocol):
    """The live process's application: roofs do not import one another."""

    async def __call__(
        self, scope: Any, receive: Callable[..., Any], send: Callable[..., Any], /
    ) -> None: ...

    def is_for(self, path: str) -> bool: ...


def serve(pages: WSGIApplication, live: Live, host: str, port: int, threads: int) -> None:
    """Answer until SIGTERM."""
    asyncio.run(_serve(pages, live, host, port, threads))


async def _serve(pages: WSGIApplication, live: Live, host: str, port: int, threads: int) -> None:
    in_threads: Any = WSGIMiddleware(pages, workers=threads)  # type: ignore[arg-type]

    async def front(scope: Any, receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        async def take() -> Any:  # a2wsgi wants a coroutine; Granian's is awaitable only
            return await receive()

        for_live = scope["type"] == "lifespan" or live.is_for(scope["path"])
        await (live if for_live else in_threads)(scope, take, send)

    server = Server(
        front,
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        websockets=False,
        backpressure=MOST_CONNECTIONS,
        log_dictconfig=for_dict_config("text", "_granian"),
    )
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, server.stop)
    await server.serve()
