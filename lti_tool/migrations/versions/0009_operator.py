"""Our keys overlap when they change; how we get on with a platform; who is the operator."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from lti_tool.migrations.rows import protect

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _keys_overlap()
    _platform_health()
    _operator()
    op.create_index("ix_security_events_platform_id_at", "security_events", ["platform_id", "at"])


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


def _platform_health() -> None:
    op.create_table(
        "platform_health",
        sa.Column(
            "errand",
            sa.Enum(
                "token",
                "keys",
                name="errand",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        _moment("succeeded_at"),
        _moment("failed_at"),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("unusable", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("platform_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(failed_at IS NULL) = (error IS NULL)", name=op.f("ck_platform_health_error")
        ),
        sa.ForeignKeyConstraint(
            ["platform_id"],
            ["platforms.id"],
            name=op.f("fk_platform_health_platform_id_platforms"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_platform_health")),
        sa.UniqueConstraint(
            "platform_id", "errand", name=op.f("uq_platform_health_platform_id_errand")
        ),
        sa.UniqueConstraint("platform_id", "id", name=op.f("uq_platform_health_platform_id_id")),
    )
    protect(
        "platform_health",
        read="app_role() = 'admin' OR (platform_id = app_platform() AND app_role() = 'service')",
    )


def _operator() -> None:
    for table, last in (
        ("operator_links", _moment("used_at")),
        (
            "operator_sessions",
            _moment("seen_at", server_default=sa.text("now()"), nullable=False),
        ),
    ):
        op.create_table(
            table,
            sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
            _moment("created_at", server_default=sa.text("now()"), nullable=False),
            last,
            sa.Column("id", sa.Uuid(), nullable=False),
            sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
            sa.UniqueConstraint("secret_hash", name=op.f(f"uq_{table}_secret_hash")),
        )
        # At the door and on the command line; the worker clears away what has run out.
        protect(table, read="app_role() IN ('entry', 'admin', 'worker')")


def _moment(name: str, **more: object) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), **more)  # type: ignore[arg-type]
