"""Drafts, submissions with their allowed moves, versioned feedback."""

import sqlalchemy as sa
from alembic import op

from lti_tool.migrations.rows import protect

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TRIGGERS = """
-- The same moves as lti_tool/submissions/states.py; a test holds the two together.
CREATE FUNCTION submission_moves(from_state text, to_state text) RETURNS boolean
  LANGUAGE sql IMMUTABLE AS $$ SELECT (from_state, to_state) IN (
    ('handed_in', 'released'), ('handed_in', 'awaiting_teacher'), ('handed_in', 'needs_teacher'),
    ('awaiting_teacher', 'released'), ('awaiting_teacher', 'handed_in'),
    ('needs_teacher', 'released'), ('needs_teacher', 'handed_in')) $$;
CREATE FUNCTION keep_submission_true() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.answer, NEW.attempt, NEW.person_id, NEW.task_id, NEW.resource_link_id, NEW.client_key,
      NEW.submitted_at) IS DISTINCT FROM (OLD.answer, OLD.attempt, OLD.person_id, OLD.task_id,
      OLD.resource_link_id, OLD.client_key, OLD.submitted_at) THEN
    RAISE EXCEPTION 'what was handed in does not change' USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.state <> OLD.state AND NOT submission_moves(OLD.state, NEW.state) THEN
    RAISE EXCEPTION 'a submission does not move from % to %', OLD.state, NEW.state
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER keep_true BEFORE UPDATE ON submissions
  FOR EACH ROW EXECUTE FUNCTION keep_submission_true();
CREATE FUNCTION note_submission_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO submission_events (id, platform_id, submission_id, from_state, to_state)
  VALUES (gen_random_uuid(), NEW.platform_id, NEW.id,
          CASE WHEN TG_OP = 'UPDATE' THEN OLD.state END, NEW.state);
  RETURN NEW;
END $$;
CREATE TRIGGER note_first AFTER INSERT ON submissions
  FOR EACH ROW EXECUTE FUNCTION note_submission_move();
CREATE TRIGGER note_move AFTER UPDATE OF state ON submissions
  FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state)
  EXECUTE FUNCTION note_submission_move();
"""


def upgrade() -> None:
    _drafts()
    _submissions()
    _submission_events()
    _feedbacks()
    _criterion_results()
    _protect()
    op.execute(TRIGGERS)


def _drafts() -> None:
    op.create_table(
        "drafts",
        sa.Column("course_id", sa.Uuid(), nullable=False),
        sa.Column("resource_link_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column(
            "saved_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("platform_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["platform_id", "course_id"],
            ["courses.platform_id", "courses.id"],
            name=op.f("fk_drafts_platform_id_course_id_courses"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["platform_id", "person_id"],
            ["persons.platform_id", "persons.id"],
            name=op.f("fk_drafts_platform_id_person_id_persons"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["platform_id", "resource_link_id"],
            ["resource_links.platform_id", "resource_links.id"],
            name=op.f("fk_drafts_platform_id_resource_link_id_resource_links"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["platform_id"],
            ["platforms.id"],
            name=op.f("fk_drafts_platform_id_platforms"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drafts")),
        sa.UniqueConstraint("platform_id", "id", name=op.f("uq_drafts_platform_id_id")),
        sa.UniqueConstraint(
            "resource_link_id", "person_id", name=op.f("uq_drafts_resource_link_id_person_id")
        ),
    )


def _submissions() -> None:
    op.create_table(
        "submissions",
        sa.Column("course_id", sa.Uuid(), nullable=False),
        sa.Column("resource_link_id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("client_key", sa.Uuid(), nullable=False),
        sa.Column("answer", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "handed_in",
                "awaiting_teacher",
                "needs_teacher",
                "released",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("needs_teacher_reason", sa.String(), nullable=True),
        sa.Column(
            "submitted_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("platform_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(state = 'needs_teacher') = (needs_teacher_reason IS NOT NULL)",
            name=op.f("ck_submissions_reason"),
        ),
        sa.CheckConstraint("attempt >= 1", name=op.f("ck_submissions_attempt")),
        sa.CheckConstraint(
            "length(answer) BETWEEN 1 AND 20000", name=op.f("ck_submissions_answer")
        ),
        sa.ForeignKeyConstraint(
            ["platform_id", "course_id"],
            ["courses.platform_id", "courses.id"],
            name=op.f("fk_submissions_platform_id_course_id_courses"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["platform_id", "person_id"],
            ["persons.platform_id", "persons.id"],
            name=op.f("fk_submissions_platform_id_person_id_persons"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["platform_id", "resource_link_id"],
            ["resource_links.platform_id", "resource_links.id"],
            name=op.f("fk_submissions_platform_id_resource_link_id_resource_links"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["platform_id", "task_id"],
            ["tasks.platform_id", "tasks.id"],
            name=op.f("fk_submissions_platform_id_task_id_tasks"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["platform_id"],
            ["platforms.id"],
            name=op.f("fk_submissions_platform_id_platforms"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_submissions")),
        sa.UniqueConstraint("platform_id", "id", name=op.f("uq_submissions_platform_id_id")),
        sa.UniqueConstraint(
            "resource_link_id",
            "person_id",
            "client_key",
            name=op.f("uq_submissions_resource_link_id_person_id_client_key"),
        ),
        sa.UniqueConstraint(
            "resource_link_id",
            "task_id",
            "person_id",
            "attempt",
            name=op.f("uq_submissions_resource_link_id_task_id_person_id_attempt"),
        ),
    )


def _submission_events() -> None:
    op.create_table(
        "submission_events",
        sa.Column("submission_id", sa.Uuid(), nullable=False),
        sa.Column(
            "from_state",
            sa.Enum(
                "handed_in",
                "awaiting_teacher",
                "needs_teacher",
                "released",
                name="from_state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column(
            "to_state",
            sa.Enum(
                "handed_in",
                "awaiting_teacher",
                "needs_teacher",
                "released",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("platform_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["platform_id", "submission_id"],
            ["submissions.platform_id", "submissions.id"],
            name=op.f("fk_submission_events_platform_id_submission_id_submissions"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["platform_id"],
            ["platforms.id"],
            name=op.f("fk_submission_events_platform_id_platforms"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_submission_events")),
        sa.UniqueConstraint("platform_id", "id", name=op.f("uq_submission_events_platform_id_id")),
    )
    op.create_index(
        "ix_submission_events_submission",
        "submission_events",
        ["submission_id", "at"],
        unique=False,
    )


def _feedbacks() -> None:
    op.create_table(
        "feedbacks",
        sa.Column("course_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("submission_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column(
            "author",
            sa.Enum(
                "ai",
                "ai_edited",
                "teacher",
                name="author",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("engine", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("model_digest", sa.String(), nullable=False),
        sa.Column("prompt_version", sa.String(), nullable=False),
        sa.Column("strengths", sa.String(), nullable=False),
        sa.Column("next_step", sa.String(), nullable=False),
        sa.Column("question", sa.String(), nullable=False),
        sa.Column("flags", sa.String(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "release",
            sa.Enum(
                "task_rule",
                "teacher",
                name="releasedby",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("released_by", sa.Uuid(), nullable=True),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("platform_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(released_at IS NULL) = (release IS NULL)", name=op.f("ck_feedbacks_release")
        ),
        sa.ForeignKeyConstraint(
            ["platform_id", "course_id"],
            ["courses.platform_id", "courses.id"],
            name=op.f("fk_feedbacks_platform_id_course_id_courses"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["platform_id", "person_id"],
            ["persons.platform_id", "persons.id"],
            name=op.f("fk_feedbacks_platform_id_person_id_persons"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["platform_id", "released_by"],
            ["persons.platform_id", "persons.id"],
            name=op.f("fk_feedbacks_platform_id_released_by_persons"),
            ondelete="SET NULL (released_by)",
        ),
        sa.ForeignKeyConstraint(
            ["platform_id", "submission_id"],
            ["submissions.platform_id", "submissions.id"],
            name=op.f("fk_feedbacks_platform_id_submission_id_submissions"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["platform_id"],
            ["platforms.id"],
            name=op.f("fk_feedbacks_platform_id_platforms"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feedbacks")),
        sa.UniqueConstraint("platform_id", "id", name=op.f("uq_feedbacks_platform_id_id")),
        sa.UniqueConstraint(
            "submission_id", "version", name=op.f("uq_feedbacks_submission_id_version")
        ),
    )
    op.create_index(
        "one_current_feedback_per_submission",
        "feedbacks",
        ["submission_id"],
        unique=True,
        postgresql_where=sa.text("superseded_at IS NULL"),
    )


def _criterion_results() -> None:
    op.create_table(
        "criterion_results",
        sa.Column("feedback_id", sa.Uuid(), nullable=False),
        sa.Column("criterion_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.Column("levels", sa.Integer(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=True),
        sa.Column("level_text", sa.String(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "assessed",
                "nothing_found",
                "not_assessed",
                name="verdictstatus",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("quote", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("platform_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(level IS NULL) = (status = 'not_assessed')", name=op.f("ck_criterion_results_level")
        ),
        sa.CheckConstraint(
            "level BETWEEN 0 AND levels - 1", name=op.f("ck_criterion_results_level_range")
        ),
        sa.ForeignKeyConstraint(
            ["platform_id", "criterion_id"],
            ["criteria.platform_id", "criteria.id"],
            name=op.f("fk_criterion_results_platform_id_criterion_id_criteria"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["platform_id", "feedback_id"],
            ["feedbacks.platform_id", "feedbacks.id"],
            name=op.f("fk_criterion_results_platform_id_feedback_id_feedbacks"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["platform_id"],
            ["platforms.id"],
            name=op.f("fk_criterion_results_platform_id_platforms"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_criterion_results")),
        sa.UniqueConstraint(
            "feedback_id", "position", name=op.f("uq_criterion_results_feedback_id_position")
        ),
        sa.UniqueConstraint("platform_id", "id", name=op.f("uq_criterion_results_platform_id_id")),
    )


def _protect() -> None:

    here = "platform_id = app_platform()"
    own = f"{here} AND course_id = app_course() AND person_id = app_person()"
    teaches = f"{here} AND course_id = app_course() AND app_role() = 'instructor'"
    service = f"{here} AND app_role() = 'service'"
    protect("drafts", read=f"{own} AND app_role() = 'learner'")
    protect(
        "submissions",
        read=f"({service}) OR ({teaches}) OR ({own})",
        write=f"({service}) OR ({teaches})",
        insert=f"{own} AND app_role() = 'learner' AND state = 'handed_in'",
    )
    protect(
        "submission_events",
        read=f"{here} AND app_role() IN ('service', 'instructor')"
        " AND EXISTS (SELECT 1 FROM submissions s WHERE s.id = submission_id)",
        insert=f"{here} AND EXISTS (SELECT 1 FROM submissions s WHERE s.id = submission_id)",
        write="false",
    )
    # Feedback that no teacher's act has let out does not exist for the pupil.
    protect(
        "feedbacks",
        read=f"({service}) OR ({teaches}) OR ({own} AND released_at IS NOT NULL)",
        write=f"({service}) OR ({teaches})",
    )
    part = "EXISTS (SELECT 1 FROM feedbacks f WHERE f.id = feedback_id)"
    protect(
        "criterion_results",
        read=f"{here} AND {part}",
        write=f"{here} AND app_role() IN ('service', 'instructor') AND {part}",
    )
