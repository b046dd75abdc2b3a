"""An activity may have a deadline, and single pupils one of their own."""

import sqlalchemy as sa
from alembic import op

from lti_tool.migrations.rows import protect

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

TABLE = "deadlines"
POINTS_AT = {"course_id": "courses", "resource_link_id": "resource_links", "person_id": "persons"}
HERE = "platform_id = app_platform() AND course_id = app_course()"


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("course_id", sa.Uuid(), nullable=False),
        sa.Column("resource_link_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("platform_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{TABLE}")),
        sa.UniqueConstraint("platform_id", "id", name=op.f(f"uq_{TABLE}_platform_id_id")),
        sa.UniqueConstraint(
            "resource_link_id",
            "person_id",
            name=op.f(f"uq_{TABLE}_resource_link_id_person_id"),
            postgresql_nulls_not_distinct=True,
        ),
        sa.ForeignKeyConstraint(
            ["platform_id"],
            ["platforms.id"],
            name=op.f(f"fk_{TABLE}_platform_id_platforms"),
            ondelete="CASCADE",
        ),
        *(
            sa.ForeignKeyConstraint(
                ["platform_id", column],
                [f"{target}.platform_id", f"{target}.id"],
                name=op.f(f"fk_{TABLE}_platform_id_{column}_{target}"),
                ondelete="CASCADE",
            )
            for column, target in POINTS_AT.items()
        ),
    )
    teaches = f"{HERE} AND app_role() = 'instructor'"
    own = f"{HERE} AND app_role() = 'learner' AND (person_id IS NULL OR person_id = app_person())"
    protect(TABLE, read=f"({teaches}) OR ({own})", write=teaches)
