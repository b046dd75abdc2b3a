"""How the models of the settings are reached: one that judges, and one that reads pages."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from config.profiles import NO_READER
from feedback_engine.config import READING_OUTPUT, EngineConfig, EngineKind, reading_context

if TYPE_CHECKING:
    from config.settings import Settings


def judging(settings: Settings, address: str) -> EngineConfig:
    """The model that judges, at one host."""
    key = settings.model_api_key
    return EngineConfig(
        kind=EngineKind(settings.engine),
        host=address,
        model=settings.model_name,
        timeout=settings.model_time_limit.total_seconds(),
        num_ctx=_context(settings),
        keep_alive=settings.keep_alive,
        digest=settings.model_digest,
        sees=settings.model_sees,
        image_size=settings.image_size,
        api_key=key.get_secret_value() if key else "",
    )


def reading(settings: Settings, address: str) -> EngineConfig | None:
    """The model that reads pages, at one host; None where there is to be none."""
    if settings.engine == "lexical" or settings.reading_model == NO_READER:
        return None
    same = settings.reading_model == settings.model_name
    return replace(
        judging(settings, address),
        model=settings.reading_model,
        num_ctx=_context(settings) if same else reading_context(settings.image_size),
        max_output=READING_OUTPUT,
        digest=settings.reading_digest or (settings.model_digest if same else ""),
        sees=True,
    )


def _context(settings: Settings) -> int:
    """One model has one context for all it does, as Ollama loads it anew with another."""
    if settings.reading_model != settings.model_name:
        return settings.model_context
    return max(settings.model_context, reading_context(settings.image_size))
