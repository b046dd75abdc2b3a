"""The processes of production: `gustav web` and `gustav worker`."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from pkgutil import resolve_name

import click

import config
from config.logs import configure_logs
from config.settings import read_settings
from lti_tool.cli.answers import json_option

# By name, as gunicorn does it: roofs do not import one another.
BUILD_WEB = "lti_tool.web:build"
RUN_WORKER = "lti_tool.worker:run"
GUNICORN_CONF = Path(config.__file__).parent / "gunicorn.conf.py"


@click.command()
@click.option("--bind", metavar="ADRESSE:PORT", help="Wo zugehört wird. Sonst 127.0.0.1:8000.")
@json_option
def web(bind: str | None) -> None:
    """Beantwortet Anfragen (gunicorn), bis es beendet wird."""
    read_settings()  # a wrong knob is named here, in a sentence, and not by each gunicorn worker
    where = ["--bind", bind] if bind else []
    gunicorn = [
        sys.executable,
        "-m",
        "gunicorn",
        "--config",
        str(GUNICORN_CONF),
        *where,
        f"{BUILD_WEB}()",
    ]
    os.execv(sys.executable, gunicorn)  # noqa: S606  # becomes gunicorn, so that signals reach it


@click.command()
@json_option
def worker() -> None:
    """Gibt Rückmeldungen und überträgt Noten, bis es beendet wird."""
    settings = read_settings()
    configure_logs(settings.log_format)
    resolve_name(RUN_WORKER)(settings, stop_at_signals())


def stop_at_signals() -> threading.Event:
    """Set once somebody asks this process, politely, to end: Ctrl-C, kill, a closed terminal."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())
    return stop
