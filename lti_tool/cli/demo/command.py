"""`gustav demo`: start everything, say where to click, stay until Ctrl-C."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lti_tool.cli.answers import Answer, json_option, wants_json
from lti_tool.cli.demo.parts import PARTS, hold_leash
from lti_tool.cli.demo.plan import FEW_PUPILS, Plan
from lti_tool.cli.processes import stop_at_signals

if TYPE_CHECKING:
    from lti_tool.cli.demo.stack import Demo

FOLDER = Path(".demo")
PORT, LMS_PORT = 8080, 8081


@click.command()
@click.option("--port", default=PORT, show_default=True, help="Port von GUSTAV.")
@click.option("--lms-port", default=LMS_PORT, show_default=True, help="Port der Lernplattform.")
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=FOLDER,
    show_default=True,
    help="Ordner, in dem alles liegt.",
)
@click.option(
    "--pupils",
    type=click.IntRange(FEW_PUPILS, 200),
    default=FEW_PUPILS,
    show_default=True,
    help="So viele sind in der Klasse.",
)
@json_option
def demo(port: int, lms_port: int, data: Path, pupils: int) -> None:
    """Startet GUSTAV mit einer Übungs-Lernplattform auf diesem Rechner, bis Strg-C."""
    started = time.monotonic()
    # Only here, because the embedded PostgreSQL is nothing for the other commands to load.
    from lti_tool.cli.demo.stack import running_demo  # noqa: PLC0415
    from lti_tool.cli.demo.supervisor import watch  # noqa: PLC0415

    stop = stop_at_signals()
    click.echo("Starte PostgreSQL, Webserver, Worker und Übungs-Lernplattform ...", err=True)
    with running_demo(Plan(data.resolve(), port, lms_port, pupils), stop) as running:
        _invitation(running, time.monotonic() - started).print(as_json=wants_json())
        watch(running.parts, stop)
        click.echo("Beende alles; die Daten bleiben.", err=True)


def _invitation(demo: Demo, seconds: float) -> Answer:
    plan = demo.plan
    lines = [
        f"GUSTAV läuft (nach {seconds:.0f} s). {demo.engine.says}",
        "",
        f"  Übungs-Lernplattform   {plan.lms_url}/",
        "                         dort als Frau Curie (Lehrkraft) oder als Ada (Schülerin) hinein",
        f"  Störungen ausprobieren {plan.lms_url}/practice",
        f"  Geht es GUSTAV gut?    {plan.base_url}/health/ready",
        "",
        f"Die Daten liegen in {plan.folder}. Beenden mit Strg-C.",
    ]
    data = {
        "tool": plan.base_url,
        "lms": plan.lms_url,
        "engine": demo.engine.name,
        "data": plan.folder,
        "seconds": round(seconds, 1),
    }
    return Answer(lines, data)


@click.command("demo-part", hidden=True)
@click.argument("part", type=click.Choice(sorted(PARTS)))
@click.option("--port", type=int, required=True)
@click.option("--lms-port", type=int, required=True)
@click.option("--data", type=click.Path(path_type=Path), required=True)
@click.option("--pupils", type=int, required=True)
@json_option
def demo_part(part: str, port: int, lms_port: int, data: Path, pupils: int) -> None:
    """Einer der Prozesse der Demo; endet mit seiner Standardeingabe."""
    hold_leash()
    PARTS[part](Plan(data, port, lms_port, pupils))
