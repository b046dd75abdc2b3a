"""Whoever deletes a submission does not look through all scores for its own."""

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("scores_of_submission", "grade_syncs", ["platform_id", "submission_id"])
