"""What became of the last attempt's advice, per criterion; and how a task's feedback says "you"."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("criterion_results", sa.Column("taken_up", sa.Boolean(), nullable=True))
    op.add_column(
        "regular_tasks",
        sa.Column("formal", sa.Boolean(), nullable=False, server_default=sa.text("false")),
    )
