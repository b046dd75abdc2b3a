"""One worker at a time looks for a column; a score row is what a teacher let out, and stays so."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

# As in 0007, with two moves more: a teacher asks for the tool's points after an own grade, or in
# the place of a column that is gone.
MOVES = """
DROP TRIGGER move_as_written ON grade_syncs;
CREATE TRIGGER move_as_written BEFORE UPDATE OF state ON grade_syncs
  FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state)
  EXECUTE FUNCTION move_as_written(
    'planned>posting', 'planned>superseded', 'posting>planned', 'posting>posted',
    'posting>failed', 'posting>overridden', 'posting>superseded', 'failed>planned',
    'overridden>planned', 'posted>planned');
"""

# No score without a teacher's act: the release it names exists, is for the same work of the same
# pupil, and, where a rule let it out, the task has that rule. Policies hold in here, too: what
# the transaction may not see does not count as a release.
RELEASES = """
CREATE FUNCTION need_release() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM feedbacks f
    JOIN submissions s ON s.id = f.submission_id
    JOIN regular_tasks t ON t.id = s.task_id
    WHERE f.id = NEW.feedback_id AND f.released_at IS NOT NULL AND f.release = NEW.authority
      AND f.released_by IS NOT DISTINCT FROM NEW.decided_by
      AND (f.release = 'teacher' OR t.reports_score)
      AND (s.id, s.person_id, s.course_id, s.resource_link_id)
        = (NEW.submission_id, NEW.person_id, NEW.course_id, NEW.resource_link_id);
  IF NOT FOUND THEN
    RAISE EXCEPTION 'a score needs the release it comes from' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER need_release BEFORE INSERT ON grade_syncs
  FOR EACH ROW EXECUTE FUNCTION need_release();
CREATE FUNCTION keep_score_true() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'what a score says does not change' USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER keep_true BEFORE UPDATE ON grade_syncs FOR EACH ROW
  WHEN ((NEW.feedback_id, NEW.submission_id, NEW.person_id, NEW.course_id, NEW.resource_link_id,
         NEW.authority, NEW.score, NEW.score_maximum, NEW.comment)
    IS DISTINCT FROM (OLD.feedback_id, OLD.submission_id, OLD.person_id, OLD.course_id,
         OLD.resource_link_id, OLD.authority, OLD.score, OLD.score_maximum, OLD.comment))
  EXECUTE FUNCTION keep_score_true();
"""


def upgrade() -> None:
    _line_items()
    for name in ("unsure", "insisted"):
        _add("grade_syncs", sa.Column(name, sa.Boolean(), nullable=False, server_default="false"))
    op.execute(MOVES)
    op.execute(RELEASES)


def _line_items() -> None:
    op.alter_column("line_items", "url", nullable=True)
    op.add_column("line_items", sa.Column("gone_url", sa.String(), nullable=True))
    op.add_column(
        "line_items", sa.Column("looking_until", sa.DateTime(timezone=True), nullable=True)
    )
    _add("line_items", sa.Column("renew", sa.Boolean(), nullable=False, server_default="false"))
    _add("line_items", sa.Column("token", sa.Integer(), nullable=False, server_default="0"))
    # A teacher sees that a column is gone, and may ask for a new one.
    here = "platform_id = app_platform()"
    service = f"{here} AND app_role() = 'service'"
    teaches = (
        f"{here} AND app_role() = 'instructor' AND EXISTS (SELECT 1 FROM resource_links r"
        " WHERE r.id = line_items.resource_link_id AND r.course_id = app_course())"
    )
    allowed = f"({service}) OR ({teaches})"
    op.execute("DROP POLICY line_items_read ON line_items")
    op.execute(f"CREATE POLICY line_items_read ON line_items FOR SELECT USING ({allowed})")
    op.execute("DROP POLICY line_items_update ON line_items")
    op.execute(
        f"CREATE POLICY line_items_update ON line_items FOR UPDATE USING ({allowed})"
        f" WITH CHECK ({allowed})"
    )


def _add(table: str, column: sa.Column[object]) -> None:
    """A column that old rows have, too; from then on the code says what new ones hold."""
    op.add_column(table, column)
    op.alter_column(table, column.name, server_default=None)
