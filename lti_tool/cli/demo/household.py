"""What has to be in place before the demo's processes start: tables, one platform, an engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from config.profiles import NO_READER
from config.settings import Settings, read_settings
from lti_tool.cli.demo.plan import CLIENT_ID, Plan
from lti_tool.cli.doctor.services import Models, ask_model_host
from lti_tool.cli.house import open_database
from lti_tool.core import engines
from lti_tool.core.db import ADMIN
from lti_tool.core.embedded import EmbeddedPostgres
from lti_tool.core.errors import NotFound
from lti_tool.core.schema import upgrade
from lti_tool.people.services import KeySeal, add_platform, find_platform

WITH_MODEL = "Rückmeldungen schreibt das Modell {model}."
WITH_READER = " Fotos liest das Modell {model}."
WITHOUT_MODEL = "Rückmeldungen entstehen ohne KI-Modell, nach einfachen Regeln. {why}"


@dataclass(frozen=True)
class ChosenEngine:
    """Which engine, a sentence that says so and why, and which model reads photos."""

    name: str
    says: str
    reading_model: str = NO_READER


def choose_engine(settings: Settings, ask: Models = ask_model_host) -> ChosenEngine:
    """The model of the settings if it is there; else the engine that needs none."""
    if settings.engine == "lexical":
        return ChosenEngine("lexical", WITHOUT_MODEL.format(why="So ist es eingestellt."))
    to_do = ask(engines.judging(settings, settings.model_hosts[0])).what_to_do
    if to_do:
        return ChosenEngine("lexical", WITHOUT_MODEL.format(why=" ".join(to_do)))
    says = WITH_MODEL.format(model=settings.model_name)
    reading = engines.reading(settings, settings.model_hosts[0])
    if reading is None or not ask(reading).ok:
        return ChosenEngine(settings.engine, says)
    says += WITH_READER.format(model=reading.model)
    return ChosenEngine(settings.engine, says, reading.model)


def prepare(plan: Plan, postgres: EmbeddedPostgres, environment: Mapping[str, str]) -> None:
    """Bring the tables up to date and register the practice LMS, once."""
    upgrade(postgres.owner_url)
    settings = read_settings(environment)
    with open_database(settings) as database, database.begin(ADMIN) as db:
        try:
            platform = find_platform(db, CLIENT_ID)
        except NotFound:
            seal = KeySeal(settings.secret_key.get_secret_value())
            platform = add_platform(db, plan.platform, seal)
        key_set = f"{plan.base_url}/lti/keys/{platform.id}"
    (plan.folder / "key-set-url").write_text(key_set, encoding="utf-8")
