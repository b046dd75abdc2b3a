"""`gustav check-invariants`: does everything still fit together, after a crash or a restore?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from uuid import UUID

import click
from sqlalchemy import select

from config.settings import Settings
from lti_tool import invariants
from lti_tool.cli.answers import Answer, json_option
from lti_tool.cli.house import open_house
from lti_tool.core.clock import utc_now
from lti_tool.core.db import ADMIN, Database
from lti_tool.core.files import FilesUnavailable, open_store_of
from lti_tool.people.models import Platform
from lti_tool.uploads.orphans import compare

SHOWN = 5  # ids; with --json all

WORDS = {
    "history": "Abgaben, deren Stand nicht zu ihrem Verlauf passt",
    "keys": "Abgaben, die doppelt angenommen wurden",
    "attempts": "Abgaben, deren Versuche nicht lückenlos gezählt sind",
    "under_way": "Abgaben, die auf eine Rückmeldung warten, an der niemand mehr arbeitet",
    "reason": "Abgaben, die ohne Grund bei der Lehrkraft liegen, oder mit Grund nicht",
    "standstill": "Aufträge, die seit über einem Tag niemand angefasst hat",
    "current": "Abgaben, zu denen nicht genau eine Rückmeldung gilt",
    "released": "Abgaben, die etwas anderes zeigen, als freigegeben ist",
    "versions": "Abgaben, denen eine Fassung ihrer Rückmeldung fehlt",
    "without_release": "Noten, die niemand freigegeben hat",
    "once": "Noten, die doppelt unterwegs sind",
    "in_order": "Noten, die in falscher Reihenfolge gesendet wurden",
    "on_its_way": "Noten, die warten, ohne dass jemand sie sendet",
    "subjects": "Aufträge, deren Gegenstand es nicht gibt",
    "references": "Einträge, die auf nichts oder auf Fremdes zeigen",
    "kept_too_long": "Aktivitäten mit Entwürfen, die gelöscht sein müssten (läuft der Worker?)",
    "pages_missing": "Seiten, deren Foto fehlt (eine Sicherung hat es vielleicht noch)",
    "pages_left": "Dateien, die zu nichts mehr gehören (löschen: gustav files --delete)",
    "files_silent": "Der Speicher für Fotos antwortet nicht (GUSTAV_FILES prüfen)",
}
WHAT_TO_DO = (
    "Nichts davon ist von selbst entstanden: Sicherung aufheben, nichts von Hand ändern, und mit"
    " dieser Ausgabe (gustav check-invariants --json) nachfragen. Namen stehen darin keine."
)


@dataclass(frozen=True)
class Broken:
    """One thing that is not as it must be, and the ids of what it concerns."""

    invariant: str
    about: str
    says: str
    ids: Sequence[str]


@click.command("check-invariants")
@json_option
def check_invariants() -> Answer:
    """Prüft, ob alle Abgaben, Rückmeldungen, Noten und Fotos zueinander passen."""
    with open_house() as (settings, database):
        with database.begin(ADMIN) as db:
            platforms = db.scalars(select(Platform.id)).all()
        found = [*_rows(database, platforms), *_files(settings, database, platforms)]
    lines = [f"FEHLT  {one.invariant} {one.says}: {_listed(one.ids)}" for one in found]
    if found:
        lines.append(f"       → {WHAT_TO_DO}")
    else:
        lines.append("Alle Abgaben, Rückmeldungen, Noten und Fotos passen zueinander.")
    data = {"ok": not found, "broken": [asdict(one) for one in found]}
    return Answer(lines, data, not found)


def _rows(database: Database, platforms: Sequence[UUID]) -> list[Broken]:
    return [
        Broken(wrong.invariant.number, name, WORDS[name], wrong.broken)
        for wrong in invariants.check(database.begin, platforms)
        for name in [wrong.invariant.name]
    ]


def _files(settings: Settings, database: Database, platforms: Sequence[UUID]) -> list[Broken]:
    try:
        found = compare(database.begin, open_store_of(settings), platforms, utc_now())
    except FilesUnavailable:
        return [Broken("I6", "files_silent", WORDS["files_silent"], ())]
    return [
        Broken("I6", about, WORDS[about], keys)
        for about, keys in (("pages_missing", found.missing), ("pages_left", found.orphans))
        if keys
    ]


def _listed(ids: Sequence[str]) -> str:
    more = f" und {len(ids) - SHOWN} weitere" if len(ids) > SHOWN else ""
    return f"{', '.join(ids[:SHOWN])}{more}" if ids else "keine Antwort"
