"""`gustav files`: are the pages of pupils' work all there, and is nothing left over?"""

from __future__ import annotations

import click
from sqlalchemy import select

from lti_tool.cli.answers import Answer, CommandFailed, json_option
from lti_tool.cli.house import open_house
from lti_tool.core.clock import utc_now
from lti_tool.core.db import ADMIN
from lti_tool.core.files import FilesUnavailable, open_store_of
from lti_tool.people.models import Platform
from lti_tool.uploads.orphans import compare


@click.command()
@click.option("--delete", is_flag=True, help="Löschen, was zu nichts mehr gehört.")
@json_option
def files(*, delete: bool) -> Answer:
    """Vergleicht gespeicherte Fotos mit der Datenbank, in beide Richtungen."""
    with open_house() as (settings, database):
        store = open_store_of(settings)
        with database.begin(ADMIN) as db:
            platforms = db.scalars(select(Platform.id)).all()
        try:
            found = compare(database.begin, store, platforms, utc_now())
            if delete:
                store.delete(found.orphans)
        except FilesUnavailable:
            raise CommandFailed(
                "Der Speicher für Fotos antwortet nicht. GUSTAV_FILES prüfen."
            ) from None
    if found.missing:
        raise CommandFailed(
            f"Zu {len(found.missing)} Seiten fehlt das Foto. Die Datenbank nennt sie, aber im"
            " Speicher sind sie nicht; eine Sicherung hat sie vielleicht noch."
        )
    left = len(found.orphans)
    lines = ["Zu jeder Seite ist ihr Foto da."]
    if left:
        done = "gelöscht" if delete else "übrig; löschen mit gustav files --delete"
        lines.append(f"{left} Dateien, die zu nichts mehr gehören: {done}.")
    return Answer(lines, {"orphans": left, "missing": 0, "deleted": delete})
