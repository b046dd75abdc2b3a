"""How Alembic finds the tables and the database."""

from alembic import context
from sqlalchemy import create_engine, pool

import lti_tool.content.models
import lti_tool.core.jobs
import lti_tool.core.pulse
import lti_tool.grades.models
import lti_tool.launch.models
import lti_tool.launch.registration.models
import lti_tool.operator.models
import lti_tool.people.health
import lti_tool.people.models
import lti_tool.submissions.models  # noqa: F401  # each import puts its tables into the metadata
from lti_tool.core.tables import Base

engine = create_engine(context.config.attributes["url"], poolclass=pool.NullPool)
with engine.connect() as connection:
    # A migration that waits for a lock would make every later request wait behind it.
    connection.exec_driver_sql("SET lock_timeout = '2s'")
    connection.commit()
    context.configure(
        connection=connection, target_metadata=Base.metadata, compare_server_default=True
    )
    with context.begin_transaction():
        context.run_migrations()
