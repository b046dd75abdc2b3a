"""`gustav course …` and `gustav person …`: what is gone in the platform goes here too.

No platform tells a tool that a course or a person was deleted.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict

import click
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from config.settings import read_settings
from lti_tool.cli.answers import Answer, CommandFailed, json_option
from lti_tool.cli.house import open_house
from lti_tool.core.db import ADMIN, service_of
from lti_tool.core.errors import NotFound
from lti_tool.core.files import FilesUnavailable, open_store_of
from lti_tool.people.models import Course, Person
from lti_tool.people.services import find_platform
from lti_tool.privacy import erase
from lti_tool.privacy.erase import FilesLost

GRADES_STAY = "Noten, die in der Plattform stehen, bleiben dort."


@click.group()
def course() -> None:
    """Kurse ansehen und löschen."""


@course.command("list")
@click.argument("platform", metavar="PLATTFORM")
@json_option
def list_courses(platform: str) -> Answer:
    """Zählt die Kurse einer Plattform auf, mit ihrer Nummer dort."""
    with _inside(platform) as db:
        found = db.scalars(select(Course).order_by(Course.id)).all()
        rows = [_described(db, one) for one in found]
    lines = [
        "{context_id}: „{title}“, {members} Personen, {submissions} Abgaben".format(**row)
        for row in rows
    ]
    return Answer(lines or ["Von dort kam noch kein Kurs."], {"courses": rows})


@course.command("remove")
@click.argument("platform", metavar="PLATTFORM")
@click.argument("which", metavar="KURS")
@click.option("--yes", is_flag=True, help="Wirklich löschen.")
@json_option
def remove_course(platform: str, which: str, *, yes: bool) -> Answer:
    """Löscht einen Kurs (Nummer in der Plattform) mit allen Abgaben, Rückmeldungen, Aufgaben."""
    with _inside(platform) as db:
        found = _course(db, which)
        loss, title = erase.course_loss(db, found), found.title
        lost = (
            f"{loss.members} Mitgliedschaften, {loss.submissions} Abgaben und"
            f" {loss.units} Lerneinheiten"
        )
        if loss.passed_on:
            lost += f" ({loss.passed_on} weitere nutzt ein anderer Kurs und bekommt sie)"
        if not yes:
            raise CommandFailed(
                f"Nichts gelöscht. Mit „{title}“ verschwänden {lost}; ernst wird es mit --yes."
            )
        files = erase.files_of(db, found)
        erase.erase_course(db, found)
    _delete(files)
    sentence = f"Der Kurs „{title}“ ist gelöscht, mit {lost}. {GRADES_STAY}"
    return Answer([sentence], {"context_id": which, **asdict(loss)})


@click.group()
def person() -> None:
    """Personen löschen."""


@person.command("remove")
@click.option("--platform", required=True, metavar="PLATTFORM", help="Woher sie kommt.")
@click.option("--sub", required=True, help="Ihre Nummer dort, in Moodle die Nutzer-ID.")
@click.option("--yes", is_flag=True, help="Wirklich löschen.")
@json_option
def remove_person(platform: str, sub: str, *, yes: bool) -> Answer:
    """Löscht eine Person mit allem, was von ihr da ist."""
    with _inside(platform) as db:
        found = db.scalar(select(Person).where(Person.sub == sub))
        if found is None:
            raise CommandFailed("Eine Person mit dieser Nummer ist von dort nie gekommen.")
        loss = erase.person_loss(db, found)
        lost = f"{loss.submissions} Abgaben in {loss.courses} Kursen"
        if not yes:
            raise CommandFailed(
                f"Nichts gelöscht. Es verschwänden {lost}; ernst wird es mit --yes."
            )
        files = erase.files_of(db, found)
        erase.erase_person(db, found)
    _delete(files)
    sentence = f"Die Person ist gelöscht, mit {lost}, Entwürfen und Rückmeldungen. {GRADES_STAY}"
    return Answer([sentence], {"sub": sub, **asdict(loss)})


def _delete(files: FilesLost) -> None:
    """What no row names any more. Raises CommandFailed."""
    settings = read_settings()
    try:
        store = open_store_of(settings)
        store.delete([*files.pages, *store.below(files.arriving)])
    except FilesUnavailable:
        raise CommandFailed(
            "In der Datenbank ist alles gelöscht, aber der Speicher für Fotos antwortet nicht."
            " Morgen bitte gustav files --delete."
        ) from None


@contextmanager
def _inside(platform: str) -> Iterator[Session]:
    """A transaction of the platform's service. Raises CommandFailed."""
    with open_house() as (_, database):
        with database.begin(ADMIN) as db:
            try:
                platform_id = find_platform(db, platform).id
            except NotFound:
                raise CommandFailed(
                    f"Eine Plattform „{platform}“ gibt es nicht, oder mehrere heißen so;"
                    " siehe gustav platform list."
                ) from None
        with database.begin(service_of(platform_id)) as db:
            yield db


def _course(db: Session, which: str) -> Course:
    """By the platform's number or by our id. Raises CommandFailed."""
    own_id = func.cast(Course.id, Course.title.type)
    found = db.scalars(select(Course).where(or_(Course.context_id == which, own_id == which))).all()
    if len(found) > 1:
        ids = ", ".join(str(one.id) for one in found)
        raise CommandFailed(f"Diese Nummer haben mehrere Kurse; gemeint ist einer von {ids}.")
    if not found:
        raise CommandFailed(f"Einen Kurs {which} gibt es hier nicht; siehe gustav course list.")
    return found[0]


def _described(db: Session, one: Course) -> dict[str, object]:
    loss = erase.course_loss(db, one)
    return {"id": one.id, "context_id": one.context_id, "title": one.title, **asdict(loss)}
