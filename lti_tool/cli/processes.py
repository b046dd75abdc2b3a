"""The processes of production: `gustav web`, `gustav live` and `gustav worker`."""

from __future__ import annotations

import resource
import signal
import threading
from pkgutil import resolve_name
from queue import SimpleQueue

import click
from granian import Granian
from granian.constants import Interfaces

from config.logs import configure_logs, for_dict_config
from config.settings import read_settings
from lti_tool.cli.answers import json_option

# By name, because roofs do not import one another.
BUILD_WEB = "lti_tool.web:build"
BUILD_LIVE = "lti_tool.live:build"
RUN_WORKER = "lti_tool.worker:run"

# One interpreter does one thing at a time: two threads leave the database idle, eight spend a
# sixth of the processor on getting in each other's way. The proxy keeps slow browsers from them.
WEB_THREADS = 5
WEB_GRACE = 20  # seconds that a request may still take when the process is asked to end
WEB_MEMORY = 400  # MB; a process that grows beyond is replaced

LIVE_STREAMS = 6_000  # connections at once; more than the process lets in, so that it can say no
LIVE_GRACE = 2  # seconds; streams have no end of their own, and browsers come back by themselves


class Address(click.ParamType[tuple[str, int]]):
    """ "ADRESSE:PORT"; the address of IPv6 in brackets."""

    name = "address"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, int]:
        host, _, port = value.rpartition(":")
        if not host or not port.isdecimal() or int(port) > 65_535:
            self.fail("gemeint ist ADRESSE:PORT, zum Beispiel 127.0.0.1:8000", param, ctx)
        return host.strip("[]"), int(port)


@click.command()
@click.option(
    "--bind",
    type=Address(),
    metavar="ADRESSE:PORT",
    default="127.0.0.1:8000",
    help="Wo zugehört wird. Sonst 127.0.0.1:8000.",
)
@json_option
def web(bind: tuple[str, int]) -> None:
    """Beantwortet Anfragen, bis es beendet wird."""
    settings = read_settings()  # a wrong knob is named here, in a sentence, and not by each process
    host, port = bind
    Granian(
        BUILD_WEB,
        factory=True,
        interface=Interfaces.WSGI,
        address=host,
        port=port,
        workers=settings.web_processes,
        blocking_threads=WEB_THREADS,
        websockets=False,
        respawn_failed_workers=True,
        workers_max_rss=WEB_MEMORY,
        workers_kill_timeout=WEB_GRACE,
        # Addresses of sessions stand in every path: no access log here; Caddy's leaves them out.
        log_access=False,
        log_dictconfig=for_dict_config(settings.log_format, "_granian"),
    ).serve()


@click.command()
@click.option(
    "--bind",
    type=Address(),
    metavar="ADRESSE:PORT",
    default="127.0.0.1:8001",
    help="Wo zugehört wird. Sonst 127.0.0.1:8001.",
)
@json_option
def live(bind: tuple[str, int]) -> None:
    """Meldet wartenden Seiten sofort, wenn es Neues gibt, bis es beendet wird."""
    settings = read_settings()
    host, port = bind
    allow_many_connections()
    Granian(
        BUILD_LIVE,
        factory=True,
        interface=Interfaces.ASGI,
        address=host,
        port=port,
        workers=1,
        backlog=1_024,
        backpressure=LIVE_STREAMS,
        websockets=False,
        respawn_failed_workers=True,
        workers_kill_timeout=LIVE_GRACE,
        log_access=False,
        log_dictconfig=for_dict_config(settings.log_format, "_granian"),
    ).serve()


def allow_many_connections() -> None:
    """As many open files as the system allows at all: each stream is one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


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
    # A handler runs between any two steps of the main thread, also while that holds the lock of
    # the event it waits for: setting the event there would wait for itself. Putting into a
    # SimpleQueue may interrupt anything, itself too (documented as reentrant).
    asked: SimpleQueue[None] = SimpleQueue()
    threading.Thread(target=_set_when_asked, args=(stop, asked), daemon=True).start()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: asked.put(None))
    return stop


def _set_when_asked(stop: threading.Event, asked: SimpleQueue[None]) -> None:
    asked.get()
    stop.set()
