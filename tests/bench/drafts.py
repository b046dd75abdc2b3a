"""P5: how many drafts are saved per second, beside plain commits of the same text by psycopg.

Both write the same row of the same PostgreSQL, in turns; only their ratio means anything. What is
measured is the save as a page's request makes it: transaction, row policies, version, commit.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import psycopg

from lti_tool.core.db import Database
from lti_tool.core.embedded import running_postgres
from lti_tool.core.schema import upgrade
from lti_tool.submissions import drafts
from lti_tool.submissions.drafts import Typed
from tests.bench.report import goal
from tests.classroom import Pupil, open_classroom

SAVES = 400
ROUNDS = 5
TEXT = "Die Pflanze braucht Licht, weil es die Energie liefert. " * 20


def main() -> int:
    with (
        TemporaryDirectory(prefix="gustav-bench-") as folder,
        running_postgres(Path(folder) / "postgres") as postgres,
    ):
        upgrade(postgres.owner_url)
        database = Database(postgres.app_url)
        page = Page(open_classroom(database).ada)
        page.save()
        url = postgres.superuser_url.replace("+psycopg", "")
        with psycopg.connect(url, autocommit=True) as raw:
            ours, plain = side_by_side(page.save, lambda: commit(raw))
        database.close()
    print(f"draft saves/s {ours:.0f}, plain commits/s {plain:.0f} ({SAVES * ROUNDS} of each)")
    print(goal("P5 draft saves / plain commits", ours / plain, at_least=0.5))
    return 0


def side_by_side(ours: Callable[[], None], plain: Callable[[], None]) -> tuple[float, float]:
    """Each one's rate per second, in turns."""
    took = [0.0, 0.0]
    for _ in range(ROUNDS):
        for number, save in enumerate((ours, plain)):
            begun = time.perf_counter()
            for _ in range(SAVES):
                save()
            took[number] += time.perf_counter() - begun
    return SAVES * ROUNDS / took[0], SAVES * ROUNDS / took[1]


@dataclass
class Page:
    """A page on which somebody keeps typing."""

    pupil: Pupil

    def __post_init__(self) -> None:
        self.name, self.version, self.turn = uuid4(), 0, 0

    def save(self) -> None:
        self.turn += 1
        typed = Typed(f"{self.turn} {TEXT}", self.version, self.name, self.turn)
        with self.pupil.database.begin(self.pupil.launch.actor) as db:
            self.version = drafts.save(db, self.pupil.launch, typed).version


def commit(raw: psycopg.Connection) -> None:
    """One transaction that changes the one draft there is, and nothing else."""
    raw.execute("UPDATE drafts SET text = %s, saved_at = now()", [f"{uuid4()} {TEXT}"])


if __name__ == "__main__":
    sys.exit(main())
