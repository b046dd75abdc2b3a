"""`gustav platform health` and `move`: how platforms are, and what to do when one moves."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

import click

from lti_tool.cli.answers import Answer, CommandFailed, json_option
from lti_tool.cli.house import open_house
from lti_tool.cli.platforms import found_platform, read_moodle, seal_of
from lti_tool.core.clock import utc_now
from lti_tool.core.db import ADMIN
from lti_tool.core.errors import Conflict
from lti_tool.core.speech import Speech
from lti_tool.operator import service
from lti_tool.operator.findings import KnownPlatform, findings
from lti_tool.operator.queries import known_platforms
from lti_tool.people.health import Errand
from lti_tool.people.relocation import changes, site_of


@click.command()
@json_option
def health() -> Answer:
    """Sagt, wie es den Plattformen geht, in denselben Sätzen wie die Betriebsseite."""
    with open_house() as (settings, database), database.begin(ADMIN) as db:
        known = [facts for _, facts in known_platforms(db, seal_of(settings))]
    speech = Speech("de", utc_now())
    lines = [line for facts in known for line in _lines(facts, speech)]
    ok = all(found.ok for facts in known for found in findings(facts))
    data = {"ok": ok, "platforms": [_row(facts, speech) for facts in known]}
    return Answer(lines or ["Noch ist keine Plattform angemeldet."], data, ok)


@click.command()
@click.argument("which", metavar="PLATTFORM")
@click.option("--moodle", required=True, metavar="ADRESSE", help="Die neue Adresse des Moodle.")
@click.option("--yes", is_flag=True, help="Wirklich umziehen.")
@json_option
def move(which: str, moodle: str, *, yes: bool) -> Answer:
    """Dasselbe Moodle steht unter einer neuen Adresse; ohne --yes wird nur gezeigt, was wird."""
    to = read_moodle(moodle)
    with open_house() as (_, database), found_platform(database, which) as (db, found):
        differences = changes(site_of(found), to)
        lines = [f"  {one.name + ':':<10} {one.now} → {one.then}" for one in differences]
        if yes or not differences:
            try:
                service.move(db, found, to)
            except Conflict:
                raise CommandFailed(f"„{found.name}“ ist schon dort.") from None
        name, platform_id = found.name, found.id
    data = {"id": platform_id, "moved": yes, "changes": [asdict(one) for one in differences]}
    if not yes:
        says = f"Nichts geändert. So zöge „{name}“ um; ernst wird es mit --yes:"
        return Answer([says, *lines], data)
    return Answer([f"„{name}“ ist umgezogen; alle Sitzungen von dort sind zu Ende.", *lines], data)


def _lines(known: KnownPlatform, speech: Speech) -> list[str]:
    """One platform for people."""
    lines = [f"{known.name}"]
    for found in findings(known):
        lines.append(f"  {'gut   ' if found.ok else 'FEHLT '} {found.told(speech)}")
        if advice := found.advice(speech):
            lines.append(f"         → {advice}")
    moments = {
        "Schlüsselsatz geholt": known.exchange(Errand.KEYS).succeeded_at,
        "Zugriffstoken bekommen": known.exchange(Errand.TOKEN).succeeded_at,
        "Letzte Note übertragen": known.last_score,
    }
    return lines + [f"         {name}: {_when(at, speech)}" for name, at in moments.items()]


def _when(at: datetime | None, speech: Speech) -> str:
    return speech.moment(at) if at else "noch nie"


def _row(known: KnownPlatform, speech: Speech) -> dict[str, object]:
    """The same for machines."""
    return {
        "name": known.name,
        "state": known.state.value,
        "last_launch": known.last_launch,
        "last_token": known.exchange(Errand.TOKEN).succeeded_at,
        "last_keys": known.exchange(Errand.KEYS).succeeded_at,
        "last_score": known.last_score,
        "findings": [
            {"ok": f.ok, "says": f.told(speech), "what_to_do": f.advice(speech)}
            for f in findings(known)
        ],
    }
