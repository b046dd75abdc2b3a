"""Lanes: who goes first at which model host, and what is known of each host."""

import sqlalchemy as sa
from alembic import op

from lti_tool.migrations.rows import protect

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

KINDS = ("read_pages", "give_feedback", "post_score", "refresh_roster")


def upgrade() -> None:
    op.add_column(
        "jobs", sa.Column("urgency", sa.Integer(), nullable=False, server_default=sa.text("1"))
    )
    op.add_column("jobs", sa.Column("course_id", sa.Uuid(), nullable=True))
    op.add_column(
        "jobs", sa.Column("size", sa.Integer(), nullable=False, server_default=sa.text("0"))
    )
    op.add_column("jobs", sa.Column("host", sa.String(), nullable=True))
    op.create_check_constraint(
        op.f("ck_jobs_line"), "jobs", "urgency BETWEEN 0 AND 2 AND size >= 0"
    )
    # When a course was last served, and what a host does now.
    op.create_index(
        "jobs_of_course", "jobs", ["course_id", "started_at"], postgresql_where="host IS NOT NULL"
    )
    op.create_index("jobs_at_work", "jobs", ["host"], postgresql_where="state = 'working'")
    # How many of a course have handed in within the last minutes.
    op.create_index("ix_submissions_lately", "submissions", ["course_id", "submitted_at"])
    _lanes()


def _lanes() -> None:
    op.create_table(
        "lanes",
        sa.Column("host", sa.String(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(*KINDS, name="jobkind", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("slots", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("resting_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rate", sa.Float(), nullable=True),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lanes")),
        sa.UniqueConstraint("host", "kind", "model", name=op.f("uq_lanes_host_kind_model")),
        sa.CheckConstraint(
            "slots > 0 AND failures >= 0 AND rate > 0", name=op.f("ck_lanes_counters")
        ),
    )
    protect("lanes", read="app_role() = 'worker'")
