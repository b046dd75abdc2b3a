"""Signs of life of the worker processes."""

import sqlalchemy as sa
from alembic import op

from lti_tool.migrations.rows import protect

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "worker_pulses",
        sa.Column(
            "seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_worker_pulses")),
    )
    protect("worker_pulses", read="app_role() = 'worker'")
