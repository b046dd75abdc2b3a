"""A login under way travels as its own state; nothing is written down before a launch is proven."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_table("oidc_logins")
