"""Starts the demo's processes, waits until they answer, and ends them all together.

They die with their supervisor, however it dies; and when one of them dies, so do the others.
"""

from __future__ import annotations

import http.client
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lti_tool.cli.answers import CommandFailed
from lti_tool.cli.demo.plan import HOST, Plan

PATIENCE = 60.0  # seconds until everything must answer
LOOK_EVERY = 0.2
GRACE = 10.0
NAMES = {"web": "Webserver", "worker": "Worker", "lms": "Übungs-Lernplattform"}


@dataclass(frozen=True)
class Part:
    """One running process and the file with what it has to say."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path


@contextmanager
def running_parts(
    plan: Plan, environment: Mapping[str, str], stop: threading.Event
) -> Iterator[Sequence[Part]]:
    """All three, answering. Raises CommandFailed if they do not come up, KeyboardInterrupt if
    `stop` is set before that."""
    parts: list[Part] = []
    try:
        parts.extend(_start(name, plan, environment) for name in NAMES)
        _wait_until_ready(plan, parts, stop)
        yield parts
    finally:
        _stop(parts)


def watch(parts: Sequence[Part], stop: threading.Event) -> None:
    """Return once `stop` is set. Raises CommandFailed when a part has died."""
    while not stop.wait(LOOK_EVERY):
        _need_all_alive(parts)


def _start(name: str, plan: Plan, environment: Mapping[str, str]) -> Part:
    log = plan.folder / f"{name}.log"
    ports = ["--port", str(plan.port), "--lms-port", str(plan.lms_port)]
    ports += ["--pupils", str(plan.pupils)]
    part = [sys.executable, "-m", "lti_tool.cli", "--traceback", "demo-part", name, *ports]
    knobs = [f"{knob}={value}" for knob, value in environment.items()]
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603
            ["/usr/bin/env", *knobs, *part, "--data", str(plan.folder)],
            stdin=subprocess.PIPE,  # the leash
            stdout=output,
            stderr=output,
            start_new_session=True,  # so that Ctrl-C reaches only us, and we end things in order
        )
    return Part(name, process, log)


def _wait_until_ready(plan: Plan, parts: Sequence[Part], stop: threading.Event) -> None:
    doors = {plan.port: "/health/live", plan.lms_port: "/"}
    end = time.monotonic() + PATIENCE
    while doors:
        _need_all_alive(parts)
        if time.monotonic() > end:
            raise CommandFailed(f"Auf Port {min(doors)} antwortet nach {PATIENCE:.0f} s niemand.")
        doors = {port: path for port, path in doors.items() if not _answers(port, path)}
        if stop.wait(LOOK_EVERY if doors else 0):
            raise KeyboardInterrupt


def _answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", path, headers={"Host": f"localhost:{port}"})
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _need_all_alive(parts: Sequence[Part]) -> None:
    for part in parts:
        code = part.process.poll()
        if code is not None:
            raise CommandFailed(
                f"{NAMES[part.name]} hat aufgehört (Code {code}); alles andere ist beendet."
                f" Mehr steht in {part.log}: {_last_words(part.log)}"
            )


def _last_words(log: Path) -> str:
    with log.open(encoding="utf-8", errors="replace") as lines:
        return " ".join("".join(deque(lines, maxlen=2)).split()) or "nichts"


def _stop(parts: Sequence[Part]) -> None:
    """Ask all, then wait for all, then insist."""
    for part in parts:
        if part.process.stdin:
            part.process.stdin.close()
    end = time.monotonic() + GRACE
    for part in parts:
        try:
            part.process.wait(max(0.1, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            part.process.kill()
            part.process.wait()
