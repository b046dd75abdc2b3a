"""Gradebook columns and the scores on their way there."""

import sqlalchemy as sa
from alembic import op

from lti_tool.migrations.rows import protect

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _line_items()
    _grade_syncs()
    _protect()


def _line_items() -> None:
    op.create_table(
        "line_items",
        sa.Column("resource_link_id", sa.Uuid(), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column(
            "found_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("platform_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["platform_id", "resource_link_id"],
            ["resource_links.platform_id", "resource_links.id"],
            name=op.f("fk_line_items_platform_id_resource_link_id_resource_links"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["platform_id"],
            ["platforms.id"],
            name=op.f("fk_line_items_platform_id_platforms"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_line_items")),
        sa.UniqueConstraint("platform_id", "id", name=op.f("uq_line_items_platform_id_id")),
        sa.UniqueConstraint("resource_link_id", name=op.f("uq_line_items_resource_link_id")),
    )


def _grade_syncs() -> None:
    op.create_table(
        "grade_syncs",
        sa.Column("course_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("resource_link_id", sa.Uuid(), nullable=False),
        sa.Column("submission_id", sa.Uuid(), nullable=False),
        sa.Column("feedback_id", sa.Uuid(), nullable=False),
        sa.Column(
            "authority",
            sa.Enum(
                "task_rule",
                "teacher",
                name="releasedby",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("score", sa.Numeric(precision=6, scale=2), nullable=False),
        sa.Column("score_maximum", sa.Integer(), nullable=False),
        sa.Column("comment", sa.String(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "planned",
                "posting",
                "posted",
                "failed",
                "overridden",
                "superseded",
                name="syncstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "planned_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("restamped", sa.Boolean(), nullable=False),
        sa.Column("posted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("platform_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(state = 'failed') = (reason IS NOT NULL)", name=op.f("ck_grade_syncs_reason")
        ),
        sa.CheckConstraint("comment <> ''", name=op.f("ck_grade_syncs_comment")),
        sa.CheckConstraint(
            "state <> 'posted' OR posted_at IS NOT NULL", name=op.f("ck_grade_syncs_posted")
        ),
        sa.CheckConstraint("score BETWEEN 0 AND score_maximum", name=op.f("ck_grade_syncs_score")),
        sa.ForeignKeyConstraint(
            ["platform_id", "course_id"],
            ["courses.platform_id", "courses.id"],
            name=op.f("fk_grade_syncs_platform_id_course_id_courses"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["platform_id", "decided_by"],
            ["persons.platform_id", "persons.id"],
            name=op.f("fk_grade_syncs_platform_id_decided_by_persons"),
            ondelete="SET NULL (decided_by)",
        ),
        sa.ForeignKeyConstraint(
            ["platform_id", "feedback_id"],
            ["feedbacks.platform_id", "feedbacks.id"],
            name=op.f("fk_grade_syncs_platform_id_feedback_id_feedbacks"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["platform_id", "person_id"],
            ["persons.platform_id", "persons.id"],
            name=op.f("fk_grade_syncs_platform_id_person_id_persons"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["platform_id", "resource_link_id"],
            ["resource_links.platform_id", "resource_links.id"],
            name=op.f("fk_grade_syncs_platform_id_resource_link_id_resource_links"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["platform_id", "submission_id"],
            ["submissions.platform_id", "submissions.id"],
            name=op.f("fk_grade_syncs_platform_id_submission_id_submissions"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["platform_id"],
            ["platforms.id"],
            name=op.f("fk_grade_syncs_platform_id_platforms"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grade_syncs")),
        sa.UniqueConstraint("feedback_id", name=op.f("uq_grade_syncs_feedback_id")),
        sa.UniqueConstraint("platform_id", "id", name=op.f("uq_grade_syncs_platform_id_id")),
    )
    op.create_index(
        "one_open_sync_per_pupil",
        "grade_syncs",
        ["resource_link_id", "person_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('planned', 'posting')"),
    )


def _protect() -> None:

    here = "platform_id = app_platform()"
    service = f"{here} AND app_role() = 'service'"
    teaches = f"{here} AND course_id = app_course() AND app_role() = 'instructor'"
    protect("line_items", read=service)
    protect("grade_syncs", read=f"({service}) OR ({teaches})")
