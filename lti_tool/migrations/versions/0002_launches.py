"""Logins under way, activities, sessions, refusals."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from lti_tool.migrations.rows import protect

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _oidc_logins()
    _resource_links()
    _launch_sessions()
    _security_events()
    _protect()


def _oidc_logins() -> None:
    op.create_table(
        "oidc_logins",
        sa.Column("browser_hash", sa.LargeBinary(), nullable=False),
        sa.Column("target_link_uri", sa.String(), nullable=False),
        sa.Column("login_hint", sa.String(), nullable=False),
        sa.Column("message_hint", sa.String(), nullable=True),
        sa.Column("deployment_hint", sa.String(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("platform_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["platform_id"],
            ["platforms.id"],
            name=op.f("fk_oidc_logins_platform_id_platforms"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_oidc_logins")),
        sa.UniqueConstraint("platform_id", "id", name=op.f("uq_oidc_logins_platform_id_id")),
    )
    op.create_index(
        "ix_oidc_logins_browser", "oidc_logins", ["browser_hash", "created_at"], unique=False
    )


def _resource_links() -> None:
    op.create_table(
        "resource_links",
        sa.Column("course_id", sa.Uuid(), nullable=False),
        sa.Column("link_id", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("content_id", sa.Uuid(), nullable=True),
        sa.Column("lineitem_url", sa.String(), nullable=True),
        sa.Column("lineitems_url", sa.String(), nullable=True),
        sa.Column("ags_scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("platform_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["platform_id", "course_id"],
            ["courses.platform_id", "courses.id"],
            name=op.f("fk_resource_links_platform_id_course_id_courses"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["platform_id"],
            ["platforms.id"],
            name=op.f("fk_resource_links_platform_id_platforms"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_resource_links")),
        sa.UniqueConstraint(
            "course_id", "link_id", name=op.f("uq_resource_links_course_id_link_id")
        ),
        sa.UniqueConstraint("platform_id", "id", name=op.f("uq_resource_links_platform_id_id")),
    )
    op.create_index("ix_resource_links_content", "resource_links", ["content_id"], unique=False)


def _launch_sessions() -> None:
    op.create_table(
        "launch_sessions",
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("browser_hash", sa.LargeBinary(), nullable=False),
        sa.Column("course_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("resource_link_id", sa.Uuid(), nullable=True),
        sa.Column("deployment_id", sa.Uuid(), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "learner",
                "instructor",
                name="role",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("locale", sa.String(), nullable=True),
        sa.Column("return_url", sa.String(), nullable=True),
        sa.Column("in_frame", sa.Boolean(), nullable=False),
        sa.Column("deep_linking", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "end_reason",
            sa.Enum(
                "other_person",
                "role_changed",
                "closed",
                name="sessionend",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("platform_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["platform_id", "course_id"],
            ["courses.platform_id", "courses.id"],
            name=op.f("fk_launch_sessions_platform_id_course_id_courses"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["platform_id", "deployment_id"],
            ["deployments.platform_id", "deployments.id"],
            name=op.f("fk_launch_sessions_platform_id_deployment_id_deployments"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["platform_id", "person_id"],
            ["persons.platform_id", "persons.id"],
            name=op.f("fk_launch_sessions_platform_id_person_id_persons"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["platform_id", "resource_link_id"],
            ["resource_links.platform_id", "resource_links.id"],
            name=op.f("fk_launch_sessions_platform_id_resource_link_id_resource_links"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["platform_id"],
            ["platforms.id"],
            name=op.f("fk_launch_sessions_platform_id_platforms"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_launch_sessions")),
        sa.UniqueConstraint("platform_id", "id", name=op.f("uq_launch_sessions_platform_id_id")),
    )
    op.create_index("ix_launch_sessions_browser", "launch_sessions", ["browser_hash"], unique=False)
    op.create_index(
        "ix_launch_sessions_person", "launch_sessions", ["person_id", "course_id"], unique=False
    )


def _security_events() -> None:
    op.create_table(
        "security_events",
        sa.Column("platform_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column(
            "at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["platform_id"],
            ["platforms.id"],
            name=op.f("fk_security_events_platform_id_platforms"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_security_events")),
    )


def _protect() -> None:

    # A login and a session are looked up before anyone is known; both are found by secrets only.
    # The worker clears away what has run out.
    protect("oidc_logins", read="app_role() IN ('launch', 'worker')")
    protect("launch_sessions", read="app_role() IN ('launch', 'worker')")
    machine = "platform_id = app_platform() AND app_role() IN ('launch', 'service')"
    protect(
        "resource_links",
        read=f"({machine}) OR (platform_id = app_platform() AND course_id = app_course())",
        write=machine,
    )
    protect(
        "security_events",
        read="app_role() IN ('admin', 'worker')",
        insert="app_role() IS NOT NULL",
    )
