"""Who may read a task is found out once per query, and not by asking table after table.

The policies of tasks, their parts and their sections asked the policies of the tables above them,
each of which asked again: a pupil's page spent more on that than on everything else. Nobody sees
more or less than before. A row's own columns stay in its policy where a new one must be seen in
the statement that makes it: functions only see what was there before.
"""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

HERE = "platform_id = app_platform()"

# What the activities of the course open; and what is a teacher's own: the course's, or written by
# themselves.
LINKED = """FROM resource_links r JOIN tasks t ON t.id = r.content_id
  JOIN sections s ON s.id = t.section_id JOIN units u ON u.id = s.unit_id
  WHERE r.course_id = app_course() AND u.deployment_id = (SELECT app_deployment())"""
OWN = """(u.course_id = app_course() OR u.author_id = app_person())
  AND u.deployment_id = (SELECT app_deployment())"""
SECTIONS = "units u JOIN sections s ON s.unit_id = u.id"
FUNCTIONS = {
    "units_linked_here": f"u.id {LINKED}",
    "tasks_linked_here": f"t.id {LINKED}",
    "own_units_here": f"u.id FROM units u WHERE {OWN}",
    "own_sections_here": f"s.id FROM {SECTIONS} WHERE {OWN}",
    # As an array, so that old statistics do not make it loops within loops.
    "own_tasks_here": "t.id FROM tasks t WHERE t.section_id = ANY (ARRAY("
    "SELECT own_sections_here()))",
}

# What an activity opens, as pupils see it, with all its parts under one roof. The course is asked
# for twice: of whoever asks, and of the transaction.
OPENED = """
CREATE FUNCTION task_opened_by(link uuid, course uuid) RETURNS TABLE (id uuid, title varchar,
    prompt_html varchar, mode varchar, max_attempts integer, unit_title varchar, criteria jsonb)
  LANGUAGE plpgsql STABLE ROWS 1 SET app.role = 'service'
  AS $$ BEGIN RETURN QUERY SELECT t.id, t.title, t.prompt_html, r.mode, r.max_attempts, u.title, (
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
    for name, found in FUNCTIONS.items():
        _function(name, found)
    op.execute(OPENED)
    _read(
        "sections",
        "unit_id IN (SELECT units_linked_here())",
        "unit_id IN (SELECT own_units_here())",
    )
    _read(
        "tasks", "id IN (SELECT tasks_linked_here())", "section_id IN (SELECT own_sections_here())"
    )
    for table, column in {
        "regular_tasks": "id",
        "mastery_tasks": "id",
        "criteria": "task_id",
    }.items():
        linked = f"{column} IN (SELECT tasks_linked_here())"
        _read(table, linked, f"{column} IN (SELECT own_tasks_here())")


def _function(name: str, found: str) -> None:
    """In PL/pgSQL, because that keeps its plans. The widened role ends with the function."""
    op.execute(
        f"CREATE OR REPLACE FUNCTION {name}() RETURNS SETOF uuid LANGUAGE plpgsql STABLE ROWS 20"
        f" SET app.role = 'service' AS $$ BEGIN RETURN QUERY SELECT DISTINCT {found}; END $$"
    )


def _read(table: str, linked: str, own: str) -> None:
    """For pupils what is linked in the course; for teachers their own as well."""
    seen = (
        f"app_role() IN ('learner', 'instructor') AND {linked}"
        f" OR app_role() = 'instructor' AND {own}"
    )
    condition = f"{HERE} AND (app_role() = 'service' OR {seen})"
    op.execute(f"ALTER POLICY {table}_read ON {table} USING ({condition})")
