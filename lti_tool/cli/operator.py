"""`gustav operator …`: the way to the operator's pages. Whoever may run this is the operator."""

from __future__ import annotations

import click

from lti_tool.cli.answers import Answer, json_option
from lti_tool.cli.house import open_house
from lti_tool.core.db import ADMIN
from lti_tool.operator import entry


@click.group()
def operator() -> None:
    """Der Zugang zu den Betriebsseiten: Lernplattformen im Browser verwalten."""


@operator.command()
@json_option
def link() -> Answer:
    """Macht einen Link zum Anmelden; er gilt einmal und eine Viertelstunde."""
    with open_house() as (settings, database), database.begin(ADMIN) as db:
        address = f"{settings.base_url}/operator/enter/{entry.new_link(db)}"
    lines = [
        "Dieser Link meldet einmal an, in der nächsten Viertelstunde:",
        f"  {address}",
        "Wer ihn hat, verwaltet alle Lernplattformen. Alles beenden: gustav operator end",
    ]
    return Answer(lines, {"url": address})


@operator.command()
@json_option
def end() -> Answer:
    """Meldet alle ab und macht alle offenen Links ungültig."""
    with open_house() as (_, database), database.begin(ADMIN) as db:
        ended = entry.end_all(db)
    return Answer([f"Alle sind abgemeldet ({ended}); kein Link gilt mehr."], {"ended": ended})
