"""Notes of refusals are kept for a while, and a flood of them fills no disk."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

# Whoever notes a refusal may not read those of others: the widened role ends with the function.
LATELY = """
CREATE FUNCTION refused_lately() RETURNS bigint LANGUAGE sql STABLE SET app.role = 'worker'
  AS $$ SELECT count(*) FROM (
    SELECT FROM security_events WHERE at > now() - interval '1 minute' LIMIT 600) AS lately $$
"""


def upgrade() -> None:
    op.create_index("ix_security_events_at", "security_events", ["at"])
    op.execute(LATELY)
