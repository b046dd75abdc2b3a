"""A shell with the settings of the test database."""

from pathlib import Path

import pytest

from lti_tool.core.db import Database
from lti_tool.core.embedded import EmbeddedPostgres
from tests.cli.console import Gustav, console

SECRET = "only-for-tests-only-for-tests-only-for-tests"


@pytest.fixture
def gustav(capsys: pytest.CaptureFixture[str]) -> Gustav:
    """Without any settings."""
    return console(capsys)


@pytest.fixture
def house(
    gustav: Gustav,
    postgres: EmbeddedPostgres,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Gustav:
    """With the settings of an administrator whose database is up to date."""
    monkeypatch.setenv("GUSTAV_BASE_URL", "https://gustav.schule.example")
    monkeypatch.setenv("GUSTAV_SECRET_KEY", SECRET)
    monkeypatch.setenv("GUSTAV_DATABASE_URL", postgres.app_url)
    monkeypatch.setenv("GUSTAV_OWNER_DATABASE_URL", postgres.owner_url)
    monkeypatch.setenv("GUSTAV_ENGINE", "lexical")
    monkeypatch.setenv("GUSTAV_FILES", str(tmp_path / "files"))
    return gustav
