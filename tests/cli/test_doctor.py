"""The doctor at a real database, with one thing wrong at a time."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from config.settings import read_settings
from feedback_engine.config import EngineConfig
from feedback_engine.health import ModelHealth
from lti_tool.cli.doctor.services import look_at_models, look_at_redis
from lti_tool.core.db import WORKER, Database, service_of
from lti_tool.core.embedded import EmbeddedPostgres
from lti_tool.core.jobs import JobKind, enqueue
from lti_tool.core.pulse import beat
from tests.cli.console import Gustav
from tests.fakes.http_server import Answer, LoopbackServer
from tests.fakes.ollama import FakeOllama

PLATFORM = (
    *("platform", "add", "--name", "Musterschule", "--client-id", "aBc123"),
    *("--moodle", "https://moodle.schule.example", "--deployment-id", "3"),
)


def findings(gustav: Gustav) -> dict[str, dict[str, Any]]:
    """By what they are about. Checks that the exit code says the same."""
    said = gustav("doctor", "--json")
    assert said.code == (0 if said.json["ok"] else 1)
    assert said.json["ok"] is all(finding["ok"] for finding in said.json["findings"])
    return {finding["about"]: finding for finding in said.json["findings"]}


def test_a_healthy_house_has_nothing_to_complain_about(house: Gustav, database: Database) -> None:
    _worker_lives(database)
    house(*PLATFORM)

    said = house("doctor")

    assert said.code == 0
    assert "FEHLT" not in said.out
    assert "„Musterschule“: Aktiv" in said.out


def test_settings_come_first_and_nothing_else_is_tried_without_them(gustav: Gustav) -> None:
    found = findings(gustav)

    assert list(found) == ["settings"]
    assert "GUSTAV_BASE_URL" in found["settings"]["says"]


def test_a_silent_database_is_told_and_the_rest_is_still_looked_at(
    house: Gustav, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GUSTAV_DATABASE_URL", "postgresql://gustav_app@127.0.0.1:1/gustav")

    found = findings(house)

    assert not found["database"]["ok"]
    assert found["model"]["ok"]


def test_the_owner_of_the_tables_must_not_be_the_applications_role(
    house: Gustav, postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GUSTAV_DATABASE_URL", postgres.owner_url)

    assert "besitzt Tabellen" in findings(house)["role"]["says"]


def test_a_superuser_must_not_be_it_either(
    house: Gustav, postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GUSTAV_DATABASE_URL", postgres.superuser_url)

    assert "ist Superuser und darf Zeilenregeln umgehen" in findings(house)["role"]["says"]


def test_a_database_without_tables_needs_migrations(
    house: Gustav, postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    with psycopg.connect(_plain(postgres.superuser_url), autocommit=True) as db:
        db.execute("CREATE DATABASE bare OWNER gustav_owner")
    monkeypatch.setenv("GUSTAV_DATABASE_URL", _named(postgres.app_url, "bare"))
    monkeypatch.setenv("GUSTAV_OWNER_DATABASE_URL", _named(postgres.owner_url, "bare"))
    try:
        found = findings(house)
        told = house("jobs")
    finally:
        with psycopg.connect(_plain(postgres.superuser_url), autocommit=True) as db:
            db.execute("DROP DATABASE bare WITH (FORCE)")

    assert "zuerst 0001" in found["migrations"]["says"]
    assert "worker" not in found
    assert "gustav migrate" in told.err


def test_without_the_owners_address_the_doctor_goes_on(
    house: Gustav, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GUSTAV_OWNER_DATABASE_URL")

    found = findings(house)

    assert found["migrations"]["ok"]
    assert "worker" in found


def test_a_probe_is_left_nowhere(house: Gustav, tmp_path: Path) -> None:
    assert findings(house)["files"]["ok"]

    assert [path for path in (tmp_path / "files").rglob("*") if path.is_file()] == []


def test_a_place_where_nothing_can_be_written_is_told(
    house: Gustav, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("GUSTAV_FILES", str(tmp_path / "file" / "files"))

    found = findings(house)["files"]

    assert not found["ok"]
    assert "Fotos kommen nicht an" in found["says"]
    assert "GUSTAV_FILES" in found["what_to_do"]


def test_a_worker_is_missed_until_it_gives_a_sign_of_life(
    house: Gustav, database: Database
) -> None:
    assert "heute war noch keiner da" in findings(house)["worker"]["says"]

    _worker_lives(database)

    assert findings(house)["worker"]["ok"]


def _worker_lives(database: Database) -> None:
    with database.begin(WORKER) as db:
        beat(db, uuid4())


def test_work_that_lies_about_means_a_stuck_worker(
    house: Gustav, database: Database, postgres: EmbeddedPostgres
) -> None:
    _worker_lives(database)
    platform_id = UUID(house(*PLATFORM, "--json").json["id"])
    with database.begin(service_of(platform_id)) as db:
        enqueue(db, JobKind.POST_SCORE, platform_id=platform_id, subject_id=uuid4())

    assert findings(house)["worker"]["ok"]

    _let_it_lie(postgres, timedelta(minutes=10))

    found = findings(house)
    assert "seit 10 min" in found["worker"]["says"]


def test_a_job_whose_holder_died_counts_from_the_end_of_its_lease(
    house: Gustav, database: Database, postgres: EmbeddedPostgres
) -> None:
    _worker_lives(database)
    platform_id = UUID(house(*PLATFORM, "--json").json["id"])
    with database.begin(service_of(platform_id)) as db:
        enqueue(db, JobKind.POST_SCORE, platform_id=platform_id, subject_id=uuid4())
    _let_it_lie(postgres, timedelta(hours=1))
    _hold(postgres, timedelta(minutes=5))

    assert findings(house)["worker"]["ok"]

    _hold(postgres, timedelta(minutes=-5))

    assert "seit 5 min" in findings(house)["worker"]["says"]


def test_with_another_secret_the_keys_do_not_open(
    house: Gustav, monkeypatch: pytest.MonkeyPatch
) -> None:
    house(*PLATFORM)
    monkeypatch.setenv("GUSTAV_SECRET_KEY", "another-secret-another-secret-another")

    found = findings(house)["platforms"]

    assert found["says"] == (
        "„Musterschule“: Unser Schlüssel für diese Plattform lässt sich nicht öffnen."
    )
    assert 'gustav platform rotate-key "Musterschule"' in found["what_to_do"]


def test_redis_is_not_missed_where_there_is_none(house: Gustav) -> None:
    assert findings(house)["redis"]["ok"]


def test_a_redis_that_should_be_there_and_is_not_is_told(
    house: Gustav, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GUSTAV_REDIS_URL", "redis://127.0.0.1:1/0")

    finding = look_at_redis(read_settings())

    assert not finding.ok
    assert "GUSTAV_REDIS_URL" in finding.what_to_do


def test_a_missing_model_is_told_with_the_command_that_fetches_it(
    house: Gustav, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GUSTAV_ENGINE", "ollama")
    asked: list[EngineConfig] = []

    def missing(wanted: EngineConfig) -> ModelHealth:
        asked.append(wanted)
        return ModelHealth(reachable=True, what_to_do=(f"fehlt: ollama pull {wanted.model}",))

    judge, reader, slots = look_at_models(read_settings(), missing)

    assert "OLLAMA_NUM_PARALLEL=2" in slots.says
    assert not judge.ok
    assert "ollama pull gemma3:12b-it-q8_0" in judge.what_to_do
    assert not reader.ok
    assert "ollama pull qwen2.5vl:7b-q8_0" in reader.what_to_do
    assert [wanted.model for wanted in asked] == ["gemma3:12b-it-q8_0", "qwen2.5vl:7b-q8_0"]


def test_a_model_that_is_there_is_well(house: Gustav, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUSTAV_ENGINE", "ollama")

    def there(wanted: EngineConfig) -> ModelHealth:
        return ModelHealth(reachable=True, digests={wanted.model: "a1b2" * 16})

    found = list(look_at_models(read_settings(), there))

    assert all(finding.ok for finding in found)
    assert all("Prüfsumme a1b2a1b2a1b2" in finding.says for finding in found[:2])


def test_an_exchanged_model_is_told_with_both_digests(
    house: Gustav, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ATK-125, at a host that answers."""
    monkeypatch.setenv("GUSTAV_ENGINE", "ollama")
    monkeypatch.setenv("GUSTAV_MODEL_SLOTS", "1")
    monkeypatch.setenv("GUSTAV_MODEL_DIGEST", "1" * 12)
    monkeypatch.setenv("GUSTAV_READING_DIGEST", "c" * 64)
    models = {"gemma3:12b-it-q8_0": "a" * 64, "qwen2.5vl:7b-q8_0": "c" * 64}
    with FakeOllama(models) as host:
        host.sees |= set(models)
        host.context = 131_072
        monkeypatch.setenv("GUSTAV_MODEL_HOST", host.url)
        judge, reader = look_at_models(read_settings())

    assert not judge.ok
    assert "aaaaaaaaaaaa" in judge.what_to_do
    assert "111111111111" in judge.what_to_do
    assert "GUSTAV_MODEL_DIGEST" in judge.what_to_do
    assert reader.ok
    assert "Prüfsumme cccccccccccc, wie freigegeben" in reader.says


def test_of_several_hosts_each_finding_names_its_own(
    house: Gustav, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GUSTAV_ENGINE", "ollama")
    hosts = ("http://gpu-1:11434", "http://gpu-2:11434")
    monkeypatch.setenv("GUSTAV_MODEL_HOST", ",".join(hosts))

    def one_lacks_a_model(wanted: EngineConfig) -> ModelHealth:
        lacks = wanted.host == hosts[1] and wanted.model.startswith("qwen")
        return ModelHealth(reachable=True, what_to_do=("fehlt",) if lacks else ())

    found = list(look_at_models(read_settings(), one_lacks_a_model))

    wrong = [finding for finding in found if not finding.ok]
    assert [(finding.about, hosts[1] in finding.says) for finding in wrong] == [("reading", True)]
    named = [[host for host in hosts if host in finding.says] for finding in found]
    assert sorted(named) == sorted([[host] for host in hosts] * 3)


def test_a_school_where_no_model_reads_is_well(
    house: Gustav, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GUSTAV_ENGINE", "ollama")
    monkeypatch.setenv("GUSTAV_READING_MODEL", "none")

    monkeypatch.setenv("GUSTAV_MODEL_HOST", "http://gpu-1:11434,http://gpu-2:11434")

    found = look_at_models(read_settings(), lambda _: ModelHealth(reachable=True))

    (reader,) = [finding for finding in found if finding.about == "reading"]
    assert reader.ok
    assert "tippen ab" in reader.says


def test_nobody_at_the_models_address_is_told(
    house: Gustav, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GUSTAV_ENGINE", "ollama")
    monkeypatch.setenv("GUSTAV_MODEL_HOST", "http://127.0.0.1:1")

    for finding in look_at_models(read_settings()):
        assert finding.about == "slots" or "antwortet nicht" in finding.what_to_do


def test_the_doctor_looks_at_a_cookie_that_came_by_the_public_address(
    house: Gustav, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ATK-52."""
    cookie = "gustav_probe=ok; Secure; HttpOnly; Path=/health/cookie; SameSite=None"
    with LoopbackServer(lambda _: Answer(headers={"Set-Cookie": cookie})) as server:
        monkeypatch.setenv("GUSTAV_BASE_URL", server.url)
        finding = findings(house)["address"]

    assert not finding["ok"]
    assert "Partitioned" in finding["says"]
    assert "/health/cookie" in [seen.target for seen in server.seen]


def test_a_proxy_that_leads_no_events_to_the_live_process_is_noticed(
    house: Gustav, monkeypatch: pytest.MonkeyPatch
) -> None:
    with LoopbackServer(lambda _: Answer(404)) as server:
        monkeypatch.setenv("GUSTAV_BASE_URL", server.url)
        finding = findings(house)["events"]

    assert not finding["ok"]
    assert "/s/…/live/…" in finding["what_to_do"]
    assert "/health/events" in [seen.target for seen in server.seen]


def _let_it_lie(postgres: EmbeddedPostgres, so_long: timedelta) -> None:
    with psycopg.connect(_plain(postgres.superuser_url), autocommit=True) as db:
        db.execute("UPDATE jobs SET ready_at = now() - %s", [so_long])


def _hold(postgres: EmbeddedPostgres, still: timedelta) -> None:
    with psycopg.connect(_plain(postgres.superuser_url), autocommit=True) as db:
        db.execute("UPDATE jobs SET state = 'working', lease_until = now() + %s", [still])


def _plain(url: str) -> str:
    return url.replace("+psycopg", "")


def _named(url: str, database: str) -> str:
    return url.replace("/gustav_test", f"/{database}")
