"""The demo as processes: it comes up, with its data, however it ended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import pytest

from lti_tool.cli.demo.plan import free_port

PATIENCE = 30  # seconds


@dataclass(frozen=True)
class Home:
    """One folder with its ports, used by all tests of this file, in any order."""

    folder: Path
    port: int
    lms_port: int

    @contextmanager
    def running(self) -> Iterator[subprocess.Popen[str]]:
        """A demo that answers; a test ends it itself."""
        ports = ["--port", str(self.port), "--lms-port", str(self.lms_port)]
        with subprocess.Popen(
            [sys.executable, "-m", "lti_tool.cli", "demo", "--data", self.folder, *ports, "--json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            ready = process.stdout.readline()
            assert ready, process.communicate()
            assert json.loads(ready)["lms"] == f"http://localhost:{self.lms_port}"
            try:
                yield process
            finally:
                process.kill()  # only if the test has failed

    @property
    def processes(self) -> dict[int, str]:
        """Everything that runs with this folder, by its number: the line it was started with."""
        return {
            int(file.parent.name): line
            for file in Path("/proc").glob("[0-9]*/cmdline")
            if str(self.folder) in (line := _line(file))
        }

    def part(self, name: str) -> int:
        """The process of a part. /usr/bin/env has become it by the time it answers."""
        (number,) = (n for n, line in self.processes.items() if f"demo-part {name}" in line)
        return number

    def is_quiet_soon(self, but: str = "") -> bool:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if all(but and but in line for line in self.processes.values()):
                return True
            time.sleep(0.1)
        return False


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    made = Home(tmp_path_factory.mktemp("demo") / "data", free_port(), free_port())
    yield made
    for number in made.processes:
        os.kill(number, signal.SIGKILL)


def test_one_at_a_time_runs_in_a_folder_and_leaves_nothing_running_after_ctrl_c(home: Home) -> None:
    with home.running() as demo:
        with urlopen(f"http://localhost:{home.lms_port}/") as page:
            assert page.status == 200
        second = subprocess.run(
            [sys.executable, "-m", "lti_tool.cli", "demo", "--data", home.folder, "--port", "1"],
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )

        demo.send_signal(signal.SIGINT)

        assert demo.wait(PATIENCE) == 0
    assert home.processes == {}
    assert second.returncode == 1
    assert second.stderr.splitlines()[-1] == f"In {home.folder} läuft schon eine Demo."


def test_after_kill_9_its_parts_end_and_the_next_start_finds_everything(home: Home) -> None:
    with home.running() as demo:
        secret = (home.folder / "secret-key").read_text()
        keys = (home.folder / "key-set-url").read_text()

        demo.kill()

    assert home.is_quiet_soon(but="postgres")
    with home.running() as again:
        again.terminate()
        assert again.wait(PATIENCE) == 0
    assert home.processes == {}
    assert (home.folder / "secret-key").read_text() == secret
    assert (home.folder / "key-set-url").read_text() == keys


def test_when_one_part_dies_it_is_named_and_the_others_end(home: Home) -> None:
    with home.running() as demo:
        os.kill(home.part("worker"), signal.SIGKILL)

        _, err = demo.communicate(timeout=PATIENCE)

    assert demo.returncode == 1
    assert "Worker hat aufgehört (Code -9)" in err
    assert home.processes == {}


def _line(file: Path) -> str:
    try:
        return file.read_bytes().replace(b"\0", b" ").decode()
    except OSError:  # it has ended while we looked
        return ""
