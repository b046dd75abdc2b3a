"""Who has waited longest is next: a job knows since when its person waits, over all its stages."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

# As in 0026, but by `since` where that went by `ready_at`, as `core.dispatch` takes them now.
FUNCTION = """
CREATE OR REPLACE FUNCTION job_in_line(which uuid)
  RETURNS TABLE (ahead bigint, seconds double precision)
  LANGUAGE plpgsql STABLE ROWS 1 SET app.role = 'worker'
  AS $$ BEGIN RETURN QUERY
  WITH pace AS (
    SELECT kind, 1 / avg(rate) AS each FROM lanes
    WHERE seen_at > now() - interval '10 min'
      AND (resting_until IS NULL OR resting_until < now())
    GROUP BY kind
  ), streams AS (
    SELECT sum(slots) AS slots FROM (
      SELECT host, max(slots) AS slots FROM lanes
      WHERE seen_at > now() - interval '10 min'
        AND (resting_until IS NULL OR resting_until < now())
      GROUP BY host) hosts
  ), line AS (
    SELECT j.id, j.state, row_number() OVER (
        ORDER BY (j.state = 'working') DESC, j.urgency, j.turn, j.since, j.id) AS place,
      CASE WHEN j.state = 'working'
        THEN greatest(j.size * p.each - extract(epoch FROM now() - j.started_at), 10)
        ELSE j.size * p.each END
      + CASE WHEN j.kind = 'read_pages' THEN 2000 * judge.each ELSE 0 END AS takes
    FROM (
      SELECT o.*, row_number() OVER (
          PARTITION BY o.state, o.urgency, o.course_id ORDER BY o.since, o.id) AS turn
      FROM jobs o
      WHERE o.kind IN ('read_pages', 'give_feedback')
        AND (o.state = 'working' OR (o.state = 'waiting'
             AND (o.id = which OR o.ready_at < now() + interval '1 min')))
    ) j
    LEFT JOIN pace p ON p.kind = j.kind
    LEFT JOIN pace judge ON judge.kind = 'give_feedback'
  )
  SELECT count(*) FILTER (WHERE line.place < mine.place),
    mine.takes + CASE WHEN mine.state = 'working' THEN 0 ELSE
      coalesce(sum(line.takes) FILTER (WHERE line.place < mine.place), 0)
      / (SELECT slots FROM streams) END
  FROM line mine, line WHERE mine.id = which
  GROUP BY mine.takes, mine.state;
  END $$;
"""


def upgrade() -> None:
    op.add_column(
        "jobs",
        sa.Column(
            "since", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")
        ),
    )
    op.execute(FUNCTION)
