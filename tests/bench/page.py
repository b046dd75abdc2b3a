"""A pupil's pages on a slow phone, in a real browser (P11): `python -m tests.bench.page`.

Debian's Chromium at 360 px, with nothing in its cache, over a line like WebPageTest's "3G Slow":
400 kbit/s and 400 ms there and back; texts are compressed, as Caddy does it before the tool. Ends
with 1 if a goal is missed; without Chromium it says so.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from sqlalchemy import select

from lti_tool.core.db import Database
from lti_tool.core.embedded import running_postgres
from lti_tool.core.schema import upgrade
from lti_tool.submissions.models import Submission
from tests.bench.compressing import compressing
from tests.classroom import ANSWER, Classroom, open_classroom
from tests.fakes.chromium import CHROMIUM, Tab, open_tab
from tests.faults.web import pupils, web
from tests.visitor import judged

TOOL = "http://gustav.localhost"
WIDTH = 360  # pixels
LINE = {"latency": 400, "downloadThroughput": 50_000, "uploadThroughput": 50_000}

LOADED = "performance.getEntriesByType('navigation')[0].loadEventEnd"
SENT = "performance.getEntriesByType('navigation').concat(performance.getEntriesByType('resource'))"
WATCH = """
window.moved = 0
new PerformanceObserver(list => list.getEntries().forEach(shift => { window.moved += shift.value }))
  .observe({type: 'layout-shift'})
"""


def main() -> int:
    if CHROMIUM is None:
        print("P11: no Chromium here, so nothing is measured")
        return 0
    with (
        _class() as room,
        web(_url(room), GUSTAV_BASE_URL=TOOL) as (address, _),
        compressing(address) as port,
    ):
        (ada,) = pupils(room, address, 1)
        name, _, secret = ada.browser.cookie.partition("=")
        host = urlsplit(TOOL).hostname
        with open_tab(width=WIDTH, hosts=f"MAP {host}:80 127.0.0.1:{port}") as tab:
            tab.call("Network.setCookie", name=name, value=secret, url=TOOL + ada.path)
            tab.call("Network.emulateNetworkConditions", offline=False, **LINE)
            tab.opens(TOOL + ada.path)
            met = [*_first_page(tab), _arrives(tab, room)]
    return 0 if all(met) else 1


def _first_page(tab: Tab) -> Iterator[bool]:
    tab.waits_for(f"{LOADED} > 0")
    usable = tab.sees(LOADED) / 1000
    requests = tab.sees(f"{SENT}.length")
    kilobytes = tab.sees(f"{SENT}.reduce((sum, one) => sum + one.transferSize, 0)") / 1000
    yield _goal("first page, kB", kilobytes, 60)
    yield _goal("its requests, with the launch's redirect", requests + 1, 6)
    yield _goal("usable, seconds", usable, 3)


def _arrives(tab: Tab, room: Classroom) -> bool:
    """How far what is being read moves when feedback comes, as Chromium counts layout shifts."""
    tab.types("textarea[name=text]", ANSWER)
    tab.sees("document.querySelector('form[data-draft] .btn-primary').click()")
    tab.waits_for("document.body.innerText.includes('Abgegeben um')")
    tab.sees(WATCH)
    with room.database.begin(room.service) as db:
        (submission,) = db.scalars(select(Submission.id))
    judged(room, submission, 2, 2)
    tab.waits_for("document.body.innerText.includes('Dein nächster Schritt')")
    return _goal("layout shift when feedback arrives", tab.sees("window.moved"), 0)


def _goal(name: str, value: float, most: float) -> bool:
    met = value <= most
    print(f"  P11 {name:42} {value:6.2f}   goal <= {most:g}  {'met' if met else 'NOT MET'}")
    return met


@contextmanager
def _class() -> Iterator[Classroom]:
    with (
        TemporaryDirectory(prefix="gustav-bench-") as folder,
        running_postgres(Path(folder) / "postgres") as postgres,
    ):
        upgrade(postgres.owner_url)
        database = Database(postgres.app_url)
        try:
            yield open_classroom(database)
        finally:
            database.close()


def _url(room: Classroom) -> str:
    return room.database.engine.url.render_as_string(hide_password=False)


if __name__ == "__main__":
    sys.exit(main())
