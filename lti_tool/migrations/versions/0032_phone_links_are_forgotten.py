"""Links for phones go a day after their end, as uploads do: nothing else needs to know of them."""

from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

OVER = "expires_at < now() - interval '1 day'"


def upgrade() -> None:
    for command, rows in (("select", "true"), ("delete", OVER)):
        op.execute(
            f"CREATE POLICY phone_links_retention_{command} ON phone_links FOR {command}"
            f" USING (app_role() = 'retention' AND {rows})"
        )
    op.execute(
        "CREATE FUNCTION forget_old_phone_links() RETURNS void"
        " LANGUAGE sql SET app.role = 'retention'"
        f" AS $$ DELETE FROM phone_links WHERE {OVER} $$"
    )
