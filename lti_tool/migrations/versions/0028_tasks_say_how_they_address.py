"""A pupil's pages know whether their task says Sie."""

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

OPENED = """
DROP FUNCTION task_opened_by(uuid, uuid);
CREATE FUNCTION task_opened_by(link uuid, course uuid) RETURNS TABLE (id uuid, title varchar,
    prompt_html varchar, mode varchar, max_attempts integer, takes_pages boolean,
    checks_reading boolean, formal boolean, unit_title varchar, criteria jsonb)
  LANGUAGE plpgsql STABLE ROWS 1 SET app.role = 'service'
  AS $$ BEGIN RETURN QUERY SELECT t.id, t.title, t.prompt_html, r.mode, r.max_attempts,
          r.takes_pages, r.checks_reading, r.formal, u.title, (
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
    op.execute(OPENED)
