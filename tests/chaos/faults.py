"""What happens to the stage, drawn by a seed: the same seed breaks the same things."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import psycopg

from lti_tool.practice_lms.modes import EVERYWHERE, NORMAL
from lti_tool.practice_lms.modes import Mode as LmsMode
from tests.chaos.stage import Stage
from tests.fakes.fault_proxy import FaultProxy, Line
from tests.fakes.ollama import Mode

SHORT = (0.5, 4.0)  # seconds
PAST_THE_LEASE = 23.0
MODEL_TROUBLES = (
    Mode.ERROR_500,
    Mode.ERROR_503,
    Mode.BUSY,
    Mode.NO_MEMORY,
    Mode.NO_MEMORY_LATE,
    Mode.SILENT,
    Mode.STALLED,
    Mode.DIES,
    Mode.HTML,
    Mode.HALF_LINE,
    Mode.NOT_UTF8,
    Mode.CUT_OFF,
    Mode.EMPTY,
)
LMS_TROUBLES = ("500", "503", "429", "hang", "store_then_hang", "garbage", "expired_token")


@dataclass(frozen=True)
class Fault:
    """`at` and `lasts` in seconds from the beginning of the lesson."""

    at: float
    lasts: float
    name: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.at:6.1f} s  {self.name} {self.detail} ({self.lasts:.1f} s)"


def drawn(seed: int, seconds: float, every: float) -> list[Fault]:
    """One fault about every so many seconds, each kind as likely as the others."""
    dice = random.Random(seed)
    faults, at = [], dice.uniform(1, every)
    while at < seconds:
        name = dice.choice(sorted(KINDS))
        detail = {
            "model_trouble": dice.choice(MODEL_TROUBLES).name,
            "lms_trouble": dice.choice(LMS_TROUBLES),
        }.get(name, "")
        lasts = PAST_THE_LEASE if name == "freeze_worker" else dice.uniform(*SHORT)
        faults.append(Fault(at, lasts, name, detail))
        at += dice.uniform(every / 2, every * 1.5)
    return faults


def happen(stage: Stage, faults: list[Fault]) -> threading.Thread:
    """All of them, each at its time; the thread ends when the last one is over."""

    def run() -> None:
        begun = time.monotonic()
        threads = []
        for number, fault in enumerate(faults):
            time.sleep(max(0.0, begun + fault.at - time.monotonic()))
            one = threading.Thread(target=KINDS[fault.name], args=(stage, fault, number))
            one.start()
            threads.append(one)
        for one in threads:
            one.join()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def _kill_web(stage: Stage, fault: Fault, number: int) -> None:
    stage.web.signals(signal.SIGKILL)


def _kill_web_process(stage: Stage, fault: Fault, number: int) -> None:
    stage.web.kill_children()


def _kill_worker(stage: Stage, fault: Fault, number: int) -> None:
    stage.workers[number % len(stage.workers)].signals(signal.SIGKILL)


def _stop_worker(stage: Stage, fault: Fault, number: int) -> None:
    """As a new version is rolled out."""
    stage.workers[number % len(stage.workers)].signals(signal.SIGTERM)


def _freeze_worker(stage: Stage, fault: Fault, number: int) -> None:
    worker = stage.workers[number % len(stage.workers)]
    worker.signals(signal.SIGSTOP)
    time.sleep(fault.lasts)
    worker.signals(signal.SIGCONT)


def _cut_database(stage: Stage, fault: Fault, number: int) -> None:
    stage.postgres_line.cut()


def _lose_commits(stage: Stage, fault: Fault, number: int) -> None:
    """Commits arrive, their answers do not: nobody knows what became of them."""
    _line(stage.postgres_line, Line(breaks_at=b"COMMIT"), fault)


def _database_away(stage: Stage, fault: Fault, number: int) -> None:
    _line(stage.postgres_line, Line(open=False), fault)


def _database_silent(stage: Stage, fault: Fault, number: int) -> None:
    _line(stage.postgres_line, Line(silent=True), fault)


_restarting = threading.Lock()


def _restart_database(stage: Stage, fault: Fault, number: int) -> None:
    with _restarting:
        stage.restart_postgres()


def _end_connections(stage: Stage, fault: Fault, number: int) -> None:
    try:
        with psycopg.connect(stage.superuser_url, autocommit=True) as db:
            db.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE usename = 'gustav_app'"
            )
    except psycopg.OperationalError:
        pass  # another fault has ended them


def _kill_redis(stage: Stage, fault: Fault, number: int) -> None:
    if stage.redis is not None:
        stage.redis.signals(signal.SIGKILL)  # without persistence: every bell is gone


def _redis_silent(stage: Stage, fault: Fault, number: int) -> None:
    if stage.redis_line is not None:
        _line(stage.redis_line, Line(silent=True), fault)


def _model_away(stage: Stage, fault: Fault, number: int) -> None:
    _line(stage.model_line, Line(open=False), fault)


def _model_trouble(stage: Stage, fault: Fault, number: int) -> None:
    stage.model.mode = Mode[fault.detail]
    time.sleep(fault.lasts)
    stage.model.mode = Mode.WELL


def _model_slow(stage: Stage, fault: Fault, number: int) -> None:
    stage.model.pause_before = 2.0
    time.sleep(fault.lasts)
    stage.model.pause_before = 0.0


def _lms_trouble(stage: Stage, fault: Fault, number: int) -> None:
    stage.lms.modes.set("scores", LmsMode(fault.detail, seconds=12.0))
    time.sleep(fault.lasts)
    stage.lms.modes.set(EVERYWHERE, LmsMode(NORMAL))


def _line(proxy: FaultProxy, line: Line, fault: Fault) -> None:
    """For a while the line is like this, for those who are connected, too."""
    proxy.line = line
    proxy.cut()
    time.sleep(fault.lasts)
    proxy.line = Line()
    proxy.cut()


KINDS: dict[str, Callable[[Stage, Fault, int], None]] = {
    "kill_web": _kill_web,
    "kill_web_process": _kill_web_process,
    "kill_worker": _kill_worker,
    "stop_worker": _stop_worker,
    "freeze_worker": _freeze_worker,
    "cut_database": _cut_database,
    "lose_commits": _lose_commits,
    "database_away": _database_away,
    "database_silent": _database_silent,
    "restart_database": _restart_database,
    "end_connections": _end_connections,
    "kill_redis": _kill_redis,
    "redis_silent": _redis_silent,
    "model_away": _model_away,
    "model_trouble": _model_trouble,
    "model_slow": _model_slow,
    "lms_trouble": _lms_trouble,
}
