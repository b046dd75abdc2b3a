"""`gustav platform …`: which learning platforms may send us people."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from urllib.parse import urlsplit
from uuid import UUID

import click
from sqlalchemy.orm import Session

from config.settings import Settings
from lti_tool.cli.answers import Answer, CommandFailed, json_option
from lti_tool.cli.house import open_house
from lti_tool.core.db import ADMIN, Database
from lti_tool.core.errors import Conflict, Invalid, NotFound
from lti_tool.operator.service import belongings
from lti_tool.people.models import DeploymentState, Platform, PlatformState
from lti_tool.people.relocation import Site, moodle_site
from lti_tool.people.services import (
    KeySeal,
    PlatformSpec,
    add_platform,
    allow_deployment,
    deployments,
    find_platform,
    list_platforms,
    remove_platform,
    rotate_key,
    set_state,
)

STATE_WORDS = {
    PlatformState.ACTIVE: "aktiv",
    PlatformState.PAUSED: "angehalten",
    PlatformState.WAITING: "wartet auf Freigabe",
}


@click.group()
def platform() -> None:
    """Lernplattformen anmelden, ansehen, anhalten und entfernen."""


@platform.command()
@click.option("--name", required=True, help="Wie die Plattform hier heißen soll.")
@click.option("--client-id", required=True, help="Die „Client-ID“ aus der Plattform.")
@click.option("--deployment-id", multiple=True, help="Die „Deployment-ID“; auch mehrmals.")
@click.option(
    "--moodle", metavar="ADRESSE", help="Adresse eines Moodle; ersetzt die vier weiteren."
)
@click.option("--issuer", metavar="ADRESSE", help="Die „Plattform-ID“ (issuer).")
@click.option("--auth-url", metavar="ADRESSE", help="Die „Authentifizierungsanfrage-URL“.")
@click.option("--token-url", metavar="ADRESSE", help="Die „Zugriffstoken-URL“.")
@click.option("--jwks-url", metavar="ADRESSE", help="Die „URL für öffentlichen Schlüsselsatz“.")
@click.option("--id", "known_id", type=click.UUID, metavar="ID", help="Aus gustav platform values.")
@json_option
def add(
    name: str,
    client_id: str,
    deployment_id: tuple[str, ...],
    known_id: UUID | None,
    **where: str | None,
) -> Answer:
    """Meldet eine Plattform an und nennt, was dort einzutragen ist."""
    spec = read_spec(name, client_id, deployment_id, **where)
    with open_house() as (settings, database), database.begin(ADMIN) as db:
        try:
            added = add_platform(db, spec, seal_of(settings), platform_id=known_id)
        except Conflict:
            raise CommandFailed(
                f"Die Client-ID {client_id} ist schon angemeldet; siehe gustav platform list."
            ) from None
        data = {"id": added.id, "name": added.name, **addresses(settings.base_url, added)}
    words = {
        "login_url": "Anmelde-URL",
        "redirect_uri": "Umleitungs-URI(s)",
        "tool_url": "Tool-URL",
        "deep_link_url": "URL der Inhaltsauswahl",
        "keyset_url": "Öffentlicher Schlüsselsatz",
    }
    lines = [f"„{spec.name}“ ist angemeldet. In der Plattform einzutragen:"]
    lines += [f"  {word + ':':<28} {data[key]}" for key, word in words.items()]
    if not deployment_id:
        lines.append("Es fehlt die Deployment-ID: gustav platform allow, sobald sie bekannt ist.")
    return Answer(lines, data)


@platform.command("list")
@json_option
def list_all() -> Answer:
    """Zählt alle Plattformen auf."""
    with open_house() as (_, database), database.begin(ADMIN) as db:
        rows = [described(db, found) for found in list_platforms(db)]
    lines = [f"{row['name']} ({row['issuer']}, {row['client_id']}): {row['says']}" for row in rows]
    return Answer(lines or ["Noch ist keine Plattform angemeldet."], {"platforms": rows})


@platform.command()
@click.argument("which", metavar="PLATTFORM")
@json_option
def show(which: str) -> Answer:
    """Zeigt eine Plattform mit allem, was in ihr einzutragen ist."""
    with open_house() as (settings, database), found_platform(database, which) as (db, found):
        row = described(db, found) | addresses(settings.base_url, found)
    return Answer([f"{key}: {value}" for key, value in row.items()], row)


@platform.command()
@click.argument("which", metavar="PLATTFORM")
@json_option
def pause(which: str) -> Answer:
    """Hält eine Plattform an: niemand kommt mehr von dort herein."""
    return _put(which, PlatformState.PAUSED)


@platform.command()
@click.argument("which", metavar="PLATTFORM")
@json_option
def resume(which: str) -> Answer:
    """Lässt eine angehaltene Plattform wieder herein."""
    return _put(which, PlatformState.ACTIVE)


@platform.command()
@click.argument("which", metavar="PLATTFORM")
@click.argument("deployment_id")
@json_option
def allow(which: str, deployment_id: str) -> Answer:
    """Erlaubt Aufrufe aus einem Deployment dieser Plattform."""
    with open_house() as (_, database), found_platform(database, which) as (db, found):
        allow_deployment(db, found, deployment_id)
        sentence = f"Deployment {deployment_id} von „{found.name}“ ist erlaubt."
        return Answer([sentence], described(db, found))


@platform.command("rotate-key")
@click.argument("which", metavar="PLATTFORM")
@json_option
def new_key(which: str) -> Answer:
    """Unterschreibt gegenüber dieser Plattform künftig mit einem neuen Schlüssel."""
    with open_house() as (settings, database), found_platform(database, which) as (db, found):
        kid = rotate_key(db, found, seal_of(settings))
        sentence = (
            f"„{found.name}“ hat einen neuen Schlüssel; der alte bleibt noch zwei Tage im"
            " Schlüsselsatz."
        )
        return Answer([sentence], {"id": found.id, "kid": kid})


@platform.command()
@click.argument("which", metavar="PLATTFORM")
@click.option("--yes", is_flag=True, help="Wirklich löschen.")
@json_option
def remove(which: str, *, yes: bool) -> Answer:
    """Löscht eine Plattform mit allen Kursen, Personen und Arbeiten, die von dort kamen."""
    with open_house() as (_, database):
        with found_platform(database, which) as (db, found):
            name, platform_id = found.name, found.id
            counts = asdict(belongings(db, found.id))
        lost = "{courses} Kurse, {persons} Personen und {submissions} Abgaben".format(**counts)
        if not yes:
            raise CommandFailed(
                f"Nichts gelöscht. Mit „{name}“ verschwänden {lost}; ernst wird es mit --yes."
            )
        with found_platform(database, which) as (db, found):
            remove_platform(db, found)
    return Answer([f"„{name}“ ist gelöscht, mit {lost}."], {"id": platform_id, **counts})


def read_spec(
    name: str, client_id: str, deployment_ids: tuple[str, ...], **where: str | None
) -> PlatformSpec:
    """What was typed, with a Moodle's addresses derived from its own. Raises CommandFailed."""
    moodle = where.pop("moodle")
    if moodle:
        derived = asdict(read_moodle(moodle))
        where = {key: value or derived[key] for key, value in where.items()}
    urls = {}
    for key, value in where.items():
        option = f"--{key.replace('_', '-')}"
        if not value:
            raise CommandFailed(f"Es fehlt {option}, oder statt aller vier Adressen --moodle.")
        if urlsplit(value).scheme not in ("https", "http") or not urlsplit(value).hostname:
            raise CommandFailed(f"{option} muss eine Adresse sein, die mit https:// beginnt.")
        urls[key] = value
    return PlatformSpec(name=name, client_id=client_id, deployment_ids=deployment_ids, **urls)


def read_moodle(address: str) -> Site:
    """A Moodle's addresses, from its own. Raises CommandFailed."""
    try:
        return moodle_site(address)
    except Invalid:
        raise CommandFailed(
            "--moodle muss eine Adresse sein, die mit https:// beginnt, ohne ? und #."
        ) from None


def addresses(base_url: str, registered: Platform) -> dict[str, str]:
    """What has to be typed into the platform, by the names of LTI."""
    return {
        "login_url": f"{base_url}/lti/login",
        "redirect_uri": f"{base_url}/lti/launch",
        "tool_url": f"{base_url}/lti/launch",
        "deep_link_url": f"{base_url}/lti/launch",
        "keyset_url": f"{base_url}/lti/keys/{registered.id}",
    }


@contextmanager
def found_platform(database: Database, which: str) -> Iterator[tuple[Session, Platform]]:
    """By our id, its client_id or its name. Raises CommandFailed."""
    with database.begin(ADMIN) as db:
        try:
            platform = find_platform(db, which)
        except NotFound:
            raise CommandFailed(
                f"Eine Plattform „{which}“ gibt es nicht, oder mehrere heißen so;"
                " siehe gustav platform list."
            ) from None
        yield db, platform


def _put(which: str, state: PlatformState) -> Answer:
    with open_house() as (_, database), found_platform(database, which) as (db, found):
        set_state(db, found, state)
        return Answer([f"„{found.name}“ ist {STATE_WORDS[state]}."], described(db, found))


def described(db: Session, found: Platform) -> dict[str, object]:
    known = deployments(db, found.id)
    waiting = [d.deployment_id for d in known if d.state is DeploymentState.WAITING]
    says = STATE_WORDS[found.state]
    if waiting:
        says += f", wartende Deployments: {', '.join(waiting)}"
    return {
        "id": found.id,
        "name": found.name,
        "issuer": found.issuer,
        "client_id": found.client_id,
        "state": found.state.value,
        "deployments": {d.deployment_id: d.state.value for d in known},
        "says": says,
    }


def seal_of(settings: Settings) -> KeySeal:
    return KeySeal(settings.secret_key.get_secret_value())
