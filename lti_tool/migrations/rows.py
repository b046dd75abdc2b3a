"""How a migration puts a table under row policies. Never change what it does: history uses it."""

from alembic import op

from lti_tool.core.schema import APP_ROLE


def protect(table: str, *, read: str, write: str | None = None, insert: str | None = None) -> None:
    """Force row level security on `table`, for its owner too, and let the application's role in.

    `read` says which rows a transaction sees; `write` which it may insert, change and delete
    (same as `read` if left out); `insert` which it may only insert. All are SQL conditions.
    """
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY {table}_read ON {table} FOR SELECT USING ({read})")
    allowed = write or read
    op.execute(
        f"CREATE POLICY {table}_insert ON {table} FOR INSERT WITH CHECK ({insert or allowed})"
    )
    op.execute(
        f"CREATE POLICY {table}_update ON {table} FOR UPDATE"
        f" USING ({allowed}) WITH CHECK ({allowed})"
    )
    op.execute(f"CREATE POLICY {table}_delete ON {table} FOR DELETE USING ({allowed})")
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {APP_ROLE}")
