"""A whole demo as one `with`: alone in its folder, started in order, ended in reverse."""

from __future__ import annotations

import fcntl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from config.settings import read_settings
from lti_tool.cli.answers import CommandFailed
from lti_tool.cli.demo.household import ChosenEngine, choose_engine, prepare
from lti_tool.cli.demo.plan import Plan, environment_of, keep_ports, need_free_port
from lti_tool.cli.demo.supervisor import Part, running_parts
from lti_tool.core.embedded import running_postgres


@dataclass(frozen=True)
class Demo:
    """A demo that runs and answers."""

    plan: Plan
    parts: Sequence[Part]
    engine: ChosenEngine


@contextmanager
def running_demo(plan: Plan, stop: threading.Event) -> Iterator[Demo]:
    """Raises CommandFailed, SettingsError: it did not come up, and nothing is left running.
    Raises KeyboardInterrupt if `stop` is set while it comes up."""
    plan.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _alone_in(plan.folder):
        need_free_port(plan.port, "port")
        need_free_port(plan.lms_port, "lms-port")
        keep_ports(plan)
        with running_postgres(plan.folder / "postgres") as postgres:
            environment = environment_of(plan, postgres.app_url)
            engine = choose_engine(read_settings(environment))
            environment["GUSTAV_ENGINE"] = engine.name
            environment["GUSTAV_READING_MODEL"] = engine.reading_model
            prepare(plan, postgres, environment)
            with running_parts(plan, environment, stop) as parts:
                yield Demo(plan, parts, engine)


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """The lock ends with the process, even by kill -9. Raises CommandFailed."""
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CommandFailed(f"In {folder} läuft schon eine Demo.") from None
        yield
