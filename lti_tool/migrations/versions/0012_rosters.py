"""How each course's roster comes and when it is due, and a number for everybody in a course."""

import sqlalchemy as sa
from alembic import op

from lti_tool.migrations.rows import protect

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

FAILURES = (
    "not_allowed",
    "not_recognised",
    "gone",
    "refused",
    "address",
    "too_many",
    "unreachable",
    "unreadable",
    "doubtful",
    "unforeseen",
)

NUMBERS = """
-- Whoever is about to give out numbers in a course holds this until the end of the transaction.
CREATE FUNCTION lock_numbers(course uuid) RETURNS void LANGUAGE sql
  AS $$ SELECT pg_advisory_xact_lock(hashtextextended('numbers of ' || course, 0)) $$;
-- The next number of the course for whoever is new in it. Those who are known wait for nobody, and
-- keep the number they have. A list of many brings its numbers along: see people/members.py.
CREATE FUNCTION number_membership() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.number IS NULL THEN
    SELECT number INTO NEW.number FROM memberships
      WHERE course_id = NEW.course_id AND person_id = NEW.person_id;
  END IF;
  IF NEW.number IS NULL THEN
    PERFORM lock_numbers(NEW.course_id);
    SELECT coalesce(max(number), 0) + 1 INTO NEW.number FROM memberships
      WHERE course_id = NEW.course_id;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER number_membership BEFORE INSERT ON memberships
  FOR EACH ROW EXECUTE FUNCTION number_membership();
CREATE FUNCTION keep_number() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the number of a membership does not change';
END $$;
CREATE TRIGGER keep_number BEFORE UPDATE OF number ON memberships
  FOR EACH ROW WHEN (OLD.number IS DISTINCT FROM NEW.number) EXECUTE FUNCTION keep_number();
"""


def upgrade() -> None:
    _numbers()
    _rosters()
    op.drop_column("courses", "roster_at")


def _numbers() -> None:
    op.add_column("memberships", sa.Column("number", sa.Integer(), nullable=True))
    _as_it_is("memberships")
    op.execute(
        "UPDATE memberships SET number = counted.number FROM"
        " (SELECT id, row_number() OVER (PARTITION BY course_id ORDER BY id) AS number"
        " FROM memberships) counted WHERE counted.id = memberships.id"
    )
    _under_policies("memberships")
    op.alter_column("memberships", "number", nullable=False)
    op.create_unique_constraint(
        op.f("uq_memberships_course_id_number"), "memberships", ["course_id", "number"]
    )
    op.execute(NUMBERS)


def _rosters() -> None:
    op.create_table(
        "rosters",
        sa.Column("course_id", sa.Uuid(), nullable=False),
        _moment("asked_at"),
        _moment("kept_at"),
        _moment("due_at"),
        sa.Column(
            "failure",
            sa.Enum(
                *FAILURES,
                name="rosterfailure",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("failures", sa.Integer(), nullable=False),
        _moment("doubted_since"),
        sa.Column("etag", sa.String(), nullable=True),
        sa.Column("last_modified", sa.String(), nullable=True),
        sa.Column("digest", sa.String(), nullable=True),
        sa.Column("platform_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("failures >= 0", name=op.f("ck_rosters_failures")),
        sa.ForeignKeyConstraint(
            ["platform_id", "course_id"],
            ["courses.platform_id", "courses.id"],
            name=op.f("fk_rosters_platform_id_course_id_courses"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["platform_id"],
            ["platforms.id"],
            name=op.f("fk_rosters_platform_id_platforms"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rosters")),
        sa.UniqueConstraint("course_id", name=op.f("uq_rosters_course_id")),
        sa.UniqueConstraint("platform_id", "id", name=op.f("uq_rosters_platform_id_id")),
    )
    op.create_index("ix_rosters_due", "rosters", ["due_at"])
    _take_over()
    machine = "platform_id = app_platform() AND app_role() IN ('launch', 'service')"
    # The worker looks over all platforms for what is due; there is nobody's data in these rows.
    protect(
        "rosters",
        read=f"app_role() = 'worker' OR ({machine}) OR (platform_id = app_platform()"
        " AND course_id = app_course() AND app_role() = 'instructor')",
        write=machine,
    )


def _take_over() -> None:
    """What is known of the lists so far. All are due now; the sweep starts a few at a time."""
    _as_it_is("courses")
    op.execute(
        "INSERT INTO rosters (id, platform_id, course_id, asked_at, kept_at, due_at, failures)"
        " SELECT gen_random_uuid(), platform_id, id, roster_at, roster_at, now(), 0"
        " FROM courses WHERE roster_at IS NOT NULL"
    )
    _under_policies("courses")


def _as_it_is(table: str) -> None:
    """Let this transaction, as the owner, see all rows; its lock keeps everybody else out."""
    op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")


def _under_policies(table: str) -> None:
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")


def _moment(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=True)
