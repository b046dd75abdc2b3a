"""Photos and PDF as answers: uploads, pages, what was read in them, and links for a phone."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from lti_tool.migrations.rows import protect

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

OWNER = {"course_id": "courses", "resource_link_id": "resource_links", "person_id": "persons"}
NOW: dict[str, Any] = {"server_default": sa.text("now()"), "nullable": False}

HERE = "platform_id = app_platform()"
OWN = f"{HERE} AND course_id = app_course() AND person_id = app_person()"
LEARNER = f"{OWN} AND app_role() = 'learner'"
TEACHES = f"{HERE} AND course_id = app_course() AND app_role() = 'instructor'"
SERVICE = f"{HERE} AND app_role() = 'service'"

STATES = ("handed_in", "to_check", "awaiting_teacher", "needs_teacher", "released")

FUNCTIONS = """
CREATE OR REPLACE FUNCTION submission_moves(from_state text, to_state text) RETURNS boolean
  LANGUAGE sql IMMUTABLE AS $$ SELECT (from_state, to_state) IN (
    ('handed_in', 'released'), ('handed_in', 'awaiting_teacher'), ('handed_in', 'needs_teacher'),
    ('handed_in', 'to_check'), ('to_check', 'handed_in'), ('to_check', 'released'),
    ('to_check', 'awaiting_teacher'),
    ('awaiting_teacher', 'released'), ('awaiting_teacher', 'handed_in'),
    ('needs_teacher', 'released'), ('needs_teacher', 'handed_in')) $$;

-- What was handed in stays as it is, for everybody; what is a draft is its pupil's.
CREATE FUNCTION keep_pages_true() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.submission_id IS NOT NULL THEN
    IF TG_OP = 'UPDATE' OR app_role() = 'learner' THEN
      RAISE EXCEPTION 'what was handed in does not change' USING ERRCODE = 'check_violation';
    END IF;
  END IF;
  IF TG_OP = 'DELETE' THEN
    RETURN OLD;
  END IF;
  IF (NEW.sha256, NEW.size, NEW.person_id, NEW.resource_link_id) IS DISTINCT FROM
     (OLD.sha256, OLD.size, OLD.person_id, OLD.resource_link_id) THEN
    RAISE EXCEPTION 'a page does not change' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER keep_true BEFORE UPDATE OR DELETE ON attachments
  FOR EACH ROW EXECUTE FUNCTION keep_pages_true();

-- A pupil corrects what was read as long as it is theirs to check, and nothing else about it.
CREATE FUNCTION keep_reading_true() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.read_text, NEW.unsure, NEW.drawings, NEW.attachment_id, NEW.engine, NEW.model,
      NEW.model_digest, NEW.read_at) IS DISTINCT FROM (OLD.read_text, OLD.unsure, OLD.drawings,
      OLD.attachment_id, OLD.engine, OLD.model, OLD.model_digest, OLD.read_at) THEN
    RAISE EXCEPTION 'what was read does not change' USING ERRCODE = 'check_violation';
  END IF;
  IF NOT EXISTS (SELECT FROM attachments a JOIN submissions s ON s.id = a.submission_id
                 WHERE a.id = NEW.attachment_id AND s.state = 'to_check') THEN
    RAISE EXCEPTION 'the transcript is closed' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER keep_true BEFORE UPDATE ON transcripts
  FOR EACH ROW EXECUTE FUNCTION keep_reading_true();

-- What is judged of the pages is settled once.
CREATE FUNCTION keep_read_text() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'what was judged does not change' USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER keep_read_text BEFORE UPDATE OF read_text ON submissions
  FOR EACH ROW WHEN (OLD.read_text <> '' AND NEW.read_text <> OLD.read_text)
  EXECUTE FUNCTION keep_read_text();
"""

OPENED = """
DROP FUNCTION task_opened_by(uuid, uuid);
CREATE FUNCTION task_opened_by(link uuid, course uuid) RETURNS TABLE (id uuid, title varchar,
    prompt_html varchar, mode varchar, max_attempts integer, takes_pages boolean,
    checks_reading boolean, unit_title varchar, criteria jsonb)
  LANGUAGE plpgsql STABLE ROWS 1 SET app.role = 'service'
  AS $$ BEGIN RETURN QUERY SELECT t.id, t.title, t.prompt_html, r.mode, r.max_attempts,
          r.takes_pages, r.checks_reading, u.title, (
          SELECT coalesce(jsonb_agg(jsonb_build_array(c.title, c.description)
            ORDER BY c.position), '[]')
          FROM criteria c WHERE c.task_id = t.id AND c.retired_at IS NULL)
        FROM resource_links l JOIN tasks t ON t.id = l.content_id
        JOIN regular_tasks r ON r.id = t.id
        JOIN sections s ON s.id = t.section_id JOIN units u ON u.id = s.unit_id
        WHERE l.id = link AND l.course_id = course AND l.course_id = app_course()
          AND u.deployment_id = (SELECT app_deployment());
  END $$;
"""


def upgrade() -> None:
    _uploads()
    _attachments()
    _transcripts()
    _phone_links()
    _allowances()
    _submissions()
    _tasks()
    _jobs()
    _protect()
    op.execute(FUNCTIONS)
    op.execute(OPENED)


def _uploads() -> None:
    op.create_table(
        "uploads",
        *_of_pupil("uploads"),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("received", sa.Integer(), nullable=False),
        sa.Column("state", _words("uploadstate", "arriving", "kept", "refused"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), **NOW),
        sa.CheckConstraint("received BETWEEN 0 AND size", name=op.f("ck_uploads_received")),
    )
    op.create_index("ix_uploads_person", "uploads", ["person_id", "created_at"])


def _attachments() -> None:
    op.create_table(
        "attachments",
        *_of_pupil("attachments", submission_id="submissions"),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), **NOW),
        sa.CheckConstraint(
            "size > 0 AND width > 0 AND height > 0", name=op.f("ck_attachments_size")
        ),
    )
    op.create_index("ix_attachments_draft", "attachments", ["resource_link_id", "person_id"])
    op.create_index("ix_attachments_submission", "attachments", ["submission_id"])


def _transcripts() -> None:
    op.create_table(
        "transcripts",
        sa.Column("course_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("attachment_id", sa.Uuid(), nullable=False),
        sa.Column("read_text", sa.String(), nullable=False),
        sa.Column("unsure", postgresql.JSONB(), nullable=False),
        sa.Column("drawings", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("engine", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("model_digest", sa.String(), nullable=False),
        sa.Column("prompt_version", sa.String(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), **NOW),
        sa.Column("corrected", sa.String(), nullable=True),
        *_keys("transcripts"),
        *_inside(
            "transcripts", course_id="courses", person_id="persons", attachment_id="attachments"
        ),
        sa.UniqueConstraint("attachment_id", name=op.f("uq_transcripts_attachment_id")),
    )


def _phone_links() -> None:
    op.create_table(
        "phone_links",
        *_of_pupil("phone_links"),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("browser_hash", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), **NOW),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_phone_links_person", "phone_links", ["person_id", "created_at"])


def _allowances() -> None:
    op.create_table(
        "upload_allowances",
        sa.Column("course_id", sa.Uuid(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        *_keys("upload_allowances"),
        *_inside("upload_allowances", course_id="courses"),
        sa.UniqueConstraint("course_id", name=op.f("uq_upload_allowances_course_id")),
    )


def _submissions() -> None:
    op.add_column(
        "submissions",
        sa.Column("read_text", sa.String(), nullable=False, server_default=sa.text("''")),
    )
    op.drop_constraint(op.f("ck_submissions_answer"), "submissions")
    op.create_check_constraint(
        op.f("ck_submissions_answer"), "submissions", "length(answer) <= 20000"
    )
    for table, column in (
        ("submissions", "state"),
        ("submission_events", "from_state"),
        ("submission_events", "to_state"),
    ):
        # Named after the type, not the column; see `core.db.enum_column`.
        name = op.f(f"ck_{table}_{'from_state' if column == 'from_state' else 'state'}")
        known = ", ".join(f"'{state}'" for state in STATES)
        op.drop_constraint(name, table)
        op.create_check_constraint(name, table, f"{column} IN ({known})")


def _tasks() -> None:
    for column in ("takes_pages", "checks_reading"):
        op.add_column(
            "regular_tasks",
            sa.Column(column, sa.Boolean(), nullable=False, server_default=sa.text("true")),
        )


def _jobs() -> None:
    op.drop_constraint(op.f("ck_jobs_jobkind"), "jobs")
    op.create_check_constraint(
        op.f("ck_jobs_jobkind"),
        "jobs",
        "kind IN ('give_feedback', 'post_score', 'refresh_roster', 'read_pages')",
    )


def _protect() -> None:
    protect("uploads", read=LEARNER)
    protect(
        "attachments",
        read=f"({SERVICE}) OR ({TEACHES} AND submission_id IS NOT NULL) OR ({LEARNER})",
        write=f"({SERVICE}) OR ({LEARNER})",
        insert=f"{LEARNER} AND submission_id IS NULL",
    )
    protect(
        "transcripts",
        read=f"({SERVICE}) OR ({TEACHES}) OR ({LEARNER})",
        write=f"({SERVICE}) OR ({LEARNER})",
        insert=SERVICE,
    )
    protect("phone_links", read=f"({LEARNER}) OR app_role() = 'launch'", insert=LEARNER)
    protect(
        "upload_allowances",
        read=f"{HERE} AND course_id = app_course() AND app_role() IN ('learner', 'instructor')",
        write=TEACHES,
    )


def _of_pupil(table: str, **optional: str) -> list[Any]:
    """Whose it is, in which activity of which course; and its keys."""
    return [
        *(sa.Column(column, sa.Uuid(), nullable=False) for column in OWNER),
        *(sa.Column(column, sa.Uuid(), nullable=True) for column in optional),
        *_keys(table),
        *_inside(table, **OWNER, **optional),
    ]


def _keys(table: str) -> list[Any]:
    return [
        sa.Column("platform_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("platform_id", "id", name=op.f(f"uq_{table}_platform_id_id")),
        sa.ForeignKeyConstraint(
            ["platform_id"],
            ["platforms.id"],
            name=op.f(f"fk_{table}_platform_id_platforms"),
            ondelete="CASCADE",
        ),
    ]


def _inside(table: str, **columns: str) -> list[sa.Constraint]:
    """Foreign keys that stay inside one platform."""
    return [
        sa.ForeignKeyConstraint(
            ["platform_id", column],
            [f"{target}.platform_id", f"{target}.id"],
            name=op.f(f"fk_{table}_platform_id_{column}_{target}"),
            ondelete="CASCADE",
        )
        for column, target in columns.items()
    ]


def _words(name: str, *words: str) -> sa.Enum:
    return sa.Enum(*words, name=name, native_enum=False, create_constraint=True, length=32)
