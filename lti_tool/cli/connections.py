"""More of `gustav platform …`: what waits for a human, and what is typed into an LMS by hand."""

from __future__ import annotations

from uuid import UUID

import click
from uuid_utils.compat import uuid7

from lti_tool.cli.answers import Answer, CommandFailed, json_option
from lti_tool.cli.house import open_house
from lti_tool.cli.platforms import described, found_platform, platform
from lti_tool.core.db import ADMIN
from lti_tool.core.errors import Conflict, NotFound
from lti_tool.launch.registration import changes as waiting
from lti_tool.launch.registration.by_hand import Lms
from lti_tool.launch.registration.by_hand import values as values_for
from lti_tool.launch.registration.proposal import ToolAddresses
from lti_tool.people.models import Platform

__all__ = ["platform"]  # the group, with these commands too


@platform.command()
@click.argument("which", metavar="PLATTFORM")
@json_option
def activate(which: str) -> Answer:
    """Lässt eine Plattform herein, die verbunden ist und auf Freigabe wartet."""
    with open_house() as (_, database), found_platform(database, which) as (db, waits):
        try:
            waiting.activate_platform(db, waits.id)
        except Conflict:
            raise CommandFailed(
                f"„{waits.name}“ wartet nicht auf Freigabe. Was eine verbundene Plattform Neues von"
                " sich sagt, steht unter: gustav platform changes"
            ) from None
        return Answer([f"„{waits.name}“ ist aktiv."], described(db, waits))


@platform.command()
@click.option("--activate", "yes", metavar="ID", type=click.UUID, help="Diese Änderung gilt nun.")
@click.option("--reject", "no", metavar="ID", type=click.UUID, help="Diese Änderung verwerfen.")
@json_option
def changes(yes: UUID | None, no: UUID | None) -> Answer:
    """Zeigt, was verbundene Plattformen Neues von sich sagen; gibt es frei oder verwirft es."""
    with open_house() as (_, database), database.begin(ADMIN) as db:
        try:
            if yes is not None:
                taken = waiting.activate_change(db, yes)
                return Answer([f"Die Änderung von „{taken.name}“ gilt jetzt."], {"id": yes})
            if no is not None:
                waiting.reject_change(db, no)
                return Answer(["Die Änderung ist verworfen."], {"id": no})
        except NotFound:
            raise CommandFailed("Diese Änderung gibt es nicht.") from None
        except Conflict as conflict:
            raise CommandFailed(
                "Die Client-ID gehört inzwischen einer anderen Plattform."
                if conflict.code == "client_id_taken"
                else "Über diese Änderung ist schon entschieden."
            ) from None
        rows = []
        for change in waiting.waiting_changes(db):
            of = db.get_one(Platform, change.platform_id)
            rows.append(
                {
                    "id": change.id,
                    "platform": of.name,
                    "issuer": of.issuer,
                    "differences": waiting.differences(of, change),
                }
            )
    return Answer(_lines(rows) or ["Nichts wartet."], {"changes": rows})


def _lines(rows: list[dict[str, object]]) -> list[str]:
    lines = []
    for row in rows:
        lines.append(f"{row['id']}  {row['platform']} ({row['issuer']})")
        differences = row["differences"]
        if isinstance(differences, list):
            lines += [f"    {name}: {was} → {would}" for name, was, would in differences]
            if not differences:
                lines.append("    sagt dasselbe wie bisher")
    return lines


@platform.command()
@click.argument("which", metavar="[PLATTFORM]", required=False)
@click.option(
    "--lms", type=click.Choice([lms.value for lms in Lms]), default="moodle", show_default=True
)
@json_option
def values(which: str | None, lms: str) -> Answer:
    """Nennt alles, was in eine Lernplattform von Hand einzutragen ist.

    Ohne PLATTFORM für eine neue: Der Schlüsselsatz hat seine Adresse, bevor sie angemeldet ist.
    """
    with open_house() as (settings, database):
        if which is None:
            keyset_id = uuid7()
        else:
            with found_platform(database, which) as (_, known):
                keyset_id = known.id
    rows = values_for(Lms(lms), ToolAddresses(settings.base_url, keyset_id))
    width = max(len(label) for label, _ in rows) + 2
    lines = [f"In {Lms(lms).spelled} einzutragen:"]
    lines += [f"  {label + ':':<{width}} {value}" for label, value in rows]
    if which is None:
        lines += ["", f"Danach hier: gustav platform add --id {keyset_id} --name … --client-id …"]
    return Answer(lines, {"id": keyset_id, "lms": lms, "values": dict(rows)})
