"""Whoever deletes a person or a course finds what has arrived of files that are still on their way.

Only to read: uploads are their pupil's, and go with them by foreign keys.
"""

from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "CREATE POLICY uploads_service_select ON uploads FOR SELECT"
        " USING (platform_id = app_platform() AND app_role() = 'service')"
    )
