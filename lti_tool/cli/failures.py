"""What is said when something goes wrong: one sentence, and what to do about it. No tracebacks."""

from __future__ import annotations

import click
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from config.settings import SettingsError
from lti_tool.cli.answers import CommandFailed

# PostgreSQL's undefined_table, undefined_column, undefined_function
MISSING = frozenset({"42P01", "42703", "42883"})
REFUSED = "42501"  # insufficient_privilege


def sentence_about(error: Exception) -> str:
    """One German sentence about `error`, without values that could be a person's."""
    if isinstance(error, CommandFailed):
        return str(error)
    if isinstance(error, click.ClickException):
        return f"Der Aufruf stimmt nicht: {_one_line(error.format_message())} Hilfe: --help."
    if isinstance(error, SettingsError):
        return f"Die Einstellungen stimmen nicht: {error}. Erklärt sind sie in config/env.example."
    if isinstance(error, SQLAlchemyError):
        return _about_database(error)
    if isinstance(error, OSError):
        return f"{error.strerror or type(error).__name__}: {error.filename or 'unbekannt'}."
    return f"Unerwarteter Fehler ({type(error).__name__}). Mehr verrät --traceback."


def _about_database(error: SQLAlchemyError) -> str:
    if isinstance(error, OperationalError | PoolTimeout):
        return "Die Datenbank antwortet nicht; GUSTAV_DATABASE_URL und PostgreSQL prüfen."
    code = getattr(error.orig, "sqlstate", None) if isinstance(error, DBAPIError) else None
    if code in MISSING:
        return "In der Datenbank fehlt, was diese Version braucht. Abhilfe: gustav migrate"
    if code == REFUSED:
        return "Die Datenbank erlaubt das der Rolle nicht, mit der wir angemeldet sind."
    return f"Die Datenbank meldet einen Fehler ({type(error).__name__}, {code})."


def _one_line(text: str) -> str:
    joined = " ".join(text.split())
    return joined if joined.endswith((".", "!", "?")) else f"{joined}."
