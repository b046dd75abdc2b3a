"""Small commands: migrate, secret, version, jobs."""

from __future__ import annotations

import platform as machine
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of

import click
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from config.settings import read_settings
from lti_tool.cli.answers import Answer, json_option
from lti_tool.cli.house import open_house, owner_url
from lti_tool.core.db import WORKER
from lti_tool.core.jobs import Job, JobState
from lti_tool.core.schema import missing_migrations, upgrade

STATE_WORDS = {
    JobState.WAITING: "wartet",
    JobState.WORKING: "in Arbeit",
    JobState.DONE: "fertig",
    JobState.GIVEN_UP: "aufgegeben",
}


@click.command()
@json_option
def migrate() -> Answer:
    """Bringt die Datenbank auf den Stand dieses Programms."""
    url = owner_url(read_settings())
    lacking = missing_migrations(url)
    upgrade(url)
    lines = [f"Ausgeführt: {name}" for name in lacking] or ["Die Datenbank ist schon aktuell."]
    return Answer(lines, {"ran": lacking})


@click.command()
@json_option
def secret() -> Answer:
    """Denkt sich einen Wert für GUSTAV_SECRET_KEY aus."""
    value = secrets.token_urlsafe(48)
    return Answer([value], {"secret": value})


@click.command()
@json_option
def version() -> Answer:
    """Nennt die Version."""
    ours, python = our_version(), machine.python_version()
    return Answer([f"GUSTAV {ours}, Python {python}"], {"version": ours, "python": python})


def our_version() -> str:
    try:
        return version_of("gustav-lti")
    except PackageNotFoundError:  # run from a folder, never installed
        return "ohne Nummer"


@dataclass(frozen=True)
class Pile:
    """Jobs of one kind in one state, and since when the oldest of them is there."""

    kind: str
    state: str
    count: int
    oldest: datetime


@click.command()
@json_option
def jobs() -> Answer:
    """Zeigt, was der Worker noch zu tun hat und was er aufgegeben hat."""
    with open_house() as (_, database), database.begin(WORKER) as db:
        piles = piles_of_jobs(db)
    lines = [
        f"{pile.kind}: {pile.count} {STATE_WORDS[JobState(pile.state)]},"
        f" älteste vom {pile.oldest:%d.%m.%Y %H:%M}"
        for pile in piles
    ]
    return Answer(lines or ["Es ist nichts zu tun."], {"jobs": [asdict(pile) for pile in piles]})


def piles_of_jobs(db: Session) -> Sequence[Pile]:
    """All that is not done, counted by kind and state."""
    rows = db.execute(
        select(Job.kind, Job.state, func.count(), func.min(Job.created_at))
        .where(Job.state != JobState.DONE)
        .group_by(Job.kind, Job.state)
        .order_by(Job.kind, Job.state)
    )
    return [Pile(kind.value, state.value, count, oldest) for kind, state, count, oldest in rows]
