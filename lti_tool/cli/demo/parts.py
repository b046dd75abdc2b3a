"""The demo's processes from the inside: web with its events, worker, practice LMS.

Each runs on a leash, its standard input: when whoever holds its other end is gone, even by kill -9,
it ends, and so does the process.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from pkgutil import resolve_name
from typing import TYPE_CHECKING

import waitress

from config.logs import configure_logs
from config.settings import read_settings
from lti_tool.cli.demo.plan import CLIENT_ID, DEPLOYMENT_ID, HOST, Plan
from lti_tool.cli.processes import BUILD_LIVE, BUILD_WEB, RUN_WORKER, stop_at_signals

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

GRACE = 10  # seconds between being asked to end and being ended
THREADS = 16
STDIN = 0


def run_web(plan: Plan) -> None:
    # Only here, because the worker, started from this file too, needs no server.
    from lti_tool.cli.demo.front import serve  # noqa: PLC0415

    live = resolve_name(BUILD_LIVE)()
    pages = resolve_name(BUILD_WEB)()
    serve(pages, live, HOST, plan.port, THREADS)


def run_worker(_plan: Plan) -> None:
    settings = read_settings()
    configure_logs(settings.log_format)
    resolve_name(RUN_WORKER)(settings, stop_at_signals())


def run_lms(plan: Plan) -> None:
    # It loads Flask, which the worker, started from this file too, must not.
    from lti_tool.practice_lms import (  # noqa: PLC0415
        PracticeSettings,
        ToolRegistration,
        create_app,
        whole_class,
    )

    configure_logs("text")
    launch = f"{plan.base_url}/lti/launch"
    tool = ToolRegistration(
        name="GUSTAV",
        client_id=CLIENT_ID,
        deployment_id=DEPLOYMENT_ID,
        login_url=f"{plan.base_url}/lti/login",
        redirect_uris=(launch,),
        target_link_uri=launch,
        deep_link_url=launch,
        jwks_url=_our_key_set(plan),
        custom=(("context_history", "$Context.id.history"),),
    )
    people, courses = whole_class(plan.pupils)
    settings = PracticeSettings(
        plan.lms_url, plan.folder / "lms", tool, people=people, courses=courses
    )
    _serve(create_app(settings), plan.lms_port)


PARTS: dict[str, Callable[[Plan], None]] = {"web": run_web, "worker": run_worker, "lms": run_lms}


def hold_leash() -> None:
    """End this process, first politely, when standard input does. Returns at once."""

    def watch() -> None:
        # Not sys.stdin: a thread that waits inside it would break the interpreter's own ending.
        while os.read(STDIN, 1):
            pass
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(GRACE)
        os._exit(1)

    threading.Thread(target=watch, name="leash", daemon=True).start()


def _serve(app: WSGIApplication, port: int) -> None:
    """Answer on this machine only, until SIGTERM."""

    def end(*_: object) -> None:
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, end)
    waitress.serve(app, host=HOST, port=port, threads=THREADS, ident=None)


def _our_key_set(plan: Plan) -> str:
    """Where the LMS finds the tool's keys: the supervisor wrote it down after registering it."""
    return (plan.folder / "key-set-url").read_text(encoding="utf-8")
