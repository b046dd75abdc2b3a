"""Units that another course uses: shared, or copied for it; one space per deployment."""

import sqlalchemy as sa
from alembic import op

from lti_tool.migrations.rows import protect

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

HERE = "platform_id = app_platform()"

SPACE = """
-- A deployment is a space of its own, and a transaction is in that of its course.
CREATE FUNCTION app_deployment() RETURNS uuid LANGUAGE sql STABLE
  AS $$ SELECT deployment_id FROM courses WHERE id = app_course() $$;
"""

FUNCTIONS = """
CREATE OR REPLACE FUNCTION units_linked_here() RETURNS SETOF uuid LANGUAGE sql STABLE ROWS 20
  SET app.role = 'service'
  AS $$ SELECT DISTINCT s.unit_id FROM resource_links r JOIN tasks t ON t.id = r.content_id
        JOIN sections s ON s.id = t.section_id JOIN units u ON u.id = s.unit_id
        WHERE r.course_id = app_course() AND u.deployment_id = (SELECT app_deployment()) $$;
-- What an activity opens that names a task: the copy that its course has, or else the nearest
-- course it was copied from; without any copy the task itself.
CREATE FUNCTION opened_in(course uuid, named uuid) RETURNS uuid LANGUAGE sql STABLE
  AS $$ SELECT coalesce((
    SELECT c.copy_id FROM task_copies c
    JOIN courses mine ON mine.id = course
    JOIN courses theirs ON theirs.id = c.course_id AND theirs.deployment_id = mine.deployment_id
    WHERE c.original_id = named
      AND (theirs.id = mine.id OR theirs.context_id::text = ANY (mine.history))
    ORDER BY theirs.id <> mine.id, array_position(mine.history, theirs.context_id::text)
    LIMIT 1), named) $$;
"""

TRIGGERS = """
-- What was handed in may follow its task into the copy of it that its course was given: word for
-- word the same task. Nothing else of it changes.
CREATE FUNCTION task_is_copied(course uuid, original uuid, copy uuid) RETURNS boolean
  LANGUAGE sql STABLE
  AS $$ SELECT EXISTS (SELECT 1 FROM task_copies c WHERE c.course_id = course
        AND c.original_id = original AND c.copy_id = copy) $$;
CREATE OR REPLACE FUNCTION keep_submission_true() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (NEW.answer, NEW.attempt, NEW.person_id, NEW.resource_link_id, NEW.client_key,
      NEW.submitted_at) IS DISTINCT FROM (OLD.answer, OLD.attempt, OLD.person_id,
      OLD.resource_link_id, OLD.client_key, OLD.submitted_at)
     OR (NEW.task_id <> OLD.task_id
         AND NOT task_is_copied(OLD.course_id, OLD.task_id, NEW.task_id)) THEN
    RAISE EXCEPTION 'what was handed in does not change' USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.state <> OLD.state AND NOT submission_moves(OLD.state, NEW.state) THEN
    RAISE EXCEPTION 'a submission does not move from % to %', OLD.state, NEW.state
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
-- Who hands in while the course gets its copy waits for it and is then found at the copy.
CREATE FUNCTION hand_in_at_the_copy() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock_shared(hashtextextended('copies:' || NEW.course_id, 0));
  NEW.task_id := coalesce((SELECT c.copy_id FROM task_copies c WHERE c.course_id = NEW.course_id
                           AND c.original_id = NEW.task_id), NEW.task_id);
  RETURN NEW;
END $$;
CREATE TRIGGER at_the_copy BEFORE INSERT ON submissions
  FOR EACH ROW EXECUTE FUNCTION hand_in_at_the_copy();
"""


def upgrade() -> None:
    op.execute(SPACE)
    _spaces()
    _named_ids()
    _unit_uses()
    _task_copies()
    op.execute(FUNCTIONS)
    op.execute(TRIGGERS)
    _policies()


def _spaces() -> None:
    op.add_column("units", sa.Column("deployment_id", sa.Uuid(), nullable=True))
    _fill(
        "UPDATE units SET deployment_id = c.deployment_id FROM courses c WHERE c.id = course_id",
        "units",
        "courses",
    )
    op.alter_column(
        "units", "deployment_id", nullable=False, server_default=sa.text("app_deployment()")
    )
    op.create_foreign_key(
        op.f("fk_units_platform_id_deployment_id_deployments"),
        "units",
        "deployments",
        ["platform_id", "deployment_id"],
        ["platform_id", "id"],
        ondelete="CASCADE",
    )


def _named_ids() -> None:
    op.add_column("resource_links", sa.Column("named_id", sa.Uuid(), nullable=True))
    _fill("UPDATE resource_links SET named_id = content_id", "resource_links")


def _fill(statement: str, *tables: str) -> None:
    """Forced policies hide the rows from their owner, too; lifted for this one statement."""
    for table in tables:
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute(statement)
    for table in tables:
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")


def _unit_uses() -> None:
    op.create_table(
        "unit_uses",
        sa.Column("course_id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column(
            "decision",
            sa.Enum(
                "shared",
                "copied",
                name="usedecision",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("copy_id", sa.Uuid(), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column(
            "decided_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("platform_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(decision = 'copied') = (copy_id IS NOT NULL)", name=op.f("ck_unit_uses_copied")
        ),
        *_within("unit_uses", course_id="courses", unit_id="units", copy_id="units"),
        sa.ForeignKeyConstraint(
            ["platform_id", "decided_by"],
            ["persons.platform_id", "persons.id"],
            name=op.f("fk_unit_uses_platform_id_decided_by_persons"),
            ondelete="SET NULL (decided_by)",
        ),
        sa.UniqueConstraint("course_id", "unit_id", name=op.f("uq_unit_uses_course_id_unit_id")),
    )


def _task_copies() -> None:
    op.create_table(
        "task_copies",
        sa.Column("course_id", sa.Uuid(), nullable=False),
        sa.Column("original_id", sa.Uuid(), nullable=False),
        sa.Column("copy_id", sa.Uuid(), nullable=False),
        sa.Column("platform_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        *_within("task_copies", course_id="courses", copy_id="tasks"),
        sa.UniqueConstraint(
            "original_id", "course_id", name=op.f("uq_task_copies_original_id_course_id")
        ),
    )


def _within(table: str, **columns: str) -> list[sa.Constraint]:
    """The keys of a table of one platform, and foreign keys that stay inside it."""
    return [
        *(
            sa.ForeignKeyConstraint(
                ["platform_id", column],
                [f"{target}.platform_id", f"{target}.id"],
                name=op.f(f"fk_{table}_platform_id_{column}_{target}"),
                ondelete="CASCADE",
            )
            for column, target in columns.items()
        ),
        sa.ForeignKeyConstraint(
            ["platform_id"],
            ["platforms.id"],
            name=op.f(f"fk_{table}_platform_id_platforms"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("platform_id", "id", name=op.f(f"uq_{table}_platform_id_id")),
    ]


def _policies() -> None:
    service = f"{HERE} AND app_role() = 'service'"
    teaches = f"{HERE} AND app_role() = 'instructor' AND course_id = app_course()"
    protect("unit_uses", read=f"({service}) OR ({teaches})")
    protect(
        "task_copies",
        read=f"{HERE} AND (app_role() IN ('launch', 'service') OR course_id = app_course())",
        write=f"({service}) OR ({teaches})",
    )
    theirs = (
        f"{HERE} AND app_role() = 'instructor' AND deployment_id = (SELECT app_deployment())"
        " AND (course_id = app_course() OR author_id = app_person())"
    )
    # In brackets, so that both are asked once per query and not once per unit.
    linked_here = (
        f"{HERE} AND app_role() IN ('learner', 'instructor') AND id IN (SELECT units_linked_here())"
    )
    read = f"({service}) OR ({theirs}) OR ({linked_here})"
    op.execute(f"ALTER POLICY units_read ON units USING ({read})")
    op.execute(f"ALTER POLICY units_insert ON units WITH CHECK ({theirs})")
    # A unit that outlives its course passes to one that uses it; only the operator's service does.
    may_write = f"({service}) OR ({theirs})"
    op.execute(f"ALTER POLICY units_update ON units USING ({may_write}) WITH CHECK ({may_write})")
    op.execute(f"ALTER POLICY units_delete ON units USING ({theirs})")
    linked = (
        "EXISTS (SELECT 1 FROM resource_links r"
        " WHERE r.content_id = tasks.id AND r.course_id = app_course())"
        " AND EXISTS (SELECT 1 FROM sections s WHERE s.id = section_id)"
    )
    own_section = (
        "SELECT 1 FROM sections s JOIN units u ON u.id = s.unit_id WHERE s.id = section_id"
        " AND (u.course_id = app_course() OR u.author_id = app_person())"
    )
    op.execute(
        f"ALTER POLICY tasks_read ON tasks USING ({HERE} AND (app_role() = 'service'"
        f" OR ({linked}) OR (app_role() = 'instructor' AND EXISTS ({own_section}))))"
    )
