"""Jobs and scores, too, move between their states only as it is written."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# The arguments of each trigger are its allowed moves; the code has the same pairs as MOVES.
TRIGGERS = """
CREATE FUNCTION move_as_written() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT (OLD.state || '>' || NEW.state = ANY (TG_ARGV)) THEN
    RAISE EXCEPTION '% does not move from % to %', TG_TABLE_NAME, OLD.state, NEW.state
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER move_as_written BEFORE UPDATE OF state ON jobs
  FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state)
  EXECUTE FUNCTION move_as_written(
    'waiting>working', 'working>waiting', 'working>done', 'working>given_up');
CREATE TRIGGER move_as_written BEFORE UPDATE OF state ON grade_syncs
  FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state)
  EXECUTE FUNCTION move_as_written(
    'planned>posting', 'planned>superseded', 'posting>planned', 'posting>posted',
    'posting>failed', 'posting>overridden', 'posting>superseded', 'failed>planned');
"""


def upgrade() -> None:
    op.execute(TRIGGERS)
