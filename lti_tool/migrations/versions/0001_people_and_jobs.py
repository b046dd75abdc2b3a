"""Platforms, the people they send us, and jobs."""

import sqlalchemy as sa
from alembic import op

from lti_tool.migrations.rows import protect

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

FUNCTIONS = """
-- Who acts, as core.db.become() said it. Unset is NULL, and NULL lets nobody in.
CREATE FUNCTION app_role() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
  AS $$ SELECT nullif(current_setting('app.role', true), '') $$;
CREATE FUNCTION app_platform() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
  AS $$ SELECT nullif(current_setting('app.platform_id', true), '')::uuid $$;
CREATE FUNCTION app_course() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
  AS $$ SELECT nullif(current_setting('app.course_id', true), '')::uuid $$;
CREATE FUNCTION app_person() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
  AS $$ SELECT nullif(current_setting('app.person_id', true), '')::uuid $$;
"""

TRIGGERS = """
-- How many jobs of its kind stand before this one, over all platforms. Counts only: who waits
-- there stays hidden, because the widened role ends with the function.
CREATE FUNCTION jobs_ahead(which uuid) RETURNS bigint LANGUAGE sql STABLE
  SET app.role = 'worker'
  AS $$ SELECT count(*) FROM jobs mine JOIN jobs other ON other.kind = mine.kind
        WHERE mine.id = which AND mine.state = 'waiting'
          AND (other.state = 'working' OR (other.state = 'waiting'
               AND (other.ready_at, other.id) < (mine.ready_at, mine.id))) $$;
"""


def upgrade() -> None:
    op.execute(FUNCTIONS)
    _platforms()
    _platform_keys()
    _deployments()
    _courses()
    _persons()
    _memberships()
    _jobs()
    _protect()
    op.execute(TRIGGERS)
    # So that `gustav doctor` can tell which migrations are missing.
    op.execute("GRANT SELECT ON alembic_version TO gustav_app")


def _platforms() -> None:
    op.create_table(
        "platforms",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("client_id", sa.String(), nullable=False),
        sa.Column("auth_url", sa.String(), nullable=False),
        sa.Column("token_url", sa.String(), nullable=False),
        sa.Column("jwks_url", sa.String(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "active",
                "paused",
                name="platformstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_platforms")),
        sa.UniqueConstraint("client_id", name=op.f("uq_platforms_client_id")),
    )


def _platform_keys() -> None:
    op.create_table(
        "platform_keys",
        sa.Column("kid", sa.String(), nullable=False),
        sa.Column("private_pem", sa.String(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("platform_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["platform_id"],
            ["platforms.id"],
            name=op.f("fk_platform_keys_platform_id_platforms"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_platform_keys")),
        sa.UniqueConstraint("kid", name=op.f("uq_platform_keys_kid")),
        sa.UniqueConstraint("platform_id", "id", name=op.f("uq_platform_keys_platform_id_id")),
    )


def _deployments() -> None:
    op.create_table(
        "deployments",
        sa.Column("deployment_id", sa.String(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "active",
                "waiting",
                name="deploymentstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("platform_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["platform_id"],
            ["platforms.id"],
            name=op.f("fk_deployments_platform_id_platforms"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deployments")),
        sa.UniqueConstraint(
            "platform_id", "deployment_id", name=op.f("uq_deployments_platform_id_deployment_id")
        ),
        sa.UniqueConstraint("platform_id", "id", name=op.f("uq_deployments_platform_id_id")),
    )


def _courses() -> None:
    op.create_table(
        "courses",
        sa.Column("deployment_id", sa.Uuid(), nullable=False),
        sa.Column("context_id", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("memberships_url", sa.String(), nullable=True),
        sa.Column("roster_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("platform_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["platform_id", "deployment_id"],
            ["deployments.platform_id", "deployments.id"],
            name=op.f("fk_courses_platform_id_deployment_id_deployments"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["platform_id"],
            ["platforms.id"],
            name=op.f("fk_courses_platform_id_platforms"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_courses")),
        sa.UniqueConstraint(
            "platform_id",
            "deployment_id",
            "context_id",
            name=op.f("uq_courses_platform_id_deployment_id_context_id"),
        ),
        sa.UniqueConstraint("platform_id", "id", name=op.f("uq_courses_platform_id_id")),
    )


def _persons() -> None:
    op.create_table(
        "persons",
        sa.Column("sub", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=True),
        sa.Column("blocked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("platform_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("length(sub) BETWEEN 1 AND 255", name=op.f("ck_persons_sub_length")),
        sa.ForeignKeyConstraint(
            ["platform_id"],
            ["platforms.id"],
            name=op.f("fk_persons_platform_id_platforms"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_persons")),
        sa.UniqueConstraint("platform_id", "id", name=op.f("uq_persons_platform_id_id")),
        sa.UniqueConstraint("platform_id", "sub", name=op.f("uq_persons_platform_id_sub")),
    )


def _memberships() -> None:
    op.create_table(
        "memberships",
        sa.Column("course_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
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
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("launched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("platform_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["platform_id", "course_id"],
            ["courses.platform_id", "courses.id"],
            name=op.f("fk_memberships_platform_id_course_id_courses"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["platform_id", "person_id"],
            ["persons.platform_id", "persons.id"],
            name=op.f("fk_memberships_platform_id_person_id_persons"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["platform_id"],
            ["platforms.id"],
            name=op.f("fk_memberships_platform_id_platforms"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_memberships")),
        sa.UniqueConstraint(
            "course_id", "person_id", name=op.f("uq_memberships_course_id_person_id")
        ),
        sa.UniqueConstraint("platform_id", "id", name=op.f("uq_memberships_platform_id_id")),
    )


def _jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column(
            "kind",
            sa.Enum(
                "give_feedback",
                "post_score",
                "refresh_roster",
                name="jobkind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "waiting",
                "working",
                "done",
                "given_up",
                name="jobstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "ready_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("token", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.String(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("platform_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(state = 'working') = (lease_until IS NOT NULL)", name=op.f("ck_jobs_lease")
        ),
        sa.CheckConstraint("attempts >= 0 AND token >= 0", name=op.f("ck_jobs_counters")),
        sa.ForeignKeyConstraint(
            ["platform_id"],
            ["platforms.id"],
            name=op.f("fk_jobs_platform_id_platforms"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
        sa.UniqueConstraint("platform_id", "id", name=op.f("uq_jobs_platform_id_id")),
    )
    op.create_index(
        "jobs_in_line",
        "jobs",
        ["kind", "ready_at", "id"],
        unique=False,
        postgresql_where=sa.text("state IN ('waiting', 'working')"),
    )
    op.create_index(
        "one_open_job_per_subject",
        "jobs",
        ["kind", "subject_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('waiting', 'working')"),
    )


def _protect() -> None:

    # Login and launch must find the platform before anyone is known.
    protect(
        "platforms",
        read="app_role() IN ('launch', 'worker', 'admin') OR id = app_platform()",
        write="app_role() = 'admin'",
    )
    protect(
        "platform_keys",
        read="app_role() = 'admin' OR (platform_id = app_platform()"
        " AND app_role() IN ('launch', 'service', 'instructor'))",
        write="app_role() = 'admin'",
    )
    protect(
        "deployments",
        read="app_role() = 'admin' OR platform_id = app_platform()",
        write="app_role() = 'admin'",
        insert="app_role() = 'admin' OR (platform_id = app_platform() AND app_role() = 'launch'"
        " AND state = 'waiting')",
    )
    machine = "platform_id = app_platform() AND app_role() IN ('launch', 'service')"
    protect(
        "courses",
        read=f"({machine}) OR (platform_id = app_platform() AND id = app_course())",
        write=machine,
    )
    protect(
        "memberships",
        read=f"({machine}) OR (platform_id = app_platform() AND course_id = app_course()"
        " AND (app_role() = 'instructor' OR person_id = app_person()))",
        write=machine,
    )
    protect(
        "persons",
        read=f"({machine}) OR (platform_id = app_platform() AND (id = app_person()"
        " OR (app_role() = 'instructor' AND EXISTS (SELECT 1 FROM memberships m"
        " WHERE m.person_id = persons.id AND m.course_id = app_course()))))",
        write=machine,
    )
    # Jobs hold ids only; the worker looks for them over all platforms.
    protect(
        "jobs",
        read="app_role() = 'worker' OR platform_id = app_platform()",
        write="app_role() = 'worker' OR (platform_id = app_platform() AND app_role() = 'service')",
        insert="platform_id = app_platform() AND app_role() IS NOT NULL",
    )
