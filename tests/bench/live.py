"""A thousand pupils who wait for feedback with their pages open: `python -m tests.bench.live`.

What a stream costs, how long feedback takes from the commit to the browser, and what everybody else
notices of it: slices without and with the streams, in turn, in one run. Ends with 1 if a goal (P7)
is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from sqlalchemy import select

from lti_tool.core import jobs
from lti_tool.core.db import WORKER
from lti_tool.core.jobs import Job
from lti_tool.launch.session import SESSION_COOKIE
from lti_tool.submissions import assessment
from tests.bench.browser import Browser
from tests.bench.measuring import percentile
from tests.bench.waiting import Pupil, Stage, opened_stage
from tests.classroom import Classroom, FakeEngine

PUPILS = 1_000
SLICE = 8.0  # seconds
ROUNDS = 3  # slices without streams and as many with them
A_SECOND = 8  # submissions that are judged
OTHERS = 3  # browsers that open pages, one after the other
MOST_BYTES, MOST_WAIT, MOST_RATIO = 40_000, 0.25, 2.0
AS_BROWSERS_DO = (
    "Host: gustav.schule.example",
    "Accept: text/event-stream",
    "Accept-Encoding: gzip, deflate, br, zstd",
    "Accept-Language: de-DE,de;q=0.9,en;q=0.8",
    "Cache-Control: no-cache",
    "Sec-Fetch-Dest: empty",
    "Sec-Fetch-Mode: cors",
    "Sec-Fetch-Site: same-origin",
    "User-Agent: Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko)",
    "X-Forwarded-For: 10.20.30.40",
    "X-Forwarded-Host: gustav.schule.example",
    "X-Forwarded-Proto: https",
)


@dataclass
class Heard:
    """Seconds from the commit to the event, and to the feedback itself."""

    event: list[float] = field(default_factory=list)
    feedback: list[float] = field(default_factory=list)


class Page:
    """A waiting page: listens, and asks for the feedback when it hears of it."""

    def __init__(self, stage: Stage, pupil: Pupil) -> None:
        self._stage, self._pupil = stage, pupil
        self.ready: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self.opened = asyncio.Event()

    async def listen(self) -> None:
        path = f"/s/{self._pupil.session_id}/live/{self._pupil.submission_id}"
        cookie = f"Cookie: {SESSION_COOKIE}={self._pupil.secret}"
        head = "\r\n".join((f"GET {path} HTTP/1.1", *AS_BROWSERS_DO, cookie, "", ""))
        reader, writer = await asyncio.open_connection("127.0.0.1", self._stage.live, limit=4_096)
        try:
            writer.write(head.encode())
            while line := await reader.readline():
                if line.startswith(b"data: "):
                    self.opened.set()
                if line.startswith(b"data: ready") and not self.ready.done():
                    self.ready.set_result(time.monotonic())
        finally:
            writer.close()

    async def asks(self) -> None:
        browser = Browser("127.0.0.1", self._stage.web, {SESSION_COOKIE: self._pupil.secret})
        answer = await browser.get(f"/s/{self._pupil.session_id}/work/state?seen=-")
        browser.close()
        if b'id="feedback"' not in answer.body:
            raise SystemExit("The page does not show the feedback that it was told of.")


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--pupils", type=int, default=PUPILS)
    pupils = arguments.parse_args().pupils
    print(f"Live: {pupils} pupils wait, {A_SECOND} submissions a second are judged", flush=True)
    with opened_stage(pupils) as stage:
        return asyncio.run(measured(stage))


async def measured(stage: Stage) -> int:
    heard, without, with_streams, grown = Heard(), [], [], []
    waiting = list(stage.pupils)
    for _ in range(ROUNDS):
        without += await others(stage)
        before = _rss(stage.live_pid)
        async with opened_pages(stage, waiting) as pages:
            grown.append((_rss(stage.live_pid) - before) / len(waiting))
            judging = asyncio.create_task(judge(stage, pages, heard))
            with_streams += await others(stage)
            await judging
        waiting = [one for one in waiting if one not in pages or not pages[one].ready.done()]
    return report(grown[0], heard, without, with_streams)


def report(
    grown: float, heard: Heard, without: Sequence[float], with_streams: Sequence[float]
) -> int:
    alone, beside = percentile(without, 95), percentile(with_streams, 95)
    arrived = percentile(heard.feedback, 95)
    for name, values in (
        ("ready → event", heard.event),
        ("ready → feedback on the page", heard.feedback),
        ("other pages without streams", without),
        ("other pages with streams", with_streams),
    ):
        p50, p95 = percentile(values, 50) * 1e3, percentile(values, 95) * 1e3
        print(f"  {name:30} p50 {p50:5.0f} ms  p95 {p95:5.0f} ms  ({len(values)})")
    reached = [
        _goal("P7 kB per stream", grown / 1e3, MOST_BYTES / 1e3),
        _goal("P7 ready → browser, p95 in ms", arrived * 1e3, MOST_WAIT * 1e3),
        _goal("P7 other pages' p95, with / without", beside / alone, MOST_RATIO),
    ]
    return 0 if all(reached) else 1


@asynccontextmanager
async def opened_pages(stage: Stage, pupils: Sequence[Pupil]) -> AsyncIterator[dict[Pupil, Page]]:
    """All of them listening; gone again at the end."""
    pages = {pupil: Page(stage, pupil) for pupil in pupils}
    streams = []
    for page in pages.values():
        streams.append(asyncio.create_task(page.listen()))
        await asyncio.sleep(0.002)
    async with asyncio.timeout(60):
        await asyncio.gather(*(page.opened.wait() for page in pages.values()))
    try:
        yield pages
    finally:
        for stream in streams:
            stream.cancel()
        await asyncio.gather(*streams, return_exceptions=True)
        await asyncio.sleep(1)


async def judge(stage: Stage, pages: dict[Pupil, Page], heard: Heard) -> None:
    """One submission after the other, as a worker does it, for as long as a slice takes."""
    end, watching = time.monotonic() + SLICE, []
    for pupil, page in list(pages.items()):
        if time.monotonic() > end:
            break
        began = time.monotonic()
        committed = await asyncio.to_thread(_judge, stage.room, pupil.submission_id)
        watching.append(asyncio.create_task(_watch(page, committed, heard)))
        await asyncio.sleep(max(0, 1 / A_SECOND - (time.monotonic() - began)))
    await asyncio.gather(*watching)


async def _watch(page: Page, committed: float, heard: Heard) -> None:
    async with asyncio.timeout(30):
        heard.event.append(await page.ready - committed)
    await page.asks()
    heard.feedback.append(time.monotonic() - committed)


def _judge(room: Classroom, submission_id: UUID) -> float:
    """Returns when the feedback was there."""
    begin, engine = room.database.begin, FakeEngine(2, 2)
    with begin(WORKER) as db:
        job_id = db.scalars(select(Job.id).where(Job.subject_id == submission_id)).one()
        held = jobs.claim(db, job_id, lease=timedelta(minutes=5))
    if held is None:
        raise SystemExit("Somebody else works on it.")
    with begin(room.service) as db:
        draft = engine.give_feedback(assessment.request_for(db, submission_id))
    with begin(room.service) as db:
        jobs.finish(db, held)
        assessment.keep_feedback(db, submission_id, draft)
    return time.monotonic()


async def others(stage: Stage) -> list[float]:
    """Seconds that pages took for pupils who open them one after the other, for a slice."""
    end, took = time.monotonic() + SLICE, []

    async def open_pages(pupil: Pupil) -> None:
        browser = Browser("127.0.0.1", stage.web, {SESSION_COOKIE: pupil.secret})
        while (began := time.monotonic()) < end:
            answer = await browser.get(f"/s/{pupil.session_id}/work/")
            took.append(time.monotonic() - began)
            if answer.status != 200:
                raise SystemExit(f"A page answered with {answer.status}.")
        browser.close()

    await asyncio.gather(*(open_pages(pupil) for pupil in stage.pupils[-OTHERS:]))
    return took


def _rss(pid: int) -> int:
    """Bytes in memory."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _goal(name: str, value: float, at_most: float) -> bool:
    reached = value <= at_most
    print(f"  {'reached' if reached else 'MISSED '}  {name}: {value:.1f} (at most {at_most:g})")
    return reached


if __name__ == "__main__":
    sys.exit(main())
