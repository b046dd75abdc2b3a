"""Who has once taught a course: what they do there as a learner is a trial run."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("memberships", sa.Column("taught_at", sa.DateTime(timezone=True), nullable=True))
    # The owner, too, sees no row while the policies are forced.
    op.execute("ALTER TABLE memberships NO FORCE ROW LEVEL SECURITY")
    op.execute("UPDATE memberships SET taught_at = launched_at WHERE role = 'instructor'")
    op.execute("ALTER TABLE memberships FORCE ROW LEVEL SECURITY")
