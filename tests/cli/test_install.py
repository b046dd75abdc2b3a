"""On a bare machine: what is missing is named in one sentence, with the package that helps."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOLS = ("basename", "cat", "cksum", "dirname", "find", "rm", "sh")
WITHOUT_ENSUREPIP = f"""#!/bin/sh
case "$2" in *ensurepip*) exit 1;; esac
exec {sys.executable} "$@"
"""
TOO_OLD = """#!/bin/sh
exit 1
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """As it comes from git, with a PATH of the barest tools beside it."""
    for name in ("demo", "pyproject.toml", "config/requirements"):
        source, target = ROOT / name, tmp_path / "gustav" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copy(source, target)
    (tmp_path / "bin").mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found
        (tmp_path / "bin" / tool).symlink_to(found)
    return tmp_path


def run_demo(checkout: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [checkout / "gustav" / "demo"],
        env={"PATH": str(checkout / "bin")},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def put_python(checkout: Path, script: str) -> None:
    python = checkout / "bin" / "python3"
    python.write_text(script)
    python.chmod(0o755)


def test_without_python_it_is_named(checkout: Path) -> None:
    said = run_demo(checkout)

    assert said.returncode == 1
    assert said.stderr == (
        "Es fehlt Python 3.11 bis 3.14. Abhilfe unter Debian: apt install python3 python3-venv\n"
    )


def test_a_python_that_is_too_old_does_not_count(checkout: Path) -> None:
    put_python(checkout, TOO_OLD)

    assert "Es fehlt Python 3.11" in run_demo(checkout).stderr


def test_without_ensurepip_debians_package_is_named(checkout: Path) -> None:
    put_python(checkout, WITHOUT_ENSUREPIP)

    said = run_demo(checkout)

    assert said.returncode == 1
    assert said.stderr == (
        "Es fehlt das Debian-Paket python3-venv. Abhilfe: apt install python3-venv\n"
    )
    assert not (checkout / "gustav" / ".venv").exists()
