"""Processes that are started again when they die, as a service manager does it."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

LOOK_EVERY = 0.3  # seconds
GRACE = 15


class Service:
    """One process with its children, in a group of its own. `deaths` counts those it did not ask
    for."""

    def __init__(
        self, name: str, command: Sequence[str], environment: Mapping[str, str], log: Path
    ) -> None:
        self.name = name
        self.deaths = 0
        self._command, self._environment, self._log = command, environment, log
        self._over = threading.Event()
        self._watch = threading.Thread(target=self._keep_alive, daemon=True)

    def __enter__(self) -> Self:
        self._start()
        self._watch.start()
        return self

    def __exit__(self, *problem: object) -> None:
        self._over.set()
        self._watch.join()
        self.signals(signal.SIGCONT)
        with suppress(ProcessLookupError):
            self._process.terminate()
        try:
            self._process.wait(GRACE)
        except subprocess.TimeoutExpired:
            self.signals(signal.SIGKILL)
            self._process.wait()

    def signals(self, number: signal.Signals) -> None:
        """To the process and all its children."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def kill_children(self) -> None:
        """What it has started itself, and has to start again itself."""
        with suppress(OSError):
            path = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
            for pid in path.read_text().split():
                os.kill(int(pid), signal.SIGKILL)

    def _start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                env={**os.environ, **self._environment},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _keep_alive(self) -> None:
        while not self._over.wait(LOOK_EVERY):
            if self._process.poll() is not None and not self._over.is_set():
                self.deaths += 1
                self.signals(signal.SIGKILL)  # children that outlived it
                self._start()
