"""Sentences of feedback that is still being written, for its pupil to read meanwhile."""

import sqlalchemy as sa
from alembic import op

from lti_tool.migrations.rows import protect

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

HERE = "platform_id = app_platform()"
OWN = f"{HERE} AND course_id = app_course() AND person_id = app_person()"
SERVICE = f"{HERE} AND app_role() = 'service'"
INSIDE = {"course_id": "courses", "person_id": "persons", "submission_id": "submissions"}

TRIGGERS = """
-- It lives as long as the work on it.
CREATE FUNCTION forget_told_prose() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM told_prose WHERE submission_id = NEW.subject_id;
  RETURN NULL;
END $$;
CREATE TRIGGER forget_told_prose AFTER UPDATE OF state ON jobs
  FOR EACH ROW WHEN (OLD.state = 'working' AND NEW.state <> 'working'
    AND NEW.kind = 'give_feedback') EXECUTE FUNCTION forget_told_prose();

CREATE FUNCTION tell_prose() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('gustav_news', 'told ' || NEW.submission_id);
  RETURN NULL;
END $$;
CREATE TRIGGER tell_news AFTER INSERT OR UPDATE ON told_prose
  FOR EACH ROW EXECUTE FUNCTION tell_prose();
"""


def upgrade() -> None:
    op.create_table(
        "told_prose",
        sa.Column("course_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("submission_id", sa.Uuid(), nullable=False),
        sa.Column("strengths", sa.String(), nullable=False),
        sa.Column("next_step", sa.String(), nullable=False),
        sa.Column("question", sa.String(), nullable=False),
        sa.Column("platform_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_told_prose")),
        sa.UniqueConstraint("platform_id", "id", name=op.f("uq_told_prose_platform_id_id")),
        sa.UniqueConstraint("submission_id", name=op.f("uq_told_prose_submission_id")),
        sa.ForeignKeyConstraint(
            ["platform_id"],
            ["platforms.id"],
            name=op.f("fk_told_prose_platform_id_platforms"),
            ondelete="CASCADE",
        ),
        *(
            sa.ForeignKeyConstraint(
                ["platform_id", column],
                [f"{table}.platform_id", f"{table}.id"],
                name=op.f(f"fk_told_prose_platform_id_{column}_{table}"),
                ondelete="CASCADE",
            )
            for column, table in INSIDE.items()
        ),
    )
    protect("told_prose", read=f"({SERVICE}) OR ({OWN} AND app_role() = 'learner')", write=SERVICE)
    op.execute(TRIGGERS)
