"""A teacher can take a photo out of sight, or have it deleted, at once."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

FUNCTIONS = """
-- What was handed in stays as it is, but that a teacher may take it out of sight; what is a draft
-- is its pupil's.
CREATE OR REPLACE FUNCTION keep_pages_true() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.submission_id IS NOT NULL THEN
    IF app_role() = 'learner' THEN
      RAISE EXCEPTION 'what was handed in does not change' USING ERRCODE = 'check_violation';
    END IF;
    IF TG_OP = 'UPDATE' THEN
      IF OLD.deleted_at IS NOT NULL AND NEW.deleted_at IS DISTINCT FROM OLD.deleted_at THEN
        RAISE EXCEPTION 'a deleted page does not come back' USING ERRCODE = 'check_violation';
      END IF;
      IF to_jsonb(NEW) - '{hidden_at,hidden_by,deleted_at}'::text[] IS DISTINCT FROM
         to_jsonb(OLD) - '{hidden_at,hidden_by,deleted_at}'::text[] THEN
        RAISE EXCEPTION 'what was handed in does not change' USING ERRCODE = 'check_violation';
      END IF;
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

-- What is judged of the pages is settled once; only with a deleted page may its words go.
CREATE OR REPLACE FUNCTION keep_read_text() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF app_role() = 'service' AND length(NEW.read_text) < length(OLD.read_text) AND EXISTS (
      SELECT FROM attachments a WHERE a.submission_id = NEW.id AND a.deleted_at IS NOT NULL) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'what was judged does not change' USING ERRCODE = 'check_violation';
END $$;
"""


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.add_column("attachments", sa.Column("hidden_at", moment, nullable=True))
    op.add_column("attachments", sa.Column("hidden_by", sa.Uuid(), nullable=True))
    op.add_column("attachments", sa.Column("deleted_at", moment, nullable=True))
    op.create_foreign_key(
        op.f("fk_attachments_platform_id_hidden_by_persons"),
        "attachments",
        "persons",
        ["platform_id", "hidden_by"],
        ["platform_id", "id"],
        ondelete="SET NULL (hidden_by)",
    )
    op.create_check_constraint(
        op.f("ck_attachments_withdrawn"),
        "attachments",
        "(deleted_at IS NULL OR hidden_at IS NOT NULL) AND"
        " (hidden_at IS NULL OR submission_id IS NOT NULL)",
    )
    op.execute(FUNCTIONS)
