"""How soon a lesson has its feedback, through the real queue (P8): `python -m tests.bench.lanes`.

PostgreSQL, handing in, dispatcher, lanes, leases and flows are those of the tool; the model host is
a card by its numbers (`gpu.py`), asked without HTTP or DSPy, whose cost would be multiplied by the
speed of its time.

The goals for the mean are about forty lessons. A few of them scatter: with no overhead at all the
first five reach 1/3.08 with one model, the first one 1/3.57, all forty 1/3.41. So fewer are told
but not judged by them, whichever way they fall. A lesson needs a twentieth of a core, so on a quiet
machine some may run at once. Ends with 1 if a goal that was judged is missed.
"""

from __future__ import annotations

import argparse
import importlib.util
import logging
import queue
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory
from typing import Any

from config.logs import configure_logs
from lti_tool.core.db import Database
from lti_tool.core.embedded import running_postgres
from lti_tool.core.schema import upgrade
from tests.bench.class_at_work import AGE_LIMIT, Outcome, class_at_work
from tests.bench.lesson import GEMMA, QWEN, HandIn, Model, first_in_first_out, lesson

SEEDS = 5
ENOUGH = 40  # lessons, to judge the mean by
SPEED = 10.0  # faster costs more than it saves: what the tool needs is multiplied by it, too
WARM_UP = 200.0  # before it counts, so that statements are prepared
OVERHEAD = 0.02
SLOTS = 4


@dataclass(frozen=True)
class Case:
    """`goal`: the mean wait is at most this part of that of first-in-first-out with two models."""

    name: str
    vision: Model
    text: Model
    goal: float


CASES = (
    Case("two models", QWEN, GEMMA, 1 / 2.4),
    Case("one model for both", GEMMA, GEMMA, 1 / 3.3),
)


def main() -> int:
    asked = argparse.ArgumentParser(prog="python -m tests.bench.lanes", description=__doc__)
    asked.add_argument("--seeds", type=int, default=SEEDS, help="lessons of each case")
    asked.add_argument("--speed", type=float, default=SPEED, help="of the card's time")
    asked.add_argument("--simulator", type=Path, help="swap_sim.py, to compare with its bound")
    asked.add_argument("--at-once", type=int, default=1, help="lessons side by side")
    options = asked.parse_args()
    configure_logs("text")
    logging.getLogger().setLevel(logging.WARNING)
    lessons = [lesson(seed) for seed in range(options.seeds)]
    print(f"P8: {options.seeds} lessons, half with photos, {SLOTS} slots, time x{options.speed:g}")
    before = [w for work in lessons for w in first_in_first_out(work, QWEN, GEMMA)]
    print(f"  {'first in, first out':22} mean {mean(before):4.0f} s  p95 {p95(before):4.0f} s")
    simulate = simulator(options.simulator) if options.simulator else None
    missed = False
    with schools(options.at_once) as hold:
        list(hold([lessons[0][:4]] * options.at_once, (QWEN, GEMMA), WARM_UP))
        for case in CASES:
            outcomes = list(hold(lessons, (case.vision, case.text), options.speed))
            missed |= not told(case, outcomes, mean(before))
            if simulate:
                bound = simulate(options.seeds, case)
                print(f"  {'  simulated':22} mean {mean(bound):4.0f} s  p95 {p95(bound):4.0f} s")
    return 1 if missed else 0


def told(case: Case, outcomes: Sequence[Outcome], before: float) -> bool:
    """Say what came out; returns whether all goals are reached."""
    waited = [wait for outcome in outcomes for wait in outcome.waited]
    share = mean(waited) / before
    overhead = sum(o.overhead for o in outcomes) / sum(o.busy for o in outcomes)
    repeated = sum(o.repeated for o in outcomes)
    loads = mean(o.loads for o in outcomes)
    print(f"  {case.name:22} mean {mean(waited):4.0f} s  p95 {p95(waited):4.0f} s", end="  ")
    print(f"1/{1 / share:.2f} (goal 1/{1 / case.goal:.1f})  {loads:.1f} loads", end="  ")
    print(f"overhead {overhead:.2%} (goal {OVERHEAD:.0%})  stages repeated {repeated}", flush=True)
    if len(outcomes) < ENOUGH:
        print(f"  {'':22} {len(outcomes)} lessons are too few to judge the mean by")
    fast = share <= case.goal or len(outcomes) < ENOUGH
    return fast and overhead <= OVERHEAD and repeated == 0


def p95(waits: Sequence[float]) -> float:
    return sorted(waits)[max(0, -(-len(waits) * 95 // 100) - 1)]


Hold = Callable[[Sequence[Sequence[HandIn]], tuple[Model, Model], float], Iterator[Outcome]]


@contextmanager
def schools(at_once: int) -> Iterator[Hold]:
    """Each has a database of its own: a host does the work of all that are in one."""
    with ExitStack() as stack:
        free: queue.SimpleQueue[Database] = queue.SimpleQueue()
        for _ in range(at_once):
            free.put(stack.enter_context(database()))
        rooms = stack.enter_context(ThreadPoolExecutor(at_once))

        def held(work: Sequence[HandIn], models: tuple[Model, Model], speed: float) -> Outcome:
            db = free.get()
            try:
                return class_at_work(db, work, models, SLOTS, speed)
            finally:
                free.put(db)

        yield lambda lessons, models, speed: rooms.map(held, lessons, repeat(models), repeat(speed))


@contextmanager
def database() -> Iterator[Database]:
    with (
        TemporaryDirectory(prefix="gustav-bench-") as folder,
        running_postgres(Path(folder) / "postgres") as postgres,
    ):
        upgrade(postgres.owner_url)
        opened = Database(postgres.app_url, pool_size=12)
        try:
            yield opened
        finally:
            opened.close()


def simulator(path: Path) -> Any:
    """The project's simulator, where somebody has it; its lessons must be ours."""
    spec = importlib.util.spec_from_file_location("swap_sim", path)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{path} is no simulator")
    sim = importlib.util.module_from_spec(spec)
    sys.modules["swap_sim"] = sim
    spec.loader.exec_module(sim)
    names = {QWEN: "qwen2.5vl:7b-q8", GEMMA: "gemma3:12b-q8"}

    def waits(seeds: int, case: Case) -> list[float]:
        found: list[float] = []
        for seed in range(seeds):
            theirs = sim.make_class(random.Random(seed), 28, 300, 0.5, 0.5)
            if [HandIn(s.at, s.photo, s.vis_out, s.text_out) for s in theirs] != lesson(seed):
                raise SystemExit("the simulator has other lessons")
            found += sim.simulate(
                theirs,
                sim.PROFILES["16gb-448GBs"],
                "single" if case.vision is case.text else "batch",
                names[case.text],
                names[case.vision],
                slots=SLOTS,
                age=AGE_LIMIT.total_seconds(),
            )[0]
        return found

    return waits


if __name__ == "__main__":
    sys.exit(main())
