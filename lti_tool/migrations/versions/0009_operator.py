"""Our keys overlap when they change."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _keys_overlap()


def _keys_overlap() -> None:
    # Of several keys that still count, all but the newest go the way a rotation sends them now.
    op.execute("ALTER TABLE platform_keys NO FORCE ROW LEVEL SECURITY")
    op.execute(
        "UPDATE platform_keys older SET retired_at = now() + interval '48 hours'"
        " WHERE retired_at IS NULL AND EXISTS (SELECT 1 FROM platform_keys newer"
        " WHERE newer.platform_id = older.platform_id AND newer.retired_at IS NULL"
        " AND newer.id > older.id)"
    )
    op.execute("ALTER TABLE platform_keys FORCE ROW LEVEL SECURITY")
    # The worker clears away what no longer counts, and sees no other key.
    over = "(app_role() = 'worker' AND retired_at <= now())"
    op.execute("DROP POLICY platform_keys_read ON platform_keys")
    op.execute(
        "CREATE POLICY platform_keys_read ON platform_keys FOR SELECT USING"
        f" (app_role() = 'admin' OR {over} OR (platform_id = app_platform()"
        " AND app_role() IN ('launch', 'service', 'instructor')))"
    )
    op.execute("DROP POLICY platform_keys_delete ON platform_keys")
    op.execute(
        "CREATE POLICY platform_keys_delete ON platform_keys FOR DELETE USING"
        f" (app_role() = 'admin' OR {over})"
    )
