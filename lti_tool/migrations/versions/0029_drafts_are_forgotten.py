"""Drafts that nobody touches any more go after 30 days with their photos, uploads after a day.

A draft is a text, pages, or both, of one pupil at one activity, and as old as what was done to it
last. All functions act in the role `retention`, which sees these rows, and whose deletions the
policies themselves keep to what is over.
"""

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

MONTH, DAY = "now() - interval '30 days'", "now() - interval '1 day'"
# Beside what the tables allow already: what is read, and what may be deleted.
READ = {
    "drafts": "true",
    "draft_versions": "true",
    "uploads": "true",
    "attachments": "submission_id IS NULL",
}
DELETE = {
    "drafts": f"saved_at < {MONTH}",
    "uploads": f"created_at < {DAY}",
    "attachments": f"submission_id IS NULL AND created_at < {MONTH}",
}
FUNCTIONS = f"""
CREATE FUNCTION drafts_untouched_since(moment timestamptz)
  RETURNS TABLE (platform uuid, link uuid, person uuid, texts bigint, pages bigint)
  LANGUAGE sql STABLE SET app.role = 'retention' AS $$
  SELECT platform_id, resource_link_id, person_id, count(*) FILTER (WHERE is_text),
    count(*) FILTER (WHERE NOT is_text)
  FROM (
    SELECT platform_id, resource_link_id, person_id, true AS is_text, saved_at AS at FROM drafts
    UNION ALL
    SELECT platform_id, resource_link_id, person_id, false, created_at FROM attachments
    WHERE submission_id IS NULL
  ) touched
  GROUP BY 1, 2, 3 HAVING max(at) < moment
$$;

CREATE FUNCTION forget_old_drafts() RETURNS TABLE (platform uuid, page uuid)
  LANGUAGE sql SET app.role = 'retention' AS $$
  WITH gone AS (SELECT * FROM drafts_untouched_since({MONTH})),
  texts AS (
    DELETE FROM drafts d USING gone g
    WHERE (d.resource_link_id, d.person_id) = (g.link, g.person) AND d.saved_at < {MONTH}
  )
  DELETE FROM attachments a USING gone g
  WHERE (a.resource_link_id, a.person_id) = (g.link, g.person) AND a.submission_id IS NULL
    AND a.created_at < {MONTH}
  RETURNING a.platform_id, a.id
$$;

CREATE FUNCTION forget_old_uploads() RETURNS TABLE (platform uuid, upload uuid, came boolean)
  LANGUAGE sql SET app.role = 'retention' AS $$
  DELETE FROM uploads WHERE created_at < {DAY} RETURNING platform_id, id, state = 'kept'
$$;

CREATE FUNCTION will_be_forgotten(moment timestamptz)
  RETURNS TABLE (drafts bigint, pages bigint, older bigint)
  LANGUAGE sql STABLE SET app.role = 'retention' AS $$
  SELECT count(*), coalesce(sum(d.pages), 0)::bigint,
    (SELECT count(*) FROM draft_versions WHERE saved_at < moment)
  FROM drafts_untouched_since(moment) d
$$;
"""


def upgrade() -> None:
    for command, tables in (("select", READ), ("delete", DELETE)):
        for table, rows in tables.items():
            op.execute(
                f"CREATE POLICY {table}_retention_{command} ON {table} FOR {command}"
                f" USING (app_role() = 'retention' AND ({rows}))"
            )
    op.execute(FUNCTIONS)
