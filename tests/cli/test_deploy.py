"""What deploy/ promises: every file, variable, setting and command it names exists."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path
from uuid import uuid4

import pytest
import yaml  # type: ignore[import-untyped]

from config.settings import Settings, read_settings
from lti_tool.cli import cli
from lti_tool.live.app import LiveApp

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
VARIABLE = re.compile(r"\$\{([A-Z_]+)(:[-?][^}]*)?\}")


def prepared(folder: Path, domain: str = "gustav.schule.example") -> dict[str, str]:
    """What prepare.sh writes, run in a copy."""
    script = folder / "prepare.sh"
    script.write_text((DEPLOY / "prepare.sh").read_text())
    subprocess.run(["/bin/sh", script, domain], check=True, capture_output=True)
    lines = (folder / ".env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def filled_in(value: str, variables: dict[str, str]) -> str:
    """A value of compose.yaml as Compose would read it."""

    def fill(found: re.Match[str]) -> str:
        default = found[2][2:] if (found[2] or "").startswith(":-") else ""
        return variables.get(found[1]) or default

    return VARIABLE.sub(fill, value)


def test_every_variable_of_the_compose_file_is_prepared_or_has_a_default(tmp_path: Path) -> None:
    named = VARIABLE.findall((DEPLOY / "compose.yaml").read_text())

    needed = {name for name, rest in named if not rest.startswith(":-")}

    assert needed - {name for name, rest in named if rest.startswith(":-")} <= set(
        prepared(tmp_path)
    )


@pytest.mark.parametrize("service", ["web", "live", "worker", "migrate"])
def test_each_service_gets_settings_that_work(tmp_path: Path, service: str) -> None:
    variables = prepared(tmp_path)
    environment = {
        name: filled_in(value, variables)
        for name, value in COMPOSE["services"][service]["environment"].items()
    }

    settings = read_settings(environment)

    assert settings.base_url == "https://gustav.schule.example"
    assert settings.engine == "ollama"
    assert (settings.owner_database_url is not None) is (service == "migrate")
    knobs = {f"GUSTAV_{name.upper()}" for name in Settings.model_fields}
    assert {name for name in environment if name.startswith("GUSTAV_")} <= knobs


def test_passwords_are_made_once_and_readable_by_nobody_else(tmp_path: Path) -> None:
    first = prepared(tmp_path)

    assert (tmp_path / ".env").stat().st_mode & 0o077 == 0
    secrets = [value for name, value in first.items() if re.search("PASSWORD|SECRET", name)]
    assert len(set(secrets)) == 4
    with pytest.raises(subprocess.CalledProcessError):
        prepared(tmp_path)


def test_every_file_that_is_mounted_or_copied_exists() -> None:
    mounts = [
        mount.split(":")[0]
        for service in COMPOSE["services"].values()
        for mount in service.get("volumes", [])
    ]
    for mount in mounts:
        assert mount in COMPOSE["volumes"] or (DEPLOY / mount).is_file(), mount
    for line in (DEPLOY / "Dockerfile").read_text().splitlines():
        if line.startswith("COPY ") and "--from" not in line:
            for source in line.split()[1:-1]:
                assert (ROOT / source).exists(), source


def test_every_target_is_in_the_dockerfile_and_nobody_is_root() -> None:
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    for service in COMPOSE["services"].values():
        if "build" in service:
            assert f" AS {service['build']['target']}\n" in dockerfile
    assert re.search(r"^USER 10001:10001$", dockerfile, re.MULTILINE)


def test_only_the_proxy_can_be_reached_and_the_database_has_no_way_out() -> None:
    with_ports = [name for name, service in COMPOSE["services"].items() if "ports" in service]

    assert with_ports == ["caddy"]
    assert COMPOSE["networks"]["back"] == {"internal": True}
    for name in ("postgres", "redis"):
        assert COMPOSE["services"][name]["networks"] == ["back"]


def test_events_are_led_to_the_live_process_and_pages_to_the_other():
    caddyfile = (DEPLOY / "Caddyfile").read_text()
    live = re.search(r"@live path_regexp (.+)", caddyfile)
    assert live is not None
    session, submission = uuid4(), uuid4()
    paths = [f"/s/{session}/live/{submission}", "/health/events", f"/s/{session}/work/", "/"]

    assert [bool(re.search(live[1], path)) for path in paths] == [True, True, False, False]
    assert [LiveApp.is_for(path) for path in paths] == [True, True, False, False]
    port = COMPOSE["services"]["live"]["command"][-1].rpartition(":")[2]
    assert f"reverse_proxy @live live:{port} {{" in caddyfile


def test_every_command_that_is_told_to_admins_exists() -> None:
    texts = [DEPLOY / "moodle.md", DEPLOY / "Dockerfile", ROOT / "README.md"]
    told = re.findall(r"gustav ([a-z]+)(?: ([a-z-]+))?", "\n".join(p.read_text() for p in texts))
    told = [(one, two) for one, two in told if one in cli.commands]

    assert {one for one, _ in told} >= {"doctor", "platform"}
    for one, two in told:
        if one == "platform" and two:
            assert two in cli.commands["platform"].commands, two  # type: ignore[attr-defined]


def test_env_example_explains_every_setting_and_no_other() -> None:
    example = (ROOT / "config" / "env.example").read_text()

    listed = set(re.findall(r"^#?(GUSTAV_[A-Z0-9_]+)=", example, re.MULTILINE))

    assert listed == {f"GUSTAV_{name.upper()}" for name in Settings.model_fields}


@pytest.mark.parametrize("name", ["run", "dev", "build"])
def test_requirements_are_pinned_with_hashes_and_name_no_registry(name: str) -> None:
    text = (ROOT / "config" / "requirements" / f"{name}.txt").read_text()

    assert "--only-binary :all:" in text
    assert "://" not in text
    for pinned in re.split(r"\n(?=[a-z])", text)[1:]:
        assert re.match(r"[a-z0-9-]+(\[[a-z,]+\])?==", pinned), pinned[:60]
        assert "--hash=sha256:" in pinned


def test_everything_that_is_declared_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    for file, declared in (
        ("run", project["project"]["dependencies"]),
        ("dev", project["dependency-groups"]["dev"]),
    ):
        pinned = (ROOT / "config" / "requirements" / f"{file}.txt").read_text()
        for requirement in declared:
            name = re.split(r"[\[<>=;~! ]", requirement)[0].lower()
            assert re.search(rf"^{re.escape(name)}(\[|==)", pinned, re.MULTILINE), name
