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

# In PL/pgSQL, because that keeps its plans. The widened role ends with each function; who asks is
# therefore handed in.
FUNCTIONS = """
CREATE OR REPLACE FUNCTION units_linked_here() RETURNS SETOF uuid LANGUAGE plpgsql STABLE ROWS 20
  SET app.role = 'service'
  AS $$ BEGIN RETURN QUERY SELECT DISTINCT s.unit_id FROM resource_links r
        JOIN tasks t ON t.id = r.content_id JOIN sections s ON s.id = t.section_id
        JOIN units u ON u.id = s.unit_id
        WHERE r.course_id = app_course() AND u.deployment_id = (SELECT app_deployment());
  END $$;
CREATE FUNCTION tasks_linked_here() RETURNS SETOF uuid LANGUAGE plpgsql STABLE ROWS 20
  SET app.role = 'service'
  AS $$ BEGIN RETURN QUERY SELECT t.id FROM resource_links r
        JOIN tasks t ON t.id = r.content_id JOIN sections s ON s.id = t.section_id
        JOIN units u ON u.id = s.unit_id
        WHERE r.course_id = app_course() AND u.deployment_id = (SELECT app_deployment());
  END $$;
-- A teacher's: of the course, or written by themselves.
CREATE FUNCTION own_sections_here() RETURNS SETOF uuid LANGUAGE plpgsql STABLE ROWS 50
  SET app.role = 'service'
  AS $$ BEGIN RETURN QUERY SELECT s.id FROM units u JOIN sections s ON s.unit_id = u.id
        WHERE (u.course_id = app_course() OR u.author_id = app_person())
          AND u.deployment_id = (SELECT app_deployment());
  END $$;
CREATE FUNCTION units_seen_here(who text) RETURNS SETOF uuid LANGUAGE plpgsql STABLE ROWS 20
  SET app.role = 'service'
  AS $$ BEGIN
  IF who IN ('learner', 'instructor') THEN
    RETURN QUERY SELECT units_linked_here();
  END IF;
  IF who = 'instructor' THEN
    RETURN QUERY SELECT u.id FROM units u
      WHERE (u.course_id = app_course() OR u.author_id = app_person())
        AND u.deployment_id = (SELECT app_deployment());
  END IF;
  END $$;
CREATE FUNCTION tasks_seen_here(who text) RETURNS SETOF uuid LANGUAGE plpgsql STABLE ROWS 50
  SET app.role = 'service'
  AS $$ BEGIN
  IF who IN ('learner', 'instructor') THEN
    RETURN QUERY SELECT tasks_linked_here();
  END IF;
  IF who = 'instructor' THEN
    RETURN QUERY SELECT t.id FROM tasks t WHERE t.section_id IN (SELECT own_sections_here());
  END IF;
  END $$;
"""

HERE = "platform_id = app_platform()"


def upgrade() -> None:
    op.execute(FUNCTIONS)
    _read(
        "tasks",
        "(app_role() IN ('learner', 'instructor') AND id IN (SELECT tasks_linked_here()))"
        " OR (app_role() = 'instructor' AND section_id IN (SELECT own_sections_here()))",
    )
    _read("sections", "unit_id IN (SELECT units_seen_here(app_role()))")
    _read("criteria", "task_id IN (SELECT tasks_seen_here(app_role()))")
    for joined in ("regular_tasks", "mastery_tasks"):
        _read(joined, "id IN (SELECT tasks_seen_here(app_role()))")


def _read(table: str, seen: str) -> None:
    condition = f"{HERE} AND (app_role() = 'service' OR {seen})"
    op.execute(f"ALTER POLICY {table}_read ON {table} USING ({condition})")
