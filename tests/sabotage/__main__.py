"""Runs the sabotages, or those whose name holds one of the given words: python -m tests.sabotage.

Each is applied in a copy of the tree, never in the tree itself. Ends with 1 if one of them was not
noticed, or if a test of the list is red without any sabotage.
"""

from __future__ import annotations

import argparse
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.sabotage.catalogue import SABOTAGES
from tests.sabotage.shape import Sabotage

ROOT = Path(__file__).parents[2]
COPIED = ("lti_tool", "feedback_engine", "config", "tests", "deploy", "docs", "pyproject.toml")
LIMIT = 300  # seconds for the tests of one sabotage
RED = 1  # pytest's exit code for "tests failed"; 2 to 5 mean that nothing was tested


def main() -> int:
    words, jobs = _asked()
    chosen = [s for s in SABOTAGES if not words or any(word in s.name for word in words)]
    with tempfile.TemporaryDirectory(prefix="gustav-sabotage-") as folder:
        trees = _copies(Path(folder), jobs)
        tests = sorted({test for sabotage in chosen for test in sabotage.tests})
        if not _say("nothing sabotaged", _green(trees, tests)):
            return 1
        with ThreadPoolExecutor(jobs) as threads:
            noticed = list(threads.map(lambda sabotage: _noticed(trees, sabotage), chosen))
    print(f"{sum(noticed)} of {len(chosen)} sabotages noticed")
    return 0 if all(noticed) else 1


def _asked() -> tuple[list[str], int]:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("words", nargs="*")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    return asked.words, asked.jobs


def _copies(folder: Path, jobs: int) -> queue.Queue[Path]:
    trees: queue.Queue[Path] = queue.Queue()
    for number in range(jobs):
        tree = folder / str(number)
        tree.mkdir()
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, tree / name)
        trees.put(tree)
    return trees


def _green(trees: queue.Queue[Path], tests: list[str]) -> bool:
    tree = trees.get()
    try:
        code, printed = _pytest(tree, tests)
    finally:
        trees.put(tree)
    if code != 0:
        print(printed[-2000:])
    return code == 0


def _noticed(trees: queue.Queue[Path], sabotage: Sabotage) -> bool:
    tree = trees.get()
    file = tree / sabotage.file
    whole = file.read_text(encoding="utf-8")
    started = time.monotonic()
    try:
        file.write_text(sabotage.applied(tree), encoding="utf-8")
        code, printed = _pytest(tree, sabotage.tests)
    finally:
        file.write_text(whole, encoding="utf-8")
        trees.put(tree)
    seconds = f"{time.monotonic() - started:4.0f} s"
    if code not in (0, RED):
        print(printed[-2000:])
    return _say(f"{sabotage.name} {seconds}", code == RED)


def _pytest(tree: Path, tests: list[str] | tuple[str, ...]) -> tuple[int, str]:
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    # Compiled files are told apart by size and second, which two sabotages may have in common.
    environment = os.environ | {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        command,
        cwd=tree,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    return done.returncode, done.stdout


def _say(what: str, good: bool) -> bool:
    print("ok    " if good else "MISSED", what, flush=True)
    return good


if __name__ == "__main__":
    sys.exit(main())
