"""The one connection that listens to the database, for all streams, for as long as it takes."""

from __future__ import annotations

import asyncio
import random

import psycopg
import structlog

from lti_tool.live.hub import Hub

CHANNEL = "gustav_news"  # the triggers `tell_news` speak there: a word and an id
LOOK_AFTER = 20.0  # seconds of silence after which the connection is tried
AGAIN_AFTER = (0.5, 5.0)  # seconds: at first, and at most

log = structlog.get_logger(__name__)


class Listener:
    """Listens, and after each break makes all streams look, because something may be missed.

    LISTEN needs a session of its own: past PgBouncer, or with its session pooling.
    """

    def __init__(self, url: str, hub: Hub) -> None:
        self._url = url.replace("+psycopg", "", 1)
        self._hub = hub
        self.listens = False

    async def run(self) -> None:
        """Until cancelled."""
        wait, longest = AGAIN_AFTER
        while True:
            try:
                await self._listen()
            except (psycopg.Error, OSError, TimeoutError) as error:
                log.warning("not listening", kind=type(error).__name__)
            wait = AGAIN_AFTER[0] if self.listens else min(wait * 2, longest)
            self.listens = False
            await asyncio.sleep(wait * random.uniform(0.5, 1))  # noqa: S311  # guards nothing

    async def _listen(self) -> None:
        """Raises psycopg.Error, OSError or TimeoutError once the connection is lost."""
        async with await psycopg.AsyncConnection.connect(
            self._url, autocommit=True, connect_timeout=5
        ) as connection:
            await connection.execute(f"LISTEN {CHANNEL}")
            self.listens = True
            self._hub.wake_all()
            log.info("listening", streams=self._hub.count)
            while True:
                async for told in connection.notifies(timeout=LOOK_AFTER):
                    self._hub.hear(told.payload)
                async with asyncio.timeout(LOOK_AFTER):
                    await connection.execute("SELECT")
