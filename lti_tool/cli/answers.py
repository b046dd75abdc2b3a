"""What a command says: sentences for people, or with `--json` one JSON document for machines.

Every command returns an `Answer`; what goes wrong is a `CommandFailed` with one German sentence.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


class CommandFailed(Exception):
    """The command did not do what was asked; the text is one sentence for the person who asked."""


@dataclass(frozen=True)
class Answer:
    """`lines` are for people, `data` is the same for machines. Not `ok` means exit code 1."""

    lines: Sequence[str]
    data: object
    ok: bool = True

    def print(self, *, as_json: bool) -> None:
        if as_json:
            print_json(self.data)
        else:
            for line in self.lines:
                click.echo(line)


def print_json(data: object) -> None:
    """One document on standard output, at once; ids and times as text."""
    click.echo(json.dumps(data, ensure_ascii=False, default=str))


def json_option(command: F) -> F:
    """`--json` on a command. `run` looks for it too, so that a refused call answers in JSON."""
    return click.option(
        "--json",
        "_json",
        is_flag=True,
        expose_value=False,
        callback=_remember,
        help="Antwort für Maschinen.",
    )(command)


def wants_json() -> bool:
    """Inside a command that speaks before it ends: is it a machine that listens?"""
    return bool(click.get_current_context().meta.get(__name__, False))


def _remember(context: click.Context, _parameter: click.Parameter, value: bool) -> bool:
    context.meta[__name__] = value
    return value
