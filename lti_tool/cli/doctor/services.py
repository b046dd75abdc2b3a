"""Looks at what stands beside the database: the public address, Redis and the model's host."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from uuid import uuid4

from config.settings import Settings
from feedback_engine.config import EngineConfig
from lti_tool.cli.doctor.findings import Finding, about_address, about_events
from lti_tool.core import engines
from lti_tool.core.files import FilesError, open_store_of
from lti_tool.core.outbound import GuardedTransport, Outbound, OutboundError, Reply

if TYPE_CHECKING:
    from feedback_engine.health import ModelHealth

Cookie = Callable[[str], str | None]
Status = Callable[[str], int | None]
Models = Callable[[EngineConfig], "ModelHealth"]


def look_at_address(settings: Settings, ask: Cookie | None = None) -> Finding:
    """The way of a cookie from here to a browser, through whatever stands in front of us."""
    return about_address(settings.base_url, (ask or ask_for_cookie)(settings.base_url))


def ask_for_cookie(base_url: str) -> str | None:
    """A cookie as it arrives by the public address; None if nobody answers there."""
    reply = _ask_publicly(base_url, "/health/cookie")
    return reply.headers.get("set-cookie", "") if reply and reply.status == 200 else None


def look_at_events(settings: Settings, ask: Status | None = None) -> Finding:
    """Whether events find their way from `gustav live` to browsers."""
    return about_events((ask or ask_for_events)(settings.base_url))


def ask_for_events(base_url: str) -> int | None:
    """What the live process's probe says by the public address; None if nobody answers there."""
    reply = _ask_publicly(base_url, "/health/events")
    return reply.status if reply else None


def _ask_publicly(base_url: str, path: str) -> Reply | None:
    parts = urlsplit(base_url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    way = GuardedTransport(allowed=[f"{parts.hostname}:{port}"], deadline=timedelta(seconds=3))
    with Outbound(way) as outbound:
        try:
            return outbound.get(f"{base_url}{path}")
        except OutboundError:
            return None


def look_at_files(settings: Settings) -> Finding:
    """Writes a probe where pupils' pages lie, reads it and deletes it again."""
    key, probe = f"pages/{uuid4()}/{uuid4()}", uuid4().bytes
    advice = "Gibt es den Ort, ist dort noch Platz, und darf GUSTAV dort schreiben? (GUSTAV_FILES)"
    try:
        store = open_store_of(settings)
        store.put(key, probe)
        read = store.get(key)
        store.delete([key])
    except FilesError:
        says = f"In {settings.files} lassen sich keine Dateien ablegen; Fotos kommen nicht an."
        return Finding("files", False, says, advice)
    if read != probe:
        says = f"{settings.files} gibt Dateien anders zurück, als sie abgelegt wurden."
        return Finding("files", False, says, "Den Datenträger oder den S3-Server prüfen.")
    return Finding("files", True, f"Dateien lassen sich in {settings.files} ablegen und lesen.")


def look_at_redis(settings: Settings) -> Finding:
    """Redis only rings bells: without it everything works, a little later."""
    if settings.redis_url is None:
        return Finding("redis", True, "Redis ist nicht eingestellt; der Worker schaut selbst nach.")
    import redis  # noqa: PLC0415  # only who uses it pays for it

    client = redis.Redis.from_url(
        settings.redis_url.get_secret_value(), socket_timeout=3, socket_connect_timeout=3
    )
    try:
        client.ping()
    except redis.RedisError:
        return Finding(
            "redis",
            False,
            "Redis antwortet nicht. Es geht nichts verloren, aber alles dauert länger.",
            "Redis starten, oder GUSTAV_REDIS_URL prüfen.",
        )
    finally:
        client.close()
    return Finding("redis", True, "Redis antwortet.")


def ask_model_host(wanted: EngineConfig) -> ModelHealth:
    """What is known of the model, and what is to be done so that it answers."""
    # It loads the client of the model's host, which no other command needs.
    from feedback_engine.health import check_models  # noqa: PLC0415

    return check_models(wanted)


def look_at_models(settings: Settings, ask: Models = ask_model_host) -> Iterator[Finding]:
    """The models that judge and read. Without them submissions wait, visibly."""
    if settings.engine == "lexical":
        yield Finding("model", True, "Rückmeldungen entstehen ohne KI-Modell (lexical).")
        yield Finding("reading", True, NOBODY_READS)
        return
    slots = settings.slots_of_hosts(len(settings.model_hosts))
    for host, at_once in zip(settings.model_hosts, slots, strict=True):
        yield from _about_host(settings, host, ask)
        if settings.engine == "ollama" and at_once > 1:
            yield Finding("slots", True, SLOTS.format(host=host, slots=at_once))
    if engines.reading(settings, settings.model_host) is None:
        yield Finding("reading", True, NOBODY_READS)


def _about_host(settings: Settings, host: str, ask: Models) -> Iterator[Finding]:
    """Of several hosts each finding names its own."""
    place = f" auf {host}" if len(settings.model_hosts) > 1 else ""
    judging, reading = engines.judging(settings, host), engines.reading(settings, host)
    yield _about_model("model", f"Rückmeldungen{place}", judging, ask(judging))
    if reading is not None:
        yield _about_model("reading", f"das Lesen von Fotos{place}", reading, ask(reading))


# Ollama does not tell what it is set to, and makes all but one wait if it is not.
SLOTS = "{host} soll {slots} Antworten zugleich schreiben: dort OLLAMA_NUM_PARALLEL={slots} setzen."
NOBODY_READS = "Fotos liest kein Modell; Schülerinnen und Schüler tippen ab, was darauf steht."


def _about_model(about: str, purpose: str, wanted: EngineConfig, health: ModelHealth) -> Finding:
    if health.what_to_do:
        says = f"Das Modell {wanted.model} für {purpose} ist nicht bereit; Abgaben warten so lange."
        return Finding(about, False, says, " ".join(health.what_to_do))
    digest = health.digests.get(wanted.model, "")
    known = f", Prüfsumme {digest[:12]}" if digest else ""
    pinned = ", wie freigegeben" if wanted.digest else ""
    return Finding(about, True, f"Das Modell {wanted.model} für {purpose} ist da{known}{pinned}.")
