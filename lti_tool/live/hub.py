"""Who listens to what, in this process: news of one submission wakes the streams that wait for it.

Nothing is queued. A stream that is woken looks for itself; woken twice before it looks, it looks
once, so a slow reader costs no memory.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from uuid import UUID

from lti_tool.core.errors import ToolError

PER_SESSION = 6  # so many connections browsers open to one host over HTTP/1.1
IN_ALL = 5_000


class TooMany(ToolError):
    """This session, or this process, has as many streams as it may have."""


class Stream:
    """One browser that listens. Belongs to the event loop's thread."""

    __slots__ = ("_woken", "over", "session_id", "submission_id", "told")

    def __init__(self, session_id: UUID, submission_id: UUID) -> None:
        self.session_id = session_id
        self.submission_id = submission_id
        self.told = False  # more of the feedback's text is there
        self.over = False
        self._woken = asyncio.Event()

    def wake(self) -> None:
        self._woken.set()

    def end(self) -> None:
        self.over = True
        self._woken.set()

    async def news(self, seconds: float) -> bool:
        """Wait until woken, at most so long; says whether it was."""
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            return False
        self._woken.clear()
        return True


class Hub:
    """All streams of this process."""

    def __init__(self) -> None:
        self._of_submission: defaultdict[UUID, set[Stream]] = defaultdict(set)
        self._of_session: defaultdict[UUID, set[Stream]] = defaultdict(set)
        self.count = 0

    def join(self, stream: Stream) -> None:
        """Raises TooMany."""
        held = len(self._of_session.get(stream.session_id, ()))
        if held >= PER_SESSION or self.count >= IN_ALL:
            raise TooMany("streams")
        self._of_submission[stream.submission_id].add(stream)
        self._of_session[stream.session_id].add(stream)
        self.count += 1

    def leave(self, stream: Stream) -> None:
        for where, key in (
            (self._of_submission, stream.submission_id),
            (self._of_session, stream.session_id),
        ):
            where[key].discard(stream)
            if not where[key]:
                del where[key]
        self.count -= 1

    def hear(self, payload: str) -> None:
        """What the database told: a word and an id, as the triggers `tell_news` write it."""
        about, _, told = payload.partition(" ")
        key = UUID(told)
        if about == "session":
            for stream in self._of_session.get(key, ()):
                stream.wake()
            return
        for stream in self._of_submission.get(key, ()):
            stream.told = stream.told or about == "told"
            stream.wake()

    def wake_all(self) -> None:
        """Something may have been missed."""
        for streams in self._of_submission.values():
            for stream in streams:
                stream.wake()

    def end_all(self) -> None:
        for streams in self._of_submission.values():
            for stream in streams:
                stream.end()
