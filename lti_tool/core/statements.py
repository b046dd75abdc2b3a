"""Statements that are written by hand, and what helps the planner with the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, LiteralString

from psycopg.rows import namedtuple_row
from sqlalchemy import text
from sqlalchemy.orm import Session

from lti_tool.core.db import driver_of, milliseconds


def ask(db: Session, statement: LiteralString, values: Mapping[str, object]) -> Sequence[Any]:
    """The rows (named tuples) of a statement written by hand, in psycopg's style (`%(name)s`).

    Straight to the driver, which costs half of what it does through SQLAlchemy: for what a whole
    class does in the same minute. Until the transaction ends its errors are the driver's own
    (psycopg.Error); from `Database.begin` they come as SQLAlchemy's.
    """
    db.flush()
    with driver_of(db).cursor(row_factory=namedtuple_row) as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall() if cursor.rownumber is not None else ()


def in_single_file(db: Session, *whose: object) -> None:
    """Until the transaction ends, others that name the same wait here for their turn."""
    key = ":".join(map(str, whose))
    ask(db, "SELECT pg_advisory_xact_lock(hashtextextended(%(key)s, 0))", {"key": key})


def patiently(db: Session, limit: timedelta) -> None:
    """For the rest of the transaction a statement may take so long."""
    values = {"limit": str(milliseconds(limit))}
    ask(db, "SELECT set_config('statement_timeout', %(limit)s, true)", values)


def set_against_set(db: Session) -> None:
    """For the rest of the transaction long lists are compared as wholes. PostgreSQL's statistics
    from before the first of them speak for loops within loops, which take seconds."""
    db.execute(text("SET LOCAL enable_nestloop = off"))
