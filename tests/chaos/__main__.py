"""`python -m tests.chaos --seed 1`: one lesson, its faults, and whether anything was lost."""

from __future__ import annotations

import argparse
import io
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
from PIL import Image

from lti_tool.cli.journey.browser import Browser
from lti_tool.cli.journey.people import Teacher
from tests.chaos.faults import drawn, happen
from tests.chaos.pupils import Crowd
from tests.chaos.stage import COURSE, CURIE, Stage, open_stage
from tests.chaos.verdict import states, still_open, violations

RECOVERS_IN = 60.0  # seconds after the last cause has ended
GIVES_UP_AFTER = 180.0
TITLE = "Wozu braucht die Pflanze Licht?"


def main() -> int:
    asked = _arguments()
    # Whoever ends it early must not be left with a school on their machine.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with open_stage(asked.pupils) as stage:
        activity = _write_task(stage)
        crowd = Crowd(stage, activity, asked.pupils, asked.seed, _photo(), threading.Event())
        faults = drawn(asked.seed, asked.minutes * 60, asked.every)
        print(f"Seed {asked.seed}: {asked.pupils} Kinder, {len(faults)} Störungen", flush=True)
        for fault in faults:
            print(f"  {fault}", flush=True)
        begun = time.monotonic()
        breaking = happen(stage, faults)
        told = crowd.works(asked.minutes * 60)
        breaking.join()
        quiet = time.monotonic()
        serves = _seconds_until(stage.is_ready, quiet)
        results = _seconds_until(lambda: still_open(stage)[0] == 0, quiet)
        grades = _seconds_until(lambda: still_open(stage) == (0, 0), quiet)
        wrong = violations(stage, told)
        for name, took in (
            ("antwortet", serves),
            ("alles bewertet", results),
            ("alle Noten", grades),
        ):
            if took is None or took > RECOVERS_IN:
                wrong.append(f"Erholung: {name} {_said(took)}")
        receipts = sum(len(one.receipts) for one in told)
        deaths = {s.name: s.deaths for s in (stage.web, *stage.workers)}
        print(
            f"  {receipts} Quittungen, Stand {states(stage)}, gestorben {deaths},"
            f" nach der letzten Störung: antwortet {_said(serves)}, bewertet {_said(results)},"
            f" Noten {_said(grades)}; im Ganzen {time.monotonic() - begun:.0f} s"
        )
        if wrong and asked.keep:
            shutil.copytree(stage.folder, asked.keep, ignore=_only_logs, dirs_exist_ok=True)
    for one in wrong:
        print(f"  VERLETZT {one}")
    print(f"Seed {asked.seed}: {'VERLETZT' if wrong else 'gut'}")
    return 1 if wrong else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=1.0, help="so long things break")
    parser.add_argument("--every", type=float, default=4.0, help="seconds between two faults")
    parser.add_argument("--pupils", type=int, default=200)
    parser.add_argument("--keep", type=Path, help="a folder for the logs of a run that failed")
    return parser.parse_args()


def _write_task(stage: Stage) -> str:
    """Frau Curie's task in her course; returns the activity."""
    browser = Browser()
    curie = Teacher(browser, stage.lms_url, CURIE, "Marie Curie", RECOVERS_IN)
    curie.log_in()
    mode = {"mode": "practice", "reports_score": "on"}
    curie.take_into_course(curie.write_task(curie.choose_tasks(), TITLE, mode))
    browser.close()
    with psycopg.connect(stage.superuser_url, autocommit=True) as db:
        # Nobody sits there for an hour to look through what was read.
        db.execute("UPDATE regular_tasks SET checks_reading = false")
    with stage.lms.store.reading() as state:
        (activity,) = (one for one in state.activities.values() if one.course_id == COURSE)
    return activity.link_id


def _photo() -> bytes:
    kept = io.BytesIO()
    Image.effect_noise((300, 400), 60).convert("RGB").save(kept, "JPEG")
    return kept.getvalue()


def _seconds_until(what: Callable[[], bool], since: float) -> float | None:
    while time.monotonic() - since < GIVES_UP_AFTER:
        try:
            if what():
                return time.monotonic() - since
        except (OSError, psycopg.OperationalError):
            pass
        time.sleep(0.5)
    return None


def _said(seconds: float | None) -> str:
    return "nie" if seconds is None else f"{seconds:.0f} s"


def _only_logs(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if not name.endswith(".log")]


if __name__ == "__main__":
    sys.exit(main())
