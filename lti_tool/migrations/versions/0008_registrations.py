"""Invitations, registrations that wait for a human, and where a course was copied from."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from lti_tool.migrations.rows import protect

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _platforms()
    _invitations()
    _registration_changes()
    op.add_column(
        "courses",
        sa.Column("history", postgresql.ARRAY(sa.Text()), nullable=False, server_default="{}"),
    )
    op.alter_column("courses", "history", server_default=None)


def _platforms() -> None:
    op.drop_constraint(op.f("ck_platforms_platformstate"), "platforms")
    op.create_check_constraint(
        op.f("ck_platforms_platformstate"), "platforms", "state IN ('active', 'paused', 'waiting')"
    )
    # Whoever holds an invitation may add a platform; only an admin may change one.
    op.execute("DROP POLICY platforms_read ON platforms")
    op.execute(
        "CREATE POLICY platforms_read ON platforms FOR SELECT USING"
        " (app_role() IN ('launch', 'worker', 'admin', 'registration') OR id = app_platform())"
    )
    for table, owner in (("platforms", "id"), ("platform_keys", "platform_id")):
        op.execute(f"DROP POLICY {table}_insert ON {table}")
        op.execute(
            f"CREATE POLICY {table}_insert ON {table} FOR INSERT WITH CHECK"
            f" (app_role() = 'admin' OR (app_role() = 'registration' AND {owner} = app_platform()))"
        )
    op.execute("DROP POLICY deployments_insert ON deployments")
    op.execute(
        "CREATE POLICY deployments_insert ON deployments FOR INSERT WITH CHECK"
        " (app_role() = 'admin' OR (platform_id = app_platform() AND (app_role() = 'registration'"
        " OR (app_role() = 'launch' AND state = 'waiting'))))"
    )


def _invitations() -> None:
    op.create_table(
        "invitations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("school", sa.String(), nullable=False),
        sa.Column("host", sa.String(), nullable=True),
        sa.Column("share_names", sa.Boolean(), nullable=False),
        sa.Column("platform_id", sa.Uuid(), nullable=True),
        _moment("created_at", server_default=sa.text("now()"), nullable=False),
        _moment("expires_at", nullable=False),
        _moment("claimed_at"),
        _moment("used_at"),
        _moment("withdrawn_at"),
        sa.CheckConstraint("school <> ''", name=op.f("ck_invitations_school")),
        sa.ForeignKeyConstraint(
            ["platform_id"],
            ["platforms.id"],
            name=op.f("fk_invitations_platform_id_platforms"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitations")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_invitations_secret_hash")),
    )
    protect(
        "invitations",
        read="app_role() IN ('admin', 'registration')",
        insert="app_role() = 'admin'",
    )


def _registration_changes() -> None:
    op.create_table(
        "registration_changes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("platform_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.String(), nullable=False),
        sa.Column("deployment_id", sa.String(), nullable=True),
        sa.Column("auth_url", sa.String(), nullable=False),
        sa.Column("token_url", sa.String(), nullable=False),
        sa.Column("jwks_url", sa.String(), nullable=False),
        _moment("created_at", server_default=sa.text("now()"), nullable=False),
        _moment("decided_at"),
        sa.Column("activated", sa.Boolean(), nullable=True),
        sa.CheckConstraint(
            "(decided_at IS NULL) = (activated IS NULL)",
            name=op.f("ck_registration_changes_decided"),
        ),
        sa.ForeignKeyConstraint(
            ["platform_id"],
            ["platforms.id"],
            name=op.f("fk_registration_changes_platform_id_platforms"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registration_changes")),
        sa.UniqueConstraint(
            "platform_id", "id", name=op.f("uq_registration_changes_platform_id_id")
        ),
    )
    op.create_index(
        "ix_registration_changes_waiting",
        "registration_changes",
        ["platform_id"],
        postgresql_where=sa.text("activated IS NULL"),
    )
    protect(
        "registration_changes",
        read="app_role() = 'admin'",
        insert="app_role() = 'admin'"
        " OR (app_role() = 'registration' AND platform_id = app_platform() AND activated IS NULL)",
    )


def _moment(name: str, **more: object) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), **more)  # type: ignore[arg-type]
