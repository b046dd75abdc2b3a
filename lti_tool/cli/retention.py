"""`gustav retention`: what goes by itself within the next days, before it goes."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta

import click

from lti_tool.cli.answers import Answer, json_option
from lti_tool.cli.house import open_house
from lti_tool.core.db import WORKER
from lti_tool.privacy.retention import due
from lti_tool.submissions.drafts import KEPT_DAYS


@click.command()
@click.option(
    "--days", type=click.IntRange(0, 3650), default=7, show_default=True, help="Wie weit voraus."
)
@json_option
def retention(*, days: int) -> Answer:
    """Sagt, welche Entwürfe bald von selbst gelöscht werden. Löscht selbst nichts."""
    with open_house() as (_, database), database.begin(WORKER) as db:
        found = due(db, timedelta(days=days))
    rule = f"Ein Entwurf wird gelöscht, wenn ihn {KEPT_DAYS} Tage niemand angefasst hat."
    when = f"In den nächsten {days} Tagen" if days else "Jetzt"
    lines = [
        rule,
        f"{when} betrifft das {found.drafts} Entwürfe mit {found.pages} Fotos,"
        f" dazu {found.older} ältere Texte.",
    ]
    return Answer(lines, {"days": days, **asdict(found)})
