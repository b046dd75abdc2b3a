"""What one launch sends to PostgreSQL, counted in PostgreSQL's own log."""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import psycopg

from tests.bench.browser import Answer
from tests.bench.house import House

LOGGED = re.compile(rb"LOG:  (?:statement|execute [^:]*): ")


async def count_statements(house: House) -> dict[str, int]:
    """Per request of a launch, once everything is warm: login, launch, first page."""
    tool, lms = house.ours, house.lms
    counts = {}
    with psycopg.connect(house.superuser_url, autocommit=True) as db:
        db.execute("ALTER SYSTEM SET log_statement = 'all'")
        db.execute("SELECT pg_reload_conf()")
        time.sleep(1)  # every process of PostgreSQL has to notice
        browser = tool.browser()

        async def counted(name: str, ask: Callable[[], Awaitable[Answer]]) -> Answer:
            before = _log(house).stat().st_size
            answer = await ask()
            counts[name] = len(LOGGED.findall(_log(house).read_bytes()[before:]))
            return answer

        answer = await counted("login", lambda: browser.post(tool.login, lms.knock(7, tool.target)))
        asked = lms.asked(answer)
        token = lms.sign(lms.message(7, tool.target, asked["nonce"]))
        form = {"state": asked["state"], "id_token": token}
        answer = await counted("launch", lambda: browser.post(tool.launch, form))
        await counted("first page", lambda: browser.get(answer.leads_to or "/"))
        browser.close()
        db.execute("ALTER SYSTEM RESET log_statement")
        db.execute("SELECT pg_reload_conf()")
    return counts


def _log(house: House) -> Path:
    return house.postgres_folder / "log"
