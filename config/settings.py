"""Every knob of the tool, read once from the environment (`GUSTAV_…` or `GUSTAV_…_FILE`).

A missing or impossible value stops the start with the knob's name. Nothing else reads the
environment.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import (
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from config.profiles import DEFAULT, PROFILES, Engine, Name, filled_in

PREFIX = "GUSTAV_"
_TWO = PROFILES[DEFAULT]  # what pydantic shows as defaults; `filled_in` has the last word


def _seconds(value: object) -> object:
    """Plain numbers are seconds; everything else is left to pydantic (ISO 8601)."""
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _bare(value: object) -> object:
    """A digest as Ollama's API and its command line say it, without what stands before it."""
    return value.strip().lower().removeprefix("sha256:") if isinstance(value, str) else value


Digest = Annotated[str, BeforeValidator(_bare), Field(pattern=r"^([0-9a-f]{12,64})?$")]
Duration = Annotated[timedelta, BeforeValidator(_seconds)]


class SettingsError(Exception):
    """The environment does not make a working configuration; the text names the knob."""


class Settings(BaseSettings):
    """One frozen value per process. Durations are ISO 8601 ("PT90M") or seconds."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    base_url: str = Field(description="Public address of the tool, without a trailing slash")
    secret_key: SecretStr = Field(description="At least 32 characters; `gustav secret` makes one")
    database_url: SecretStr = Field(description="PostgreSQL, as the role that owns nothing")
    owner_database_url: SecretStr | None = Field(
        default=None, description="PostgreSQL, as the owner; only migrations and doctor use it"
    )
    redis_url: SecretStr | None = Field(
        default=None, description="Doorbells for the worker; without it the sweep finds the work"
    )
    model_profile: Name = Field(
        default=DEFAULT, description="Which models a school runs; fills in what is not set"
    )
    engine: Engine = Field(
        default=_TWO.engine, description="Who writes the feedback; lexical is free of any AI model"
    )
    model_host: str = Field(
        default=_TWO.model_host, description="Address of the model; of several comma-separated"
    )
    model_name: str = Field(default=_TWO.model_name, description="Model that judges")
    model_digest: Digest = Field(
        default="",
        description="Only with this digest does that model judge; its first 12 digits do",
    )
    model_sees: bool = Field(default=_TWO.model_sees, description="It is shown drawings, too")
    reading_model: str = Field(
        default=_TWO.reading_model, description="Model that reads photos; none: nobody does"
    )
    reading_digest: Digest = Field(
        default="", description="Only with this digest does that model read"
    )
    keep_alive: str = Field(
        default=_TWO.keep_alive,
        pattern=r"^-?(\d+[smh])+$",
        description="So long Ollama keeps an idle model in memory; -1m: for ever",
    )
    image_size: int = Field(
        default=_TWO.image_size, ge=400, le=4000, description="Longer edge of a page, in pixels"
    )
    model_slots: Annotated[tuple[int, ...], NoDecode] = Field(
        default=_TWO.model_slots,
        description="Answers a host writes at once; one number, or one per host",
    )
    model_age_limit: Duration = Field(
        default=timedelta(minutes=2), description="So long the model that is loaded goes first"
    )
    model_api_key: SecretStr | None = Field(default=None, description="Key of an openai host")
    model_context: int = Field(
        default=_TWO.model_context, ge=4096, description="Tokens the model may see"
    )
    model_time_limit: Duration = Field(
        default=timedelta(seconds=180), description="For a page, or for an answer of a page"
    )
    outbound_allow: Annotated[frozenset[str], NoDecode] = Field(
        default=frozenset(),
        description="Internal hosts the tool may call, host or host:port, comma-separated",
    )
    files: str = Field(
        default="files", description="Pupils' pages: a folder, or s3://bucket/prefix"
    )
    s3_endpoint: str | None = Field(default=None, description="The S3 server; without it AWS")
    s3_region: str = Field(default="us-east-1", description="Region, as the S3 server wants it")
    s3_key: str | None = Field(default=None, description="Access key for s3://")
    s3_secret: SecretStr | None = Field(default=None, description="Secret key for s3://")
    web_processes: int = Field(default=1, ge=1, description="Processes that answer requests")
    worker_threads: int = Field(default=2, ge=1, description="Errands (grades, lists) at once")
    worker_grace: Duration = Field(
        default=timedelta(seconds=30), description="So long a worker asked to end may finish jobs"
    )
    job_lease: Duration = Field(
        default=timedelta(seconds=60), description="A worker silent for so long counts as dead"
    )
    job_attempts: int = Field(default=3, ge=1, description="Tries before a teacher is asked")
    sweep_every: Duration = Field(
        default=timedelta(seconds=10), description="How often a worker looks for waiting rows"
    )
    session_idle: Duration = Field(default=timedelta(minutes=90), description="Idle limit")
    session_life: Duration = Field(default=timedelta(hours=10), description="Absolute limit")
    language: Literal["de", "en"] = Field(default="de", description="Where no one says other")
    log_format: Literal["json", "text"] = Field(default="json", description="How logs look")

    @model_validator(mode="before")
    @classmethod
    def _of_a_profile(cls, values: dict[str, object]) -> dict[str, object]:
        return filled_in(values)

    @field_validator("base_url")
    @classmethod
    def _an_address(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query:
            raise ValueError("must be an address such as https://gustav.schule.example")
        return value.rstrip("/")

    @field_validator("secret_key")
    @classmethod
    def _long_enough(cls, value: SecretStr) -> SecretStr:
        if len(value.get_secret_value()) < 32:
            raise ValueError("must have at least 32 characters")
        return value

    @field_validator("database_url", "owner_database_url")
    @classmethod
    def _psycopg(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None:
            return None
        scheme, _, rest = value.get_secret_value().partition("://")
        if scheme not in ("postgresql", "postgres", "postgresql+psycopg") or not rest:
            raise ValueError("must be an address such as postgresql://gustav_app@host/gustav")
        return SecretStr(f"postgresql+psycopg://{rest}")

    @model_validator(mode="after")
    def _s3_has_keys(self) -> Settings:
        if self.files.startswith("s3://") and not (self.s3_key and self.s3_secret):
            raise ValueError("GUSTAV_FILES in s3:// needs GUSTAV_S3_KEY and GUSTAV_S3_SECRET")
        return self

    @model_validator(mode="after")
    def _only_ollama_tells_digests(self) -> Settings:
        if self.engine != "ollama" and (self.model_digest or self.reading_digest):
            raise ValueError("GUSTAV_MODEL_DIGEST and GUSTAV_READING_DIGEST need Ollama's answer")
        return self

    @field_validator("files")
    @classmethod
    def _a_place(cls, value: str) -> str:
        scheme, address, rest = value.partition("://")
        if address and (scheme != "s3" or rest.startswith("/") or not rest):
            raise ValueError("must be a folder, or an address such as s3://bucket/prefix")
        return value

    @field_validator("model_slots", mode="before")
    @classmethod
    def _numbers(cls, value: object) -> object:
        return tuple(value.split(",")) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _slots_for_each_host(self) -> Settings:
        if not self.model_hosts:
            raise ValueError("GUSTAV_MODEL_HOST must name at least one host")
        if min(self.model_slots) < 1 or len(self.model_slots) not in (1, len(self.model_hosts)):
            raise ValueError("GUSTAV_MODEL_SLOTS must be one number from 1, or one for each host")
        return self

    @property
    def model_hosts(self) -> tuple[str, ...]:
        """The addresses, each once."""
        found = (part.strip() for part in self.model_host.split(","))
        return tuple(dict.fromkeys(filter(None, found)))

    def slots_of_hosts(self, hosts: int) -> tuple[int, ...]:
        """One number for each of so many hosts."""
        return self.model_slots if len(self.model_slots) == hosts else self.model_slots[:1] * hosts

    @field_validator("outbound_allow", mode="before")
    @classmethod
    def _comma_separated(cls, value: object) -> object:
        if isinstance(value, str):
            return frozenset(part.strip() for part in value.split(",") if part.strip())
        return value


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Settings from `environment`.

    Raises:
        SettingsError: a value is missing or impossible; the text names each knob concerned.
    """
    values = {
        name: environment[PREFIX + name.upper()]
        for name in Settings.model_fields
        if environment.get(PREFIX + name.upper())
    }
    values |= _from_files(environment)
    try:
        return Settings(**values)  # type: ignore[arg-type]  # strings are parsed by the fields
    except ValidationError as error:
        knobs = (
            f"{PREFIX}{'.'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors()
        )
        raise SettingsError("; ".join(knobs)) from None


def _from_files(environment: Mapping[str, str]) -> dict[str, str]:
    """Secrets as files, the way container platforms hand them over."""
    found = {}
    for name in Settings.model_fields:
        knob = f"{PREFIX}{name.upper()}_FILE"
        if path := environment.get(knob):
            try:
                found[name] = Path(path).read_text(encoding="utf-8").strip()
            except OSError as error:
                raise SettingsError(f"{knob}: {error.strerror}") from None
    return found
