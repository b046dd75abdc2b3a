"""The command line `gustav`: what a school's administrator does, and the demo.

A roof: it builds what the commands need. Web, live and worker are roofs of their own; they are
started from here by name and never imported.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence

import click

from lti_tool.cli.answers import Answer, print_json
from lti_tool.cli.connections import platform
from lti_tool.cli.demo.command import demo, demo_part
from lti_tool.cli.doctor.command import doctor
from lti_tool.cli.erasing import course, person
from lti_tool.cli.failures import sentence_about
from lti_tool.cli.files import files
from lti_tool.cli.housekeeping import jobs, migrate, secret, version
from lti_tool.cli.invariants import check_invariants
from lti_tool.cli.invitations import invitations, invite
from lti_tool.cli.journey.command import journey, lesson
from lti_tool.cli.operator import operator
from lti_tool.cli.platform_care import health, move
from lti_tool.cli.processes import live, web, worker
from lti_tool.cli.retention import retention

INTERRUPTED = 130


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--traceback", "_traceback", is_flag=True, help="Bei Fehlern den Ort im Code zeigen.")
def cli(_traceback: bool) -> None:
    """GUSTAV: Rückmeldungen zu Schülerarbeiten, aus der Lernplattform heraus (LTI 1.3)."""


for command in (
    check_invariants,
    course,
    demo,
    demo_part,
    doctor,
    files,
    invitations,
    invite,
    jobs,
    journey,
    live,
    lesson,
    migrate,
    operator,
    person,
    platform,
    retention,
    secret,
    version,
    web,
    worker,
):
    cli.add_command(command)
for command in (health, move):
    platform.add_command(command)


def main() -> None:
    """Console script. Exit code 0, 1 (it did not work) or 2 (the call makes no sense)."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """One command with its output; returns the exit code."""
    as_json = "--json" in arguments
    try:
        outcome = cli.main(list(arguments), prog_name="gustav", standalone_mode=False)
    except BrokenPipeError:
        # Whoever read our output has enough; nothing more can be said, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (KeyboardInterrupt, click.Abort):
        click.echo("Abgebrochen.", err=True)
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001  # the last place where anything can be said
        return _fail(error, as_json=as_json, with_trace="--traceback" in arguments)
    if isinstance(outcome, Answer):
        outcome.print(as_json=as_json)
        return 0 if outcome.ok else 1
    return outcome if isinstance(outcome, int) else 0


def _fail(error: Exception, *, as_json: bool, with_trace: bool) -> int:
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.format_message(), err=True)
        return 2
    if with_trace:
        traceback.print_exception(error)
    sentence = sentence_about(error)
    click.echo(sentence, err=True)
    if as_json:
        print_json({"error": sentence})
    return 2 if isinstance(error, click.UsageError) else 1
