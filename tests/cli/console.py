"""Runs commands the way a shell would, and keeps what they said."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from lti_tool.cli import run


@dataclass(frozen=True)
class Said:
    """`out` is for whoever asked, `err` for what went wrong."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Gustav = Callable[..., Said]


def console(capsys: pytest.CaptureFixture[str]) -> Gustav:
    """`gustav("platform", "list")` runs the command in this process."""

    def gustav(*arguments: str) -> Said:
        code = run(arguments)
        out, err = capsys.readouterr()
        return Said(code, out, err)

    return gustav
