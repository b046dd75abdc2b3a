"""Units, sections, tasks of both kinds, criteria."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from lti_tool.migrations.rows import protect

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TRIGGERS = """
-- Units are seen in every course that one of their tasks is linked in. The widened role ends with
-- the function; without it the policies would ask each other in a circle.
CREATE FUNCTION unit_is_linked_here(which uuid) RETURNS boolean LANGUAGE sql STABLE
  SET app.role = 'service'
  AS $$ SELECT EXISTS (SELECT 1 FROM resource_links r JOIN tasks t ON t.id = r.content_id
        JOIN sections s ON s.id = t.section_id
        WHERE s.unit_id = which AND r.course_id = app_course()) $$;
CREATE POLICY units_read_linked ON units FOR SELECT USING (
  platform_id = app_platform() AND app_role() IN ('learner', 'instructor')
  AND unit_is_linked_here(id));
"""


def upgrade() -> None:
    _units()
    _sections()
    _tasks()
    _regular_tasks()
    _mastery_tasks()
    _criteria()
    _protect()
    op.execute(TRIGGERS)


def _units() -> None:
    op.create_table(
        "units",
        sa.Column("course_id", sa.Uuid(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=True),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("platform_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("title <> ''", name=op.f("ck_units_title")),
        sa.ForeignKeyConstraint(
            ["platform_id", "author_id"],
            ["persons.platform_id", "persons.id"],
            name=op.f("fk_units_platform_id_author_id_persons"),
            ondelete="SET NULL (author_id)",
        ),
        sa.ForeignKeyConstraint(
            ["platform_id", "course_id"],
            ["courses.platform_id", "courses.id"],
            name=op.f("fk_units_platform_id_course_id_courses"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["platform_id"],
            ["platforms.id"],
            name=op.f("fk_units_platform_id_platforms"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_units")),
        sa.UniqueConstraint("platform_id", "id", name=op.f("uq_units_platform_id_id")),
    )


def _sections() -> None:
    op.create_table(
        "sections",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("platform_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["platform_id", "unit_id"],
            ["units.platform_id", "units.id"],
            name=op.f("fk_sections_platform_id_unit_id_units"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["platform_id"],
            ["platforms.id"],
            name=op.f("fk_sections_platform_id_platforms"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sections")),
        sa.UniqueConstraint("platform_id", "id", name=op.f("uq_sections_platform_id_id")),
    )


def _tasks() -> None:
    op.create_table(
        "tasks",
        sa.Column("section_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "regular",
                "mastery",
                name="taskkind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("prompt", sa.String(), nullable=False),
        sa.Column("prompt_html", sa.String(), nullable=False),
        sa.Column("solution_notes", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("platform_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("title <> '' AND length(title) <= 255", name=op.f("ck_tasks_title")),
        sa.ForeignKeyConstraint(
            ["platform_id", "section_id"],
            ["sections.platform_id", "sections.id"],
            name=op.f("fk_tasks_platform_id_section_id_sections"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["platform_id"],
            ["platforms.id"],
            name=op.f("fk_tasks_platform_id_platforms"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tasks")),
        sa.UniqueConstraint("platform_id", "id", name=op.f("uq_tasks_platform_id_id")),
    )


def _regular_tasks() -> None:
    op.create_table(
        "regular_tasks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("platform_id", sa.Uuid(), nullable=False),
        sa.Column(
            "mode",
            sa.Enum(
                "practice",
                "reviewed",
                name="mode",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("score_maximum", sa.Integer(), nullable=False),
        sa.Column("max_attempts", sa.Integer(), nullable=False),
        sa.Column("reports_score", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "max_attempts BETWEEN 1 AND 20", name=op.f("ck_regular_tasks_max_attempts")
        ),
        sa.CheckConstraint(
            "score_maximum BETWEEN 1 AND 100", name=op.f("ck_regular_tasks_score_maximum")
        ),
        sa.ForeignKeyConstraint(
            ["platform_id", "id"],
            ["tasks.platform_id", "tasks.id"],
            name=op.f("fk_regular_tasks_platform_id_id_tasks"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_regular_tasks")),
    )


def _mastery_tasks() -> None:
    op.create_table(
        "mastery_tasks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("platform_id", sa.Uuid(), nullable=False),
        sa.Column("concept", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["platform_id", "id"],
            ["tasks.platform_id", "tasks.id"],
            name=op.f("fk_mastery_tasks_platform_id_id_tasks"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mastery_tasks")),
    )


def _criteria() -> None:
    op.create_table(
        "criteria",
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.Column("levels", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("platform_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("title <> ''", name=op.f("ck_criteria_title")),
        sa.CheckConstraint("cardinality(levels) BETWEEN 2 AND 6", name=op.f("ck_criteria_levels")),
        sa.CheckConstraint("weight BETWEEN 1 AND 10", name=op.f("ck_criteria_weight")),
        sa.ForeignKeyConstraint(
            ["platform_id", "task_id"],
            ["tasks.platform_id", "tasks.id"],
            name=op.f("fk_criteria_platform_id_task_id_tasks"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["platform_id"],
            ["platforms.id"],
            name=op.f("fk_criteria_platform_id_platforms"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_criteria")),
        sa.UniqueConstraint("platform_id", "id", name=op.f("uq_criteria_platform_id_id")),
    )
    op.create_index(
        "one_criterion_per_position",
        "criteria",
        ["task_id", "position"],
        unique=True,
        postgresql_where=sa.text("retired_at IS NULL"),
    )


def _protect() -> None:

    here = "platform_id = app_platform()"
    theirs = (
        f"{here} AND app_role() = 'instructor'"
        " AND (course_id = app_course() OR author_id = app_person())"
    )
    protect("units", read=f"({here} AND app_role() = 'service') OR ({theirs})", write=theirs)
    own_unit = (
        "SELECT 1 FROM units u WHERE u.id = unit_id"
        " AND (u.course_id = app_course() OR u.author_id = app_person())"
    )
    protect(
        "sections",
        read=f"{here} AND EXISTS (SELECT 1 FROM units u WHERE u.id = unit_id)",
        write=f"{here} AND app_role() = 'instructor' AND EXISTS ({own_unit})",
    )
    linked = (
        "EXISTS (SELECT 1 FROM resource_links r"
        " WHERE r.content_id = tasks.id AND r.course_id = app_course())"
    )
    own_section = (
        "SELECT 1 FROM sections s JOIN units u ON u.id = s.unit_id WHERE s.id = section_id"
        " AND (u.course_id = app_course() OR u.author_id = app_person())"
    )
    writes = f"{here} AND app_role() = 'instructor' AND EXISTS ({own_section})"
    protect(
        "tasks",
        read=f"{here} AND (app_role() = 'service' OR {linked} OR"
        f" (app_role() = 'instructor' AND EXISTS ({own_section})))",
        write=writes,
    )
    for joined in ("regular_tasks", "mastery_tasks"):
        protect(joined, **_with_task(joined, "id"))
    protect("criteria", **_with_task("criteria", "task_id"))


def _with_task(table: str, column: str) -> dict[str, str]:
    """A part of a task is seen by whom the task is seen, and changed by whom it may be changed."""
    own = (
        f"SELECT 1 FROM tasks t JOIN sections s ON s.id = t.section_id"
        f" JOIN units u ON u.id = s.unit_id WHERE t.id = {table}.{column}"
        f" AND (u.course_id = app_course() OR u.author_id = app_person())"
    )
    here = "platform_id = app_platform()"
    return {
        "read": f"{here} AND EXISTS (SELECT 1 FROM tasks t WHERE t.id = {table}.{column})",
        "write": f"{here} AND app_role() = 'instructor' AND EXISTS ({own})",
    }
