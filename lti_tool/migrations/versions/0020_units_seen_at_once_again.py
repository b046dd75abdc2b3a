"""Units of a course's own space, and those it sees by its links: both asked once per query.

Since units have a deployment their policy asked for it row by row, and no longer let in what an
activity of the course opens. See 0013.
"""

from alembic import op

revision = "0020"
down_revision = "0016"
branch_labels = None
depends_on = None

POLICIES = """
CREATE OR REPLACE FUNCTION units_linked_here() RETURNS SETOF uuid LANGUAGE sql STABLE ROWS 20
  SET app.role = 'service'
  AS $$ SELECT DISTINCT u.id FROM resource_links r JOIN tasks t ON t.id = r.content_id
        JOIN sections s ON s.id = t.section_id JOIN units u ON u.id = s.unit_id
        WHERE u.deployment_id = (SELECT app_deployment()) AND r.course_id = app_course() $$;
DROP POLICY IF EXISTS units_read_linked ON units;
ALTER POLICY units_read ON units USING (platform_id = app_platform() AND (
  app_role() = 'service'
  OR (app_role() = 'instructor' AND (course_id = app_course() OR author_id = app_person())
      AND deployment_id = (SELECT app_deployment()))
  OR (app_role() IN ('learner', 'instructor') AND id IN (SELECT units_linked_here()))));
DROP FUNCTION unit_is_linked_here(uuid);
"""


def upgrade() -> None:
    op.execute(POLICIES)
