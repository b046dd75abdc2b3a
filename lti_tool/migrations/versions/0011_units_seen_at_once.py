"""Units that a course sees by its links are looked up once per query, not once per unit.

A picker with hundreds of tasks asked a function for every unit of the platform, and again for
every task. Nobody sees more or less than before.
"""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

POLICIES = """
CREATE FUNCTION units_linked_here() RETURNS SETOF uuid LANGUAGE sql STABLE ROWS 20
  SET app.role = 'service'
  AS $$ SELECT DISTINCT s.unit_id FROM resource_links r JOIN tasks t ON t.id = r.content_id
        JOIN sections s ON s.id = t.section_id WHERE r.course_id = app_course() $$;
DROP POLICY units_read_linked ON units;
ALTER POLICY units_read ON units USING (platform_id = app_platform() AND (
  app_role() = 'service'
  OR (app_role() = 'instructor' AND (course_id = app_course() OR author_id = app_person()))
  OR (app_role() IN ('learner', 'instructor') AND id IN (SELECT units_linked_here()))));
DROP FUNCTION unit_is_linked_here(uuid);
"""


def upgrade() -> None:
    op.execute(POLICIES)
    op.create_index(op.f("ix_sections_unit_id"), "sections", ["unit_id"])
    op.create_index(op.f("ix_tasks_section_id"), "tasks", ["section_id"])
