"""`gustav journey`: against a demo that runs already, or against a fresh one of its own."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import click
import httpx

from lti_tool.cli.answers import Answer, CommandFailed, json_option, wants_json
from lti_tool.cli.demo.plan import FEW_PUPILS, Plan, free_port
from lti_tool.cli.journey.lesson import Lesson, report
from lti_tool.cli.journey.pages import NotOnPage
from lti_tool.cli.journey.steps import Journey, Step, visitors
from lti_tool.cli.processes import stop_at_signals


@click.command()
@click.option("--lms-port", type=int, help="Port einer Demo, die schon läuft. Sonst eine eigene.")
@click.option("--patience", default=15.0, show_default=True, help="Sekunden je Warten.")
@json_option
def journey(lms_port: int | None, patience: float) -> Answer:
    """Geht den Hauptweg vom Aufruf bis zur Note über HTTP und zeigt jeden Schritt."""
    quiet = wants_json()
    begun = time.monotonic()
    with _lms(lms_port) as lms_url:
        started = time.monotonic()
        try:
            with visitors(lms_url, patience) as (curie, ada):
                story = Journey(curie, ada, f"{time.time():.0f}", _nobody if quiet else _tell)
                ok = story.run()
        except httpx.TransportError as error:
            raise CommandFailed(
                f"Unter {lms_url} antwortet niemand richtig ({type(error).__name__})."
            ) from None
        seconds = time.monotonic() - started
    data = {
        "ok": ok,
        "seconds": round(seconds, 2),
        "start_seconds": round(started - begun, 2),
        "steps": [asdict(step) for step in story.steps],
    }
    verdict = "Alles gut" if ok else "Hier ist Schluss"
    return Answer([f"{verdict} nach {seconds:.1f} s."], data, ok)


@click.command()
@click.option("--lms-port", type=int, help="Port einer Demo, die schon läuft. Sonst eine eigene.")
@click.option("--pupils", type=click.IntRange(2, 200), default=28, show_default=True)
@click.option("--patience", default=120.0, show_default=True, help="Sekunden je Warten.")
@json_option
def lesson(lms_port: int | None, pupils: int, patience: float) -> Answer:
    """Lässt eine ganze Klasse zugleich abgeben, jede zweite Person mit Foto, und misst."""
    with _lms(lms_port, pupils) as lms_url:
        try:
            held = Lesson(lms_url, pupils, patience).held()
        except (httpx.TransportError, NotOnPage) as error:
            raise CommandFailed(f"Die Stunde kam nicht zustande: {error}") from None
    return report(held)


@contextmanager
def _lms(port: int | None, pupils: int = FEW_PUPILS) -> Iterator[str]:
    """The address of a practice LMS whose tool runs."""
    if port is not None:
        yield f"http://localhost:{port}"
        return
    # Only here, because the embedded PostgreSQL is nothing for the other commands to load.
    from lti_tool.cli.demo.stack import running_demo  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="gustav-journey-") as folder:
        plan = Plan(Path(folder), free_port(), free_port(), pupils)
        with running_demo(plan, stop_at_signals()) as demo:
            yield demo.plan.lms_url


def _tell(step: Step) -> None:
    click.echo(f"{step.seconds:6.2f} s  {'FEHLT  ' if step.problem else ''}{step.says}")
    if step.problem:
        click.echo(f"          {step.problem}", err=True)


def _nobody(_: Step) -> None:
    """For machines the steps come all at once, at the end."""
