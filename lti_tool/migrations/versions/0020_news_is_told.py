"""The database tells that there is news, and of which submission or session: ids, nothing else.

By triggers, so that no step forgets it. PostgreSQL tells at the commit, and never what was rolled
back; who is not listening misses it and loses nothing.
"""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

NEWS = """
CREATE FUNCTION tell_news() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_TABLE_NAME = 'jobs' THEN
    PERFORM pg_notify('gustav_news', 'submission ' || NEW.subject_id);
  ELSIF TG_TABLE_NAME = 'submissions' THEN
    PERFORM pg_notify('gustav_news', 'submission ' || NEW.id);
  ELSE
    PERFORM pg_notify('gustav_news', 'session ' || NEW.id);
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER tell_news AFTER UPDATE OF state ON submissions
  FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION tell_news();
CREATE TRIGGER tell_news AFTER UPDATE OF state ON jobs
  FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state
    AND NEW.kind IN ('read_pages', 'give_feedback')) EXECUTE FUNCTION tell_news();
CREATE TRIGGER tell_new AFTER INSERT ON jobs
  FOR EACH ROW WHEN (NEW.kind IN ('read_pages', 'give_feedback')) EXECUTE FUNCTION tell_news();
CREATE TRIGGER tell_news AFTER UPDATE OF ended_at ON launch_sessions
  FOR EACH ROW WHEN (OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL)
  EXECUTE FUNCTION tell_news();
"""


def upgrade() -> None:
    op.execute(NEWS)
