"""Of two devices the newer text counts, and the one it displaces is kept for a month."""

import sqlalchemy as sa
from alembic import op

from lti_tool.migrations.rows import protect

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

TABLE = "draft_versions"
OWNER = {"course_id": "courses", "resource_link_id": "resource_links", "person_id": "persons"}
LEARNER = (
    "platform_id = app_platform() AND course_id = app_course() AND person_id = app_person()"
    " AND app_role() = 'learner'"
)
# Only the function below acts in this role, and only what is over is there for it.
OVER = "app_role() = 'retention' AND saved_at < now() - interval '30 days'"
FORGET = """
CREATE FUNCTION forget_old_draft_versions() RETURNS void LANGUAGE sql SET app.role = 'retention'
  AS $$ DELETE FROM draft_versions WHERE saved_at < now() - interval '30 days' $$
"""


def upgrade() -> None:
    op.alter_column("drafts", "version", type_=sa.BigInteger())
    op.add_column("drafts", sa.Column("client_key", sa.Uuid(), nullable=True))
    op.add_column(
        "drafts", sa.Column("turn", sa.Integer(), nullable=False, server_default=sa.text("0"))
    )
    op.create_table(
        TABLE,
        *(sa.Column(column, sa.Uuid(), nullable=False) for column in OWNER),
        sa.Column("client_key", sa.Uuid(), nullable=True),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("platform_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{TABLE}")),
        sa.UniqueConstraint("platform_id", "id", name=op.f(f"uq_{TABLE}_platform_id_id")),
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
            for column, target in OWNER.items()
        ),
    )
    op.create_index("ix_draft_versions_draft", TABLE, ["resource_link_id", "person_id"])
    op.create_index("ix_draft_versions_saved_at", TABLE, ["saved_at"])
    protect(TABLE, read=f"({LEARNER}) OR ({OVER})", insert=LEARNER)
    op.execute(FORGET)
