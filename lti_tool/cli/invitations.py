"""`gustav invite` and `gustav invitations`: the one-time address with which a school connects."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import click

from lti_tool.cli.answers import Answer, CommandFailed, json_option
from lti_tool.cli.house import open_house
from lti_tool.core.db import ADMIN
from lti_tool.core.errors import Conflict, Invalid, NotFound
from lti_tool.launch.registration.invitations import (
    host_of,
    list_invitations,
    withdraw,
)
from lti_tool.launch.registration.invitations import invite as make_invitation
from lti_tool.launch.registration.models import Invitation
from lti_tool.people.services import find_platform


@click.command()
@click.option("--school", metavar="NAME", help="Für welche Schule; so heißt sie dann auch hier.")
@click.option(
    "--host", metavar="HOST", help="Rechner der Lernplattform, etwa moodle.schule.example."
)
@click.option("--no-names", is_flag=True, help="Die Schule möchte keine Namen weitergeben.")
@click.option("--platform", "known", metavar="PLATTFORM", help="Diese Plattform neu verbinden.")
@json_option
def invite(school: str | None, host: str | None, *, no_names: bool, known: str | None) -> Answer:
    """Lädt eine Schule ein: eine Adresse, 24 Stunden gültig, für eine Lernplattform."""
    with open_house() as (settings, database), database.begin(ADMIN) as db:
        platform_id = None
        if known:
            try:
                platform = find_platform(db, known)
            except NotFound:
                raise CommandFailed(
                    f"Eine Plattform „{known}“ gibt es nicht, oder mehrere heißen so;"
                    " siehe gustav platform list."
                ) from None
            school, host = school or platform.name, host or host_of(platform.issuer)
            platform_id = platform.id
        if not school:
            raise CommandFailed("Für wen? Bitte --school NAME, oder --platform für eine bekannte.")
        try:
            invitation, secret = make_invitation(
                db, school, host=host, share_names=not no_names, platform_id=platform_id
            )
        except Invalid as invalid:
            raise CommandFailed(_sentence(invalid)) from None
        address = f"{settings.base_url}/register/{secret}"
        data = _described(invitation) | {"address": address}
    return Answer(_words(invitation, address), data)


@click.command()
@click.option("--withdraw", "which", metavar="ID", type=click.UUID, help="Diese zurücknehmen.")
@json_option
def invitations(which: UUID | None) -> Answer:
    """Zählt alle Einladungen auf, oder nimmt eine zurück."""
    with open_house() as (_, database), database.begin(ADMIN) as db:
        if which is not None:
            try:
                row = _described(withdraw(db, which))
            except NotFound:
                raise CommandFailed("Diese Einladung gibt es nicht.") from None
            except Conflict:
                raise CommandFailed("Diese Einladung ist schon benutzt.") from None
            return Answer([f"Die Einladung für {row['school']} ist zurückgenommen."], row)
        rows = [_described(found) for found in list_invitations(db)]
    lines = [f"{row['id']}  {row['school']} ({row['host'] or 'jeder Rechner'}): {row['says']}"
             for row in rows]  # fmt: skip
    return Answer(lines or ["Es gibt keine Einladungen."], {"invitations": rows})


def _words(invitation: Invitation, address: str) -> list[str]:
    lines = [
        f"Einladung für {invitation.school}, gültig bis {_when(invitation.expires_at)}."
        " Sie wird nur hier und jetzt gezeigt:",
        "",
        f"  {address}",
        "",
        "In Moodle: Website-Administration → Plugins → Externes Tool → Tools verwalten, dort in das"
        " Feld „Tool-URL“ kopieren und „Add LTI Advantage“ drücken. Im Browser geöffnet, nennt sie"
        " alle Werte für die Anmeldung von Hand.",
    ]
    if invitation.host:
        lines.append(f"Sie gilt nur für {invitation.host}.")
    else:
        lines.append(
            "Ohne --host gilt sie für jede Lernplattform; die neue wartet dann auf"
            " gustav platform activate."
        )
    return lines


def _described(invitation: Invitation) -> dict[str, object]:
    return {
        "id": invitation.id,
        "school": invitation.school,
        "host": invitation.host,
        "share_names": invitation.share_names,
        "platform_id": invitation.platform_id,
        "expires_at": invitation.expires_at.isoformat(),
        "says": _state(invitation),
    }


def _state(invitation: Invitation) -> str:
    if invitation.used_at:
        return f"benutzt am {_when(invitation.used_at)}"
    if invitation.withdrawn_at:
        return "zurückgenommen"
    if invitation.expires_at <= datetime.now(UTC):
        return "abgelaufen"
    return f"offen bis {_when(invitation.expires_at)}"


def _when(moment: datetime) -> str:
    return f"{moment.astimezone():%d.%m.%Y, %H:%M}"


def _sentence(invalid: Invalid) -> str:
    if "host" in invalid.problems:
        return "--host muss ein Rechnername sein, etwa moodle.schule.example."
    return "--school muss ein Name sein, höchstens 200 Zeichen."
