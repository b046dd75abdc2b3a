"""What web and worker hold when nothing happens, and how long the web process takes to import:
`python -m tests.bench.memory` (P10). Ends with 1 if a goal is missed.

Resident memory of the one process that serves or works; what starts it and starts it again is told
beside it. The worker is looked at once it has looked for work. As in a school, everything is
compiled already, and of what only checks need nothing is loaded.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from statistics import median
from tempfile import TemporaryDirectory
from urllib.request import urlopen

import psycopg

from lti_tool.cli.demo.plan import free_port
from lti_tool.core.embedded import EmbeddedPostgres, running_postgres
from lti_tool.core.schema import upgrade

ROUNDS = 3
SETTLES = 5.0  # seconds
PATIENCE = 60.0
GOALS = {"web": 120.0, "worker": 250.0}  # MiB
IMPORTS_IN = 1.5  # seconds
SECRET = "only-for-the-bench-only-for-the-bench"
# They come with import-linter and pytest; structlog and others load them wherever they are.
WITHOUT = "import sys; sys.modules |= dict.fromkeys(['rich', 'pygments'])"


def main() -> int:
    print("Memory: resident MiB when idle, and CPU seconds of an import")
    # Not below a closed folder: PostgreSQL runs as a user of its own for root.
    with TemporaryDirectory(prefix="gustav-bench-") as folder:
        _as_in_a_school(Path(folder))
        with running_postgres(Path(folder) / "postgres") as postgres:
            upgrade(postgres.owner_url)
            dict(_idle(folder, postgres))  # compiles
            held = dict(_idle(folder, postgres))
        took = median(_import() for _ in range(ROUNDS))
    met = [took <= IMPORTS_IN]
    print(f"  {'import lti_tool.web':28} {took:7.2f}   goal <= {IMPORTS_IN:g} {_word(met[-1])}")
    for part, (most, others) in held.items():
        met.append(most <= GOALS[part])
        beside = f", and {others:.0f} beside it" if others else ""
        print(f"  {part:28} {most:7.0f}   goal <= {GOALS[part]:g} {_word(met[-1])}{beside}")
    return 0 if all(met) else 1


def _as_in_a_school(folder: Path) -> None:
    (folder / "sitecustomize.py").write_text(WITHOUT)
    os.environ |= {
        "PYTHONPATH": os.pathsep.join([str(folder), str(Path.cwd())]),
        "PYTHONPYCACHEPREFIX": str(folder / "compiled"),
        "PYTHONDONTWRITEBYTECODE": "",
    }


def _word(met: bool) -> str:
    return "met" if met else "NOT MET"


def _import() -> float:
    """Seconds of CPU, so that a busy machine does not count."""
    before = getrusage(RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", "import lti_tool.web"], check=True)
    after = getrusage(RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def _idle(folder: str, postgres: EmbeddedPostgres) -> Iterator[tuple[str, tuple[float, float]]]:
    """Each part, with what its largest process holds, and all others of it."""
    port = free_port()
    environment = {
        "GUSTAV_BASE_URL": f"http://127.0.0.1:{port}",
        "GUSTAV_SECRET_KEY": SECRET,
        "GUSTAV_DATABASE_URL": postgres.app_url,
        "GUSTAV_FILES": f"{folder}/files",
        "GUSTAV_SWEEP_EVERY": "1",
    }
    with _running(["web", "--bind", f"127.0.0.1:{port}"], environment) as web:
        _until(lambda: _answers(port))
        yield "web", _held(web)
    url = postgres.superuser_url.replace("+psycopg", "", 1)
    with psycopg.connect(url, autocommit=True) as db:
        db.execute("DELETE FROM worker_pulses")
        with _running(["worker"], environment) as worker:
            _until(lambda: bool(db.execute("SELECT FROM worker_pulses").fetchall()))
            yield "worker", _held(worker)


@contextmanager
def _running(part: Sequence[str], environment: Mapping[str, str]) -> Iterator[int]:
    process = subprocess.Popen(
        [sys.executable, "-m", "lti_tool.cli", *part],
        env={**os.environ, **environment},
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait(60)


def _answers(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _until(what: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not what():
        if time.monotonic() > end:
            raise SystemExit("It did not come up.")
        time.sleep(0.1)


def _held(root: int) -> tuple[float, float]:
    time.sleep(SETTLES)
    held = sorted(map(_resident, [root, *_children(root)]), reverse=True)
    return held[0], sum(held[1:])


def _children(pid: int) -> list[int]:
    found = [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [one for child in found for one in (child, *_children(child))]


def _resident(pid: int) -> float:
    """MiB, as `ps` and `top` count."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


if __name__ == "__main__":
    sys.exit(main())
